//! A clock that stands still until it is turned, with numbers that repeat.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::ports::Clock;

/// A clock that stands still until it is turned.
#[derive(Debug)]
pub struct ManualClock {
    state: Mutex<(Timestamp, u128)>,
}

impl ManualClock {
    /// A clock that shows this time. Its identifiers count up from one.
    pub fn at(now: Timestamp) -> Self {
        Self {
            state: Mutex::new((now, 0)),
        }
    }

    /// Sets the clock, also back.
    pub fn set(&self, now: Timestamp) {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
            .0 = now;
    }

    /// Turns the clock forward.
    pub fn advance(&self, by: Duration) {
        let mut state = self
            .state
            .lock()
            .expect("no test panics while it holds the clock");
        state.0 = state
            .0
            .checked_add(by)
            .expect("tests stay within the calendar");
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
            .0
    }

    /// Sleeping turns the clock: nobody waits.
    async fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }

    /// All of it, so that a test sees how much it may be.
    fn jitter(&self, most: Duration) -> Duration {
        most
    }

    fn new_id(&self) -> Uuid {
        let mut state = self
            .state
            .lock()
            .expect("no test panics while it holds the clock");
        state.1 += 1;
        Uuid::from_u128(state.1)
    }
}
