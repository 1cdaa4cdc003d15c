//! The agent as a service of the operating system: installed, started, stopped, asked for and taken away again.

mod account;
mod error;
mod status;
#[cfg(target_os = "linux")]
mod systemctl;
#[cfg(target_os = "linux")]
mod systemd;
#[cfg(target_os = "linux")]
mod unit;
#[cfg(not(any(target_os = "linux", windows)))]
mod unsupported;
#[cfg(windows)]
mod windows;

use std::path::PathBuf;

pub use account::{Account, AccountError, Look};
pub use error::ServiceManagerError;
pub use status::ServiceStatus;
#[cfg(target_os = "linux")]
use systemd as platform;
#[cfg(not(any(target_os = "linux", windows)))]
use unsupported as platform;
#[cfg(windows)]
use windows as platform;

/// The service's name, on every platform.
pub const NAME: &str = "passportal-agent";

/// How the service is installed.
#[derive(Clone, Debug)]
pub struct InstallOptions {
    /// The configuration that it runs with.
    pub config: PathBuf,
    /// The account that it runs as, instead of one of its own that the platform makes. Whoever installs looks at it first:
    /// [`Account::look`].
    pub account: Option<Account>,
}

/// Installs the service, so that it starts with the machine. It is not started now. Installing it again changes what
/// the options change.
///
/// # Errors
/// When the platform refuses; then nothing is left half installed.
pub fn install(options: &InstallOptions) -> Result<(), ServiceManagerError> {
    platform::install(options)
}

/// Stops the service and takes away what [`install`] made. Configuration, secrets and state stay.
///
/// # Errors
/// When the platform refuses.
pub fn uninstall() -> Result<(), ServiceManagerError> {
    platform::uninstall()
}

/// Starts the service, and waits until it is ready.
///
/// # Errors
/// When it does not start.
pub fn start() -> Result<(), ServiceManagerError> {
    platform::start()
}

/// Stops the service, and waits until it has ended.
///
/// # Errors
/// When the platform refuses.
pub fn stop() -> Result<(), ServiceManagerError> {
    platform::stop()
}

/// How the service is.
///
/// # Errors
/// When the platform does not tell.
pub fn status() -> Result<ServiceStatus, ServiceManagerError> {
    platform::status()
}
