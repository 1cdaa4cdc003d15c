//! No write to an account that already had the password: it would sign the user out everywhere.
//!
//! Allowed, and counted apart: where the password cannot be checked and a person changed it or asked
//! for it; and where the account got the same password after the directory's last answer, which
//! nobody could know. A write whose effect is unknown is repeated only after a sign-in test that
//! says that the account does not have it; that is judged for each memory, as an agent that lost
//! its own begins with such a test anyway.

use std::collections::BTreeMap;

use sync_engine::model::{AttemptState, JournalEntry, Verdict};
use sync_engine::plan::{Rule, Verification};

use super::{Intent, Invariant};
use crate::time::{MINUTE, Moment, SECOND, milliseconds};
use crate::world::{AgentId, Flight, Purpose, World, position};

/// A stamp this close to ours may be somebody else's: both are taken for one. Seconds on both sides
/// come on top of the tolerance that the design sets.
const STAMPS_BLUR: u64 = 7 * SECOND;

/// What became of a write that was intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It was made, or may have been.
    Possible(Moment),
    /// It certainly was not.
    None,
}

/// What was written, and what was known of it.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// The last "wrong password" about exactly this.
    mismatches: BTreeMap<Purpose, Moment>,
    landed: BTreeMap<sync_engine::model::ObjectId, Moment>,
    /// Accounts whose stamp may be taken for ours although it is not, or about whose password a stale
    /// replica said what is no longer true. Until the next change, or a clean write of ours, nobody can
    /// know better.
    blurred: BTreeMap<sync_engine::model::ObjectId, Moment>,
}

impl World {
    /// A write is intended.
    pub(super) fn check_repetition(&mut self, agent: AgentId, intent: &Intent) {
        let purpose = intent.purpose;
        let Some(known) = self.agents.get_mut(&agent) else {
            return;
        };
        let written = &mut known.stored.written;
        let before = written.insert(purpose, Effect::Possible(self.now));
        let Some(Effect::Possible(before)) = before else {
            return;
        };
        let asked = [Rule::Confirmed.why(), Rule::UnverifiableChanged.why()];
        let tested = self.watch.need.mismatches.get(&purpose);
        if asked.contains(&intent.why.as_str()) || tested.is_some_and(|at| *at > before) {
            return;
        }
        if intent.as_of < before {
            self.totals.unknowable_writes += 1;
            return;
        }
        let words = format!(
            "{agent} repeats the write of {purpose:?} ({}) that may have been made at {before}",
            intent.why
        );
        self.violate(Invariant::Need, words);
    }

    /// Whether the agent could have tested the password that it is about to write, as far as its
    /// memory tells: nothing pauses it, and the budget has a test left.
    pub(super) fn is_testable(&self, id: AgentId, entry: &JournalEntry) -> bool {
        let Some(agent) = self.agents.get(&id) else {
            return false;
        };
        let memory = &agent.stored.memory;
        let Some(known) = memory.credentials.get(&entry.credential) else {
            return false;
        };
        let now = self.now.shown(agent.ahead);
        let grace = self.nature.policy.replication_grace;
        let fresh = known
            .written
            .is_some_and(|it| now.duration_since(it.at).unsigned_abs() < grace);
        let spent = known.attempts.iter().any(|it| {
            it.state != AttemptState::Passed
                && it.version == entry.version
                && it.stamp == entry.stamp
        });
        let object = entry.object;
        // The service was asked, and did not say.
        let silent = known
            .verdict_for(object, entry.version, entry.stamp)
            .is_some_and(|it| matches!(it.verdict, Verdict::Unknown(_)));
        let mut known = memory.credentials.values();
        let paused = known.any(|it| {
            it.object == Some(object) && it.paused_until.is_some_and(|until| until > now)
        });
        let tenant = memory.client.verification_paused_until;
        let user = self.tenant.user(object);
        self.nature.policy.verification == Verification::Allowed
            && user.is_some_and(|user| user.silent.is_none())
            && self.had_budget(id, object, self.now)
            && !(fresh || spent || paused || silent)
            && tenant.is_none_or(|until| until <= now)
    }

