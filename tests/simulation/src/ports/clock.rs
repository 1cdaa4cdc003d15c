//! The clock port: the machine's clock, which may be wrong, and chance that repeats.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::ports::Clock;
use uuid::Uuid;

use super::Line;
use crate::time::milliseconds;

pub(super) struct SimClock(pub(super) Line);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.pass(milliseconds(duration)).await;
    }

    fn jitter(&self, most: Duration) -> Duration {
        let most = milliseconds(most);
        Duration::from_millis(self.0.with(|world| world.luck.below(most + 1)))
    }

    fn new_id(&self) -> Uuid {
        let agent = self.0.agent;
        self.0.with(|world| {
            let count = world.agents.get_mut(&agent).map_or(0, |agent| {
                agent.names += 1;
                agent.names
            });
            Uuid::from_u128((u128::from(agent.0) << 64) + count)
        })
    }
}
