//! The vault port.

use std::future::Future as _;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use sync_engine::model::{
    AttemptNotice, CredentialId, Cursor, Password, Report, Standing, VaultChanges, VaultVersion,
};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{CredentialVault, Lease, PasswordAnswer, VaultError, Wait};

use super::{Fate, Line, Weight, cause};
use crate::fault::Fault;
use crate::time::{Moment, milliseconds};
use crate::world::{AgentId, LeaseAnswer, World};

/// The longest that the vault lets an agent wait for a change. Long, so that quiet worlds are fast.
const LONGEST_POLL: Duration = Duration::from_hours(1);

pub(super) struct SimVault(pub(super) Line);

impl SimVault {
    /// One request: it takes time, and effect once, twice or never.
    async fn ask<T>(
        &self,
        weight: Weight,
        act: impl Fn(&mut World) -> T + Send,
    ) -> Result<T, VaultError>
    where
        T: Send,
    {
        let faults = [
            Fault::VaultUnavailable,
            Fault::VaultAnswerLost,
            Fault::VaultRequestTwice,
        ];
        let fate = self.0.fate(weight, &faults);
        self.0.before(fate).await;
        if fate.fault == Some(Fault::VaultUnavailable) {
            self.0.pass(fate.after).await;
            return Err(lost(fate));
        }
        if fate.fault == Some(Fault::VaultRequestTwice) {
            self.0.with(&act);
        }
        let answer = self.0.with(&act);
        self.0.after(fate).await;
        if fate.fault == Some(Fault::VaultAnswerLost) {
            return Err(lost(fate));
        }
        Ok(answer)
    }

    async fn wait_for_news(&self, since: Option<&Cursor>, most: Duration) {
        let Some(cursor) = since else { return };
        let line = &self.0;
        let end = line.with(|world| world.now.plus(milliseconds(most.min(LONGEST_POLL))));
        line.with(|world| watches(world, line, true));
        let nothing_new = || {
            line.with(|world| {
                let agent = world.agent(line.agent);
                let told = agent.is_some_and(|agent| !agent.commands.is_empty());
                !told && !world.vault.has_news(cursor)
            })
        };
        let mut due = line.until(end);
        futures::future::poll_fn(|context| {
            if nothing_new() {
                Pin::new(&mut due).poll(context)
            } else {
                Poll::Ready(())
            }
        })
        .await;
        line.with(|world| watches(world, line, false));
    }
}

fn watches(world: &mut World, line: &Line, watches: bool) {
    if let Some(agent) = world.agents.get_mut(&line.agent) {
        agent.watches = watches;
    }
}

fn lost(fate: Fate) -> VaultError {
    VaultError::Unavailable(cause(fate.fault.unwrap_or(Fault::VaultUnavailable)))
}

/// Durations as times of this machine's clock, each so that the agent stops too early and begins
/// too late rather than the other way round.
fn by_this_clock(answer: LeaseAnswer, before: jiff::Timestamp, after: jiff::Timestamp) -> Lease {
    let later = |from: jiff::Timestamp, milliseconds| {
        from.checked_add(Duration::from_millis(milliseconds))
            .unwrap_or(from)
    };
    match answer {
        LeaseAnswer::Granted {
            remaining,
            writes_after,
        } => Lease::Granted {
            until: later(before, remaining),
            writes_from: (writes_after > 0).then(|| later(after, writes_after)),
        },
        LeaseAnswer::Elsewhere { holder, remaining } => Lease::Elsewhere {
            holder: holder.to_string(),
            until: later(after, remaining),
        },
    }
}

#[async_trait]
impl CredentialVault for SimVault {
    async fn lease(&self) -> Result<Lease, VaultError> {
        let agent = self.0.agent;
        let (before, asked) = (self.0.now(), self.0.with(|world| world.now));
        let ask = |world: &mut World| {
            let write_timeout = milliseconds(world.nature.policy.write_timeout);
            let now = world.now;
            let instance = world.agent(agent).map_or(0, |agent| agent.instance);
            let answer = world.vault.ask_lease((agent, instance), write_timeout, now);
            (answer, now)
        };
        let answer = self.ask(Weight::Reading, ask).await?;
        self.0
            .with(|world| world.lease_was_granted(agent, asked, answer));
        let (answer, _) = answer;
        Ok(by_this_clock(answer, before, self.0.now()))
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        if let Wait::UpTo(most) = wait {
            self.wait_for_news(since, most).await;
        }
        let read = |world: &mut World| {
            let now = world.now;
            (world.vault.changes(since, now), world.vault.epoch(), now)
        };
        let (changes, epoch, at) = self.ask(Weight::Reading, read).await?;
        self.0.with(|world| {
            world.saw_vault(self.0.agent, &changes, epoch, at);
        });
        Ok(changes)
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        let read = |world: &mut World| match world.vault.entry(credential) {
            Some(entry)
                if entry.credential.version == version
                    && entry.credential.standing == Standing::Active
                    && entry.opens =>
            {
                PasswordAnswer::Current(Password::new(entry.password.as_str()))
            }
            _ => PasswordAnswer::Superseded,
        };
        self.ask(Weight::Acting, read).await
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        let note = |world: &mut World| world.vault.note_attempts(notices);
        self.ask(Weight::Acting, note).await
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        let agent = self.0.agent;
        let take = |world: &mut World| {
            world.must_not_be_led_by_another(agent)?;
            world.take_report(agent, report);
            Ok(())
        };
        self.ask(Weight::Acting, take).await?
    }

    async fn show_plans(&self, plans: &[HeldPlan]) -> Result<(), VaultError> {
        let agent = self.0.agent;
        let show = |world: &mut World| {
            world.must_not_be_led_by_another(agent)?;
            for plan in plans {
                world.check_plan(agent, plan);
            }
            world.vault.show(plans);
            world.plans_were_shown();
            Ok(())
        };
        self.ask(Weight::Acting, show).await?
    }
}

impl World {
    /// What a process has to say after another one took over may be old.
    fn must_not_be_led_by_another(&self, id: AgentId) -> Result<(), VaultError> {
        let instance = self.agent(id).map_or(0, |agent| agent.instance);
        if self.vault.is_held_by_another(id, instance, self.now) {
            return Err(VaultError::Unavailable("another agent leads".into()));
        }
        Ok(())
    }

    /// An agent was told what changed in the vault.
    fn saw_vault(&mut self, agent: AgentId, changes: &VaultChanges, epoch: u128, at: Moment) {
        self.tell(|| {
            let (extent, count) = (changes.extent, changes.credentials.len());
            format!("{agent} read the vault: {extent:?}, {count}")
        });
        let id = agent;
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        agent.stalled_for = 0;
        let seen = &mut agent.seen;
        seen.vault_at = at;
        seen.epoch = epoch;
        match &mut seen.vault {
            Some(view) => view.absorb(changes.clone()),
            None => seen.vault = Some(sync_engine::model::VaultView::new(changes.clone())),
        }
        self.hear_people(id, changes);
    }
}
