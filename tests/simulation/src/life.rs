//! One process of an agent: cycles as the real agent's scheduler makes them.

use std::time::Duration;

use sync_engine::plan::Policy;
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, EngineError, Footing, Ports, Unwatched};

use crate::ports::Line;
use crate::time::{Moment, milliseconds};

const SHARE_TO_WAIT: f64 = 0.9;
const UNSETTLED_PAUSE: Duration = Duration::from_secs(2);
const FIRST_RETRY: Duration = Duration::from_secs(2);
const EARLY: Duration = Duration::from_secs(1);
const STANDBY_PAUSE: Duration = Duration::from_secs(15);
const FULL_READ: Duration = Duration::from_hours(24);

/// How long to wait for the next cycle, and for what.
enum Pause {
    Watching(Duration),
    Retrying(Duration),
}

/// Lives until it is dropped.
pub(crate) async fn live(line: Line, ports: Ports, policy: Policy, interval: Duration) {
    let mut engine = Engine::new(ports, policy);
    let mut failures = 0;
    loop {
        obey(&line, &mut engine).await;
        let full_read = engine.last_full_read();
        let is_due = full_read
            .is_some_and(|last| line.now().duration_since(last).unsigned_abs() >= FULL_READ);
        if is_due {
            engine.read_all_next();
        }
        line.with(|world| world.cycle_begins(line.agent));
        let cycled = engine.cycle(Wait::No, &Unwatched).await;
        line.with(|world| world.cycle_ended(line.agent, &cycled));
        let pause = match &cycled {
            Ok(CycleReport {
                footing: Footing::Standby { .. },
                ..
            }) => Pause::Retrying(interval.min(STANDBY_PAUSE)),
            Ok(report) => Pause::Watching(next(&line, report, interval)),
            Err(_) => Pause::Retrying(retry(failures, interval)),
        };
        failures = if cycled.is_ok() { 0 } else { failures + 1 };
        wait(&line, &mut engine, pause).await;
    }
}

/// Takes what people said at the command line.
async fn obey(line: &Line, engine: &mut Engine) {
    let commands = line.with(|world| {
        let agent = world.agents.get_mut(&line.agent);
        agent.map(|agent| std::mem::take(&mut agent.commands))
    });
    for ruling in commands.unwrap_or_default() {
        let ruled = engine.rule(&ruling).await;
        line.with(|world| {
            world.tell(|| format!("{} was told: {:?}", line.agent, ruled.map(|it| it.standing)));
        });
    }
}

async fn wait(line: &Line, engine: &mut Engine, pause: Pause) {
    let most = match pause {
        Pause::Retrying(time) => return line.pass(milliseconds(time)).await,
        Pause::Watching(most) => most,
    };
    let end = now(line).plus(milliseconds(most));
    loop {
        let began = now(line);
        let asked = Duration::from_millis(end.since(began));
        match engine.await_change(asked).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(_) => return line.pass(milliseconds(FIRST_RETRY)).await,
        }
        if has_commands(line) {
            return;
        }
        let left = Duration::from_millis(end.since(now(line)));
        let waited = Duration::from_millis(now(line).since(began));
        if waited < asked.min(EARLY) {
            return line.pass(milliseconds(left)).await;
        }
        if left < EARLY {
            return;
        }
    }
}

fn has_commands(line: &Line) -> bool {
    line.with(|world| {
        let agent = world.agent(line.agent);
        agent.is_some_and(|agent| !agent.commands.is_empty())
    })
}

fn now(line: &Line) -> Moment {
    line.with(|world| world.now)
}

fn next(line: &Line, report: &CycleReport, interval: Duration) -> Duration {
    let interval = interval.mul_f64(SHARE_TO_WAIT);
    if report.unsettled() > 0 {
        return interval.min(UNSETTLED_PAUSE);
    }
    let due = report.next_due.map(|due| {
        let left = due.duration_since(line.now());
        Duration::try_from(left)
            .unwrap_or_default()
            .max(UNSETTLED_PAUSE)
    });
    due.map_or(interval, |due| due.min(interval))
}

fn retry(failures: u32, interval: Duration) -> Duration {
    FIRST_RETRY
        .saturating_mul(1 << failures.min(10))
        .min(interval)
        .max(FIRST_RETRY)
}

impl crate::world::World {
    fn cycle_begins(&mut self, agent: crate::world::AgentId) {
        self.totals.cycles += 1;
        let now = self.now;
        self.tell(|| format!("{agent} begins a cycle"));
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.cycle_began = now;
        }
    }

    fn cycle_ended(
        &mut self,
        agent: crate::world::AgentId,
        cycled: &Result<CycleReport, EngineError>,
    ) {
        match cycled {
            Ok(report) => {
                self.tell(|| format!("{agent} ends a cycle: {:?}", report.footing));
                if report.footing == Footing::Leader {
                    self.check_flags(agent);
                }
            }
            Err(error) => {
                self.totals.failed_cycles += 1;
                self.tell(|| format!("{agent} ends a cycle: {error:?}"));
            }
        }
    }
}
