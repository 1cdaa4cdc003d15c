//! Plans that an agent's mass-change breaker held: shown by the agent, ruled on by people.
//!
//! An id stands for the same writes for ever, and a word about it is given once. A plan that the
//! agent shows no more has ended: expired, where nobody ruled on it before.

mod fingerprint;
mod read;
mod rule;
mod show;

pub(crate) use read::Part;
pub(super) use read::{approver, one, rulings, waiting_writes};
pub(super) use show::end_of_agent;

use std::mem::discriminant;

use passportal_client::wire::{Plan, PlanStanding, Ruling, Word};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;

use super::{VaultError, words};

/// Behind the name of a person whom only the agent knows.
const AT_THE_AGENT: &str = " (at the agent)";

fn plan(row: &SqliteRow) -> Result<Plan, VaultError> {
    let here = standing(row, ["ruling", "ruled_by", "ruled_at"])?;
    let there = standing(row, ["agent_ruling", "agent_by", "agent_at"])?;
    let heard = match there {
        Some(_) => row.try_get("agent_at")?,
        None => row.try_get("heard")?,
    };
    let standing = in_force(here, there);
    Ok(Plan {
        id: words::id(row.try_get("id")?)?,
        client: words::id(row.try_get("client")?)?,
        client_name: row.try_get("client_name")?,
        at: words::parse_time(row.try_get("at")?)?,
        allowed: words::unsigned(row.try_get("allowed")?)?,
        total: words::unsigned(row.try_get("total")?)?,
        standing,
        heard: words::parse_optional_time(heard)?,
        ended: words::parse_optional_time(row.try_get("ended")?)?,
    })
}

/// What the agent goes by, which may have heard somebody else before; a person who said the same here
/// is the better witness.
fn in_force(here: Option<PlanStanding>, there: Option<PlanStanding>) -> PlanStanding {
    match (here, there) {
        (Some(here), Some(there)) if discriminant(&here) == discriminant(&there) => here,
        (_, Some(there)) => at_the_agent(there),
        (here, None) => here.unwrap_or_default(),
    }
}

fn at_the_agent(standing: PlanStanding) -> PlanStanding {
    let marked = |word: Word| Word {
        by: word.by + AT_THE_AGENT,
        at: word.at,
    };
    match standing {
        PlanStanding::Waiting => PlanStanding::Waiting,
        PlanStanding::Approved(word) => PlanStanding::Approved(marked(word)),
        PlanStanding::Rejected(word) => PlanStanding::Rejected(marked(word)),
    }
}

fn standing(row: &SqliteRow, columns: [&str; 3]) -> Result<Option<PlanStanding>, VaultError> {
    let [ruling, by, at] = columns;
    let ruling = words::optional_value(row.try_get(ruling)?)?;
    let by: Option<String> = row.try_get(by)?;
    let at = words::parse_optional_time(row.try_get(at)?)?;
    let word = by.zip(at).map(|(by, at)| Word { by, at });
    Ok(ruling.zip(word).map(|(ruling, word)| match ruling {
        Ruling::Approve => PlanStanding::Approved(word),
        Ruling::Reject => PlanStanding::Rejected(word),
    }))
}
