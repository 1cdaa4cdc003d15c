//! What a person asks of the running service: to read its configuration anew, or to log more or less.

use std::path::Path;

use agent_bin::config::{self, Config, Overrides};
use agent_bin::control::{AgentTold, AgentWant, Place, Reloaded, Service};

use super::error::CommandError;
use super::{complain_of, remark, tell};

/// Has the service read its configuration anew, and shows what that changed.
pub(super) async fn reload(config: &Path) -> Result<(), CommandError> {
    match ask(config, AgentWant::Reload).await? {
        AgentTold::Reloaded(reloaded) => show(&reloaded),
        AgentTold::LogsNow => Ok(()),
    }
}

/// Has the service log by this filter.
pub(super) async fn log_level(config: &Path, filter: String) -> Result<(), CommandError> {
    ask(config, AgentWant::LogLevel { filter }).await?;
    Ok(())
}

async fn ask(config: &Path, want: AgentWant) -> Result<AgentTold, CommandError> {
    let config = Config::load(config, config::environment(), Overrides::none())?;
    let place = Place::of(&config)?;
    let service = Service::find(place.clone()).await?;
    let service = service.ok_or(CommandError::NoService { place })?;
    Ok(service.ask_agent(want).await?)
}

fn show(reloaded: &Reloaded) -> Result<(), CommandError> {
    for client in &reloaded.clients {
        tell(&format!("{}: {}", client.client, client.turn.word()));
    }
    for key in &reloaded.needs_restart {
        remark(&format!(
            "{key} changed: that takes effect when the service is started again"
        ));
    }
    let mut failed = 0;
    for (client, fault) in reloaded.failures() {
        failed += 1;
        complain_of(&format!("client `{client}`: {fault}"), fault.hint());
    }
    match failed {
        0 => Ok(()),
        clients => Err(CommandError::NotAsConfigured { clients }),
    }
}
