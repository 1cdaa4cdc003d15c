//! Keeps one client in step: a cycle whenever the vault changes, and at the latest every interval.

use std::time::Duration;

use agent_bin::wiring::ClientAgent;
use jiff::Timestamp;
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, EngineError, Unwatched};
use tokio::sync::{mpsc, watch};

/// How soon a write whose effect is not visible yet, or a failed cycle, is looked at again.
const SOON: Duration = Duration::from_secs(2);

/// A cycle of a client, or why there was none.
pub(crate) type Cycled = (String, Result<CycleReport, EngineError>);

/// Keeps one client in step until it is stopped. Every cycle is told.
pub(crate) struct Keeper {
    pub(crate) interval: Duration,
    pub(crate) full_read: Duration,
    pub(crate) tell: mpsc::Sender<Cycled>,
    pub(crate) stopped: watch::Receiver<bool>,
}

impl Keeper {
    pub(crate) async fn run(mut self, client: &ClientAgent) {
        let mut engine = client.engine();
        let halt = engine.halt();
        let mut stopped = self.stopped.clone();
        let watcher = tokio::spawn(async move {
            if stopped.wait_for(|stopped| *stopped).await.is_ok() {
                halt.request();
            }
        });
        while !*self.stopped.borrow() {
            if self.is_full_read_due(&engine) {
                engine.read_all_next();
            }
            let result = engine.cycle(Wait::No, &Unwatched).await;
            let pause = pause(&result, self.interval);
            let failed = result.is_err();
            if self.tell.send((client.name.clone(), result)).await.is_err() {
                break;
            }
            if failed {
                self.sleep(pause).await;
            } else {
                self.await_change(&mut engine, pause).await;
            }
        }
        watcher.abort();
        give_back(client).await;
    }

    fn is_full_read_due(&self, engine: &Engine) -> bool {
        engine.last_full_read().is_some_and(|last| {
            Timestamp::now().duration_since(last).unsigned_abs() >= self.full_read
        })
    }

    async fn sleep(&mut self, pause: Duration) {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = self.stopped.wait_for(|stopped| *stopped) => {}
        }
    }

    /// Returns early when the vault changes. A vault without a long poll answers at once: then the
    /// rest of the time is slept.
    async fn await_change(&mut self, engine: &mut Engine, most: Duration) {
        let began = tokio::time::Instant::now();
        let changed = tokio::select! {
            changed = engine.await_change(most) => changed,
            _ = self.stopped.wait_for(|stopped| *stopped) => return,
        };
        if !matches!(changed, Ok(true)) {
            let left = most.saturating_sub(began.elapsed());
            self.sleep(left.min(most)).await;
        }
    }
}

/// How long until the next cycle, unless the vault changes before.
fn pause(result: &Result<CycleReport, EngineError>, interval: Duration) -> Duration {
    let Ok(report) = result else {
        return SOON.max(interval / 4);
    };
    if report.unsettled() > 0 {
        return interval.min(SOON);
    }
    let due = report.next_due.map(|due| {
        let left = due.duration_since(Timestamp::now());
        Duration::try_from(left).unwrap_or(Duration::ZERO).max(SOON)
    });
    due.map_or(interval, |due| due.min(interval))
}

/// Gives the lease back, so that the next agent need not wait for its end.
pub(crate) async fn give_back(client: &ClientAgent) {
    if let Err(error) = client.vault.farewell().await {
        // Nothing was lost: the lease ends by itself.
        tracing::debug!(%error, "the vault could not be told farewell");
    }
}
