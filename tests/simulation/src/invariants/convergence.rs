//! After faults stop, everything comes to rest: every Enabled credential whose account is ours has its
//! password there, or the vault says why not; and then nothing is written or reported any more.

use sync_engine::model::{
    CredentialId, EdgeWhitespace, FlagKind, HeldReason, MicrosoftSync, Mute, Outcome, Standing,
    SyncMode, UnknownReason,
};

use sync_engine::plan::HeldPlan;

use super::Invariant;
use crate::world::World;

/// How busy the world had been when it had to be at rest.
#[derive(Debug, Default)]
pub(super) struct AtRest {
    writes: u64,
    reports: u64,
}

impl World {
    /// From here on nothing may happen any more.
    pub(crate) fn begin_rest(&mut self) {
        self.watch.convergence = AtRest {
            writes: self.totals.writes,
            reports: self.news(),
        };
        self.tell(|| "from here on everything must be at rest".to_owned());
    }

    /// The world is over.
    pub(crate) fn check_end(&mut self) {
        let before = &self.watch.convergence;
        let writes = self.totals.writes - before.writes;
        let reports = self.news() - before.reports;
        if writes + reports > 0 {
            let words = format!("{writes} writes and {reports} reports in a world at rest");
            self.violate(Invariant::Convergence, words);
        }
        let ids: Vec<_> = self.vault.entries().keys().copied().collect();
        for id in ids {
            if let Err(words) = self.is_right_or_says_why(id) {
                self.violate(
                    Invariant::Convergence,
                    format!("{}: {words}", Self::short(id)),
                );
            }
        }
        self.check_nothing_is_open();
    }

    /// Reports that a world at rest has no reason for.
    fn news(&self) -> u64 {
        self.totals.reports - self.watch.reports.rechecks
    }

    fn check_nothing_is_open(&mut self) {
        let Some(leader) = self.vault.lease_held().map(|lease| lease.agent) else {
            return self.violate(Invariant::Convergence, "nobody leads".to_owned());
        };
        let memory = self.agents.get(&leader).map(|agent| &agent.stored.memory);
        let credentials = memory.into_iter().flat_map(|it| it.credentials.values());
        let open: Vec<_> = credentials
            .filter(|known| known.pending.is_some() && self.is_processed(known.id))
            .map(|known| known.id)
            .collect();
        if !open.is_empty() {
            let words = format!("writes are still not settled: {open:?}");
            self.violate(Invariant::Journal, words);
        }
    }

    fn is_processed(&self, id: CredentialId) -> bool {
        let client = self.vault.client();
        self.vault.entry(id).is_some_and(|entry| {
            client.mute == Mute::Unmuted
                && client.sync == MicrosoftSync::EntraId
                && entry.credential.standing == Standing::Active
                && entry.credential.mode != SyncMode::Off
        })
    }

