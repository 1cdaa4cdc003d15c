//! Time and randomness.

use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use uuid::Uuid;

/// Time and randomness, so that a test can turn both by hand.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// Comes back after this long.
    async fn sleep(&self, duration: Duration);

    /// A part of `most`, evenly distributed, to spread retries.
    fn jitter(&self, most: Duration) -> Duration;

    /// A new identifier.
    fn new_id(&self) -> Uuid;
}

/// A clock made of three functions, for a tool that has them at hand.
#[derive(Clone, Copy, Debug)]
pub struct ClockOf {
    /// The time now.
    pub now: fn() -> Timestamp,
    /// Comes back after this long.
    pub sleep: fn(Duration) -> BoxFuture<'static, ()>,
    /// A new random identifier (UUID version 4); the jitter comes from one, too.
    pub new_id: fn() -> Uuid,
}

#[async_trait]
impl Clock for ClockOf {
    fn now(&self) -> Timestamp {
        (self.now)()
    }

    async fn sleep(&self, duration: Duration) {
        (self.sleep)(duration).await;
    }

    fn jitter(&self, most: Duration) -> Duration {
        let (chance, ..) = self.new_id().as_fields();
        most.mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }

    fn new_id(&self) -> Uuid {
        (self.new_id)()
    }
}
