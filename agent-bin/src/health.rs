//! How each client of the running service fares, by its cycles.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sync_engine::model::ClientId;

/// How each client fares. Clones share it.
#[derive(Clone, Debug)]
pub struct Health {
    clients: Arc<Mutex<BTreeMap<ClientId, ClientHealth>>>,
    not_started: Arc<Mutex<BTreeMap<String, String>>>,
}

#[derive(Clone, Debug, Default)]
struct ClientHealth {
    /// The longest time since its last success.
    recent: SignedDuration,
    last: LastCycles,
}

/// How a client's last cycles went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastCycles {
    /// When one last ended well.
    pub(crate) succeeded: Option<Timestamp>,
    /// Why the last one failed, if it did.
    pub(crate) failed: Option<String>,
}

impl Health {
    /// Of these clients, each ready while its last successful cycle is at most `recent` ago.
    pub fn new(clients: impl IntoIterator<Item = ClientId>, recent: Duration) -> Self {
        let health = Self {
            clients: Arc::default(),
            not_started: Arc::default(),
        };
        for client in clients {
            health.expect(client, recent);
        }
        health
    }

    /// A client is served, or served in another way: it is ready while its last successful cycle is at most `recent` ago.
    pub fn expect(&self, client: ClientId, recent: Duration) {
        let recent = SignedDuration::try_from(recent).unwrap_or(SignedDuration::MAX);
        self.lock().entry(client).or_default().recent = recent;
    }

    /// A client is served no more.
    pub fn forget(&self, client: ClientId) {
        self.lock().remove(&client);
    }

    /// The clients of the configuration that cannot be served, and why.
    pub fn not_started(&self, why: BTreeMap<String, String>) {
        let not_started = self.not_started.lock();
        *not_started.unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// A cycle of the client ended well.
    pub fn succeeded(&self, client: ClientId, at: Timestamp) {
        if let Some(health) = self.lock().get_mut(&client) {
            health.last.succeeded = Some(at);
            health.last.failed = None;
        }
    }

    /// A cycle of the client failed. `why` is shown to whoever can reach the listener: it may
    /// name the tenant and the app, and holds no secret and no account.
    pub fn failed(&self, client: ClientId, why: impl fmt::Display) {
        if let Some(health) = self.lock().get_mut(&client) {
            health.last.failed = Some(one_line(why));
        }
    }

    /// How the client's last cycles went.
    pub(crate) fn last_cycles(&self, client: ClientId) -> LastCycles {
        let clients = self.lock();
        clients
            .get(&client)
            .map_or_else(LastCycles::default, |it| it.last.clone())
    }

    /// Why the agent is not ready, one line for each client that is not; empty when it is.
    pub fn unready(&self, now: Timestamp) -> Vec<String> {
        let not_started = self.not_started.lock();
        let not_started = not_started.unwrap_or_else(PoisonError::into_inner);
        let clients = self.lock();
        if clients.is_empty() && not_started.is_empty() {
            return vec!["no client is configured".to_owned()];
        }
        let not_started = not_started.iter();
        let not_started =
            not_started.map(|(name, why)| format!("{name}: not served: {}", one_line(why)));
        let unready = clients.iter();
        let unready =
            unready.filter_map(|(id, health)| Some(format!("{id}: {}", health.unready(now)?)));
        not_started.chain(unready).collect()
    }

    /// How many clients are ready, and how many there are.
    pub(crate) fn count(&self, now: Timestamp) -> (usize, usize) {
        let not_started = self.not_started.lock();
        let not_started = not_started.unwrap_or_else(PoisonError::into_inner).len();
        let clients = self.lock();
        let ready = clients.values().filter(|it| it.unready(now).is_none());
        (ready.count(), clients.len() + not_started)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, ClientHealth>> {
        // Every change is one insertion or removal, so the map is whole even if a thread died holding it.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientHealth {
    fn unready(&self, now: Timestamp) -> Option<String> {
        let since = match self.last.succeeded {
            Some(at) if now.duration_since(at) <= self.recent => return None,
            Some(at) => format!("no successful cycle since {at}"),
            None => "no successful cycle yet".to_owned(),
        };
        Some(match &self.last.failed {
            Some(why) => format!("{since}: {why}"),
            None => since,
        })
    }
}

fn one_line(text: impl fmt::Display) -> String {
    text.to_string().replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const FIRST: ClientId = ClientId(Uuid::from_u128(1));
    const SECOND: ClientId = ClientId(Uuid::from_u128(2));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn every_client_must_have_succeeded_recently() {
        let health = Health::new([FIRST, SECOND], Duration::from_mins(1));
        health.succeeded(FIRST, at(1_000));
        assert_eq!(
            health.unready(at(1_010)),
            [format!("{SECOND}: no successful cycle yet")]
        );

        health.succeeded(SECOND, at(1_005));
        assert!(health.unready(at(1_060)).is_empty());

        assert_eq!(
            health.unready(at(1_061)),
            [format!(
                "{FIRST}: no successful cycle since 1970-01-01T00:16:40Z"
            )]
        );
    }

    #[test]
    fn one_failure_after_a_recent_success_is_not_yet_unready_and_then_says_why() {
        let health = Health::new([FIRST], Duration::from_mins(1));
        health.succeeded(FIRST, at(1_000));
        health.failed(FIRST, "the vault is\nnot available");
        assert!(health.unready(at(1_030)).is_empty());
        let lines = health.unready(at(2_000));
        assert_eq!(lines.len(), 1);
        assert!(
            lines[0].ends_with(": the vault is not available"),
            "{lines:?}"
        );

        health.succeeded(FIRST, at(2_000));
        assert!(health.unready(at(2_001)).is_empty());
        let succeeded = Some(at(2_000));
        let failed = None;
        assert_eq!(health.last_cycles(FIRST), LastCycles { succeeded, failed });
    }

    #[test]
    fn a_client_that_cannot_be_served_is_told_by_its_name_until_it_can() {
        let health = Health::new([FIRST], Duration::from_mins(1));
        health.succeeded(FIRST, at(1_000));
        let why = "it is not\nenrolled".to_owned();
        health.not_started(BTreeMap::from([("Contoso".to_owned(), why)]));
        assert_eq!(
            health.unready(at(1_001)),
            ["Contoso: not served: it is not enrolled"]
        );

        health.not_started(BTreeMap::new());
        assert!(health.unready(at(1_001)).is_empty());
    }

    #[test]
    fn a_client_that_is_served_no_more_is_not_waited_for() {
        let health = Health::new([FIRST, SECOND], Duration::from_mins(1));
        health.succeeded(FIRST, at(1_000));
        health.forget(SECOND);
        // The last word of its schedule may come late.
        health.failed(SECOND, "it was stopped");
        assert!(health.unready(at(1_001)).is_empty());

        health.expect(FIRST, Duration::from_hours(1));
        assert!(health.unready(at(4_000)).is_empty());
    }

    #[test]
    fn an_agent_without_a_client_is_never_ready() {
        let health = Health::new([], Duration::from_mins(1));
        assert_eq!(health.unready(at(0)), ["no client is configured"]);
    }
}
