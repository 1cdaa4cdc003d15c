//! No account locked out by us.
//!
//! A sign-in test that fails counts towards Entra's smart lockout. The budget is at most so many a
//! day and account, and one for the same password at the same stamp. It is judged by what the agent
//! could know, and by true time, less what the clocks of those who tested differ: a test that neither its memory nor the vault has any trace of (the state was lost
//! and the vault restored) cannot be counted by anybody.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sync_engine::model::{
    AttemptState, CredentialId, ObjectId, Password, SignInAttempt, Stamp, UserPrincipalName,
    VaultVersion,
};

use super::Invariant;
use crate::time::{DAY, Moment};
use crate::world::{AgentId, Entry, World};

/// Our own failures alone that would lock an account.
const THRESHOLD: u32 = 10;

/// A failed sign-in of ours.
#[derive(Clone, Debug)]
struct Failure {
    attempt: SignInAttempt,
    credential: CredentialId,
    epoch: u128,
    /// When it was written down: the budget counts from there, whenever the request arrives.
    at: Moment,
    /// How far its agent's clock was ahead.
    ahead: i64,
}

/// Those that were counted.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<Failure>);

/// The sign-in test that an agent has under way.
pub(super) struct Test {
    pub(super) credential: CredentialId,
    pub(super) attempt: SignInAttempt,
    epoch: u128,
    at: Moment,
    ahead: i64,
}

impl World {
    /// The test that an agent wrote down for this name and password.
    pub(super) fn test_of(
        &self,
        agent: AgentId,
        name: &UserPrincipalName,
        password: &Password,
    ) -> Option<Test> {
        let agent = self.agents.get(&agent)?;
        let memory = &agent.stored.memory.credentials;
        let written_down = agent.attempts.iter();
        written_down
            .filter_map(|(credential, (id, at, ahead))| {
                let entry = self.vault.entry(*credential)?;
                let known = memory.get(credential).into_iter();
                // The process that sent it may be gone, and its memory with it: then the vault knows.
                let mut attempts = known
                    .flat_map(|known| &known.attempts)
                    .chain(entry.attempts());
                let attempt = attempts.find(|it| it.id == *id)?;
                let epochs = [agent.seen.epoch, self.vault.epoch()];
                let epoch = epochs.into_iter().find(|epoch| {
                    self.vault.password_of(*epoch, *credential, attempt.version)
                        == Some(password.expose())
                })?;
                (entry.credential.user_name == *name).then(|| Test {
                    credential: *credential,
                    attempt: attempt.clone(),
                    epoch,
                    at: *at,
                    ahead: *ahead,
                })
            })
            // By true time: another credential with this name and password may have been tested by a
            // clock that was ahead.
            .max_by_key(|test| test.at)
    }

    /// A sign-in failed and was counted.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a fact of the one failure"
    )]
    pub(crate) fn check_failure(
        &mut self,
        agent: AgentId,
        name: &UserPrincipalName,
        password: &Password,
        truly: ObjectId,
        again: bool,
        ours: u32,
        locked: bool,
    ) {
        self.totals.failed_sign_ins += 1;
        if locked {
            self.account_moved(truly);
            self.totals.lockouts_shared += 1;
        }
        if locked && ours >= THRESHOLD {
            self.totals.lockouts_by_us += 1;
            self.violate(Invariant::Lockout, format!("we locked {name} out"));
        }
        if again {
            return;
        }
        // One that was taken away meanwhile was judged when it sent this.
        if !self.agents.contains_key(&agent) {
            return;
        }
        let Some(test) = self.test_of(agent, name, password) else {
            let words = format!("{agent} signed in as {name} without having written it down");
            return self.violate(Invariant::Lockout, words);
        };
        self.check_budget(agent, name, &test);
        let failure = Failure {
            attempt: test.attempt,
            credential: test.credential,
            epoch: test.epoch,
            at: test.at,
            ahead: test.ahead,
        };
        self.watch.lockout.0.push(failure);
    }

    fn check_budget(&mut self, agent: AgentId, name: &UserPrincipalName, test: &Test) {
        let most = self.nature.policy.max_failed_per_day as usize;
        let known = self.known_to(agent, test);
        let in_a_day = known.iter().filter(|it| test.at.since(it.at) < DAY).count();
        let ahead = self.most_ahead(agent);
        let surely = |it: &&&Failure| {
            let less = u64::try_from(ahead - it.ahead).unwrap_or(0);
            test.at.since(it.at) + less < DAY
        };
        let surely_in_a_day = known.iter().filter(surely).count();
        let again = known.iter().any(|it| {
            it.credential == test.credential
                && it.epoch == test.epoch
                && key(&it.attempt) == key(&test.attempt)
        });
        if surely_in_a_day >= most {
            let words = format!(
                "{agent} failed to sign in as {name} once more than {most} times within a day"
            );
            self.violate(Invariant::Lockout, words);
        } else if in_a_day >= most {
            self.totals.budgets_bent_by_clocks += 1;
        }
        if again {
            let version = test.attempt.version;
            let words = format!(
                "{agent} failed to sign in as {name} twice with version {version} at one stamp"
            );
            self.violate(Invariant::Lockout, words);
        }
    }

    /// How far an agent's clock was ahead at the most since its cycle began: the day after an earlier
    /// failure was over as much earlier, seen from whoever wrote that one down.
    fn most_ahead(&self, id: AgentId) -> i64 {
        self.agents.get(&id).map_or(0, |agent| {
            let back = self
                .watch
                .clock
                .turned_back(id, agent.cycle_began, self.now);
            agent.ahead + i64::try_from(back).unwrap_or(0)
        })
    }

    /// The earlier failures at the same account that the agent could know of.
    fn known_to(&self, agent: AgentId, test: &Test) -> Vec<&Failure> {
        let memory = self.agents.get(&agent).map(|agent| &agent.stored.memory);
        let remembers = |failure: &Failure| {
            memory.is_some_and(|memory| {
                let mut known = memory.credentials.values();
                known.any(|known| known.attempts.iter().any(|it| it.id == failure.attempt.id))
            })
        };
        self.watch
            .lockout
            .0
            .iter()
            .filter(|failure| failure.attempt.object == test.attempt.object)
            .filter(|failure| self.vault.knows_attempt(failure.attempt.id) || remembers(failure))
            .collect()
    }

    /// Whether the budget had a sign-in test of this account left at that moment.
    pub(super) fn had_budget(&self, agent: AgentId, object: ObjectId, then: Moment) -> bool {
        let Some(agent) = self.agents.get(&agent) else {
            return false;
        };
        let now = then.shown(agent.ahead);
        let most = self.nature.policy.max_failed_per_day as usize;
        let told = self.vault.entries().values().flat_map(Entry::attempts);
        let memory = agent.stored.memory.credentials.values();
        let attempts = told.chain(memory.flat_map(|known| &known.attempts));
        let counted: BTreeSet<_> = attempts
            .filter(|it| it.object == object && it.state != AttemptState::Passed)
            .filter(|it| is_within_a_day(it.at, now))
            .map(|it| it.id)
            .collect();
        counted.len() < most
    }
}

fn key(attempt: &SignInAttempt) -> (ObjectId, VaultVersion, Option<Stamp>) {
    (attempt.object, attempt.version, attempt.stamp)
}

fn is_within_a_day(at: Timestamp, now: Timestamp) -> bool {
    let apart = now.duration_since(at).as_millis();
    apart < i128::from(DAY)
}
