//! Runs one client's engine: a cycle whenever the vault changes, and at the latest every interval.

use std::time::Duration;

use jiff::Timestamp;
use passportal_client::wire::AgentState;
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, EngineError, Unwatched};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::wiring::ClientAgent;

/// How soon a write whose effect is not visible yet is looked at again.
const UNSETTLED_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause after a failed cycle; it doubles up to the interval.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A wait that ends this much too early without a change was no wait: the vault has no long poll.
const EARLY: Duration = Duration::from_secs(1);

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The longest time between two cycles.
    pub interval: Duration,
    /// The time between two full readings.
    pub full_read: Duration,
}

/// What came of a cycle.
pub type Cycled = Result<CycleReport, EngineError>;

/// Somebody who is told of every cycle of a client, and how long it took.
pub trait Witness: Send + Sync {
    /// A cycle ended.
    fn cycled(&self, client: &ClientAgent, cycled: Cycled, took: Duration);
}

/// Keeps one client in step until `stop`. A write in flight is finished; the lease is given back.
pub async fn run(
    client: &ClientAgent,
    schedule: Schedule,
    witness: &dyn Witness,
    stop: &CancellationToken,
) {
    let mut round = Round {
        client,
        engine: client.engine(),
        schedule,
        witness,
        stop,
        failures: 0,
        preflighted: false,
    };
    while !stop.is_cancelled() {
        let pause = round.cycle().await;
        round.wait(pause).await;
    }
    client.farewell().await;
}

struct Round<'a> {
    client: &'a ClientAgent,
    engine: Engine,
    schedule: Schedule,
    witness: &'a dyn Witness,
    stop: &'a CancellationToken,
    failures: u32,
    preflighted: bool,
}

/// How long to wait for the next cycle, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pause {
    /// For a change of the vault.
    Watching(Duration),
    /// For the world to recover.
    Retrying(Duration),
}

impl Round<'_> {
    async fn cycle(&mut self) -> Pause {
        let began = Instant::now();
        let cycled = self.try_cycle().await;
        let pause = match &cycled {
            Ok(report) => Pause::Watching(next(report, self.schedule.interval)),
            Err(_) => Pause::Retrying(retry(self.failures, self.schedule.interval)),
        };
        self.failures = if cycled.is_ok() { 0 } else { self.failures + 1 };
        self.client.vault.set_state(match &cycled {
            Ok(_) => AgentState::Running,
            Err(_) => AgentState::Failing,
        });
        self.witness.cycled(self.client, cycled, began.elapsed());
        pause
    }

    async fn try_cycle(&mut self) -> Cycled {
        if !self.preflighted {
            self.client.preflight().await?;
            self.preflighted = true;
        }
        if self.is_full_read_due() {
            self.engine.read_all_next();
        }
        let halt = self.engine.halt();
        let stop = self.stop.clone();
        let watcher = tokio::spawn(async move {
            stop.cancelled().await;
            halt.request();
        });
        let cycled = self.engine.cycle(Wait::No, &Unwatched).await;
        watcher.abort();
        cycled
    }

    fn is_full_read_due(&self) -> bool {
        self.engine.last_full_read().is_some_and(|last| {
            Timestamp::now().duration_since(last).unsigned_abs() >= self.schedule.full_read
        })
    }

    /// Ends early when the vault changes, and on a request to stop.
    async fn wait(&mut self, pause: Pause) {
        let most = match pause {
            Pause::Retrying(time) => return self.sleep(time).await,
            Pause::Watching(most) => most,
        };
        let began = Instant::now();
        let changed = tokio::select! {
            changed = self.engine.await_change(most) => changed,
            () = self.stop.cancelled() => return,
        };
        let left = match changed {
            Ok(true) => Duration::ZERO,
            Ok(false) => most.saturating_sub(began.elapsed()),
            // The next cycle meets the same failure, and tells it.
            Err(error) => {
                debug!(client.id = %self.client.id, error = %chain(&error), "waiting for a change failed");
                FIRST_RETRY
            }
        };
        if left >= EARLY {
            self.sleep(left).await;
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// The interval, or less when something waits to be looked at again.
fn next(report: &CycleReport, interval: Duration) -> Duration {
    if report.unsettled() > 0 {
        return interval.min(UNSETTLED_PAUSE);
    }
    let due = report.next_due.map(|due| {
        let left = due.duration_since(Timestamp::now());
        // Never shorter than this: a due time in the past must not spin.
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

/// An error with its causes on one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = cause.source();
    }
    line
}
