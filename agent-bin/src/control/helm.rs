//! What is asked of the agent as a whole: to read its configuration anew, and to log more or less.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

use super::{Asker, Fault};

/// More than people ask at once; whoever comes later waits.
const ROOM: usize = 4;

/// What somebody wants of the agent as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentWant {
    /// To go by the configuration as it is now.
    Reload,
    /// To log by this filter, until it ends.
    LogLevel {
        /// A `tracing` filter.
        filter: String,
    },
}

/// What the agent says to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentTold {
    /// To [`AgentWant::Reload`].
    Reloaded(Reloaded),
    /// To [`AgentWant::LogLevel`].
    LogsNow,
}

/// What a configuration that was read anew changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reloaded {
    /// Each client of the configuration, and those that are gone from it.
    pub clients: Vec<ReloadedClient>,
    /// Keys whose change takes effect at the next start only.
    pub needs_restart: Vec<String>,
}

/// What became of one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadedClient {
    /// Its name.
    pub client: String,
    /// What became of it.
    pub turn: ClientTurn,
}

/// What a new configuration means to a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientTurn {
    /// It is served from now on.
    Added,
    /// It is served in another way.
    Changed,
    /// Nothing changed.
    Unchanged,
    /// It is served no more.
    Removed,
    /// It is served as before, because it cannot be served as it should be.
    GoesOnAsBefore(Fault),
    /// It cannot be served.
    NotStarted(Fault),
}

impl Reloaded {
    /// Clients that are not served as the configuration says.
    pub fn failures(&self) -> impl Iterator<Item = (&str, &Fault)> {
        let clients = self.clients.iter();
        clients.filter_map(|it| Some((it.client.as_str(), it.turn.fault()?)))
    }
}

impl ClientTurn {
    /// In words for a technician.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added => "served from now on",
            Self::Changed => "served by the new configuration from now on",
            Self::Unchanged => "unchanged",
            Self::Removed => "served no more",
            Self::GoesOnAsBefore(_) => "goes on as before",
            Self::NotStarted(_) => "not served",
        }
    }

    /// Why it is not served as it should be.
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::GoesOnAsBefore(fault) | Self::NotStarted(fault) => Some(fault),
            Self::Added | Self::Changed | Self::Unchanged | Self::Removed => None,
        }
    }
}

/// Something for the service to do.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) want: AgentWant,
    pub(crate) asker: Asker<AgentTold>,
}

/// Sends orders to the running service.
#[derive(Clone, Debug)]
pub struct Helm(mpsc::Sender<Order>);

/// Where the running service takes its orders from.
#[derive(Debug)]
pub struct Orders(mpsc::Receiver<Order>);

/// The way to the running service: the sender, and the end that the service holds.
pub fn helm() -> (Helm, Orders) {
    let (sender, receiver) = mpsc::channel(ROOM);
    (Helm(sender), Orders(receiver))
}

impl Helm {
    pub(crate) async fn ask(&self, want: AgentWant) -> Result<AgentTold, Fault> {
        let (asker, answer) = oneshot::channel();
        let sent = self.0.send(Order { want, asker }).await;
        match (sent, answer.await) {
            (Ok(()), Ok(answer)) => answer,
            _ => Err(Fault::service_ends()),
        }
    }
}

impl Orders {
    /// The next order. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Order {
        match self.0.recv().await {
            Some(order) => order,
            None => std::future::pending().await,
        }
    }
}
