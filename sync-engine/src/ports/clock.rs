//! Time and randomness.

use std::time::Duration;

use async_trait::async_trait;
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
