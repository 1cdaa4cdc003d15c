//! The engine's four ports over the simulated world, each call with its latency and its faults.

mod clock;
mod directory;
mod store;
mod vault;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use jiff::Timestamp;
use sync_engine::Ports;
use sync_engine::ports::Cause;

use crate::fault::Fault;
use crate::time::{HOUR, MINUTE, Moment, SECOND};
use crate::world::{AgentId, Happening, Shared, World, lock};

/// One process's connection to the world.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) world: Shared,
    pub(crate) agent: AgentId,
    pub(crate) life: u64,
}

/// What a call has before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fate {
    /// Until it has its effect.
    before: u64,
    /// From then until its answer.
    after: u64,
    /// What goes wrong.
    fault: Option<Fault>,
    /// At which side of its effect the process ends, where it does.
    death: Option<Side>,
}

/// A side of a call's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

/// How much a call is worth to a tester: those that act are rare, and what goes wrong there hurts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Weight {
    Reading,
    Acting,
}

impl Line {
    /// All four ports.
    pub(crate) fn ports(&self) -> Ports {
        Ports {
            vault: Arc::new(vault::SimVault(self.clone())),
            directory: Arc::new(directory::SimDirectory(self.clone())),
            store: Arc::new(store::SimStore(self.clone())),
            clock: Arc::new(clock::SimClock(self.clone())),
        }
    }

    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        act(&mut lock(&self.world))
    }

    /// The time that this machine's clock shows.
    pub(crate) fn now(&self) -> Timestamp {
        self.with(|world| {
            let ahead = world.agent(self.agent).map_or(0, |agent| agent.ahead);
            world.now.shown(ahead)
        })
    }

    /// Comes back after so many milliseconds of true time.
    pub(crate) async fn pass(&self, milliseconds: u64) {
        if milliseconds > 0 {
            let at = self.with(|world| world.now.plus(milliseconds));
            self.until(at).await;
        }
    }

    pub(crate) fn until(&self, at: Moment) -> Until<'_> {
        Until {
            line: self,
            at,
            booked: false,
        }
    }

    /// The process ends here.
    async fn die(&self) {
        self.with(|world| {
            let (agent, life) = (self.agent, self.life);
            world.book(0, Happening::Kill { agent, life });
        });
        futures::future::pending::<()>().await;
    }

    fn fate(&self, weight: Weight, faults: &[Fault]) -> Fate {
        self.with(|world| world.fate(self.agent, weight, faults))
    }

    /// The time until a call has its effect; the process may end meanwhile.
    async fn before(&self, fate: Fate) {
        self.pass(fate.before).await;
        if fate.death == Some(Side::Before) {
            self.die().await;
        }
    }

    /// The time until its answer.
    async fn after(&self, fate: Fate) {
        if fate.death == Some(Side::After) {
            self.pass(fate.after / 2).await;
            self.die().await;
        }
        self.pass(fate.after).await;
    }
}

/// See [`Line::until`].
pub(crate) struct Until<'a> {
    line: &'a Line,
    at: Moment,
    booked: bool,
}

impl Future for Until<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        let (agent, life) = (self.line.agent, self.line.life);
        let mut world = lock(&self.line.world);
        if world.now >= self.at {
            return Poll::Ready(());
        }
        if !self.booked {
            world
                .timeline
                .book(self.at, Happening::Wake { agent, life });
            drop(world);
            self.booked = true;
        }
        Poll::Pending
    }
}

impl World {
    fn fate(&mut self, agent: AgentId, weight: Weight, faults: &[Fault]) -> Fate {
        let mut fate = Fate {
            before: self.luck.between(10, 150),
            after: self.luck.between(10, 150),
            fault: None,
            death: None,
        };
        let rate = self.rate(weight);
        let goes_wrong = self.luck.one_in_a_million(rate);
        if goes_wrong {
            self.go_wrong(agent, &mut fate, faults);
        }
        fate
    }

    /// Faults in a million calls of this kind, now.
    fn rate(&self, weight: Weight) -> u64 {
        if self.quiet {
            return 0;
        }
        let acting = if weight == Weight::Acting { 8 } else { 1 };
        let storm = if self.storm { 12 } else { 1 };
        (self.nature.fault_rate * acting * storm).min(250_000)
    }

    fn go_wrong(&mut self, agent: AgentId, fate: &mut Fate, faults: &[Fault]) {
        let machine = [Fault::SlowAnswer, Fault::Death, Fault::Stall];
        let kinds: Vec<_> = faults
            .iter()
            .chain(&machine)
            .copied()
            .filter(|fault| self.nature.has(*fault))
            .collect();
        let Some(fault) = self.luck.pick(&kinds).copied() else {
            return;
        };
        // Deaths and stalls lengthen everything; a few of them go a long way.
        let rare = matches!(fault, Fault::Death | Fault::Stall);
        if rare && !self.luck.percent(50) {
            return;
        }
        self.count(fault);
        self.tell(|| format!("{agent}: {fault}"));
        match fault {
            Fault::SlowAnswer => {
                fate.before += self.luck.below(15 * SECOND);
                fate.after += self.luck.below(15 * SECOND);
            }
            Fault::Death => {
                let before = self.luck.percent(40);
                fate.death = Some(if before { Side::Before } else { Side::After });
            }
            Fault::Stall => {
                let most = if self.luck.percent(80) {
                    10 * MINUTE
                } else {
                    3 * HOUR
                };
                let lasts = self.luck.between(20 * SECOND, most);
                let begins = self.luck.below(fate.before + fate.after);
                self.stall(agent, self.now.plus(begins).plus(lasts), lasts);
            }
            other => fate.fault = Some(other),
        }
    }

    /// From now on the process stands still until then.
    fn stall(&mut self, agent: AgentId, until: Moment, lasts: u64) {
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.stalled_until = Some(until);
            agent.stalled_for += lasts;
        }
    }
}

fn cause(fault: Fault) -> Cause {
    fault.word().into()
}