    fn is_right_or_says_why(&self, id: CredentialId) -> Result<(), String> {
        let Some(entry) = self.vault.entry(id) else {
            return Ok(());
        };
        let told = self.vault.told(id).map(|told| &told.outcome);
        if !self.is_processed(id) {
            return match told {
                None | Some(Outcome::Ignored) if entry.credential.raised.is_empty() => Ok(()),
                _ => Err(format!("it is not synced, and the vault was told {told:?}")),
            };
        }
        let Some(told) = told else {
            return Err("the vault was told nothing".to_owned());
        };
        if !self.is_the_leaders_word(id, told) {
            return Ok(());
        }
        self.flags_agree(id, told)?;
        let object = self.tenant.resolve(entry.credential.user_name.as_str());
        let user = object.and_then(|object| self.tenant.user(object));
        let account = user.and_then(|user| user.account());
        let (Some(object), Some(user), Some(account)) = (object, user, account) else {
            return blocked(told, "there is no such account");
        };
        if !self.tenant.is_ours(account) {
            return blocked(told, "the account is not ours");
        }
        if self.is_blurred(object) {
            return Ok(());
        }
        let same = user.password() == entry.password;
        let testable = user.silent.is_none()
            && entry
                .credential
                .facts
                .is_some_and(|facts| facts.edge_whitespace == EdgeWhitespace::Absent);
        match told {
            Outcome::Matched | Outcome::Pushed if same => Ok(()),
            Outcome::Mismatched if !same && entry.credential.mode == SyncMode::ReportMismatches => {
                Ok(())
            }
            Outcome::Held(HeldReason::Unsafe | HeldReason::OlderVersion) => Err(format!(
                "a rule asked for a write that must not be: {told:?}"
            )),
            Outcome::Held(HeldReason::Unverifiable(why))
                if passes_or_contradicts(*why, testable) =>
            {
                Err(format!(
                    "held as unverifiable although it can be checked: {why:?}"
                ))
            }
            Outcome::Held(HeldReason::MassChange) if !self.is_shown(id, HeldPlan::is_waiting) => {
                Err("held by the breaker, and no plan that waits is shown".to_owned())
            }
            Outcome::Held(HeldReason::Rejected) if !self.is_shown(id, |it| !it.is_waiting()) => {
                Err("rejected, and no such plan is shown".to_owned())
            }
            Outcome::Held(_) | Outcome::Blocked(_) => Ok(()),
            Outcome::Unknown(why) if !why.passes() => Ok(()),
            other => Err(format!(
                "the vault was told {other:?}, and the passwords {}",
                if same { "are the same" } else { "differ" }
            )),
        }
    }

    /// Whether a plan that is shown in the vault holds the credential's present version.
    fn is_shown(&self, id: CredentialId, is: impl Fn(&HeldPlan) -> bool) -> bool {
        let version = self.vault.entry(id).map(|it| it.credential.version);
        let mut plans = self.vault.shown().iter().filter(|plan| is(plan));
        plans.any(|plan| {
            let mut writes = plan.writes.iter();
            writes.any(|it| it.credential == id && Some(it.version) == version)
        })
    }

    /// Whether what the vault was told last is what the leader remembers to have told. It may be the
    /// word of another agent, or of an earlier life that an old copy of the memory knows nothing of.
    fn is_the_leaders_word(&self, id: CredentialId, told: &Outcome) -> bool {
        let leader = self.vault.lease_held().map(|lease| lease.agent);
        let agent = leader.and_then(|leader| self.agents.get(&leader));
        let known = agent.and_then(|it| it.stored.memory.credentials.get(&id));
        let reported = known.and_then(|known| known.reported.as_ref());
        reported.is_some_and(|reported| reported.outcome == *told)
    }

    /// Whether the flags are those of the outcome, except where a person took them down.
    fn flags_agree(&self, id: CredentialId, told: &Outcome) -> Result<(), String> {
        let Some(entry) = self.vault.entry(id) else {
            return Ok(());
        };
        let wanted = match told {
            Outcome::Held(_) => Some(FlagKind::Held),
            Outcome::Blocked(_) => Some(FlagKind::Blocked),
            _ => None,
        };
        let raised = &entry.credential.raised;
        for kind in [FlagKind::Held, FlagKind::Blocked] {
            let stands = raised.contains_key(&kind);
            let news = self.vault.told(id).and_then(|told| told.flags.get(&kind));
            let cleared = news.is_some_and(|it| entry.is_cleared(kind, it.version, it.stamp));
            if stands != (wanted == Some(kind)) && !cleared {
                return Err(format!("told {told:?}, with the flags {:?}", raised.keys()));
            }
        }
        Ok(())
    }
}

fn blocked(told: &Outcome, why: &str) -> Result<(), String> {
    match told {
        Outcome::Blocked(_) => Ok(()),
        other => Err(format!("{why}, and the vault was told {other:?}")),
    }
}

fn passes_or_contradicts(why: UnknownReason, testable: bool) -> bool {
    why.passes() || (testable && why == UnknownReason::EdgeWhitespace)
}
