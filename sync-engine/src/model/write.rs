//! What came of a password write, for figures.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A write that a cycle began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrote {
    /// What came of it.
    pub answer: WriteAnswer,
    /// How long after the vault's change the directory took it; `None` where it was not taken, where no change of the
    /// vault asked for it, or where the vault does not tell when that was.
    pub after_change: Option<Duration>,
}

/// What came of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteAnswer {
    /// The directory took it.
    Accepted,
    /// It refused it for good.
    Refused,
    /// The account is gone.
    Gone,
    /// It was certainly not done, and is tried again later.
    PutOff,
    /// The answer was lost: it may have been done.
    Ambiguous,
    /// It never left this machine: the password changed meanwhile, or the lease was about to end.
    NotSent,
}

impl WriteAnswer {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Refused,
        Self::Gone,
        Self::PutOff,
        Self::Ambiguous,
        Self::NotSent,
    ];

    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Gone => "gone",
            Self::PutOff => "put_off",
            Self::Ambiguous => "ambiguous",
            Self::NotSent => "not_sent",
        }
    }
}
