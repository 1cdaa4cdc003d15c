//! Why a command failed, what to do about it, and the status that says so.

use std::io;
use std::process::ExitCode;

use agent_bin::config::ConfigError;
use agent_bin::control::{AskError, ControlError, Place};
use agent_bin::service::ServiceError;
use agent_bin::setup::SetupError;
use agent_bin::setup_args::ArgsError;

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
    Args(#[from] ArgsError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("no service answers on the local socket {place}")]
    NoService { place: Place },
    #[error("{clients} client(s) are not served as the configuration says")]
    NotAsConfigured { clients: usize },
    #[error("could not print")]
    Print(#[from] io::Error),
}

impl CommandError {
    pub(super) fn hint(&self) -> String {
        let specific = match self {
            Self::Config(source) => Some(source.hint().to_owned()),
            Self::Service(source) => source.hint().map(str::to_owned),
            Self::Args(source) => Some(source.hint().to_owned()),
            Self::Setup(source) => source.hint(),
            Self::Control(source) => Some(source.hint().to_owned()),
            Self::Ask(source) => source.hint().map(str::to_owned),
            Self::NoService { .. } => Some(NO_SERVICE.to_owned()),
            Self::NotAsConfigured { .. } => {
                Some("mend what is named above, and run it again".to_owned())
            }
            Self::Print(_) => None,
        };
        specific.unwrap_or_else(|| "run it again with --log debug to see more".to_owned())
    }

    pub(super) fn status(&self) -> ExitCode {
        match self {
            Self::Setup(source) if source.is_not_authorised() => ExitCode::from(5),
            Self::Control(source) if source.is_not_authorised() => ExitCode::from(5),
            Self::Ask(source) if source.is_not_authorised() => ExitCode::from(5),
            _ => ExitCode::FAILURE,
        }
    }
}
