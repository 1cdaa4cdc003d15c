//! The service: every client's schedule and the endpoints, from start to a clean end.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{Config, ConfigError};
use crate::control::{self, ControlError, Doors, Fault, Listener, Orders, Place};
use crate::health::Health;
use crate::helmsman::{self, Helmsman};
use crate::listen::{self, ListenError};
use crate::metrics::Metrics;
use crate::pulse::Pulses;
use crate::roster::{Premises, Roster};
use crate::steering::Steering;
use crate::supervisor::Supervisor;
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
            Self::NoClient(source) => source.hint(),
            Self::Listen(source) => Some(source.hint()),
            Self::Control(source) => Some(source.hint()),
            Self::Fault(_) | Self::Signals(_) => None,
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
    let listener = listen::bind(config.listen).await?;
    let address = listener.local_addr().unwrap_or(config.listen);
    let place = Place::of(config)?;
    let workshop = Workshop::of(config)?;
    workshop.require_one()?;
    let state = wiring::state(&workshop).await?;
    // Only now: whoever has the memory is the one whose socket this is.
    let socket = match Listener::bind(&place).await {
        Ok(socket) => socket,
        Err(error) => {
            state.close().await;
            return Err(error.into());
        }
    };
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
    };
    let doors = premises.doors.clone();
    let mut roster = Roster::new(premises);
    begin(&mut roster, &workshop).await?;
    let endpoints = listen::serve(listener, metrics.clone(), health, stop.clone());
    let endpoints = tokio::spawn(endpoints);
    let (helm, orders) = control::helm();
    let signals = helmsman::obey_signals(steering.hangups, helm.clone(), stop.clone());
    let signals = tokio::spawn(signals);
    let socket = tokio::spawn(control::serve(socket, doors, helm, stop.clone()));
    ready(address);
    let supervisor = tokio::spawn(supervisor.tell_until(stop.clone()));
    let helmsman = Helmsman {
        config: config.clone(),
        read_anew: steering.read_anew,
        log_by: steering.log_by,
        metrics,
    };
    let fault = steer(&helmsman, orders, &mut roster, &stop).await;
    match endpoints.await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => warn!(%error, "the endpoints ended badly"),
        Err(error) => warn!(%error, "the endpoints ended badly"),
    }
    for (what, task) in [
        ("local socket", socket),
        ("watch for signals", signals),
        ("conversation with the service manager", supervisor),
    ] {
        if let Err(error) = task.await {
            warn!(%error, "the {what} ended badly");
        }
    }
    roster.close_state().await;
    info!("stopped");
    fault.map_or(Ok(()), |error| Err(ServiceError::Fault(error)))
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

/// Does what is asked of the agent until `stop`, and until every schedule has ended. Returns a fault of the program, for
/// which the agent ends.
async fn steer(
    helmsman: &Helmsman,
    mut orders: Orders,
    roster: &mut Roster,
    stop: &CancellationToken,
) -> Option<JoinError> {
    let mut fault = None;
    while !stop.is_cancelled() {
        tokio::select! {
            () = stop.cancelled() => {}
            Some(ended) = roster.ended() => fault = fault.or(failed(ended, stop)),
            order = orders.next() => helmsman.obey(order, roster).await,
        }
    }
    while let Some(ended) = roster.ended().await {
        fault = fault.or(failed(ended, stop));
    }
    fault
}

fn failed(ended: Result<(), JoinError>, stop: &CancellationToken) -> Option<JoinError> {
    let error = ended.err()?;
    error!(%error, "a client's schedule ended by a fault of the program");
    stop.cancel();
    Some(error)
}
