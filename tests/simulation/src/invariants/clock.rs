//! How clocks were turned: as much as that, and no more, an agent may err about spans of time.

use crate::time::Moment;
use crate::world::AgentId;

/// Every turn of a clock, in order.
#[derive(Debug, Default)]
pub(super) struct Turns(Vec<(Moment, AgentId, i64)>);

impl Turns {
    pub(super) fn turn(&mut self, agent: AgentId, by: i64, now: Moment) {
        self.0.push((now, agent, by));
    }

    /// Milliseconds by which an agent's clock was turned forward in a time.
    pub(super) fn turned_forward(&self, agent: AgentId, from: Moment, to: Moment) -> u64 {
        let turns = self.turned(agent, from, to).filter(|by| *by > 0);
        turns.map(i64::unsigned_abs).sum()
    }

    /// Milliseconds by which it was turned back.
    pub(super) fn turned_back(&self, agent: AgentId, from: Moment, to: Moment) -> u64 {
        let turns = self.turned(agent, from, to).filter(|by| *by < 0);
        turns.map(i64::unsigned_abs).sum()
    }

    fn turned(&self, agent: AgentId, from: Moment, to: Moment) -> impl Iterator<Item = i64> {
        let turns = self.0.iter().rev();
        turns
            .take_while(move |(at, _, _)| *at >= from)
            .filter(move |(at, who, _)| *at <= to && *who == agent)
            .map(|(_, _, by)| *by)
    }
}
