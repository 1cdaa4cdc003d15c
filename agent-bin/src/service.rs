//! The service: every client's schedule and the endpoints, from start to a clean end.

use std::net::SocketAddr;
use std::time::Duration;

use state_store::StateDatabase;
use tokio::net::TcpListener;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::companions::{Companions, Gone};
use crate::config::{Config, ConfigError};
use crate::control::{self, ControlError, Doors, Fault, Listener, Orders, Place};
use crate::health::Health;
use crate::helmsman::{self, Helmsman};
use crate::listen::{self, ListenError};
use crate::metrics::Metrics;
use crate::pulse::Pulses;
use crate::roster::{Premises, Roster};
use crate::steering::Steering;
use crate::supervisor::{Line, Supervisor};
use crate::wiring::{self, WiringError};
use crate::workshop::Workshop;

/// Why the service cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// It cannot be put together.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// No client can be served.
    #[error(transparent)]
    NoClient(Fault),
    /// Its endpoints cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Its local socket cannot be had.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The program has a fault; a supervisor should start it again.
    #[error("{what} ended by a fault of the program")]
    Fault {
        /// The part of it.
        what: &'static str,
        /// How.
        #[source]
        source: Option<JoinError>,
    },
    /// The system's signals cannot be heard.
    #[error("the system's signals cannot be heard")]
    Signals(#[source] std::io::Error),
}

impl ServiceError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Wiring(source) => source.hint(),
            Self::NoClient(source) => source.hint(),
            Self::Listen(source) => Some(source.hint()),
            Self::Control(source) => Some(source.hint()),
            Self::Fault { .. } | Self::Signals(_) => None,
        }
    }
}

/// Runs until `stop`, by this configuration. `ready` is told the address of the endpoints once everything is up.
///
/// # Errors
/// When it cannot begin; once it runs, failures are retried and told by `/readyz`.
pub async fn run(
    config: &Config,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServiceError> {
    run_steered(config, Steering::fixed(config), stop, ready).await
}

/// The same; meanwhile the configuration may be read anew, and the log changed.
///
/// # Errors
/// As [`run`].
pub async fn run_steered(
    config: &Config,
    steering: Steering,
    stop: CancellationToken,
    ready: impl FnOnce(SocketAddr),
) -> Result<(), ServiceError> {
    let place = Place::of(config)?;
    let workshop = Workshop::of(config)?;
    workshop.require_one()?;
    let Held {
        listener,
        address,
        state,
        socket,
    } = hold(&workshop, &place).await?;
    let premises = Premises {
        instance: wiring::instance_of(&state, config),
        state,
        metrics: Metrics::new(),
        health: Health::new([], Duration::ZERO),
        pulses: Pulses::default(),
        doors: Doors::default(),
        stop: stop.clone(),
    };
    let (metrics, health) = (premises.metrics.clone(), premises.health.clone());
    let supervisor = Supervisor {
        pulses: premises.pulses.clone(),
        health: health.clone(),
        address,
        line: Line::to_systemd(),
    };
    let doors = premises.doors.clone();
    let mut roster = Roster::new(premises);
    begin(&mut roster, &workshop).await?;
    let (helm, orders) = control::helm();
    let helmsman = Helmsman {
        config: config.clone(),
        read_anew: steering.read_anew,
        log_by: steering.log_by,
        metrics: metrics.clone(),
        line: supervisor.line.clone(),
        stop: stop.clone(),
    };
    let mut companions = Companions::default();
    let endpoints = answer_at(listener, metrics, health, stop.clone());
    companions.begin("endpoints", endpoints);
    let signals = helmsman::obey_signals(steering.hangups, helm.clone(), stop.clone());
    companions.begin("watch for signals", signals);
    let socket = control::serve(socket, doors, helm, stop.clone());
    companions.begin("local socket", socket);
    ready(address);
    supervisor.ready();
    let supervisor = supervisor.tell_until(stop.clone());
    companions.begin("conversation with the service manager", supervisor);
    let fault = steer(&helmsman, orders, &mut roster, &mut companions).await;
    while let Some(gone) = companions.gone().await {
        if let Some(error) = gone.why {
            warn!(%error, "the {} ended badly", gone.what);
        }
    }
    roster.close_state().await;
    info!("stopped");
    fault.map_or(Ok(()), Err)
}

/// What only one agent has at a time.
struct Held {
    listener: TcpListener,
    address: SocketAddr,
    state: StateDatabase,
    socket: Listener,
}

async fn hold(workshop: &Workshop, place: &Place) -> Result<Held, ServiceError> {
    let config = workshop.config();
    let listener = listen::bind(config.listen).await?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let state = wiring::state(workshop).await?;
    // Only now: whoever has the memory is the one whose socket this is.
    match Listener::bind(place).await {
        Ok(socket) => Ok(Held {
            listener,
            address,
            state,
            socket,
        }),
        Err(error) => {
            state.close().await;
            Err(error.into())
        }
    }
}

async fn answer_at(
    listener: TcpListener,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
) {
    if let Err(error) = listen::serve(listener, metrics, health, stop).await {
        warn!(%error, "the endpoints ended badly");
    }
}

/// Begins to serve.
///
/// # Errors
/// When not one client can be served.
async fn begin(roster: &mut Roster, workshop: &Workshop) -> Result<(), ServiceError> {
    let failed = match roster.go_by(workshop).await {
        Ok(_) if !roster.is_empty() => return Ok(()),
        Ok(reloaded) => match reloaded.failures().next() {
            Some((_, fault)) => ServiceError::NoClient(fault.clone()),
            None => WiringError::from(ConfigError::NoClient).into(),
        },
        Err(error) => error.into(),
    };
    roster.close_state().await;
    Err(failed)
}

/// Does what is asked of the agent until it is to stop, and until every schedule has ended. Returns a fault of the program,
/// for which the agent ends.
async fn steer(
    helmsman: &Helmsman,
    mut orders: Orders,
    roster: &mut Roster,
    companions: &mut Companions,
) -> Option<ServiceError> {
    let stop = &helmsman.stop;
    let mut fault = None;
    while !stop.is_cancelled() {
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            Some(ended) = roster.ended() => fault = fault.or(failed(ended, stop)),
            Some(gone) = companions.gone() => fault = fault.or(missed(gone, stop)),
            order = orders.next() => helmsman.obey(order, roster).await,
        }
    }
    while let Some(ended) = roster.ended().await {
        fault = fault.or(failed(ended, stop));
    }
    fault
}

fn failed(ended: Result<(), JoinError>, stop: &CancellationToken) -> Option<ServiceError> {
    let source = Some(ended.err()?);
    Some(stop_for("a client's schedule", source, stop))
}

/// Each of them lasts until the agent is to stop.
fn missed(gone: Gone, stop: &CancellationToken) -> Option<ServiceError> {
    let Gone { what, why } = gone;
    (!stop.is_cancelled() || why.is_some()).then(|| stop_for(what, why, stop))
}

fn stop_for(
    what: &'static str,
    source: Option<JoinError>,
    stop: &CancellationToken,
) -> ServiceError {
    let why = source.as_ref().map(ToString::to_string);
    error!(error = why, "{what} ended by a fault of the program");
    stop.cancel();
    ServiceError::Fault { what, source }
}
