//! Why a command failed, what to do about it, and the status that says so.

use std::io;
use std::process::ExitCode;

use agent_bin::config::ConfigError;
use agent_bin::service::ServiceError;
use agent_bin::setup::SetupError;
use agent_bin::setup_args::ArgsError;

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
            Self::Print(_) => None,
        };
        specific.unwrap_or_else(|| "run it again with --log debug to see more".to_owned())
    }

    pub(super) fn status(&self) -> ExitCode {
        match self {
            Self::Setup(source) if source.is_not_authorised() => ExitCode::from(5),
            _ => ExitCode::FAILURE,
        }
    }
}
