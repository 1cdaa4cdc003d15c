//! The last step: the agent becomes a service of this machine, starts, and proves that it works.

use std::path::Path;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ask::Question;
use super::{Wizard, WizardError};
use crate::config::{self, Config, Overrides};
use crate::health_check;
use crate::service_manager::{
    self, Account, AccountError, InstallOptions, Look, ServiceManagerError, ServiceStatus,
};
use crate::setup::SetupError;

/// Whether, and as whom.
const SERVICE: [&str; 3] = [
    "Yes, as an account of its own (recommended)",
    "Yes, as an account that I name",
    "No",
];

/// The services of a machine.
pub trait Services {
    /// Looks whether the agent can run as this account.
    fn look(&self, account: &Account) -> Result<Look, AccountError>;

    /// Installs the agent as one.
    fn install(&self, options: &InstallOptions) -> Result<(), ServiceManagerError>;

    /// Starts it.
    fn start(&self) -> Result<(), ServiceManagerError>;

    /// How it is.
    fn status(&self) -> Result<ServiceStatus, ServiceManagerError>;

    /// How long its first cycle is waited for.
    fn patience(&self) -> Duration;
}

/// Those of the machine that this process runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct ThisMachine;

impl Services for ThisMachine {
    fn look(&self, account: &Account) -> Result<Look, AccountError> {
        account.look()
    }

    fn install(&self, options: &InstallOptions) -> Result<(), ServiceManagerError> {
        service_manager::install(options)
    }

    fn start(&self) -> Result<(), ServiceManagerError> {
        service_manager::start()
    }

    fn status(&self) -> Result<ServiceStatus, ServiceManagerError> {
        service_manager::status()
    }

    fn patience(&self) -> Duration {
        Duration::from_mins(1)
    }
}

/// What is left to do after setup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Nothing: the service runs.
    Nothing,
    /// The agent is to run in this terminal.
    RunHere,
    /// A person starts it.
    Start,
    /// A person has the service that runs already go by the new configuration.
    Reload,
}

impl Wizard<'_> {
    pub(super) async fn service(&mut self, services: &dyn Services) -> Result<Then, WizardError> {
        self.heading(9, "Service");
        if matches!(services.status(), Ok(ServiceStatus::Running { .. })) {
            self.asker
                .say("The service runs already; `passportal-agent reload` has it serve this client, too.");
            return Ok(Then::Reload);
        }
        let help = "it starts with the machine";
        let question = Question::new("Install the agent as a service, and start it now?", help);
        let account = match self.asker.choice(question, &SERVICE.map(str::to_owned))? {
            0 => None,
            1 => Some(self.account(services)?),
            _ => {
                self.say_how_to_start();
                return Ok(Then::Start);
            }
        };
        let config = std::path::absolute(self.path).unwrap_or_else(|_| self.path.to_owned());
        let options = InstallOptions { config, account };
        match services.install(&options).and_then(|()| services.start()) {
            Ok(()) => {
                self.well("the service is installed, and runs");
                self.prove(services.patience()).await?;
                Ok(Then::Nothing)
            }
            Err(ServiceManagerError::NoServiceManager) => self.run_here(),
            Err(error) => {
                self.not_well(&error, Some(error.hint()));
                self.say_how_to_start();
                Ok(Then::Start)
            }
        }
    }

    /// The account that the person names, which the machine takes as far as it tells.
    fn account(&mut self, services: &dyn Services) -> Result<Account, WizardError> {
        loop {
            let question = Question::new(
                "The account's name:",
                "it needs no rights but its own files",
            );
            let mut account = Account {
                name: self.asker.line(question, None)?,
                password: None,
            };
            if account.wants_password() {
                let help = "it is tried once; only the service manager keeps it";
                let question = Question::new("The account's password:", help);
                account.password = Some(self.asker.secret(question)?);
            }
            match services.look(&account) {
                Ok(Look::Good) => {
                    self.well(&format!("the service can run as {account}"));
                    return Ok(account);
                }
                Ok(Look::NotTold { why }) => {
                    self.asker.say(&format!(
                        "the account could not be checked ({why}); its start will tell"
                    ));
                    return Ok(account);
                }
                Err(error) => self.not_well(&error, Some(error.hint())),
            }
        }
    }

    fn run_here(&mut self) -> Result<Then, WizardError> {
        self.asker
            .say("No service manager that the agent knows runs on this machine (a container, for instance).");
        let question = Question::new("Run the agent in this terminal now?", "Ctrl-C ends it");
        if self.asker.agrees(question, true)? {
            return Ok(Then::RunHere);
        }
        self.say_how_to_start();
        Ok(Then::Start)
    }

    fn say_how_to_start(&mut self) {
        let config = self.path.display();
        self.asker.say(&format!(
            "To start it later: `passportal-agent service install` and `… service start`, or, where something else starts \
             programs: `passportal-agent --config {config} run`."
        ));
    }

    /// A service that runs proves little; a first cycle that went well does.
    async fn prove(&mut self, patience: Duration) -> Result<(), WizardError> {
        let listen = listen(self.path)?;
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < patience {
            match health_check::readiness(listen).await {
                Ok(None) => {
                    self.well("it has read the vault and the tenant, and works");
                    return Ok(());
                }
                Ok(Some(why)) => last = why,
                Err(error) => last = crate::causes::chain(&error),
            }
            sleep(Duration::from_secs(1)).await;
        }
        self.asker
            .say(&format!("✗ it does not work yet: {}", last.trim()));
        self.asker
            .say("  it goes on trying; `passportal status` and `passportal doctor` say more");
        Ok(())
    }
}

fn listen(path: &Path) -> Result<std::net::SocketAddr, WizardError> {
    let config = Config::load(path, config::environment(), Overrides::none());
    Ok(config.map_err(SetupError::from)?.listen)
}
