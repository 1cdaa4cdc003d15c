//! Runs one client's engine: a cycle whenever the vault changes, and at the latest every interval.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use passportal_client::wire::AgentState;
use sync_engine::model::StepKind;
use sync_engine::plan::Decision;
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, EngineError, Footing, Observer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::wiring::ClientAgent;

/// The share of the interval that is waited; the rest is for reading, planning and telling.
const SHARE_TO_WAIT: f64 = 0.9;
/// How soon a write whose effect is not visible yet is looked at again.
const UNSETTLED_PAUSE: Duration = Duration::from_secs(2);
/// The shortest pause after a failed cycle; it doubles up to the interval.
const FIRST_RETRY: Duration = Duration::from_secs(2);
/// A wait without a change that ends sooner than this was no wait: the vault has no long poll.
const EARLY: Duration = Duration::from_secs(1);
/// How soon an agent that stands by asks for the lease again.
const STANDBY_PAUSE: Duration = Duration::from_secs(15);

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

/// Whether a cycle has begun to act. Until then it only reads and reports, and can be given up at any moment.
#[derive(Default)]
struct Acts(AtomicBool);

impl Acts {
    fn have_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Observer for Acts {
    fn planned(&self, _steps: usize) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn finished(&self, _decision: &Decision, _kind: StepKind) {}
}

/// What a wait for a change of the vault came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    /// There is something to look at.
    Changed,
    /// There is not.
    Nothing,
}

impl Round<'_> {
    async fn cycle(&mut self) -> Pause {
        let began = Instant::now();
        let Some(cycled) = self.try_cycle().await else {
            return Pause::Retrying(Duration::ZERO);
        };
        let pause = match &cycled {
            // Whoever does not lead watches nothing; it asks again soon, to succeed the leader.
            Ok(CycleReport {
                footing: Footing::Standby { .. },
                ..
            }) => Pause::Retrying(self.schedule.interval.min(STANDBY_PAUSE)),
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

    /// `None` when a request to stop came while it only read, which takes its time where nobody answers.
    async fn try_cycle(&mut self) -> Option<Cycled> {
        if !self.preflighted {
            let preflight = self.client.preflight();
            if let Err(error) = self.stop.run_until_cancelled(preflight).await? {
                return Some(Err(error));
            }
            self.preflighted = true;
        }
        if self.is_full_read_due() {
            self.engine.read_all_next();
        }
        let halt = self.engine.halt();
        let acts = Acts::default();
        let mut cycle = pin!(self.engine.cycle(Wait::No, &acts));
        match self.stop.run_until_cancelled(cycle.as_mut()).await {
            None if acts.have_begun() => {
                halt.request();
                Some(cycle.await)
            }
            cycled => cycled,
        }
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
        let end = Instant::now() + most;
        // The vault may answer before the time is over; then it is asked for the rest.
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let asked = end.saturating_duration_since(began);
            if self.watch(asked).await == Watched::Changed {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            if began.elapsed() < asked.min(EARLY) {
                return self.sleep(left).await;
            }
            if left < EARLY {
                return;
            }
        }
    }

    async fn watch(&mut self, most: Duration) -> Watched {
        let changed = tokio::select! {
            changed = self.engine.await_change(most) => changed,
            () = self.stop.cancelled() => return Watched::Nothing,
        };
        match changed {
            Ok(true) => Watched::Changed,
            Ok(false) => Watched::Nothing,
            // The next cycle meets the same failure, and tells it.
            Err(error) => {
                debug!(client.id = %self.client.id, error = %chain(&error), "waiting for a change failed");
                self.sleep(FIRST_RETRY).await;
                Watched::Changed
            }
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }
}

/// A little less than the interval, so that what changed is also told within it; or less when
/// something waits to be looked at again.
fn next(report: &CycleReport, interval: Duration) -> Duration {
    let interval = interval.mul_f64(SHARE_TO_WAIT);
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
