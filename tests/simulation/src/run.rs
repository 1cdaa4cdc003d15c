//! Runs one world from its beginning to its end, or to the first violation.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use sync_engine::Ports;
use sync_engine::plan::Policy;

use crate::fault::Fault;
use crate::invariants::Violation;
use crate::life::live;
use crate::nature::Wish;
use crate::ports::Line;
use crate::time::{MINUTE, SECOND};
use crate::totals::Totals;
use crate::trace::{Telling, Trace};
use crate::world::{AgentId, Beginning, Happening, Shared, World, lock};

/// What a world came to.
#[derive(Debug)]
pub struct Ran {
    /// Its counts.
    pub totals: Totals,
    /// The rule that did not hold, where one did not.
    pub violation: Option<Violation>,
    /// What happened, where it was told.
    pub trace: Vec<String>,
}

/// Puts something between an engine and its world, to prove that the rules notice.
pub type Tamper = fn(Ports, Policy) -> (Ports, Policy);

/// Runs a world.
pub fn run(wish: &Wish, telling: Telling) -> Ran {
    run_tampered(wish, telling, |ports, policy| (ports, policy))
}

/// Runs a world in which every engine is tampered with.
pub fn run_tampered(wish: &Wish, telling: Telling, tamper: Tamper) -> Ran {
    let world = Arc::new(Mutex::new(World::new(wish, telling)));
    let mut runner = Runner {
        world: Arc::clone(&world),
        lives: BTreeMap::new(),
        tamper,
    };
    while runner.step() {}
    runner.lives.clear();
    let mut world = lock(&world);
    world.totals.steps = world.trace.steps();
    let trace = std::mem::replace(&mut world.trace, Trace::new(Telling::Silent));
    Ran {
        totals: world.totals.clone(),
        violation: world.violation.clone(),
        trace: trace.into_lines(),
    }
}

type Life = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Runner {
    world: Shared,
    lives: BTreeMap<AgentId, (u64, Life)>,
    tamper: Tamper,
}

impl Runner {
    /// Lets the next thing happen. Returns whether the world goes on.
    fn step(&mut self) -> bool {
        let what = {
            let mut world = lock(&self.world);
            if world.ended || world.violation.is_some() {
                return false;
            }
            let Some((at, what)) = world.timeline.next() else {
                return false;
            };
            world.now = at;
            what
        };
        match what {
            Happening::Wake { agent, life } => self.wake(agent, life),
            Happening::Kill { agent, life } => self.kill(agent, life),
            Happening::Retire(agent) => self.retire(agent),
            Happening::Start { agent, beginning } => self.start(agent, beginning),
            other => lock(&self.world).happen(other),
        }
        true
    }

    fn wake(&mut self, agent: AgentId, life: u64) {
        {
            let mut world = lock(&self.world);
            let now = world.now;
            let stalled = world.agent(agent).and_then(|it| it.stalled_until);
            if let Some(until) = stalled.filter(|until| *until > now) {
                let later = Happening::Wake { agent, life };
                world.timeline.book(until, later);
                return;
            }
        }
        self.poll(agent, life);
    }

    fn poll(&mut self, agent: AgentId, life: u64) {
        let Some((known, future)) = self.lives.get_mut(&agent) else {
            return;
        };
        if *known != life {
            return;
        }
        let mut context = Context::from_waker(Waker::noop());
        // A process never ends by itself.
        let _pending = future.as_mut().poll(&mut context);
    }

    fn kill(&mut self, agent: AgentId, life: u64) {
        if self
            .lives
            .get(&agent)
            .is_none_or(|(known, _)| *known != life)
        {
            return;
        }
        self.lives.remove(&agent);
        let mut world = lock(&self.world);
        world.tell(|| format!("{agent} dies"));
        if let Some(agent) = world.agents.get_mut(&agent) {
            agent.end();
        }
        let beginning = world.how_to_begin(agent);
        let soon = world.luck.percent(80);
        let most = if soon { 20 * SECOND } else { 30 * MINUTE };
        let after = world.luck.between(SECOND, most);
        world.book(after, Happening::Start { agent, beginning });
    }

    fn retire(&mut self, id: AgentId) {
        self.lives.remove(&id);
        let mut world = lock(&self.world);
        world.tell(|| format!("{id} is there no more"));
        world.agents.remove(&id);
    }

    fn start(&mut self, id: AgentId, beginning: Beginning) {
        let (line, policy, interval) = {
            let mut world = lock(&self.world);
            world.totals.lives += 1;
            world.tell(|| format!("{id} starts: {beginning:?}"));
            let which = world.luck.below(5);
            let Some(agent) = world.agents.get_mut(&id) else {
                return;
            };
            let copies = agent.copies.len().max(1) as u64;
            let which = usize::try_from(which % copies).unwrap_or(0);
            agent.begin(beginning, which);
            let life = agent.life;
            let connection = Line {
                world: Arc::clone(&self.world),
                agent: id,
                life,
            };
            (
                connection,
                world.nature.policy.clone(),
                world.nature.interval,
            )
        };
        let number = line.life;
        let (ports, policy) = (self.tamper)(line.ports(), policy);
        let future = Box::pin(live(line, ports, policy, interval));
        self.lives.insert(id, (number, future));
        self.poll(id, number);
    }
}

impl World {
    fn how_to_begin(&mut self, agent: AgentId) -> Beginning {
        let has_copy = self.agent(agent).is_some_and(|it| !it.copies.is_empty());
        let kinds = [
            (80, Beginning::AsItWas),
            (12, Beginning::OldCopy),
            (8, Beginning::Blank),
        ];
        let beginning = self.luck.weighted(&kinds).unwrap_or(Beginning::AsItWas);
        match beginning {
            Beginning::OldCopy if has_copy && self.nature.has(Fault::OldCopy) && !self.quiet => {
                self.count(Fault::OldCopy);
                beginning
            }
            Beginning::Blank if self.nature.has(Fault::LostState) && !self.quiet => {
                self.count(Fault::LostState);
                beginning
            }
            _ => Beginning::AsItWas,
        }
    }
}
