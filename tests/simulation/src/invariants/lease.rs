//! A step is begun only by the agent that truly holds the lease, and only while the lease outlasts the
//! request's time-out; two agents never have writes under way for one account.
//!
//! It is judged by the vault's lease and by true time. A process that stood still is not excused: it
//! looks at the time once it goes on, and a request that was sent before has its time-out. Only a clock
//! that was turned back since the lease was asked for makes it seem longer, by as much; one that was
//! turned forward lets a successor begin as much too early.

use sync_engine::model::ObjectId;

use super::Invariant;
use crate::time::{MINUTE, Moment};
use crate::world::{AgentId, LeaseAnswer, World};

/// What the vault granted to an agent, in true time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Granted {
    asked: Moment,
    until: Moment,
    writes_from: Moment,
}

/// When the turn of a clock explained a lease that was overstepped last.
#[derive(Debug, Default)]
pub(super) struct Bent(Option<Moment>);

impl World {
    /// An agent heard the vault's answer about the lease.
    pub(crate) fn lease_was_granted(
        &mut self,
        id: AgentId,
        asked: Moment,
        (answer, at): (LeaseAnswer, Moment),
    ) {
        let granted = match answer {
            LeaseAnswer::Granted {
                remaining,
                writes_after,
            } => Granted {
                asked,
                until: at.plus(remaining),
                writes_from: match writes_after {
                    0 => Moment::default(),
                    wait => at.plus(wait),
                },
            },
            LeaseAnswer::Elsewhere { .. } => Granted::default(),
        };
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.granted = granted;
        }
    }

    /// An agent is about to send a write or a sign-in test.
    pub(super) fn check_lease(&mut self, id: AgentId, what: &str) {
        let Some(agent) = self.agents.get(&id) else {
            return;
        };
        let Granted {
            asked,
            until,
            writes_from,
        } = agent.granted;
        let timeout = crate::time::milliseconds(self.nature.policy.write_timeout);
        let late = self.now.plus(timeout).since(until);
        let early = writes_from.since(self.now);
        let clock = &self.watch.clock;
        let back = clock.turned_back(id, asked, self.now);
        let forward = clock.turned_forward(id, asked, self.now);
        let holds = self.vault.is_held_by(agent.id, agent.instance, self.now);
        if late > back || early > forward {
            let words = format!("{id} {what}, {late} ms too late for its lease, {early} too early");
            self.violate(Invariant::Lease, words);
        } else if late + early > 0 {
            self.totals.leases_bent_by_clocks += 1;
            self.watch.lease.0 = Some(self.now);
        } else if !holds {
            self.violate(Invariant::Lease, format!("{id} {what} without the lease"));
        }
    }

    /// Whether an agent had to wait, at that moment, for writes of the leader before it.
    pub(super) fn may_not_write_yet(&self, id: AgentId, then: Moment) -> bool {
        let agent = self.agents.get(&id);
        agent.is_some_and(|agent| agent.granted.writes_from > then)
    }

    /// An agent is about to send a write to this account.
    pub(super) fn check_alone(&mut self, id: AgentId, object: ObjectId) {
        let mut flights = self.flights.values();
        let other = flights
            .find(|it| it.object == object && it.agent != id && it.outcome.is_none())
            .map(|it| it.agent);
        let bent = self.watch.lease.0;
        let bent = bent.is_some_and(|at| self.now.since(at) < 5 * MINUTE);
        if let Some(other) = other.filter(|_| !bent) {
            let words = format!("{id} writes to {object} while a write of {other} is under way");
            self.violate(Invariant::Lease, words);
        }
    }
}
