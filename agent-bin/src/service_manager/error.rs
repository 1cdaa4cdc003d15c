//! Why the service could not be managed.

use std::io;
use std::path::PathBuf;

#[cfg(not(windows))]
const AS_ADMINISTRATOR: &str = "run it as root: sudo passportal-agent service …";
#[cfg(windows)]
const AS_ADMINISTRATOR: &str = "run it in a terminal that was opened as administrator";
#[cfg(not(windows))]
const WHO_SAYS_MORE: &str = "journalctl -u passportal-agent says more";
#[cfg(windows)]
const WHO_SAYS_MORE: &str = "where an account was named, check its name, its password, and its right to log on as a service";

/// Why the service could not be managed.
#[derive(Debug, thiserror::Error)]
pub enum ServiceManagerError {
    /// An ordinary user asks.
    #[error("only an administrator may change the machine's services")]
    NotPrivileged,
    /// There is no service manager that the agent knows.
    #[error("no service manager that the agent knows runs on this machine")]
    NoServiceManager,
    /// There is no such service.
    #[error("the service is not installed")]
    NotInstalled,
    /// A text that a unit file cannot hold.
    #[error("`{text}` cannot stand in the service's unit")]
    NotForAUnit {
        /// The text.
        text: String,
    },
    /// A file of the service cannot be read, written or removed.
    #[error("could not change {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// An administrator wrote it.
    #[error("{} is there, and was not written by `passportal-agent service install`", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The service manager's program cannot be run.
    #[error("could not run {program}")]
    Program {
        /// The program.
        program: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The service manager refused.
    #[error("the service manager did not {action} the service: {said}")]
    Refused {
        /// What it was asked for.
        action: &'static str,
        /// What it said.
        said: String,
    },
    /// The configuration that the service is to run with is not there.
    #[cfg(windows)]
    #[error("there is no configuration {}", path.display())]
    NoConfiguration {
        /// Where it would be.
        path: PathBuf,
    },
    /// It ended while it was to start.
    #[cfg(windows)]
    #[error("the service ended as it started (exit code {code})")]
    Ended {
        /// What it ended with.
        code: u32,
    },
    /// It takes too long.
    #[cfg(windows)]
    #[error("the service did not {action} within {seconds} s")]
    TooSlow {
        /// What it was to do.
        action: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
}

impl ServiceManagerError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::NotPrivileged => AS_ADMINISTRATOR,
            Self::NoServiceManager => {
                "let whatever starts programs on this machine run `passportal-agent run`"
            }
            Self::NotInstalled => "install it: passportal-agent service install",
            Self::NotForAUnit { .. } => "use a name without line breaks, quotes, $ and %",
            Self::File { .. } => "see the cause above",
            Self::Foreign { .. } => "move it away, or go on with it by `systemctl`",
            Self::Program { .. } => "check that it is installed, and in PATH",
            Self::Refused { .. } => WHO_SAYS_MORE,
            #[cfg(windows)]
            Self::NoConfiguration { .. } => {
                "set it up first: passportal-agent setup, or name another one with --config"
            }
            #[cfg(windows)]
            Self::Ended { .. } => {
                "the event log (Application) says why, and the folder `log` beside the configuration"
            }
            #[cfg(windows)]
            Self::TooSlow { .. } => "the folder `log` beside the configuration says what it is at",
        }
    }
}
