//! Why a command failed, what to do about it, and the status that says so.

use std::io;
use std::process::ExitCode;

use agent_bin::config::ConfigError;
use agent_bin::control::{AskError, ControlError, Place};
use agent_bin::health_check::HealthCheckError;
use agent_bin::moving::MoveError;
use agent_bin::service::ServiceError;
use agent_bin::service_manager::{AccountError, ServiceManagerError, ServiceStatus};
use agent_bin::wizard::WizardError;
use passportal_client::secret_file::SecretFileError;

const NO_SERVICE: &str =
    "start it; where state.url was changed, the service that runs must be started again";

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Setup(#[from] WizardError),
    #[error(transparent)]
    ServiceManager(#[from] ServiceManagerError),
    #[error("the service cannot run as this account")]
    Account(#[from] AccountError),
    #[error("the account's password cannot be read")]
    AccountPassword(#[from] SecretFileError),
    #[cfg(windows)]
    #[error("only the service control manager starts the agent in this way")]
    NoServiceManager(#[from] windows_service::Error),
    #[error("the service does not run: it is {0}")]
    NotRunning(ServiceStatus),
    #[error(transparent)]
    HealthCheck(#[from] HealthCheckError),
    #[error(transparent)]
    Move(#[from] MoveError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("no service answers on the local socket {place}")]
    NoService { place: Place },
    #[error("{clients} client(s) are not served as the configuration says")]
    NotAsConfigured { clients: usize },
    #[error("could not write")]
    Write(#[from] io::Error),
}

impl CommandError {
    pub(super) fn hint(&self) -> String {
        let specific = match self {
            Self::Config(source) => Some(source.hint().to_owned()),
            Self::Service(source) => source.hint().map(str::to_owned),
            Self::Setup(source) => source.hint(),
            Self::ServiceManager(source) => Some(source.hint().to_owned()),
            Self::Account(source) => Some(source.hint().to_owned()),
            Self::AccountPassword(source) => Some(source.hint().to_owned()),
            #[cfg(windows)]
            Self::NoServiceManager(_) => {
                Some("leave --service out, or passportal-agent service start".to_owned())
            }
            Self::NotRunning(ServiceStatus::NotInstalled) => {
                Some("install it: passportal-agent service install".to_owned())
            }
            Self::NotRunning(_) => Some("start it: passportal-agent service start".to_owned()),
            Self::HealthCheck(source) => Some(source.hint().to_owned()),
            Self::Move(source) => Some(source.hint().to_owned()),
            Self::Control(source) => Some(source.hint().to_owned()),
            Self::Ask(source) => source.hint().map(str::to_owned),
            Self::NoService { .. } => Some(NO_SERVICE.to_owned()),
            Self::NotAsConfigured { .. } => {
                Some("mend what is named above, and run it again".to_owned())
            }
            Self::Write(_) => None,
        };
        specific.unwrap_or_else(|| "run it again with --log debug to see more".to_owned())
    }

    pub(super) fn status(&self) -> ExitCode {
        match self {
            Self::Setup(source) if source.is_not_authorised() => ExitCode::from(5),
            Self::Setup(source) if source.is_usage() => ExitCode::from(2),
            Self::Control(source) if source.is_not_authorised() => ExitCode::from(5),
            Self::Ask(source) if source.is_not_authorised() => ExitCode::from(5),
            _ => ExitCode::FAILURE,
        }
    }
}
