//! Every mismatch that lasts is flagged, and no flag stands on an account that matches.
//!
//! It is judged after two whole cycles of a leader that began when nothing had touched the credential
//! or its account for longer than a replica may lag, and only where the engine was able to check:
//! the account may be tested, its budget is not spent, and no answer was lost.

use std::collections::{BTreeMap, BTreeSet};

use sync_engine::model::{
    AttemptState, CredentialId, DomainKind, EdgeWhitespace, FlagKind, MicrosoftSync, Mute,
    ObjectId, Standing, SyncMode, Verdict,
};
use sync_engine::plan::Verification;

use super::Invariant;
use crate::time::{DAY, MINUTE, Moment, milliseconds};
use crate::world::{AgentId, World};

/// Longer than any replica lags.
const LAG: u64 = 6 * MINUTE;
/// Cycles after which a mismatch must be known.
const CYCLES: u32 = 2;

/// Since when nothing touched a credential.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    everything: Moment,
    since: BTreeMap<CredentialId, Moment>,
    cycles: BTreeMap<CredentialId, (Moment, u32)>,
    /// Agents whose clock fell back and that have ended no cycle since.
    fell_back: BTreeSet<AgentId>,
}

impl Quiet {
    pub(super) fn credential_moved(&mut self, id: CredentialId, now: Moment) {
        self.since.insert(id, now);
    }

    pub(super) fn everything_moved(&mut self, now: Moment) {
        self.everything = now;
    }

    /// What an agent took for past may lie ahead of it now. It learns so in its next cycle, and takes
    /// it for something of that moment, which replicas may still lag behind.
    pub(super) fn clock_fell_back(&mut self, agent: AgentId) {
        self.fell_back.insert(agent);
    }

    fn since(&self, id: CredentialId) -> Moment {
        let own = self.since.get(&id).copied().unwrap_or_default();
        own.max(self.everything)
    }

    /// A cycle saw the credential as it is. Returns how many did since it last changed.
    fn saw(&mut self, id: CredentialId, began: Moment) -> u32 {
        let since = self.since(id);
        if began < since.plus(LAG) {
            return 0;
        }
        let cycles = self.cycles.entry(id).or_insert((since, 0));
        if cycles.0 != since {
            *cycles = (since, 0);
        }
        cycles.1 += 1;
        cycles.1
    }
}

impl World {
    /// A leader ended a cycle without a failure.
    pub(crate) fn check_flags(&mut self, agent: AgentId) {
        let began = self
            .agents
            .get(&agent)
            .map_or(self.now, |it| it.cycle_began);
        if self.watch.flags.fell_back.remove(&agent) {
            return self.everything_moved();
        }
        // Two that take turns, because neither holds the lease from one cycle to the next, each
        // tell what they know themselves.
        if self.agents.len() > 1 && self.nature.lease_lapses() {
            return;
        }
        // A successor looks on until the last leader's writes have ended.
        if self.may_not_write_yet(agent, began) {
            return;
        }
        // A cycle that took longer may have been cut short by the end of its lease.
        if self.now.since(began) > MINUTE {
            return;
        }
        let ids: Vec<_> = self.vault.entries().keys().copied().collect();
        for id in ids {
            if self.watch.flags.saw(id, began) >= CYCLES
                && let Err(words) = self.is_flagged_rightly(agent, id)
            {
                let memory = self.agents.get(&agent).map(|agent| &agent.stored.memory);
                let known = memory.and_then(|memory| memory.credentials.get(&id));
                let known = format!("{agent} remembers {known:?}");
                self.tell(|| known);
                self.violate(Invariant::Flags, words);
            }
        }
    }

    fn is_flagged_rightly(&self, agent: AgentId, id: CredentialId) -> Result<(), String> {
        let Some(differs) = self.differs(agent, id) else {
            return Ok(());
        };
        let Some(entry) = self.vault.entry(id) else {
            return Ok(());
        };
        let name = &entry.credential.user_name;
        let object = self.tenant.resolve(name.as_str());
        let stamp = object.and_then(|object| self.tenant.stamp(object));
        let version = entry.credential.version;
        let flagged = entry.credential.raised.contains_key(&FlagKind::AdChange);
        let cleared = entry.is_cleared(FlagKind::AdChange, version, stamp);
        let is_report = entry.credential.mode == SyncMode::ReportMismatches;
        match (differs, flagged) {
            (true, false) if is_report && !cleared => Err(format!(
                "the account of {name} does not have version {version}, and no flag says so"
            )),
            (false, true) => Err(format!(
                "the account of {name} has version {version}, and a flag says that it has not"
            )),
            _ => Ok(()),
        }
    }

