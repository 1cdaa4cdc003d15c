//! An explanation as text: short sentences under four titles.

use std::fmt;

use jiff::Timestamp;

use super::next::when_words;
use super::{
    Event, Explanation, Known, KnownAccount, KnownVerdict, KnownWrite, PartOfPlan, Pauses, SignIns,
    Validity, WriteState,
};
use crate::model::{
    AccountAccess, AccountKind, Agreed, DomainKind, FlagFact, FlagKind, Mastered, Stamp, StepKind,
    VaultVersion, Verdict, VerdictSource,
};
use crate::plan::PlanStanding;

/// A titled group of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Its title.
    pub title: &'static str,
    /// Its lines: sentences without a full stop.
    pub lines: Vec<String>,
}

/// Writes times the way a person reads them now: today's without the date.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    now: Timestamp,
}

impl Moments {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now }
    }

    pub(super) fn at(self, time: Timestamp) -> String {
        let day = |time: Timestamp| time.strftime("%Y-%m-%d").to_string();
        if day(time) == day(self.now) {
            time.strftime("%H:%M UTC").to_string()
        } else {
            time.strftime("%Y-%m-%d %H:%M UTC").to_string()
        }
    }

    fn stamp(self, stamp: Option<Stamp>) -> String {
        stamp.map_or_else(|| "an unknown time".to_owned(), |stamp| self.at(stamp.0))
    }
}

/// How a text names a version that may not be known.
pub(super) fn version_words(version: Option<VaultVersion>) -> String {
    version.map_or_else(
        || "an earlier version".to_owned(),
        |version| format!("version {version}"),
    )
}

impl Explanation {
    /// One line that says whom this is about.
    pub fn headline(&self) -> String {
        let typed = self.changed_by.as_ref();
        let typed = typed.map_or_else(String::new, |by| format!(", typed by {by}"));
        format!(
            "{}: {}, version {}{typed} (credential {})",
            self.user_name,
            self.mode.label(),
            self.version,
            self.credential
        )
    }

    /// Everything, as titled lines.
    pub fn sections(&self) -> Vec<Section> {
        let moments = Moments::new(self.at);
        let section = |title, lines| Section { title, lines };
        vec![
            section("What is known", known(&self.known, moments)),
            section("Which rule applied", self.rule_lines()),
            section("What comes next", self.next_lines(moments)),
            section("What happened", history(&self.history, moments)),
        ]
    }

    fn rule_lines(&self) -> Vec<String> {
        let applied = &self.applied;
        let mut lines = vec![
            format!("when: {}", applied.condition),
            format!("then: {}", applied.action),
            format!("here: {}", applied.here),
        ];
        lines.extend(applied.but.as_ref().map(|but| format!("but: {but}")));
        lines
    }

    fn next_lines(&self, moments: Moments) -> Vec<String> {
        let when = when_words(&self.next.when, moments);
        let mut lines = vec![format!("the engine {}: {when}", self.next.what)];
        let remedy = self.next.remedy.as_ref();
        lines.extend(remedy.map(|it| format!("what you can do: {it}")));
        lines.extend(self.next.commands.iter().map(|it| format!("command: {it}")));
        lines
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline())?;
        for section in self.sections() {
            writeln!(f, "\n{}", section.title)?;
            for line in section.lines {
                writeln!(f, "  {line}")?;
            }
        }
        Ok(())
    }
}

fn known(known: &Known, moments: Moments) -> Vec<String> {
    let mut lines = vec![account(known.account.as_ref(), moments)];
    lines.push(verdict(known.verdict.as_ref(), moments));
    lines.extend(known.agreed.map(|it| agreed(it, moments)));
    lines.extend(known.write.map(|it| write(it, moments)));
    lines.push(sign_ins(known.sign_ins, moments));
    lines.extend(pauses(known.pauses, moments));
    lines.extend(overwrites(&known.overwrites, moments));
    lines.extend(known.refused.as_ref().map(|it| {
        let at = moments.at(it.at);
        format!("refused: version {} at {at}, {}", it.version, it.reason)
    }));
    lines.extend(known.confirmed.as_ref().map(|it| {
        let by = it.by.as_deref().unwrap_or("a person");
        let at = moments.at(it.at);
        format!("confirmed: version {} by {by} at {at}", it.version)
    }));
    lines.extend(known.plan.as_ref().map(|it| plan(it, moments)));
    lines.extend(known.flags.iter().map(flag));
    lines
}

