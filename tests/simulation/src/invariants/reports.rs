//! The vault is told what is true: whatever it is told was once so, and what it is told last is so.

use std::collections::BTreeSet;

use sync_engine::model::{
    CredentialId, FlagKind, Outcome, Password, Report, ReportEntry, SignIn, SyncMode,
    UserPrincipalName, VaultVersion, Verdict,
};

use super::Invariant;
use crate::world::{AgentId, Purpose, World};

/// What was ever seen to be so.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    matched: BTreeSet<(CredentialId, VaultVersion)>,
    mismatched: BTreeSet<(CredentialId, VaultVersion)>,
    written: BTreeSet<(CredentialId, VaultVersion)>,
    /// Reports that may be what slow re-checks found.
    pub(super) rechecks: u64,
}

impl World {
    pub(super) fn evidence_of_a_write(&mut self, purpose: Purpose) {
        let key = (purpose.credential, purpose.version);
        self.watch.reports.written.insert(key);
    }

    /// A sign-in test was answered, and the agent heard it.
    pub(crate) fn sign_in_answered(
        &mut self,
        agent: AgentId,
        name: &UserPrincipalName,
        password: &Password,
        answer: &SignIn,
    ) {
        let Some(test) = self.test_of(agent, name, password) else {
            return;
        };
        let key = (test.credential, test.attempt.version);
        match answer.verdict {
            Verdict::Match => {
                self.watch.reports.matched.insert(key);
            }
            Verdict::Mismatch => {
                self.watch.reports.mismatched.insert(key);
                for epoch in [self.vault.epoch(), self.epoch_of(agent)] {
                    self.mismatch_was_seen(Purpose {
                        object: test.attempt.object,
                        credential: test.credential,
                        epoch,
                        version: test.attempt.version,
                    });
                }
            }
            Verdict::Unknown(_) => self.credential_moved(test.credential),
        }
    }

    fn epoch_of(&self, agent: AgentId) -> u128 {
        self.agents.get(&agent).map_or(0, |agent| agent.seen.epoch)
    }

    pub(crate) fn check_kept_report(&mut self, report: &Report) {
        self.check_secret("report", report);
    }

    /// The vault takes a report.
    pub(crate) fn take_report(&mut self, agent: AgentId, report: &Report) {
        self.check_secret("report", report);
        for entry in &report.entries {
            self.check_report_entry(entry);
        }
        let told = |entry: &ReportEntry| {
            let told = self.vault.told(entry.credential);
            told.is_some_and(|told| {
                (told.version, &told.outcome, &told.flags)
                    == (entry.version, &entry.outcome, &entry.flags)
            })
        };
        let repeats = report.entries.iter().all(told);
        let rechecks = report.entries.iter().all(|it| self.is_of_a_recheck(it));
        if self.vault.take(report) {
            self.totals.reports += 1;
            self.totals.repeated_reports += u64::from(repeats);
            self.watch.reports.rechecks += u64::from(rechecks);
            for entry in &report.entries {
                self.tell(|| {
                    format!(
                        "{agent} reports {} version {}: {:?}, flags {:?}",
                        Self::short(entry.credential),
                        entry.version,
                        entry.outcome,
                        entry.flags.keys().collect::<Vec<_>>()
                    )
                });
            }
        }
    }

    /// Whether an entry may be what the slow re-check of Report mismatches found, days after anything
    /// happened: that an account has the password still, or cannot be tested any more.
    fn is_of_a_recheck(&self, entry: &ReportEntry) -> bool {
        let credential = self.vault.entry(entry.credential);
        let checked = credential.is_some_and(|it| it.credential.mode == SyncMode::ReportMismatches);
        checked
            && match entry.outcome {
                Outcome::Matched => true,
                Outcome::Unknown(why) => !why.passes(),
                _ => false,
            }
    }

    fn check_report_entry(&mut self, entry: &ReportEntry) {
        let key = (entry.credential, entry.version);
        let evidence = &self.watch.reports;
        let written = evidence.written.contains(&key);
        let mismatched = evidence.mismatched.contains(&key);
        let is_true = match entry.outcome {
            Outcome::Matched => written || evidence.matched.contains(&key),
            Outcome::Pushed => written,
            Outcome::Mismatched => mismatched,
            _ => true,
        };
        if !is_true {
            let words = format!(
                "{:?} is reported of {key:?}, which never was so",
                entry.outcome
            );
            self.violate(Invariant::Reports, words);
        }
        self.check_new_flag(entry);
    }

    /// A mismatch flag that stands keeps its fact; a new one needs a test that said so.
    fn check_new_flag(&mut self, entry: &ReportEntry) {
        let Some(fact) = entry.flags.get(&FlagKind::AdChange) else {
            return;
        };
        let key = (entry.credential, fact.version);
        let standing = self.vault.entry(entry.credential);
        let stood = standing.and_then(|it| it.credential.raised.get(&FlagKind::AdChange));
        let stood = stood.is_some_and(|stood| stood.version == fact.version);
        if !stood && !self.watch.reports.mismatched.contains(&key) {
            let words = format!("a mismatch is flagged for {key:?}, which nobody ever saw");
            self.violate(Invariant::Flags, words);
        }
    }

    /// The end of a credential's id, for people.
    pub(crate) fn short(id: CredentialId) -> String {
        format!("credential {}", id.0.as_u128() & 0xFFFF)
    }
}
