//! Tells systemd, where it started the agent, how the agent is: ready, stopping, and that it makes progress.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sync_engine::model::ClientId;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::pulse::Pulses;

/// How often the status is looked at where no watchdog wants to hear more often.
const USUALLY: Duration = Duration::from_secs(15);

/// What systemd is told from.
pub(crate) struct Supervisor {
    pub(crate) pulses: Pulses,
    pub(crate) health: Health,
    pub(crate) address: SocketAddr,
}

/// What systemd is told. Source: `sd_notify(3)`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Ready,
    Alive,
    Stopping,
    Status(String),
}

impl Supervisor {
    /// Everything runs: says so, and then how it is, until `stop`. A schedule that is stuck silences it, so that the
    /// watchdog ends the agent and systemd starts it anew.
    pub(crate) async fn tell_until(self, stop: CancellationToken) {
        let mut status = self.status();
        tell(&[Word::Ready, Word::Status(status.clone())]);
        let mut stuck = None;
        let pause = watchdog().map_or(USUALLY, |most| most / 2);
        while let Some(()) = stop.run_until_cancelled(tokio::time::sleep(pause)).await {
            let now = self.status();
            if now != status {
                tell(&[Word::Status(now.clone())]);
                status = now;
            }
            let overdue = self.pulses.stuck(Instant::now());
            match overdue {
                None => tell(&[Word::Alive]),
                Some(client) if stuck != overdue => complain(client),
                Some(_) => {}
            }
            stuck = overdue;
        }
        tell(&[Word::Stopping, Word::Status("stopping".to_owned())]);
    }

    /// Seen by every user of the machine: it names nobody.
    fn status(&self) -> String {
        let (ready, all) = self.health.count(Timestamp::now());
        let address = self.address;
        format!("{ready} of {all} clients ready; http://{address}/readyz says more")
    }
}

fn complain(client: ClientId) {
    tracing::error!(client.id = %client, "the schedule of client {client} is stuck; the watchdog is told no more");
}

#[cfg(target_os = "linux")]
fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|most| !most.is_zero())
}

#[cfg(not(target_os = "linux"))]
fn watchdog() -> Option<Duration> {
    None
}

#[cfg(target_os = "linux")]
fn tell(words: &[Word]) {
    use sd_notify::NotifyState;
    let states: Vec<NotifyState<'_>> = words
        .iter()
        .map(|word| match word {
            Word::Ready => NotifyState::Ready,
            Word::Alive => NotifyState::Watchdog,
            Word::Stopping => NotifyState::Stopping,
            Word::Status(text) => NotifyState::Status(text),
        })
        .collect();
    if let Err(error) = sd_notify::notify(&states) {
        tracing::warn!(%error, "systemd could not be told {words:?}");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_words: &[Word]) {}
