//! The service: every client's schedule and the endpoints, from start to a clean end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::Config;
use crate::control::{self, ControlError, Door, Listener, Place};
use crate::listen::{self, Health, ListenError};
use crate::metrics::Metrics;
use crate::proofs;
use crate::scheduler::{self, Schedule};
use crate::secrets::SecretFiles;
use crate::telltale::Telltale;
use crate::wiring::{self, WiringError};

/// A client is ready while its last good cycle is at most so many intervals ago, and some slack.
const RECENT_INTERVALS: u32 = 3;
const SLACK: Duration = Duration::from_secs(30);

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// Its endpoints cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Its local socket cannot be had.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The program has a fault; a supervisor should start it again.
    #[error("a client's schedule ended by a fault of the program")]
    Fault(#[source] tokio::task::JoinError),
    /// The system's signals cannot be heard.
    #[error("the system's signals cannot be heard")]
    Signals(#[source] std::io::Error),
}

impl ServiceError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Wiring(source) => source.hint(),
            Self::Listen(source) => Some(source.hint()),
            Self::Control(source) => Some(source.hint()),
            Self::Fault(_) | Self::Signals(_) => None,
        }
    }
}

/// Runs until `stop`. `ready` is told the address of the endpoints once everything is up.
///
/// # Errors
/// When it cannot begin; once it runs, failures are retried and told by `/readyz`.
pub async fn run(
    config: &Config,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServiceError> {
    let listener = listen::bind(config.listen).await?;
    let place = Place::of(config)?;
    let agents = wiring::open(config).await?;
    // Only now: whoever has the memory is the one whose socket this is.
    let socket = match Listener::bind(&place).await {
        Ok(socket) => socket,
        Err(error) => {
            agents.close().await;
            return Err(error.into());
        }
    };
    let metrics = Metrics::new();
    let ids = agents.clients.iter().map(|client| client.id);
    let recent = config.sync.interval.saturating_mul(RECENT_INTERVALS) + SLACK;
    let health = Health::new(ids, recent);
    for client in &agents.clients {
        metrics.introduce(client.id);
        let directory = Arc::clone(&client.directory);
        metrics.watch_limits(client.id, move || directory.limit_use());
        let secrets = SecretFiles::beside(&config.state.url);
        metrics.watch_expiries(client.id, proofs::expiries(client, secrets));
    }
    let address = listener.local_addr().unwrap_or(config.listen);
    let endpoints = listen::serve(listener, metrics.clone(), health.clone(), stop.clone());
    let endpoints = tokio::spawn(endpoints);
    let schedule = Schedule {
        interval: config.sync.interval,
        full_read: config.sync.full_read,
    };
    ready(address);
    let wiring::Agents { clients, state } = agents;
    let mut running = JoinSet::new();
    let mut doors = Vec::new();
    for client in clients {
        let client = Arc::new(client);
        let (errands, inbox) = control::errands();
        doors.push(Door {
            client: Arc::clone(&client),
            errands,
        });
        let telltale = Telltale {
            metrics: metrics.clone(),
            health: health.clone(),
        };
        let stop = stop.clone();
        running.spawn(async move {
            scheduler::run(&client, schedule, &telltale, inbox, &stop).await;
        });
    }
    let socket = tokio::spawn(control::serve(socket, doors, stop.clone()));
    let mut ended_badly = None;
    while let Some(ended) = running.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a client's schedule ended by a fault of the program");
            ended_badly = Some(error);
            stop.cancel();
        }
    }
    stop.cancel();
    match endpoints.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the endpoints ended badly"),
        Err(error) => tracing::warn!(%error, "the endpoints ended badly"),
    }
    if let Err(error) = socket.await {
        tracing::warn!(%error, "the local socket ended badly");
    }
    state.close().await;
    info!("stopped");
    ended_badly.map_or(Ok(()), |error| Err(ServiceError::Fault(error)))
}
