//! The rules as a document: every word of it comes from the code, and where it says what a verdict
//! does, from the planner itself.

use std::fmt::Write;

use serde_json::Value;
use sync_engine::explain::remedy;
use sync_engine::model::{
    BlockedReason, FlagKind, HeldReason, PolicyRefusal, ResetRole, SyncMode, UnknownReason, Verdict,
};
use sync_engine::plan::{Action, Decision, Policy, Rule};

use self::scene::decision;

mod scene;

const INTRODUCTION: &str = "\
# The rules

What the engine does with one credential, and why. This page is generated from the code; do not edit it:
`cargo run -p sync-engine --example rules > docs/rules.md`. Tests compare it with the code, and the order of the first table with the
planner's (`sync-engine/tests/engine/rules.rs`). `passportal explain ACCOUNT` tells which row applied to an account, and what comes next.

A *version* counts how often the password changed in the vault. A *stamp* is the time of the account's last password change in Entra ID.
A *verdict* holds for one account, version and stamp.

## The decision table

The first row that applies wins.

";

const WAY_TO_A_WRITE: &str = "
## On the way to a write

A row that says Push is stopped by the first of these that is so. None of them stops a check.

";

const GUARD: &str = "
## The guard

Looks at every write once more without trusting the rules, and holds it.

";

const HELD: &str = "
## Held: a person must approve first

";

const BLOCKED: &str = "
## Blocked: the account is left alone

";

const UNKNOWN: &str = "
## Unknown: why nothing is known of a password

Unknown never raises a mismatch flag and never clears one. Where waiting helps, the engine tries again by itself.

";

const VERDICTS: &str = "
## What a verdict does

The planner's own answer for a password that was last changed before the verdict, in each mode; behind it what becomes of the flag
`AD change`.

";

const NUMBERS: &str = "
## The numbers

Of the planner's policy; the agent's configuration can set them, neither vault nor directory can.

";

/// The whole document.
pub(crate) fn rules() -> String {
    let mut text = INTRODUCTION.to_owned();
    table(
        &mut text,
        &["", "when", "the engine", "a person can"],
        decision_table(),
    );
    text.push_str(WAY_TO_A_WRITE);
    table(&mut text, &["when", "instead"], way_to_a_write());
    text.push_str(GUARD);
    table(&mut text, &["when", "instead"], guards());
    text.push_str(HELD);
    table(&mut text, &["reason", "in words", "a person can"], held());
    text.push_str(BLOCKED);
    table(
        &mut text,
        &["reason", "in words", "a person can"],
        blocked(),
    );
    text.push_str(UNKNOWN);
    table(
        &mut text,
        &["reason", "in words", "waiting helps", "a person can"],
        unknown(),
    );
    text.push_str(VERDICTS);
    table(
        &mut text,
        &["verdict", "Report mismatches", "Enabled"],
        verdicts(),
    );
    text.push_str(NUMBERS);
    table(
        &mut text,
        &["number", "by default", "what it is"],
        numbers(),
    );
    text
}

fn table<const N: usize>(text: &mut String, head: &[&str; N], rows: Vec<[String; N]>) {
    let line = |cells: &[&str]| format!("| {} |\n", cells.join(" | "));
    text.push_str(&line(head));
    text.push_str(&line(&["---"; N]));
    for row in rows {
        text.push_str(&line(&row.each_ref().map(String::as_str)));
    }
}

/// A variant's name as a person may search for it in the code.
fn name(variant: &impl std::fmt::Debug) -> String {
    let text = format!("{variant:?}");
    let name = text.split('(').next().unwrap_or(&text);
    format!("`{name}`")
}

fn decision_table() -> Vec<[String; 4]> {
    let rows = Rule::ALL.iter().map(|rule| {
        let remedy = rule.remedy().unwrap_or_default();
        let (condition, action) = (rule.condition(), rule.action());
        [name(rule), condition.into(), action.into(), remedy.into()]
    });
    rows.collect()
}

