//! Nothing is written that waits for a person, or that one rejected; and no word counts twice.
//!
//! A held write is exactly one version for one account at one stamp in one epoch of the vault. It waits
//! from when the plan that holds it is durable, or shown, until that plan is approved, a person
//! confirms the credential, or it moves: another version, another stamp, its credential not synced any
//! more as far as the agent could see. A client that is muted or not synced for a while releases none.
//! What the engine does with its plans meanwhile makes no difference. It is judged for each memory: an
//! agent that lost its own does not know what waits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sync_engine::model::{
    CredentialId, CredentialMemory, ObjectId, PlanId, Stamp, Standing, SyncMode, VaultChanges,
    VaultCredential, VaultVersion, VaultView,
};
use sync_engine::plan::{Action, Decision, HeldPlan, PlanRuling, PlanStanding, Rule, Ruling};

use super::{Intent, Invariant};
use crate::world::{AgentId, Purpose, Stored, World};

/// Exactly one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Write {
    pub(crate) purpose: Purpose,
    pub(crate) stamp: Option<Stamp>,
}

/// Why a write must not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Its plan waits for a person.
    Waiting(PlanId),
    /// A person rejected its plan.
    Rejected(PlanId),
}

/// A person's confirmation, as one agent's memory knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Heard {
    version: VaultVersion,
    at: Timestamp,
    /// Whether a new memory, or a new epoch, found it: nobody can tell it from one that was acted on.
    found: bool,
    used: bool,
}

/// What people said about plans, and what these are of.
#[derive(Debug, Default)]
pub(super) struct Words {
    plans: BTreeMap<PlanId, Vec<Write>>,
    approved: BTreeSet<PlanId>,
    /// What one of the approved plans holds.
    approved_writes: BTreeSet<Write>,
    /// Confirmations that some agent acted on.
    used: BTreeSet<(CredentialId, Timestamp)>,
}

impl Words {
    pub(super) fn are_for(&self, write: &Write) -> bool {
        self.approved_writes.contains(write)
    }

    pub(super) fn ruled(&mut self, ruling: &PlanRuling) {
        if ruling.ruling == Ruling::Approve {
            self.approved.insert(ruling.plan);
            let writes = self.plans.get(&ruling.plan).into_iter().flatten();
            self.approved_writes.extend(writes.copied());
        }
    }
}

impl World {
    /// A plan is made durable, or shown.
    pub(crate) fn check_plan(&mut self, id: AgentId, plan: &HeldPlan) {
        let Some(agent) = self.agents.get(&id) else {
            return;
        };
        let writes: Vec<_> = plan
            .writes
            .iter()
            .filter_map(|write| exactly(write, agent.seen.epoch))
            .collect();
        let known = self.watch.words.plans.entry(plan.id).or_insert(writes);
        // The epoch is that in which the plan was made.
        let epoch = known.first().map_or(0, |write| write.purpose.epoch);
        let same = plan.writes.iter().map(|write| exactly(write, epoch));
        let is_same = same.eq(known.iter().map(|write| Some(*write)));
        let writes = known.clone();
        let is_approved = self.watch.words.approved.contains(&plan.id);
        if !is_same {
            let words = format!(
                "plan {} does not stand for the same writes any more",
                plan.id
            );
            self.violate(Invariant::Consent, words);
        }
        let hold = match &plan.standing {
            PlanStanding::Waiting => Some(Hold::Waiting(plan.id)),
            PlanStanding::Rejected(_) => Some(Hold::Rejected(plan.id)),
            PlanStanding::Approved(_) if is_approved => None,
            PlanStanding::Approved(word) => {
                let words = format!("plan {} was not approved by {}", plan.id, word.by);
                return self.violate(Invariant::Consent, words);
            }
        };
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.stored.take_plan(writes, hold);
        }
    }

    /// An agent was told what changed in the vault.
    pub(crate) fn hear_people(&mut self, id: AgentId, changes: &VaultChanges) {
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        let known = agent.stored.memory.client.epoch;
        let new_epoch = known.is_some_and(|known| known != changes.epoch);
        for credential in &changes.credentials {
            agent.stored.hear(credential, new_epoch);
        }
        let (seen, epoch) = (agent.seen.vault.as_ref(), agent.seen.epoch);
        if let Some(vault) = seen.filter(|_| !agent.stored.held.is_empty()) {
            let held = &mut agent.stored.held;
            held.retain(|write, _| write.purpose.epoch == epoch && is_wanted(write, vault));
        }
    }

    /// A write is about to be sent.
    pub(super) fn has_consent(&self, id: AgentId, intent: &Intent) -> Result<(), String> {
        let agent = self.agents.get(&id).ok_or("there is no such agent")?;
        if intent.is_confirmed() {
            return intent.word.map(|_| ()).map_err(str::to_owned);
        }
        let own = self.nature.policy.own_account.as_ref();
        if own.is_some_and(|own| own.object == Some(intent.purpose.object)) {
            return Err("it ends the agent's own sign-in, and no person confirmed it".to_owned());
        }
        if intent.is_approved {
            return Ok(());
        }
        if intent.asked == sync_engine::model::Asked::ByPerson {
            return Err("it claims an approval that nobody gave".to_owned());
        }
        match agent.stored.held.get(&intent.write) {
            Some(Hold::Waiting(plan)) => Err(format!("it waits for a person in plan {plan}")),
            Some(Hold::Rejected(plan)) => Err(format!("a person rejected it in plan {plan}")),
            None => Ok(()),
        }
    }

    /// A write is intended: a confirmation behind it is used up by that.
    pub(super) fn use_word(
        &mut self,
        id: AgentId,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<Timestamp, &'static str> {
        let agent = self.agents.get_mut(&id).ok_or("there is no such agent")?;
        let seen = agent.seen.vault.as_ref();
        let seen = seen.and_then(|vault| vault.credentials.get(&credential));
        let stands = seen.and_then(|it| it.confirmed.as_ref());
        let stands = stands.ok_or("it claims a confirmation that does not stand")?;
        let heard = agent.stored.words.get_mut(&credential);
        let heard = heard
            .filter(|it| it.at == stands.at && it.version == version && !it.found)
            .ok_or("it claims a confirmation that was given before, or for another version")?;
        if heard.used {
            return Err("its confirmation was acted on already");
        }
        heard.used = true;
        let at = heard.at;
        // Also where the answer is lost and the same write is made once more after a test.
        let held = &mut agent.stored.held;
        held.retain(|write, _| {
            (write.purpose.credential, write.purpose.version) != (credential, version)
        });
        if !self.watch.words.used.insert((credential, at)) {
            self.totals.confirmations_of_two += 1;
        }
        Ok(at)
    }

    /// A write that a person confirmed was certainly not made: the word still counts.
    pub(super) fn word_still_counts(&mut self, id: AgentId, intent: &Intent) {
        let agent = self.agents.get_mut(&id);
        let words = agent.map(|agent| &mut agent.stored.words);
        if let (Some(words), Ok(at)) = (words, intent.word)
            && let Some(heard) = words.get_mut(&intent.purpose.credential)
            && heard.at == at
        {
            heard.used = false;
            self.watch
                .words
                .used
                .remove(&(intent.purpose.credential, at));
        }
    }

    /// A memory is made durable: what it says of a person's word holds from now on.
    pub(super) fn check_word(&mut self, id: AgentId, known: &CredentialMemory, accepts: bool) {
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        let heard = agent.stored.words.get_mut(&known.id);
        let heard = heard.filter(|it| Some(it.at) == known.confirmation_used);
        let is_good = heard.as_ref().is_some_and(|it| !it.found && !it.used);
        if let Some(heard) = heard
            && known.pending.is_none()
        {
            heard.used = true;
        }
        if accepts && !is_good {
            let words = format!("another account is accepted for {} by nobody", known.id);
            self.violate(Invariant::Permission, words);
        }
    }
}

