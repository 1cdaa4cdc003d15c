//! How a tenant throttles, as a scenario says it.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// Microsoft's limits of one application in one tenant, for a test that has less time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Throttling {
    /// How much faster than the real one the service is: 20 means the same numbers in a twentieth of the time.
    #[serde(default = "once")]
    pub scale: NonZeroU32,
    /// Writes in a window, instead of the documented number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writes: Option<NonZeroU32>,
    /// Resource units in a window, instead of the documented number for a tenant of this size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_units: Option<NonZeroU32>,
}

fn once() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl Throttling {
    /// The documented numbers, this many times as fast.
    pub fn scaled(scale: NonZeroU32) -> Self {
        Self {
            scale,
            writes: None,
            resource_units: None,
        }
    }

    /// With this many writes in a window.
    #[must_use]
    pub fn writes(self, writes: NonZeroU32) -> Self {
        Self {
            writes: Some(writes),
            ..self
        }
    }
}