fn way_to_a_write() -> Vec<[String; 2]> {
    let instead = |what: &str, why: &str| format!("{what} ({why})");
    let policy = BlockedReason::Policy(PolicyRefusal::TooShort).to_string();
    let role = BlockedReason::RoleMissing(ResetRole::PrivilegedAuthenticationAdministrator);
    vec![
        [
            "Entra ID cannot accept the password: length, characters, classes, white space at an edge".into(),
            instead("Blocked", &policy),
        ],
        [
            "the agent lacks the directory role that the account needs; in Report mismatches it is checked all the same".into(),
            instead("Blocked", &role.to_string()),
        ],
        [
            "Entra ID refused this version before, and no person confirmed it since".into(),
            instead("Blocked", &BlockedReason::Rejected.to_string()),
        ],
        [
            "the agent is signed in as this account by a refresh token, and no person confirmed the credential".into(),
            instead("Held", &HeldReason::OwnSignIn.to_string()),
        ],
        [
            "the service asked for patience with a write to this account".into(),
            "wait, until the time that it named".into(),
        ],
    ]
}

fn guards() -> Vec<[String; 2]> {
    let hold = |reason: HeldReason| format!("Held ({reason})");
    let policy = Policy::default();
    let breaker = format!(
        "more than max({}, {} % of the client's synced credentials) writes within a rolling hour that no person confirmed or approved: all of them, as one plan",
        policy.breaker_minimum, policy.breaker_percent
    );
    vec![
        [
            "the plan writes to this account already, or the write ends the agent's own sign-in and no person confirmed it".into(),
            hold(HeldReason::Unsafe),
        ],
        [
            "a person rejected a plan with this very write, and did not confirm the credential".into(),
            hold(HeldReason::Rejected),
        ],
        [
            "a newer version was, or may have been, written".into(),
            hold(HeldReason::OlderVersion),
        ],
        [
            "not Enabled or not processed, another version than the vault's, an account that is not ours or needs a role that the agent lacks, or a write to the account under way, whichever credential it was sent for".into(),
            hold(HeldReason::Unsafe),
        ],
        [breaker, hold(HeldReason::MassChange)],
    ]
}

/// Every reason of a kind: the first, and for each the one after it. Whoever adds a variant is asked
/// here where it belongs.
fn all<T: Copy>(first: T, after: impl Fn(T) -> Option<T>) -> Vec<T> {
    std::iter::successors(Some(first), |it| after(*it)).collect()
}

fn held() -> Vec<[String; 3]> {
    use HeldReason as Held;
    let after = |reason| match reason {
        Held::ForeignOverwrites => Some(Held::Unverifiable(UnknownReason::NotPermitted)),
        Held::Unverifiable(_) => Some(Held::OwnSignIn),
        Held::OwnSignIn => Some(Held::MassChange),
        Held::MassChange => Some(Held::Rejected),
        Held::Rejected => Some(Held::OlderVersion),
        Held::OlderVersion => Some(Held::Unsafe),
        Held::Unsafe => None,
    };
    let reasons = all(Held::ForeignOverwrites, after).into_iter();
    let rows = reasons.map(|it| [name(&it), it.to_string(), remedy::of_hold(it).into()]);
    rows.collect()
}

fn blocked() -> Vec<[String; 3]> {
    use BlockedReason as Blocked;
    let after = |reason| match reason {
        Blocked::NotInDirectory => Some(Blocked::Guest),
        Blocked::Guest => Some(Blocked::AccountDisabled),
        Blocked::AccountDisabled => Some(Blocked::OnPremises),
        Blocked::OnPremises => Some(Blocked::Federated),
        Blocked::Federated => Some(Blocked::IdentityChanged),
        Blocked::IdentityChanged => Some(Blocked::Duplicate),
        Blocked::Duplicate => Some(Blocked::Unreadable),
        Blocked::Unreadable => Some(Blocked::Policy(PolicyRefusal::TooShort)),
        Blocked::Policy(_) => Some(Blocked::Rejected),
        Blocked::Rejected => Some(Blocked::NotAllowed),
        Blocked::NotAllowed => Some(Blocked::RoleMissing(
            ResetRole::PrivilegedAuthenticationAdministrator,
        )),
        Blocked::RoleMissing(_) => None,
    };
    let reasons = all(Blocked::NotInDirectory, after).into_iter();
    let rows = reasons.map(|it| [name(&it), it.to_string(), remedy::of_block(it).into()]);
    rows.collect()
}

fn unknown_reasons() -> Vec<UnknownReason> {
    use UnknownReason as Unknown;
    all(Unknown::Locked, |reason| match reason {
        Unknown::Locked => Some(Unknown::Throttled),
        Unknown::Throttled => Some(Unknown::Unavailable),
        Unknown::Unavailable => Some(Unknown::Replicating),
        Unknown::Replicating => Some(Unknown::BudgetSpent),
        Unknown::BudgetSpent => Some(Unknown::Interrupted),
        Unknown::Interrupted => Some(Unknown::SwitchedOff),
        Unknown::SwitchedOff => Some(Unknown::EdgeWhitespace),
        Unknown::EdgeWhitespace => Some(Unknown::NotPermitted),
        Unknown::NotPermitted => Some(Unknown::NotManaged),
        Unknown::NotManaged => Some(Unknown::Inconclusive),
        Unknown::Inconclusive => None,
    })
}

