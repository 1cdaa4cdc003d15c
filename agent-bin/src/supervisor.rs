//! Tells systemd, where it started the agent, how the agent is: ready, reloading, stopping, and that it makes progress.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::ClientId;
use tokio::time::Instant;
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
    pub(crate) line: Line,
}

/// The line to systemd; nobody is at its other end where something else started the agent.
#[derive(Clone)]
pub(crate) struct Line(Arc<Say>);

type Say = dyn Fn(&[Word]) + Send + Sync;

/// What systemd is told. Source: `sd_notify(3)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    Ready,
    Reloading,
    Alive,
    Stopping,
    Status(String),
}

impl Line {
    pub(crate) fn to_systemd() -> Self {
        Self(Arc::new(tell))
    }

    fn say(&self, words: &[Word]) {
        (self.0)(words);
    }

    /// The agent reads its configuration anew, until this is dropped; unless it stops meanwhile.
    pub(crate) fn reloading(&self, stop: &CancellationToken) -> Reloading {
        self.say(&[Word::Reloading]);
        let (line, stop) = (self.clone(), stop.clone());
        Reloading { line, stop }
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}

/// A reading of the configuration under way.
pub(crate) struct Reloading {
    line: Line,
    stop: CancellationToken,
}

impl Drop for Reloading {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            self.line.say(&[Word::Ready]);
        }
    }
}

impl Supervisor {
    /// Everything runs.
    pub(crate) fn ready(&self) {
        self.line.say(&[Word::Ready, Word::Status(self.status())]);
    }

    /// Says how it is, until `stop`. A schedule that is stuck silences it, so that the watchdog ends the agent and
    /// systemd starts it anew.
    pub(crate) async fn tell_until(self, stop: CancellationToken) {
        let mut status = self.status();
        let mut stuck = None;
        let pause = watchdog().map_or(USUALLY, |most| most / 2);
        while let Some(()) = stop.run_until_cancelled(tokio::time::sleep(pause)).await {
            let now = self.status();
            if now != status {
                self.line.say(&[Word::Status(now.clone())]);
                status = now;
            }
            let overdue = self.pulses.stuck(Instant::now());
            match overdue {
                None => self.line.say(&[Word::Alive]),
                Some(client) if stuck != overdue => complain(client),
                Some(_) => {}
            }
            stuck = overdue;
        }
        let last = "stopping".to_owned();
        self.line.say(&[Word::Stopping, Word::Status(last)]);
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
        .flat_map(|word| match word {
            Word::Ready => vec![NotifyState::Ready],
            // With `Type=notify-reload` the time must stand in the same message.
            Word::Reloading => {
                let now = NotifyState::monotonic_usec_now().ok();
                [Some(NotifyState::Reloading), now]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Word::Alive => vec![NotifyState::Watchdog],
            Word::Stopping => vec![NotifyState::Stopping],
            Word::Status(text) => vec![NotifyState::Status(text)],
        })
        .collect();
    if let Err(error) = sd_notify::notify(&states) {
        tracing::warn!(%error, "systemd could not be told {words:?}");
    }
}

#[cfg(not(target_os = "linux"))]
fn tell(_words: &[Word]) {}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tokio::task::JoinHandle;
    use uuid::Uuid;

    use super::*;

    const CLIENT: ClientId = ClientId(Uuid::from_u128(1));
    const MINUTE: Duration = Duration::from_mins(1);

    /// A supervisor at work, and what it said since it was asked last.
    struct Heard {
        said: Arc<Mutex<Vec<Word>>>,
        pulses: Pulses,
        stop: CancellationToken,
        running: JoinHandle<()>,
    }

    impl Heard {
        fn start() -> Self {
            let said: Arc<Mutex<Vec<Word>>> = Arc::default();
            let ear = Arc::clone(&said);
            let hear = move |words: &[Word]| {
                let mut said = ear.lock().unwrap_or_else(PoisonError::into_inner);
                said.extend_from_slice(words);
            };
            let (pulses, stop) = (Pulses::default(), CancellationToken::new());
            let supervisor = Supervisor {
                pulses: pulses.clone(),
                health: Health::new([CLIENT], MINUTE),
                address: SocketAddr::from(([127, 0, 0, 1], 9464)),
                line: Line(Arc::new(hear)),
            };
            let running = tokio::spawn(supervisor.tell_until(stop.clone()));
            Self {
                said,
                pulses,
                stop,
                running,
            }
        }

        async fn within(&self, time: Duration) -> Vec<Word> {
            tokio::time::sleep(time).await;
            std::mem::take(&mut self.said.lock().unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_schedule_that_is_stuck_silences_the_watchdog_until_it_shows_itself() {
        let heard = Heard::start();
        let schedule = heard.pulses.begin(CLIENT);
        let alive = heard.within(MINUTE * 9).await;
        assert!(alive.len() > 30 && alive.iter().all(|it| *it == Word::Alive));

        heard.within(MINUTE * 2).await;
        assert_eq!(heard.within(MINUTE * 5).await, []);

        schedule.beat(MINUTE);
        assert!(heard.within(MINUTE / 2).await.contains(&Word::Alive));
        heard.stop.cancel();
        heard.running.await.unwrap();
    }

    #[tokio::test]
    async fn a_reload_is_told_from_its_beginning_to_its_end_but_not_while_the_agent_stops() {
        let heard: Arc<Mutex<Vec<Word>>> = Arc::default();
        let ear = Arc::clone(&heard);
        let line = Line(Arc::new(move |words: &[Word]| {
            ear.lock().unwrap().extend_from_slice(words);
        }));
        let stop = CancellationToken::new();
        drop(line.reloading(&stop));
        assert_eq!(*heard.lock().unwrap(), [Word::Reloading, Word::Ready]);

        let begun = line.reloading(&stop);
        stop.cancel();
        drop(begun);
        assert_eq!(heard.lock().unwrap().last(), Some(&Word::Reloading));
    }
}
