//! Where the agent knows no service manager.

use super::{InstallOptions, ServiceManagerError, ServiceStatus};

pub(super) fn install(_options: &InstallOptions) -> Result<(), ServiceManagerError> {
    Err(ServiceManagerError::NoServiceManager)
}

pub(super) fn uninstall() -> Result<(), ServiceManagerError> {
    Err(ServiceManagerError::NoServiceManager)
}

pub(super) fn start() -> Result<(), ServiceManagerError> {
    Err(ServiceManagerError::NoServiceManager)
}

pub(super) fn stop() -> Result<(), ServiceManagerError> {
    Err(ServiceManagerError::NoServiceManager)
}

pub(super) fn status() -> Result<ServiceStatus, ServiceManagerError> {
    Err(ServiceManagerError::NoServiceManager)
}
