//! The kinds of faults that a world may have.

use std::fmt;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident => $word:literal,)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its name on the command line and in the totals.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }
    };
}

faults! {
    /// The vault does not answer, and nothing happened there.
    VaultUnavailable => "vault-unavailable",
    /// The vault did it, and its answer is lost.
    VaultAnswerLost => "vault-answer-lost",
    /// A request to the vault takes effect twice.
    VaultRequestTwice => "vault-request-twice",
    /// A backup of the vault is restored.
    VaultRestored => "vault-restored",
    /// The envelope of a password no longer opens.
    EnvelopeSpoilt => "envelope-spoilt",
    /// The directory cannot be read.
    ReadUnavailable => "read-unavailable",
    /// The directory asks for patience with a reading.
    ReadThrottled => "read-throttled",
    /// A delta link expired: everything is read.
    DeltaReset => "delta-reset",
    /// A delta is answered by a replica that lags minutes behind.
    StaleDelta => "stale-delta",
    /// A full reading is answered by such a replica.
    StaleFullRead => "stale-full-read",
    /// The domains cannot be read.
    DomainsUnreadable => "domains-unreadable",
    /// A sign-in test was not sent.
    SignInUnavailable => "sign-in-unavailable",
    /// A sign-in test is throttled.
    SignInThrottled => "sign-in-throttled",
    /// A sign-in test was made, and its answer is lost.
    SignInAnswerLost => "sign-in-answer-lost",
    /// A sign-in test is answered by a replica that has the previous password.
    SignInStale => "sign-in-stale",
    /// A sign-in test reaches the service twice.
    SignInTwice => "sign-in-twice",
    /// A write is lost on its way, and so is the knowledge that it is.
    WriteLost => "write-lost",
    /// A write took effect, and its answer is lost.
    WriteAnswerLost => "write-answer-lost",
    /// A write takes effect twice.
    WriteTwice => "write-twice",
    /// A write takes effect late, shortly before its time-out.
    WriteLate => "write-late",
    /// A write is throttled.
    WriteNotNow => "write-not-now",
    /// A write is refused: a banned password, or a missing role.
    WriteRefused => "write-refused",
    /// The memory cannot be written.
    StoreNotWritable => "store-not-writable",
    /// The memory was written, and says that it was not.
    StoreAnswerLost => "store-answer-lost",
    /// The memory cannot be read.
    StoreNotReadable => "store-not-readable",
    /// An answer takes many seconds.
    SlowAnswer => "slow-answer",
    /// The process ends before a call has its effect, or after it and before its answer.
    Death => "death",
    /// The process starts again on an old copy of its memory.
    OldCopy => "old-copy",
    /// The process starts again without its memory.
    LostState => "lost-state",
    /// A second agent runs for the same client.
    SecondAgent => "second-agent",
    /// A machine's clock jumps forward.
    ClockForward => "clock-forward",
    /// A machine's clock jumps back.
    ClockBack => "clock-back",
    /// A machine's clock is off all the time.
    ClockSkew => "clock-skew",
    /// The process stands still for minutes, and notices nothing.
    Stall => "stall",
    /// Somebody else's failed sign-ins bring an account near its lockout, or over it.
    OthersFail => "others-fail",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Fault {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|fault| fault.word() == word);
        found
            .copied()
            .ok_or_else(|| format!("no kind of fault is called `{word}`"))
    }
}
