//! What can be turned while the service runs: its configuration, and what it logs.

use std::fmt;

use crate::config::{Config, ConfigError};
use crate::signals::Hangups;

/// Reads the configuration anew, from where it was read first.
pub type ReadAnew = Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>;

/// Logs by this filter from now on, or says what is wrong with it.
pub type LogBy = Box<dyn Fn(&str) -> Result<(), String> + Send + Sync>;

/// The ways to turn a running service.
pub struct Steering {
    /// How the configuration is read anew.
    pub read_anew: ReadAnew,
    /// How the log is changed.
    pub log_by: LogBy,
    /// Signals to read the configuration anew.
    pub hangups: Hangups,
}

impl Steering {
    /// For a service whose configuration is this one and stays so.
    pub fn fixed(config: &Config) -> Self {
        let config = config.clone();
        Self {
            read_anew: Box::new(move || Ok(config.clone())),
            log_by: Box::new(|_| Err("this program's log is not the service's".to_owned())),
            hangups: Hangups::none(),
        }
    }
}

impl fmt::Debug for Steering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Steering").finish_non_exhaustive()
    }
}
