//! Does what is asked of the agent as a whole while it runs.

use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::Config;
use crate::control::{AgentTold, AgentWant, Fault, Helm, Order, Reloaded};
use crate::metrics::Metrics;
use crate::roster::Roster;
use crate::signals::Hangups;
use crate::steering::{LogBy, ReadAnew};
use crate::supervisor::Line;
use crate::workshop::Workshop;

/// Who takes orders.
pub(crate) struct Helmsman {
    /// What cannot be changed while the agent runs is taken from here.
    pub(crate) config: Config,
    pub(crate) read_anew: ReadAnew,
    pub(crate) log_by: LogBy,
    pub(crate) metrics: Metrics,
    pub(crate) line: Line,
    pub(crate) stop: CancellationToken,
}

impl Helmsman {
    pub(crate) async fn obey(&self, order: Order, roster: &mut Roster) {
        let told = match order.want {
            AgentWant::Reload => self.reload(roster).await.map(AgentTold::Reloaded),
            AgentWant::LogLevel { filter } => self.log(&filter).map(|()| AgentTold::LogsNow),
        };
        // Whoever went away needs no answer.
        let _ = order.asker.send(told);
    }

    fn log(&self, filter: &str) -> Result<(), Fault> {
        (self.log_by)(filter).map_err(|why| {
            Fault::new(
                format!("`{filter}` cannot be logged by: {why}"),
                "use info, debug, or msgraph_sync=trace,info",
            )
        })?;
        info!(filter, "from now on it is logged by `{filter}`");
        Ok(())
    }

    async fn reload(&self, roster: &mut Roster) -> Result<Reloaded, Fault> {
        let _tells_when_it_is_over = self.line.reloading(&self.stop);
        let read = self.go_by_what_is_there(roster).await;
        self.metrics.configuration_read(&read);
        match &read {
            Ok(reloaded) => tell(reloaded),
            Err(fault) => error!("the configuration was not taken, nothing changed: {fault}"),
        }
        read
    }

    async fn go_by_what_is_there(&self, roster: &mut Roster) -> Result<Reloaded, Fault> {
        let mut config = (self.read_anew)().map_err(|error| Fault::of(&error))?;
        let needs_restart = self.keep_what_is_fixed(&mut config);
        let workshop = Workshop::of(&config).map_err(|error| Fault::of(&error))?;
        let reloaded = roster.go_by(&workshop).await;
        Ok(Reloaded {
            needs_restart,
            ..reloaded.map_err(|error| Fault::of(&error))?
        })
    }

    /// The memory and the address of the endpoints stay as they are. Returns the keys that say otherwise.
    fn keep_what_is_fixed(&self, config: &mut Config) -> Vec<String> {
        let (now, runs) = (&*config, &self.config);
        let keys = [
            ("state.url", now.state.url != runs.state.url),
            (
                "state.password_file",
                now.state.password_file != runs.state.password_file,
            ),
            ("listen.address", now.listen != runs.listen),
        ];
        config.state = runs.state.clone();
        config.listen = runs.listen;
        let differ = keys.into_iter().filter(|(_, differs)| *differs);
        differ.map(|(key, _)| key.to_owned()).collect()
    }
}

fn tell(reloaded: &Reloaded) {
    for client in &reloaded.clients {
        let (name, word) = (&client.client, client.turn.word());
        // What failed is told where it was found.
        if client.turn.fault().is_none() {
            info!("client `{name}`: {word}");
        }
    }
    for key in &reloaded.needs_restart {
        warn!("{key} changed: that takes effect when the agent is started again");
    }
    info!("the configuration was read anew");
}

/// Turns signals into orders, until `stop`.
pub(crate) async fn obey_signals(mut hangups: Hangups, helm: Helm, stop: CancellationToken) {
    while let Some(()) = stop.run_until_cancelled(hangups.next()).await {
        // Whatever comes of it is logged where it is done.
        let _ = stop.run_until_cancelled(helm.ask(AgentWant::Reload)).await;
    }
}