fn account(known: Option<&KnownAccount>, moments: Moments) -> String {
    let Some(KnownAccount {
        account,
        domain,
        lacking,
    }) = known
    else {
        return "account: no account in Entra ID has this user name".to_owned();
    };
    let mut facts = vec![account.id.to_string()];
    facts.extend((account.kind == AccountKind::Guest).then(|| "a guest".to_owned()));
    facts.extend((account.access == AccountAccess::Disabled).then(|| "disabled".to_owned()));
    let on_premises = account.mastered == Mastered::OnPremises;
    facts.extend(on_premises.then(|| "synced from on-premises".to_owned()));
    match domain {
        Some(DomainKind::Managed) => {}
        Some(DomainKind::Federated) => facts.push("its domain is federated".to_owned()),
        None => facts.push("its domain is not one of the tenant's".to_owned()),
    }
    facts.extend(lacking.map(|role| format!("the agent lacks the role {role} for it")));
    let stamp = moments.stamp(account.stamp);
    facts.push(format!("its password last changed at {stamp}"));
    format!("account: {}", facts.join(", "))
}

fn verdict(known: Option<&KnownVerdict>, moments: Moments) -> String {
    let Some(KnownVerdict { verdict, validity }) = known else {
        return "checked: never".to_owned();
    };
    let said = match &verdict.verdict {
        Verdict::Match => "Match".to_owned(),
        Verdict::Mismatch => "Mismatch".to_owned(),
        Verdict::Unknown(why) => format!("Unknown ({why})"),
    };
    let source = match verdict.source {
        VerdictSource::SignIn => "by a sign-in test",
        VerdictSource::Push => "by the stamp of our own write",
    };
    let code = verdict.code;
    let code = code.map_or_else(String::new, |code| format!(", AADSTS{code}"));
    let outdated = match validity {
        Validity::Current => "",
        Validity::Outdated => "; the password or the account changed since",
    };
    let at = moments.at(verdict.at);
    let version = verdict.version;
    format!("checked: {said} for version {version} at {at} {source}{code}{outdated}")
}

fn agreed(agreed: Agreed, moments: Moments) -> String {
    format!(
        "last agreed: on version {}, while the account's password was of {}",
        agreed.version,
        moments.stamp(agreed.stamp)
    )
}

fn write(write: KnownWrite, moments: Moments) -> String {
    let state = match write.state {
        WriteState::Settled => "settled",
        WriteState::AwaitsStamp => "not settled: its new stamp is awaited",
        WriteState::Ambiguous => "not settled: the answer was lost",
    };
    let version = version_words(write.version);
    format!("written: {version} at {}, {state}", moments.at(write.at))
}

fn sign_ins(sign_ins: SignIns, moments: Moments) -> String {
    let SignIns { used, most, .. } = sign_ins;
    let left = most.saturating_sub(used);
    let free = sign_ins.next_free;
    let free = free.map_or_else(String::new, |free| {
        format!("; the next is free at {}", moments.at(free))
    });
    format!("sign-in tests that may fail: {left} of {most} a day left{free}")
}

fn pauses(pauses: Pauses, moments: Moments) -> Vec<String> {
    let lines = [
        (pauses.account, "no sign-in test of this account until"),
        (pauses.tenant, "no sign-in test in this tenant until"),
        (pauses.write, "Entra ID asked to wait with writes until"),
    ];
    lines
        .into_iter()
        .filter_map(|(until, what)| Some(format!("paused: {what} {}", moments.at(until?))))
        .collect()
}

fn overwrites(overwrites: &[Timestamp], moments: Moments) -> Option<String> {
    let last = moments.at(*overwrites.last()?);
    let times = overwrites.len();
    Some(format!(
        "overwritten by others: {times} within a day; the vault's password was set again, last at {last}"
    ))
}

fn plan(plan: &PartOfPlan, moments: Moments) -> String {
    let standing = match &plan.standing {
        PlanStanding::Waiting => "waits for a person".to_owned(),
        PlanStanding::Approved(word) => {
            format!("approved by {} at {}", word.by, moments.at(word.at))
        }
        PlanStanding::Rejected(word) => {
            format!("rejected by {} at {}", word.by, moments.at(word.at))
        }
    };
    let (id, writes, at) = (plan.plan, plan.writes, moments.at(plan.at));
    format!("part of plan {id} of {writes} writes, held at {at}: {standing}")
}

fn flag((kind, fact): (&FlagKind, &FlagFact)) -> String {
    let name = match kind {
        FlagKind::AdChange => "AD change",
        FlagKind::Held => "Held",
        FlagKind::Blocked => "Blocked",
    };
    format!("flag {name}: {}", fact.why)
}

fn history(history: &[Event], moments: Moments) -> Vec<String> {
    if history.is_empty() {
        return vec!["nothing yet: the account was never touched".to_owned()];
    }
    history.iter().map(|it| event(it, moments)).collect()
}

fn event(event: &Event, moments: Moments) -> String {
    let step = match event.step {
        StepKind::Verify => "sign-in test",
        StepKind::Push => "write",
    };
    let by = event.by.as_ref().map(|by| format!("by {by}"));
    let reasons: Vec<_> = event.why.clone().into_iter().chain(by).collect();
    let reasons = if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join("; "))
    };
    let outcome = event.outcome.as_deref();
    let outcome = outcome.unwrap_or("begun, and how it ended never became known");
    let (at, version) = (moments.at(event.at), event.version);
    format!("{at}: {step} of version {version}{reasons}: {outcome}")
}
