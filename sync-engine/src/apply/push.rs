//! Password writes: the intent is durable before the request leaves, the outcome right after.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::{LEASE_ENDS, Step, Walk};
use crate::engine::EngineError;
use crate::model::{
    Asked, CredentialId, CredentialMemory, JournalEntry, Password, PendingWrite, Phase, Refused,
    StepKind, WriteAnswer, Written, Wrote,
};
use crate::plan::{Decision, Rule, Words};
use crate::ports::{PasswordWrite, SetPassword};

impl Walk<'_> {
    pub(super) async fn push(&mut self, batch: &[Step<'_>]) -> Result<(), EngineError> {
        self.intend(batch).await?;
        let answers = self.set(batch).await;
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        for (step, answer) in batch.iter().zip(answers) {
            let mut known = self.known(step.decision.credential);
            self.wrote(*step, answer.as_ref().ok());
            let why = match answer {
                Ok(answer) => self.take(&mut known, *step, &answer),
                Err(why) => self.not_done(&mut known, *step, &why),
            };
            entries.push(self.entry(*step, StepKind::Push, Phase::Outcome, why));
            memories.push(known);
            self.finished(*step, StepKind::Push);
        }
        self.record(&entries, memories).await?;
        Ok(self.ports.store.save_client(&self.memory.client).await?)
    }

    /// The answer to each write, in their order, or why it was not sent.
    async fn set(&self, batch: &[Step<'_>]) -> Vec<Result<SetPassword, String>> {
        let mut due = Vec::new();
        let mut unsent = Vec::new();
        for (step, password) in batch.iter().zip(self.passwords(batch).await) {
            let object = step.target.object;
            unsent.push(password.map(|password| due.push(PasswordWrite { object, password })));
        }
        let answers = self.ports.directory.set_passwords(&due).await;
        let mut answers = answers.into_iter();
        let sent = unsent.into_iter();
        sent.map(|due| due.map(|()| answers.next().unwrap_or(SetPassword::Ambiguous)))
            .collect()
    }

    /// The passwords for these steps. They leave together, so the lease must outlast a write from the moment that
    /// the last one is here.
    async fn passwords(&self, batch: &[Step<'_>]) -> Vec<Result<Password, String>> {
        let passwords = join_all(batch.iter().map(|step| self.password(*step))).await;
        if self.term_outlasts_a_write() {
            return passwords;
        }
        let too_late = |it: Result<Password, String>| it.and_then(|_| Err(LEASE_ENDS.to_owned()));
        passwords.into_iter().map(too_late).collect()
    }

    /// From here on each of these writes counts as perhaps done.
    async fn intend(&mut self, batch: &[Step<'_>]) -> Result<(), EngineError> {
        let now = self.now();
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        let asked = self.asked(batch);
        for (step, (asked, by)) in batch.iter().zip(asked) {
            let mut known = self.known(step.decision.credential);
            known.pending = Some(PendingWrite {
                object: step.target.object,
                version: step.decision.version,
                before: step.target.stamp,
                since: now,
                accepted: None,
                asked,
            });
            match step.decision.rule {
                Rule::KnownMismatch if was_in_step(&known) => known.overwrites.push(now),
                Rule::Confirmed => {
                    known.overwrites.clear();
                    known.confirmation_used = self.confirmation(known.id);
                }
                _ => {}
            }
            let why = step.decision.rule.why().to_owned();
            let intent = self.entry(*step, StepKind::Push, Phase::Intent, why);
            entries.push(JournalEntry { by, ..intent });
            memories.push(known);
            if asked == Asked::ByRule {
                self.memory.client.writes.push(now);
            }
        }
        self.ports.store.save_client(&self.memory.client).await?;
        self.record(&entries, memories).await
    }

    /// For the figures. A write without an answer was not sent.
    fn wrote(&mut self, step: Step<'_>, answer: Option<&SetPassword>) {
        let answer = answer.map_or(WriteAnswer::NotSent, WriteAnswer::from);
        let after_change = match answer {
            WriteAnswer::Accepted => self.since_the_change(step.decision),
            _ => None,
        };
        let deed = self.done.entry(step.decision.credential).or_default();
        deed.wrote = Some(Wrote {
            answer,
            after_change,
        });
    }

    /// How long ago the vault's change was that asked for this write. Two clocks are compared: one that is ahead makes
    /// it nothing.
    fn since_the_change(&self, write: &Decision) -> Option<Duration> {
        if !matches!(write.rule, Rule::VaultChanged | Rule::UnverifiableChanged) {
            return None;
        }
        let credential = self.vault.credentials.get(&write.credential)?;
        let since = self.now().duration_since(credential.changed_at?);
        Some(Duration::try_from(since).unwrap_or_default())
    }

    /// Remembers what came of a write. Returns the journal's words.
    fn take(
        &mut self,
        known: &mut CredentialMemory,
        step: Step<'_>,
        answer: &SetPassword,
    ) -> String {
        let now = self.now();
        let version = step.decision.version;
        match answer {
            SetPassword::Accepted(accepted) => {
                self.made(step, StepKind::Push);
                if let Some(pending) = &mut known.pending {
                    pending.accepted = Some(*accepted);
                }
                known.written = Some(Written { version, at: now });
                known.refused = None;
                known.retry_at = None;
                "Entra ID took the password; its new stamp is awaited".to_owned()
            }
            SetPassword::Refused(reason) => {
                known.refused = Some(Refused {
                    version,
                    reason: *reason,
                    at: now,
                });
                self.withdraw(known);
                reason.to_string()
            }
            SetPassword::Gone => {
                known.verdict = None;
                self.not_done(known, step, "the account is gone")
            }
            SetPassword::NotNow { retry_at } => {
                known.retry_at = Some(*retry_at);
                self.not_done(
                    known,
                    step,
                    "not done: Entra ID was not ready; tried again later",
                )
            }
            SetPassword::Ambiguous => {
                "the answer was lost: whether the password was set shows in the stamp".to_owned()
            }
        }
    }

    /// The write certainly had no effect, and a person's word for it still waits to be acted on.
    fn not_done(&mut self, known: &mut CredentialMemory, step: Step<'_>, why: &str) -> String {
        self.withdraw(known);
        if step.decision.rule == Rule::Confirmed {
            known.confirmation_used = None;
        }
        why.to_owned()
    }

    /// The write certainly had no effect: it counts neither as one nor as an overwrite.
    fn withdraw(&mut self, known: &mut CredentialMemory) {
        let Some(pending) = known.pending.take() else {
            return;
        };
        known.overwrites.retain(|at| *at != pending.since);
        if pending.asked == Asked::ByPerson {
            return;
        }
        let writes = &mut self.memory.client.writes;
        if let Some(counted) = writes.iter().position(|at| *at == pending.since) {
            writes.remove(counted);
        }
    }

    /// Whether a person asked for a write, and who stands behind it: whoever approved the plan,
    /// confirmed the credential, or typed the version that is news.
    fn asked(&self, batch: &[Step<'_>]) -> Vec<(Asked, Option<String>)> {
        let words = Words::of(&self.memory.plans);
        let writes = batch.iter().map(|step| step.decision);
        writes.map(|write| self.asked_for(write, &words)).collect()
    }

    fn asked_for(&self, write: &Decision, words: &Words<'_>) -> (Asked, Option<String>) {
        let credential = self.vault.credentials.get(&write.credential);
        if let Some(by) = words.approved_by(write) {
            return (Asked::ByPerson, Some(by.to_owned()));
        }
        match write.rule {
            Rule::Confirmed => {
                let confirmed = credential.and_then(|it| it.confirmed.as_ref());
                (Asked::ByPerson, confirmed.and_then(|it| it.by.clone()))
            }
            Rule::VaultChanged | Rule::UnverifiableChanged => {
                let by = credential.and_then(|it| it.changed_by.clone());
                (Asked::ByRule, by)
            }
            _ => (Asked::ByRule, None),
        }
    }

    fn confirmation(&self, id: CredentialId) -> Option<Timestamp> {
        let credential = self.vault.credentials.get(&id)?;
        credential.confirmed.as_ref().map(|it| it.at)
    }
}

impl From<&SetPassword> for WriteAnswer {
    fn from(answer: &SetPassword) -> Self {
        match answer {
            SetPassword::Accepted(_) => Self::Accepted,
            SetPassword::Refused(_) => Self::Refused,
            SetPassword::Gone => Self::Gone,
            SetPassword::NotNow { .. } => Self::PutOff,
            SetPassword::Ambiguous => Self::Ambiguous,
        }
    }
}

/// Whether the account once had the vault's password, so that another one is a foreign change.
fn was_in_step(known: &CredentialMemory) -> bool {
    known.agreed.is_some() || known.written.is_some()
}