impl Stored {
    fn take_plan(&mut self, writes: Vec<Write>, hold: Option<Hold>) {
        for write in writes {
            match hold {
                Some(hold) => self.held.insert(write, hold),
                None => self.held.remove(&write),
            };
        }
    }

    fn hear(&mut self, credential: &VaultCredential, new_epoch: bool) {
        let Some(said) = &credential.confirmed else {
            if new_epoch {
                self.words.remove(&credential.id);
            }
            return;
        };
        let found = new_epoch || !self.memory.credentials.contains_key(&credential.id);
        let known = self.words.get(&credential.id);
        if found || known.is_none_or(|known| known.at != said.at) {
            let heard = Heard {
                version: said.version,
                at: said.at,
                found,
                used: false,
            };
            self.words.insert(credential.id, heard);
        }
    }

    /// Whether a person chose this credential among those that claim its account, and nobody
    /// chose another one since.
    pub(super) fn is_chosen<'a>(
        &self,
        credential: &VaultCredential,
        claims: impl Iterator<Item = &'a VaultCredential>,
    ) -> bool {
        let word = |it: &VaultCredential| self.words.get(&it.id).filter(|word| !word.found);
        let Some(own) = word(credential) else {
            return false;
        };
        // A word that was read while another agent led, and is gone by now, was not taken in.
        let counts = |it: &VaultCredential, word: &Heard| {
            let stands = it.confirmed.as_ref().is_some_and(|it| it.at == word.at);
            word.version == it.version && word.at > own.at && (word.used || stands)
        };
        let mut others = claims.filter(|it| it.id != credential.id);
        !others.any(|it| word(it).is_some_and(|word| counts(it, word)))
    }
}

impl Intent {
    pub(super) fn is_confirmed(&self) -> bool {
        self.why == Rule::Confirmed.why()
    }
}

fn exactly(write: &Decision, epoch: u128) -> Option<Write> {
    let Action::Push(target) = write.action else {
        return None;
    };
    let object: ObjectId = target.object;
    Some(Write {
        purpose: Purpose {
            object,
            credential: write.credential,
            epoch,
            version: write.version,
        },
        stamp: target.stamp,
    })
}

/// Whether the vault, as last read, still asks for this write.
fn is_wanted(write: &Write, vault: &VaultView) -> bool {
    let credential = vault.credentials.get(&write.purpose.credential);
    credential.is_some_and(|it| {
        it.standing == Standing::Active
            && it.mode == SyncMode::Enabled
            && it.version == write.purpose.version
    })
}
