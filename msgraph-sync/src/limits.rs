//! What one application may ask of one tenant, and how much of it is used.

use std::num::NonZeroU32;
use std::time::Duration;

/// The limits that a tenant's conversation stays under.
///
/// Source: Microsoft Graph throttling limits, "Identity and access service limits", for one application in one
/// tenant: 3,000 writes per 150 s, and 3,500 resource units per 10 s in the smallest tenants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    scale: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self::documented()
    }
}

impl Limits {
    /// Microsoft's numbers.
    pub fn documented() -> Self {
        Self::scaled(NonZeroU32::MIN)
    }

    /// The same numbers in a fraction of the time, for a service that is simulated so many times as fast.
    pub fn scaled(scale: NonZeroU32) -> Self {
        Self { scale }
    }

    /// Microsoft's numbers are for this many times the real rate.
    pub(crate) fn scale(self) -> f64 {
        f64::from(self.scale.get())
    }
}

/// What was used of a tenant's limits since the agent began, and what the service said of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LimitUse {
    /// Writes that were let through.
    pub writes: u64,
    /// Writes that wait for their turn now.
    pub writes_waiting: u64,
    /// Writes that were put off, because their turn was too far away.
    pub writes_put_off: u64,
    /// Resource units, as the service counted them; as it documents them where it did not say.
    pub resource_units: u64,
    /// Writes that the service answered with 429.
    pub throttled_writes: u64,
    /// Reads that the service answered with 429.
    pub throttled_reads: u64,
    /// The share of its limit that the service last named with a write: 0.8 to 1.8, and 0 below.
    pub write_limit_used: f64,
    /// The same with a read.
    pub read_limit_used: f64,
    /// For how long the service wants no write.
    pub writes_paused: Duration,
}
