//! Answers what is asked of one client: most of it as a dry run, beside whatever its engine does; the rest by a
//! hand that may act.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::model::{FlagKind, Memory};
use sync_engine::plan::{HeldPlan, PlanRuling, Word};
use sync_engine::ports::{StoreError, Wait};
use sync_engine::{CycleReport, EngineError};

use super::{ClientStatus, Cycles, Door, Fault, Reach, Recall, Remembered, Told, Waiting, Want};
use crate::causes::chain;
use crate::wiring::ClientAgent;

/// Of the journal only the newest entry is shown.
const NEWEST_ENTRY: u32 = 1;

/// What may act for a client: its running engine, or one of one's own.
#[async_trait]
pub trait Hand: Sync {
    /// One cycle.
    async fn sync(&self, client: &ClientAgent) -> Result<CycleReport, Fault>;

    /// Takes a person's word about a plan.
    async fn rule(&self, client: &ClientAgent, ruling: PlanRuling) -> Result<HeldPlan, Fault>;

    /// How its cycles go; `None` where no schedule runs them.
    fn cycles(&self) -> Option<Cycles> {
        None
    }
}

#[async_trait]
impl Hand for Door {
    async fn sync(&self, _client: &ClientAgent) -> Result<CycleReport, Fault> {
        self.errands.sync().await
    }

    async fn rule(&self, _client: &ClientAgent, ruling: PlanRuling) -> Result<HeldPlan, Fault> {
        self.errands.rule(ruling).await
    }

    fn cycles(&self) -> Option<Cycles> {
        let last = self.health.last_cycles(self.client.id);
        Some(self.expected.judge(last, Timestamp::now()))
    }
}

/// What a client has to say to somebody by this name.
///
/// # Errors
/// Why it cannot say it.
pub async fn answer(
    client: &ClientAgent,
    want: &Want,
    by: &str,
    hand: &dyn Hand,
) -> Result<Told, Fault> {
    let fault = |error: EngineError| Fault::of(&error);
    match want {
        Want::Status => Ok(Told::Status(status(client, hand.cycles()).await)),
        // An engine of its own reads both sides anew, so that the one at work misses no change.
        Want::Preview => {
            let mut engine = client.read_only_engine();
            engine.preview().await.map(Told::Cycle).map_err(fault)
        }
        Want::Plans => {
            let mut engine = client.read_only_engine();
            engine.plans().await.map(Told::Plans).map_err(fault)
        }
        Want::Sync => hand.sync(client).await.map(Told::Cycle),
        Want::Rule { plan, ruling } => {
            let word = Word {
                by: by.to_owned(),
                at: Timestamp::now(),
            };
            let (plan, ruling) = (*plan, *ruling);
            let ruling = PlanRuling { plan, ruling, word };
            hand.rule(client, ruling).await.map(Told::Ruled)
        }
        Want::Explain { account } => {
            let mut engine = client.read_only_engine();
            let explained = engine.explain(account).await;
            explained.map(Told::Explained).map_err(fault)
        }
    }
}

async fn status(client: &ClientAgent, cycles: Option<Cycles>) -> ClientStatus {
    let memory = match remembered(client).await {
        Ok(memory) => Recall::Remembered(memory),
        Err(error) => Recall::Unusable { why: chain(&error) },
    };
    ClientStatus {
        vault: reach(client).await,
        memory,
        cycles,
    }
}

/// Reads the vault as a dry run does: the lease is left alone.
async fn reach(client: &ClientAgent) -> Reach {
    let vault = client.read_only_ports().vault;
    match vault.changes(None, Wait::No).await {
        Ok(changes) => Reach::Reachable {
            credentials: changes.credentials.len(),
        },
        Err(error) => Reach::Failing { why: chain(&error) },
    }
}

async fn remembered(client: &ClientAgent) -> Result<Remembered, StoreError> {
    let store = &client.ports.store;
    let memory = store.load().await?;
    let newest = store.journal(None, NEWEST_ENTRY).await?;
    let waiting = memory.plans.values().find(|plan| plan.is_waiting());
    Ok(Remembered {
        credentials: memory.credentials.len(),
        flags: flags(&memory),
        unsent_reports: store.kept_reports().await?.len(),
        last_step: newest.first().map(|entry| entry.at),
        held_plan: waiting.map(|plan| Waiting {
            id: plan.id,
            at: plan.at,
            writes: plan.writes.len(),
        }),
    })
}

fn flags(memory: &Memory) -> BTreeMap<FlagKind, usize> {
    let mut flags = BTreeMap::new();
    for kind in memory.credentials.values().flat_map(|it| it.raised.keys()) {
        *flags.entry(*kind).or_default() += 1;
    }
    flags
}

/// The clients that a request is for: all, or the one with this name or id.
///
/// # Errors
/// When there is none of that name.
pub fn chosen<T>(
    all: Vec<T>,
    wanted: Option<&str>,
    client: impl Fn(&T) -> &ClientAgent,
) -> Result<Vec<T>, Fault> {
    let Some(wanted) = wanted else {
        return Ok(all);
    };
    let names: Vec<String> = all.iter().map(|it| client(it).name.clone()).collect();
    let is_meant = |it: &T| {
        let client = client(it);
        client.name.eq_ignore_ascii_case(wanted) || client.id.to_string() == wanted
    };
    let found: Vec<T> = all.into_iter().filter(is_meant).collect();
    if found.is_empty() {
        let what = format!("this agent does not serve a client `{wanted}`");
        return Err(Fault::new(what, format!("it serves: {}", names.join(", "))));
    }
    Ok(found)
}
