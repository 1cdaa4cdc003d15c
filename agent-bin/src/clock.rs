//! The machine's own clock and randomness, behind the engine's port.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::ports::Clock;
use uuid::Uuid;

/// The machine's own clock and randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn jitter(&self, most: Duration) -> Duration {
        most.mul_f64(rand::random::<f64>())
    }

    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }
}
