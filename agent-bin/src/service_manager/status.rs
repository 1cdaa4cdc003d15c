//! How the service is, on every platform.

use std::fmt;

/// How the service is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// There is none.
    NotInstalled,
    /// It is installed, and does not run.
    Stopped,
    /// It starts.
    Starting,
    /// It runs.
    Running {
        /// Its process, where the platform tells.
        pid: Option<u32>,
    },
    /// It ends.
    Stopping,
    /// It ended badly, in the platform's words.
    Failed {
        /// Why.
        why: String,
    },
}

impl fmt::Display for ServiceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => f.write_str("not installed"),
            Self::Stopped => f.write_str("stopped"),
            Self::Starting => f.write_str("starting"),
            Self::Running { pid: None } => f.write_str("running"),
            Self::Running { pid: Some(pid) } => write!(f, "running (process {pid})"),
            Self::Stopping => f.write_str("stopping"),
            Self::Failed { why } => write!(f, "failed: {why}"),
        }
    }
}
