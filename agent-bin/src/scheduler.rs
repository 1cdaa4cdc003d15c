//! Runs one client's engine: a cycle whenever the vault changes, and at the latest every interval.

use std::time::Duration;

use jiff::Timestamp;
use msgraph_sync::GraphError;
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, Footing, Unwatched};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use passportal_client::wire::AgentState;

use crate::listen::Health;
use crate::metrics::Metrics;
use crate::numbers::numbers;
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

/// Where cycles are told to.
#[derive(Clone)]
pub struct Telltale {
    /// Numbers.
    pub metrics: Metrics,
    /// Whether it works.
    pub health: Health,
}

/// Keeps one client in step until `stop`. A write in flight is finished; the lease is given back.
pub async fn run(
    client: &ClientAgent,
    schedule: Schedule,
    telltale: &Telltale,
    stop: &CancellationToken,
) {
    let mut round = Round {
        client,
        engine: client.engine(),
        schedule,
        telltale,
        stop,
        failures: 0,
        preflighted: false,
    };
    let mut pause = None;
    while !stop.is_cancelled() {
        if let Some(pause) = pause
            && !round.wait(pause).await
        {
            continue;
        }
        pause = Some(round.cycle().await);
    }
    if let Err(error) = client.vault.farewell().await {
        debug!(error = %chain(&error), "the vault could not be told farewell");
    }
}

struct Round<'a> {
    client: &'a ClientAgent,
    engine: Engine,
    schedule: Schedule,
    telltale: &'a Telltale,
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
    /// Returns whether a cycle is due; `false` after a request to stop or a failure.
    async fn wait(&mut self, pause: Pause) -> bool {
        let most = match pause {
            Pause::Retrying(time) => return self.sleep(time).await,
            Pause::Watching(most) => most,
        };
        let began = tokio::time::Instant::now();
        let changed = tokio::select! {
            changed = self.engine.await_change(most) => changed,
            () = self.stop.cancelled() => return false,
        };
        match changed {
            Ok(true) => true,
            Ok(false) => {
                let left = most.saturating_sub(began.elapsed());
                left < EARLY || self.sleep(left).await
            }
            Err(error) => {
                let pause = self.failed(&error);
                let Pause::Retrying(time) = pause else {
                    return false;
                };
                self.sleep(time).await
            }
        }
    }

    async fn sleep(&self, time: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(time) => true,
            () = self.stop.cancelled() => false,
        }
    }

    async fn cycle(&mut self) -> Pause {
        if let Err(error) = self.preflight().await {
            return self.failed(&error);
        }
        if self.is_full_read_due() {
            self.engine.read_all_next();
        }
        let halt = self.engine.halt();
        let stop = self.stop.clone();
        let began = tokio::time::Instant::now();
        let watcher = tokio::spawn(async move {
            stop.cancelled().await;
            halt.request();
        });
        let result = self.engine.cycle(Wait::No, &Unwatched).await;
        watcher.abort();
        match result {
            Ok(report) => self.succeeded(&report, began.elapsed()),
            Err(error) => self.failed(&error),
        }
    }

    /// Once, before the first cycle: a wrong tenant, secret, permission or clock is told as what it
    /// is.
    async fn preflight(&mut self) -> Result<(), GraphError> {
        if !self.preflighted {
            self.client.directory.preflight().await?;
            self.preflighted = true;
        }
        Ok(())
    }

    fn is_full_read_due(&self) -> bool {
        self.engine.last_full_read().is_some_and(|last| {
            Timestamp::now().duration_since(last).unsigned_abs() >= self.schedule.full_read
        })
    }

    fn succeeded(&mut self, report: &CycleReport, took: Duration) -> Pause {
        self.failures = 0;
        let client = self.client.id;
        let numbers = numbers(report, Timestamp::now());
        self.telltale.metrics.cycle_finished(client, &numbers);
        self.telltale.health.succeeded(client, Timestamp::now());
        self.client.vault.set_state(AgentState::Running);
        match &report.footing {
            Footing::Standby { holder, until } => {
                info!(client.id = %client, "standing by: {holder} serves this client until {until}");
            }
            Footing::Leader | Footing::Preview
                if report.rows.iter().any(|row| row.done.is_some()) =>
            {
                let pushed = numbers.pushed;
                let verified = numbers.matched + numbers.mismatched + numbers.unknown;
                let ms = took.as_millis();
                info!(client.id = %client, cycle.id = %report.cycle, pushed, verified, ms,
                    "cycle pushed {pushed} passwords and checked {verified} in {ms} ms");
            }
            Footing::Leader | Footing::Preview => {
                debug!(client.id = %client, cycle.id = %report.cycle, "nothing to do");
            }
        }
        Pause::Watching(self.next(report))
    }

    /// The interval, or less when something waits to be looked at again.
    fn next(&self, report: &CycleReport) -> Duration {
        let mut next = self.schedule.interval;
        if report.unsettled() > 0 {
            next = next.min(UNSETTLED_PAUSE);
        }
        let due = report.next_due.map(|due| {
            let left = due.duration_since(Timestamp::now());
            Duration::try_from(left).unwrap_or(Duration::ZERO)
        });
        // Never shorter than the unsettled pause: a due time in the past must not spin.
        due.map_or(next, |due| next.min(due.max(UNSETTLED_PAUSE)))
    }

    fn failed(&mut self, error: &dyn std::error::Error) -> Pause {
        let client = self.client.id;
        let why = chain(error);
        self.telltale.metrics.cycle_failed(client);
        self.telltale.health.failed(client, &why);
        self.client.vault.set_state(AgentState::Failing);
        let pause = FIRST_RETRY
            .saturating_mul(1 << self.failures.min(10))
            .min(self.schedule.interval)
            .max(FIRST_RETRY);
        self.failures += 1;
        warn!(client.id = %client, error = %why, "cycle failed, next try in {pause:?}");
        Pause::Retrying(pause)
    }
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