fn unknown() -> Vec<[String; 4]> {
    let rows = unknown_reasons().into_iter().map(|it| {
        let passes = if it.passes() { "yes" } else { "no" };
        let remedy = remedy::of_unknown(it).unwrap_or_default();
        [name(&it), it.to_string(), passes.into(), remedy.into()]
    });
    rows.collect()
}

fn verdicts() -> Vec<[String; 3]> {
    let mut verdicts = vec![Verdict::Match, Verdict::Mismatch];
    verdicts.extend(unknown_reasons().into_iter().map(Verdict::Unknown));
    let rows = verdicts.into_iter().map(|verdict| {
        let report = effect(SyncMode::ReportMismatches, &verdict);
        let enabled = effect(SyncMode::Enabled, &verdict);
        [verdict_name(&verdict), report, enabled]
    });
    rows.collect()
}

fn verdict_name(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Match => "Match".to_owned(),
        Verdict::Mismatch => "Mismatch".to_owned(),
        Verdict::Unknown(why) => format!("Unknown: {}", name(why)),
    }
}

/// What the planner does where this is the verdict, with and without a flag that stands.
fn effect(mode: SyncMode, verdict: &Verdict) -> String {
    let without = decision(mode, verdict, &[]);
    let with = decision(mode, verdict, &[FlagKind::AdChange]);
    let stands = |made: &Decision| made.flags.contains_key(&FlagKind::AdChange);
    let flag = match (stands(&without), stands(&with)) {
        (true, _) => "raised",
        (false, true) => "left as it is",
        (false, false) => "cleared",
    };
    let action = match with.action {
        Action::Nothing => "nothing".to_owned(),
        Action::Wait(pause) if pause.until.is_some() => "wait for the next try".to_owned(),
        Action::Wait(_) => "wait".to_owned(),
        Action::Verify(_) => "Verify".to_owned(),
        Action::Push(_) => "Push".to_owned(),
        Action::Hold(_) => "Held".to_owned(),
        Action::Block(_) => "Blocked".to_owned(),
    };
    format!("{action}; {flag}")
}

fn numbers() -> Vec<[String; 3]> {
    let Ok(Value::Object(numbers)) = serde_json::to_value(Policy::default()) else {
        return Vec::new();
    };
    let rows = numbers.iter().map(|(name, value)| {
        let what = what_a_number_is(name);
        [format!("`{name}`"), by_default(value), what.to_owned()]
    });
    rows.collect()
}

fn what_a_number_is(name: &str) -> &'static str {
    match name {
        "verification" => "whether passwords may be tested by signing in",
        "recheck" => "Report mismatches: how long a Match is good for",
        "max_failed_per_day" => {
            "sign-in tests that may fail, for each account and day; an unfinished one counts"
        }
        "breaker_percent" => {
            "the breaker holds more writes within an hour than this share of the client's synced credentials, if it is more than the minimum"
        }
        "breaker_minimum" => "the breaker never holds up to this many writes within an hour",
        "replication_grace" => {
            "how long a new password may take to reach every replica; an unsettled write is waited for that long"
        }
        "write_timeout" => "how long a write may take; the lease must outlast it",
        "max_overwrites_per_day" => {
            "overwrites of somebody else's change within a day, after which the next is Held"
        }
        "own_account" => {
            "the account that the agent itself signs in with: it goes last; where a new password would sign the agent out, it is Held first"
        }
        _ => "",
    }
}

fn by_default(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(word) => word.replace('_', " "),
        Value::Object(duration) => duration_words(duration.get("secs").and_then(Value::as_u64)),
        other => other.to_string(),
    }
}

fn duration_words(seconds: Option<u64>) -> String {
    let mut words = String::new();
    let units = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];
    let mut left = seconds.unwrap_or_default();
    for (unit, length) in units {
        if left >= length {
            let gap = if words.is_empty() { "" } else { " " };
            // Writing to a text does not fail.
            let _ = write!(words, "{gap}{} {unit}", left / length);
            left %= length;
        }
    }
    words
}
