//! `passportal-agent service`: the agent as a service of the operating system.

use std::path::{Path, PathBuf};

use agent_bin::service_manager::{self, Account, InstallOptions, Look, ServiceStatus};
use clap::Subcommand;
use passportal_client::secret_file;

use super::{CommandError, tell};

/// What to do with the service.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Installs it, so that it starts with the machine.
    Install {
        /// The account that it runs as, instead of one of its own.
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// A file with that account's password, on Windows.
        #[arg(long, value_name = "FILE", requires = "account")]
        account_password_file: Option<PathBuf>,
    },
    /// Stops it and removes it; configuration, secrets and state stay.
    Uninstall,
    /// Starts it.
    Start,
    /// Stops it; a write in flight is finished.
    Stop,
    /// Says how it is; status 0 while it runs.
    Status,
}

pub(super) fn run(command: Command, config: PathBuf) -> Result<(), CommandError> {
    match command {
        Command::Install {
            account,
            account_password_file,
        } => {
            let password = account_password_file.as_deref();
            let account = account.map(|name| looked_at(name, password));
            let account = account.transpose()?;
            service_manager::install(&InstallOptions { config, account })?;
            tell("the service is installed; `passportal-agent service start` starts it");
        }
        Command::Uninstall => {
            service_manager::uninstall()?;
            tell("the service is removed; configuration, secrets and state are left");
        }
        Command::Start => {
            service_manager::start()?;
            tell("the service runs");
        }
        Command::Stop => {
            service_manager::stop()?;
            tell("the service is stopped");
        }
        Command::Status => match service_manager::status()? {
            status @ ServiceStatus::Running { .. } => tell(&status.to_string()),
            status => return Err(CommandError::NotRunning(status)),
        },
    }
    Ok(())
}

fn looked_at(name: String, password_file: Option<&Path>) -> Result<Account, CommandError> {
    let password = password_file.map(secret_file::read).transpose()?;
    let account = Account { name, password };
    if let Look::NotTold { why } = account.look()? {
        tell(&format!(
            "the account {account} could not be checked ({why}); its start will tell"
        ));
    }
    Ok(account)
}