    /// Whether vault and account differ, where the engine was able to find out.
    pub(super) fn differs(&self, agent: AgentId, id: CredentialId) -> Option<bool> {
        let entry = self.vault.entry(id)?;
        let client = self.vault.client();
        let credential = &entry.credential;
        let facts = credential.facts?;
        let object = self.tenant.resolve(credential.user_name.as_str())?;
        let user = self.tenant.user(object)?;
        let known = &self.agents.get(&agent)?.stored.memory;
        let remembered = known.credentials.get(&id)?;
        let account = user.account()?;
        let claims = self.vault.entries().values().filter(|it| {
            it.credential.user_name == credential.user_name
                && it.credential.standing == Standing::Active
                && it.credential.mode != SyncMode::Off
        });
        let interrupted = remembered.attempts.iter().any(|it| {
            it.state != AttemptState::Passed
                && it.version == credential.version
                && it.stamp == account.stamp
        }) && remembered
            .verdict_for(object, credential.version, account.stamp)
            .is_none_or(|it| matches!(it.verdict, Verdict::Unknown(_)));
        let seen = self.agents.get(&agent)?.seen.directory.as_ref()?;
        let managed = seen.domain_kind(&account.user_name) == Some(DomainKind::Managed);
        let silent = remembered
            .verdict_for(object, credential.version, account.stamp)
            .is_some_and(|it| matches!(it.verdict, Verdict::Unknown(_)));
        let paused = [
            remembered.paused_until,
            known.client.verification_paused_until,
        ];
        // What forbade a test until a moment ago may have forbidden it in the last cycles.
        // A clock that was turned back lets it wait as much longer.
        let lately = 2 * milliseconds(self.nature.interval) + MINUTE + self.turned_back_lately();
        let then = self.agents.get(&agent)?.cycle_began.minus(lately);
        let ahead = self.agents.get(&agent)?.ahead;
        // By a clock that was turned forward just now, what was forbidden is so no more.
        if self.watch.clock.turned_forward(agent, then, self.now) > 0 {
            return None;
        }
        let able = client.mute == Mute::Unmuted
            && client.sync == MicrosoftSync::EntraId
            && credential.standing == Standing::Active
            && credential.mode != SyncMode::Off
            && claims.count() == 1
            && entry.opens
            && facts.edge_whitespace == EdgeWhitespace::Absent
            && self.nature.policy.verification == Verification::Allowed
            && self.tenant.is_ours(account)
            && self.all_agents_mean(id, object)
            && remembered.pending.is_none()
            && user.silent.is_none()
            && user.locked_until().is_none_or(|until| until < then)
            && managed
            // An Unknown that does not pass by itself is asked again a day later.
            && !silent
            && !interrupted
            && paused.iter().all(|until| until.is_none_or(|until| until < then.shown(ahead)))
            && self.had_budget(agent, object, then)
            && !self.is_blurred(object);
        able.then(|| user.password() != entry.password)
    }

    /// Milliseconds by which clocks were turned back within the time for which an agent may have to wait.
    fn turned_back_lately(&self) -> u64 {
        let since = self.now.minus(2 * DAY);
        let clock = &self.watch.clock;
        let agents = self.agents.keys();
        agents
            .map(|agent| clock.turned_back(*agent, since, self.now))
            .sum()
    }

    /// Whether every agent that knows the credential takes this account for its own. Each memory
    /// has a first contact of its own.
    fn all_agents_mean(&self, id: CredentialId, object: ObjectId) -> bool {
        self.agents.values().all(|agent| {
            let known = agent.stored.memory.credentials.get(&id);
            known.is_none_or(|known| known.object == Some(object))
        })
    }
}
