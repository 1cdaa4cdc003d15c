//! Password writes: the intent is durable before the request leaves, the outcome right after.

use futures::future::join_all;
use jiff::Timestamp;

use super::{Step, Walk};
use crate::engine::{EngineError, Ports};
use crate::model::{
    BlockedReason, CredentialMemory, PendingWrite, Phase, Refused, StepKind, Written,
};
use crate::plan::Rule;
use crate::ports::{PasswordAnswer, SetPassword, VaultError};

impl Walk<'_> {
    pub(super) async fn push(&mut self, batch: &[Step<'_>]) -> Result<(), EngineError> {
        self.intend(batch).await?;
        let answers = join_all(batch.iter().map(|step| set(self.ports, *step))).await;
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        for (step, answer) in batch.iter().zip(answers) {
            let mut known = self.known(step.decision.credential);
            let why = match answer {
                Ok(Some(answer)) => self.take(&mut known, *step, &answer),
                Ok(None) => withdraw(&mut known, "the password changed meanwhile"),
                Err(error) => withdraw(&mut known, &format!("not sent: {error}")),
            };
            entries.push(self.entry(*step, StepKind::Push, Phase::Outcome, why));
            memories.push(known);
            self.finished(*step, StepKind::Push);
        }
        self.record(&entries, memories).await
    }

    /// From here on each of these writes counts as perhaps done.
    async fn intend(&mut self, batch: &[Step<'_>]) -> Result<(), EngineError> {
        let now = self.now();
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        for step in batch {
            let mut known = self.known(step.decision.credential);
            known.pending = Some(PendingWrite {
                object: step.target.object,
                version: step.decision.version,
                before: step.target.stamp,
                since: now,
                accepted: None,
            });
            match step.decision.rule {
                Rule::KnownMismatch if known.agreed.is_some() => known.overwrites.push(now),
                Rule::Confirmed => known.overwrites.clear(),
                _ => {}
            }
            let why = step.decision.rule.why().to_owned();
            entries.push(self.entry(*step, StepKind::Push, Phase::Intent, why));
            memories.push(known);
            self.memory.client.writes.push(now);
        }
        self.ports.store.save_client(&self.memory.client).await?;
        self.record(&entries, memories).await
    }

    /// Remembers what came of a write. Returns the journal's words.
    fn take(&self, known: &mut CredentialMemory, step: Step<'_>, answer: &SetPassword) -> String {
        let now = self.now();
        let version = step.decision.version;
        if step.decision.rule == Rule::Confirmed {
            let credential = self.vault.credentials.get(&known.id);
            let confirmed = credential.and_then(|it| it.confirmed.as_ref());
            known.confirmation_used = confirmed.map(|it| it.at);
        }
        match answer {
            SetPassword::Accepted(accepted) => {
                if let Some(pending) = &mut known.pending {
                    pending.accepted = Some(*accepted);
                }
                known.written = Some(Written { version, at: now });
                known.refused = None;
                known.retry_at = None;
                "Entra ID took the password; its new stamp is awaited".to_owned()
            }
            SetPassword::Refused(reason) => refuse(known, step, *reason, now),
            SetPassword::Gone => {
                known.verdict = None;
                withdraw(known, "the account is gone")
            }
            SetPassword::NotNow { retry_at } => {
                known.retry_at = Some(*retry_at);
                withdraw(known, "Entra ID asked to try again later")
            }
            SetPassword::Ambiguous => {
                "the answer was lost: whether the password was set shows in the stamp".to_owned()
            }
        }
    }
}

/// The answer to one write; `None` when the vault's password is no longer this version.
async fn set(ports: &Ports, step: Step<'_>) -> Result<Option<SetPassword>, VaultError> {
    let decision = step.decision;
    let answer = ports
        .vault
        .password(decision.credential, decision.version)
        .await?;
    match answer {
        PasswordAnswer::Superseded => Ok(None),
        PasswordAnswer::Current(password) => {
            let set = ports.directory.set_password(step.target.object, &password);
            Ok(Some(set.await))
        }
    }
}

fn refuse(
    known: &mut CredentialMemory,
    step: Step<'_>,
    reason: BlockedReason,
    now: Timestamp,
) -> String {
    known.refused = Some(Refused {
        version: step.decision.version,
        reason,
        at: now,
    });
    withdraw(known, &reason.to_string())
}

/// The write certainly had no effect.
fn withdraw(known: &mut CredentialMemory, why: &str) -> String {
    known.pending = None;
    why.to_owned()
}
