//! Whether the schedules still make progress: each says until when it shows itself again.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use sync_engine::model::ClientId;
use tokio::time::Instant;

/// A cycle under way goes on sooner than this. Every request and every wait between two attempts is shorter.
pub(crate) const LONGEST_STEP: Duration = Duration::from_mins(10);

/// Those of all schedules. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulses(Arc<Mutex<Promises>>);

/// Until when each schedule will have shown itself. A client's next one may begin before everything of the last is gone.
#[derive(Debug, Default)]
struct Promises {
    of: BTreeMap<(ClientId, u64), Instant>,
    begun: u64,
}

/// That of one schedule, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pulse {
    all: Pulses,
    schedule: (ClientId, u64),
}

impl Pulses {
    /// A schedule begins.
    pub(crate) fn begin(&self, client: ClientId) -> Pulse {
        let mut promises = self.lock();
        promises.begun += 1;
        let schedule = (client, promises.begun);
        drop(promises);
        let pulse = Pulse {
            all: self.clone(),
            schedule,
        };
        pulse.beat(LONGEST_STEP);
        pulse
    }

    /// A client whose schedule is overdue.
    pub(crate) fn stuck(&self, now: Instant) -> Option<ClientId> {
        let promises = self.lock();
        let mut overdue = promises.of.iter().filter(|(_, until)| **until < now);
        overdue.next().map(|((client, _), _)| *client)
    }

    fn lock(&self) -> MutexGuard<'_, Promises> {
        // Every change is one insertion or removal, so the map is whole even if a thread died holding it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pulse {
    /// It makes progress, and will show so again within this time.
    pub(crate) fn beat(&self, again_within: Duration) {
        let until = Instant::now() + again_within;
        self.all.lock().of.insert(self.schedule, until);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.all.lock().of.remove(&self.schedule);
    }
}

/// Runs a future, and tells whenever something that it waited for has come.
pub(crate) async fn at_each_step<F: Future>(future: F, tell: impl Fn()) -> F::Output {
    let mut future = pin!(future);
    std::future::poll_fn(|context| -> Poll<F::Output> {
        tell();
        future.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::mpsc;
    use tokio::task::yield_now;
    use uuid::Uuid;

    use super::*;

    const CLIENT: ClientId = ClientId(Uuid::from_u128(1));
    const OTHER: ClientId = ClientId(Uuid::from_u128(2));
    const MINUTE: Duration = Duration::from_mins(1);

    #[test]
    fn the_schedule_that_is_overdue_is_stuck_and_no_other() {
        let pulses = Pulses::default();
        let waits_an_hour = pulses.begin(CLIENT);
        waits_an_hour.beat(MINUTE * 60);
        let _cycles = pulses.begin(OTHER);
        let now = Instant::now();
        assert_eq!(pulses.stuck(now + MINUTE * 9), None);
        assert_eq!(pulses.stuck(now + MINUTE * 11), Some(OTHER));
        assert_eq!(pulses.stuck(now + MINUTE * 61), Some(CLIENT));
    }

    #[test]
    fn a_schedule_that_has_ended_is_not_waited_for() {
        let pulses = Pulses::default();
        drop(pulses.begin(CLIENT));
        assert_eq!(pulses.stuck(Instant::now() + LONGEST_STEP * 2), None);
    }

    #[test]
    fn the_end_of_a_schedule_does_not_hide_the_one_that_took_its_place() {
        let pulses = Pulses::default();
        let last = pulses.begin(CLIENT);
        let _next = pulses.begin(CLIENT);
        drop(last);
        assert_eq!(pulses.stuck(Instant::now() + MINUTE * 11), Some(CLIENT));
    }

    #[tokio::test]
    async fn a_future_is_told_of_when_something_came_and_only_then() {
        let (page, mut pages) = mpsc::unbounded_channel();
        let told = Arc::new(AtomicU32::new(0));
        let teller = Arc::clone(&told);
        let walk = async move { while pages.recv().await.is_some() {} };
        let walk = tokio::spawn(async move {
            at_each_step(walk, || {
                teller.fetch_add(1, Ordering::SeqCst);
            })
            .await;
        });
        for count in 1..4 {
            for _ in 0..5 {
                yield_now().await;
            }
            assert_eq!(told.load(Ordering::SeqCst), count);
            page.send(()).unwrap();
        }
        walk.abort();
    }
}
