//! Why the service could not be managed.

use std::io;
use std::path::PathBuf;

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
    /// An option that means nothing on this platform.
    #[error("{option} has no meaning on this platform")]
    UselessOption {
        /// The option.
        option: &'static str,
    },
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
}

impl ServiceManagerError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotPrivileged => "run it as root: sudo passportal-agent service …",
            Self::NoServiceManager => {
                "let whatever starts programs on this machine run `passportal-agent run`"
            }
            Self::NotInstalled => "install it: passportal-agent service install",
            Self::UselessOption { .. } => "leave it out",
            Self::NotForAUnit { .. } => "use a name without line breaks, quotes, $ and %",
            Self::File { .. } => "see the cause above",
            Self::Program { .. } => "check that it is installed, and in PATH",
            Self::Refused { .. } => "journalctl -u passportal-agent says more",
        }
    }
}