    /// A write that was intended was certainly not made.
    pub(super) fn was_not_written(&mut self, agent: AgentId, purpose: Purpose) {
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.stored.written.insert(purpose, Effect::None);
        }
    }

    /// A sign-in test said that the account does not have this password.
    pub(super) fn mismatch_was_seen(&mut self, purpose: Purpose) {
        self.watch.need.mismatches.insert(purpose, self.now);
    }

    /// A write takes effect now.
    pub(crate) fn check_landing(&mut self, flight: &Flight, repeated: bool) {
        let Some(purpose) = flight.intent else {
            return;
        };
        self.check_order(purpose, flight.sent);
        let Some(user) = self.tenant.user(flight.object) else {
            return;
        };
        if repeated || user.password() != flight.password {
            return;
        }
        let since = user.password_since();
        let agent = self.agents.get(&flight.agent);
        let intent = agent.and_then(|agent| agent.intents.get(&purpose.credential));
        let Some(intent) = intent.filter(|intent| intent.purpose == purpose) else {
            // The process that knew why is gone, and its request outlives it.
            self.totals.unknowable_writes += 1;
            return;
        };
        let unverifiable = [Rule::Confirmed.why(), Rule::UnverifiableChanged.why()];
        let blind = intent.why == Rule::VaultChanged.why() && !intent.testable;
        if unverifiable.contains(&intent.why.as_str()) || blind {
            self.totals.unverifiable_writes += 1;
        } else if since > intent.as_of || self.is_blurred(flight.object) {
            self.totals.unknowable_writes += 1;
        } else {
            self.totals.unneeded_writes += 1;
            let words = format!(
                "{} wrote {purpose:?} ({}), which the account has had since {since}; the directory was known as of {}",
                flight.agent, intent.why, intent.as_of
            );
            self.violate(Invariant::Need, words);
        }
    }

    /// A write took effect.
    pub(crate) fn after_landing(&mut self, flight: &Flight) {
        let now = self.now;
        self.watch.need.landed.insert(flight.object, now);
        let foreign = self.tenant.user(flight.object);
        let foreign = foreign.and_then(|user| user.foreign_change);
        if foreign.is_some_and(|at| now.since(at) < STAMPS_BLUR) {
            self.watch.need.blurred.insert(flight.object, now);
        } else {
            self.watch.need.blurred.remove(&flight.object);
        }
        if let Some(purpose) = flight.intent {
            self.evidence_of_a_write(purpose);
        }
        self.account_moved(flight.object);
    }

    /// Somebody else changes a password.
    pub(crate) fn foreign_change(&mut self, id: sync_engine::model::ObjectId) {
        let landed = self.watch.need.landed.get(&id);
        let close = landed.is_some_and(|at| self.now.since(*at) < STAMPS_BLUR);
        // A write may be on its way, too.
        let flying = self
            .flights
            .values()
            .any(|flight| flight.object == id && flight.outcome.is_none());
        if close || flying {
            self.watch.need.blurred.insert(id, self.now);
        } else {
            self.watch.need.blurred.remove(&id);
        }
    }

    /// A replica that has the previous password answered a sign-in test.
    pub(crate) fn was_misled(
        &mut self,
        agent: AgentId,
        id: sync_engine::model::ObjectId,
        verdict: &Verdict,
    ) {
        self.totals.misled += 1;
        if *verdict != Verdict::Mismatch || !self.knows_of_its_write(agent, id) {
            self.watch.need.blurred.insert(id, self.now);
        }
    }

    /// Whether the account has its password by a write that the agent remembers, within the time that
    /// is granted for replicas: a wrong-password answer then proves nothing, and the agent knows that.
    fn knows_of_its_write(&self, id: AgentId, object: sync_engine::model::ObjectId) -> bool {
        let user = self.tenant.user(object);
        let landed = self.watch.need.landed.get(&object).copied();
        let (Some(user), Some(landed)) = (user, landed) else {
            return false;
        };
        if user.password_since() != landed {
            return false;
        }
        let Some(agent) = self.agents.get(&id) else {
            return false;
        };
        let remembers = agent.stored.written.iter().any(|(purpose, effect)| {
            purpose.object == object
                && matches!(effect, Effect::Possible(at) if *at <= landed && landed.since(*at) < MINUTE)
        });
        let grace = milliseconds(self.nature.policy.replication_grace);
        let clock = &self.watch.clock;
        remembers && self.now.since(landed) + clock.turned_forward(id, landed, self.now) < grace
    }

    /// Whether what can be seen of an account is not what is true.
    pub(super) fn is_blurred(&self, id: sync_engine::model::ObjectId) -> bool {
        self.watch.need.blurred.contains_key(&id)
    }

    /// The moment of the tenant that an agent knows.
    pub(super) fn known_as_of(&self, agent: AgentId) -> Moment {
        let agent = self.agents.get(&agent);
        let view = agent.and_then(|agent| agent.seen.directory.as_ref());
        view.and_then(|view| position(view.link()))
            .unwrap_or_default()
    }
}
