//! Sign-in tests: each is written down here and at the vault before it is sent.

use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;

use super::{Step, Walk};
use crate::engine::EngineError;
use crate::model::{
    AttemptId, AttemptNotice, AttemptState, CredentialMemory, Phase, RememberedVerdict, SignIn,
    SignInAttempt, StepKind, UnknownReason, Verdict, VerdictSource,
};

/// The first pause after an answer that passes; doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// No sign-in test of an account that answered "locked" for this long; the second time for a day.
/// Source: Microsoft Entra smart lockout: each further failure prolongs the lockout.
const LOCKED_PAUSE: Duration = Duration::from_hours(1);
const LOCKED_AGAIN_PAUSE: Duration = Duration::from_hours(24);
/// Two "locked" answers within this time pause verification for the whole tenant.
const LOCKED_WINDOW: Duration = Duration::from_hours(1);

impl Walk<'_> {
    pub(super) async fn verify(&mut self, batch: &[Step<'_>]) -> Result<(), EngineError> {
        let attempts = self.write_down(batch).await?;
        let signed_in = join_all(batch.iter().map(|step| self.sign_in(*step))).await;
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        let mut notices = Vec::new();
        for ((step, attempt), result) in batch.iter().zip(attempts).zip(signed_in) {
            let mut known = self.known(step.decision.credential);
            let (state, why) = match result {
                Ok(answer) => {
                    let learnt = self.learn(&mut known, *step, &answer);
                    let verdict = known.verdict.as_ref().map(|it| it.verdict.clone());
                    self.made(*step, StepKind::Verify);
                    self.done.entry(known.id).or_default().tested = verdict;
                    learnt
                }
                Err(why) => (AttemptState::Passed, why),
            };
            let closed = SignInAttempt { state, ..attempt };
            close(&mut known, &closed);
            notices.push(notice(*step, closed));
            entries.push(self.entry(*step, StepKind::Verify, Phase::Outcome, why));
            memories.push(known);
            self.finished(*step, StepKind::Verify);
        }
        self.record(&entries, memories).await?;
        self.ports.store.save_client(&self.memory.client).await?;
        if let Err(error) = self.ports.vault.note_attempts(&notices).await {
            // They stay open there, which counts as failed: the safe side.
            tracing::warn!(error = %error, "the vault did not take the outcome of sign-in tests");
        }
        Ok(())
    }

    /// The answer to one test, or why it was not sent.
    async fn sign_in(&self, step: Step<'_>) -> Result<SignIn, String> {
        let password = self.password(step).await?;
        let name = &step.decision.user_name;
        Ok(self.ports.directory.verify(name, &password).await)
    }

    /// Writes the attempts down in the journal and at the vault; without both, nothing is sent.
    async fn write_down(&mut self, batch: &[Step<'_>]) -> Result<Vec<SignInAttempt>, EngineError> {
        let mut attempts = Vec::new();
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        for step in batch {
            let attempt = SignInAttempt {
                id: AttemptId(self.ports.clock.new_id()),
                object: step.target.object,
                version: step.decision.version,
                stamp: step.target.stamp,
                at: self.now(),
                state: AttemptState::Open,
            };
            let mut known = self.known(step.decision.credential);
            known.attempts.push(attempt.clone());
            let why = step.decision.rule.why().to_owned();
            entries.push(self.entry(*step, StepKind::Verify, Phase::Intent, why));
            memories.push(known);
            attempts.push(attempt);
        }
        self.record(&entries, memories).await?;
        let notices: Vec<_> = batch
            .iter()
            .zip(&attempts)
            .map(|(step, attempt)| notice(*step, attempt.clone()))
            .collect();
        if let Err(error) = self.ports.vault.note_attempts(&notices).await {
            self.take_back(batch, &attempts).await?;
            return Err(error.into());
        }
        Ok(attempts)
    }

    /// The vault could not be told, so nothing was sent: the attempts never happened.
    async fn take_back(
        &mut self,
        batch: &[Step<'_>],
        attempts: &[SignInAttempt],
    ) -> Result<(), EngineError> {
        let mut entries = Vec::new();
        let mut memories = Vec::new();
        for (step, attempt) in batch.iter().zip(attempts) {
            let mut known = self.known(step.decision.credential);
            known.attempts.retain(|ours| ours.id != attempt.id);
            let why = "not sent: the vault could not be told first".to_owned();
            entries.push(self.entry(*step, StepKind::Verify, Phase::Outcome, why));
            memories.push(known);
        }
        self.record(&entries, memories).await
    }

    /// Remembers the verdict. Returns what became of the attempt, and the journal's words.
    fn learn(
        &mut self,
        known: &mut CredentialMemory,
        step: Step<'_>,
        answer: &SignIn,
    ) -> (AttemptState, String) {
        let now = self.now();
        let verdict = self.weigh(known, answer, now);
        let tries = match (&verdict, &known.verdict) {
            (Verdict::Unknown(_), Some(before))
                if matches!(before.verdict, Verdict::Unknown(_)) =>
            {
                before.tries.saturating_add(1)
            }
            _ => 0,
        };
        if verdict == Verdict::Unknown(UnknownReason::Locked) {
            self.pause_after_lock(known, now);
        }
        if verdict == Verdict::Mismatch {
            let stale = (step.decision.version, step.target.stamp);
            known.agreed = known.agreed.filter(|it| (it.version, it.stamp) != stale);
        }
        if verdict == Verdict::Match {
            known.remember_agreement(step.decision.version, step.target.stamp);
            let credential = self.vault.credentials.get(&known.id);
            let confirmed = credential.and_then(|it| it.confirmed.as_ref());
            known.confirmation_used = confirmed.map(|it| it.at);
        }
        known.verdict = Some(RememberedVerdict {
            object: step.target.object,
            version: step.decision.version,
            stamp: step.target.stamp,
            next_try: self.next_try(known, &verdict, answer, tries, now),
            verdict: verdict.clone(),
            source: VerdictSource::SignIn,
            at: now,
            tries,
            code: answer.code,
        });
        (answer.attempt_state(), words(&verdict, answer.code))
    }

    /// A wrong-password answer soon after our own write proves nothing.
    fn weigh(&self, known: &CredentialMemory, answer: &SignIn, now: Timestamp) -> Verdict {
        let fresh_write = known.written.is_some_and(|written| {
            now.duration_since(written.at).unsigned_abs() < self.policy.replication_grace
        });
        match answer.verdict {
            Verdict::Mismatch if fresh_write => Verdict::Unknown(UnknownReason::Replicating),
            Verdict::Unknown(UnknownReason::Locked) => answer.verdict.clone(),
            Verdict::Unknown(_) if answer.counted => Verdict::Unknown(UnknownReason::Interrupted),
            _ => answer.verdict.clone(),
        }
    }

    fn pause_after_lock(&mut self, known: &mut CredentialMemory, now: Timestamp) {
        let again = known
            .verdict
            .as_ref()
            .is_some_and(|it| it.verdict == Verdict::Unknown(UnknownReason::Locked));
        let pause = if again {
            LOCKED_AGAIN_PAUSE
        } else {
            LOCKED_PAUSE
        };
        known.paused_until = now.checked_add(pause).ok();
        let client = &mut self.memory.client;
        client
            .locked_answers
            .retain(|at| now.duration_since(*at).unsigned_abs() < LOCKED_WINDOW);
        client.locked_answers.push(now);
        if client.locked_answers.len() >= 2 {
            client.verification_paused_until = now.checked_add(LOCKED_WINDOW).ok();
            tracing::warn!("two accounts answered \"locked\": sign-in tests pause for an hour");
        }
    }

    fn next_try(
        &self,
        known: &CredentialMemory,
        verdict: &Verdict,
        answer: &SignIn,
        tries: u32,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let Verdict::Unknown(why) = verdict else {
            return None;
        };
        match why {
            UnknownReason::Locked => known.paused_until,
            UnknownReason::Replicating => {
                let written = known.written?.at;
                written.checked_add(self.policy.replication_grace).ok()
            }
            why if why.passes() => {
                let pause = FIRST_PAUSE
                    .saturating_mul(1 << tries.min(10))
                    .min(LONGEST_PAUSE);
                let jitter = self.ports.clock.jitter(pause / 4);
                let ours = now.checked_add(pause + jitter).ok();
                ours.max(answer.retry_at)
            }
            _ => None,
        }
    }
}

fn close(known: &mut CredentialMemory, closed: &SignInAttempt) {
    for attempt in &mut known.attempts {
        if attempt.id == closed.id {
            attempt.state = closed.state;
        }
    }
}

fn notice(step: Step<'_>, attempt: SignInAttempt) -> AttemptNotice {
    AttemptNotice {
        credential: step.decision.credential,
        attempt,
    }
}

fn words(verdict: &Verdict, code: Option<u32>) -> String {
    let said = match verdict {
        Verdict::Match => "Entra ID accepts this password".to_owned(),
        Verdict::Mismatch => "Entra ID does not accept this password".to_owned(),
        Verdict::Unknown(why) => why.to_string(),
    };
    match code {
        Some(code) => format!("{said} (AADSTS{code})"),
        None => said,
    }
}
