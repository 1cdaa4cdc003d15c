//! The agent's own small listener: is it alive, is it ready, and its figures. Nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use sync_engine::model::ClientId;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How long a request that is under way may go on once the agent stops.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

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
    succeeded: Option<Timestamp>,
    failed: Option<String>,
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
            health.succeeded = Some(at);
            health.failed = None;
        }
    }

    /// A cycle of the client failed. `why` is shown to whoever can reach the listener: it may
    /// name the tenant and the app, and holds no secret and no account.
    pub fn failed(&self, client: ClientId, why: impl fmt::Display) {
        if let Some(health) = self.lock().get_mut(&client) {
            health.failed = Some(one_line(why));
        }
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
        let since = match self.succeeded {
            Some(at) if now.duration_since(at) <= self.recent => return None,
            Some(at) => format!("no successful cycle since {at}"),
            None => "no successful cycle yet".to_owned(),
        };
        Some(match &self.failed {
            Some(why) => format!("{since}: {why}"),
            None => since,
        })
    }
}

fn one_line(text: impl fmt::Display) -> String {
    text.to_string().replace(['\n', '\r'], " ")
}

/// Why the listener could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program listens there.
    #[error("the address {address} is in use by another program")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// It cannot be listened on.
    #[error("could not listen on {address}")]
    NotAvailable {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It stopped by itself.
    #[error("the listener failed")]
    Failed(#[source] io::Error),
}

impl ListenError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::InUse { .. } => {
                "stop the other program (or a second agent), or set listen.address to another port"
            }
            Self::NotAvailable { .. } => "set listen.address to an address of this machine",
            Self::Failed(_) => "see the cause above",
        }
    }
}

/// Takes the address. Port 0 takes a free one: ask `local_addr` which.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse { address },
            _ => ListenError::NotAvailable { address, source },
        })
}

/// Answers until `shutdown`, and then finishes what is under way.
pub async fn serve(
    listener: TcpListener,
    metrics: Metrics,
    health: Health,
    shutdown: CancellationToken,
) -> Result<(), ListenError> {
    let stop = shutdown.clone();
    let answering = axum::serve(listener, router(metrics, health))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .into_future();
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(LAST_REQUESTS).await;
    };
    tokio::select! {
        ended = answering => ended.map_err(ListenError::Failed),
        () = patience => Ok(()),
    }
}

fn router(metrics: Metrics, health: Health) -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readyz).with_state(health))
        .route("/metrics", get(figures).with_state(metrics))
}

async fn readyz(State(health): State<Health>) -> Response {
    let unready = health.unready(Timestamp::now());
    if unready.is_empty() {
        return "ready\n".into_response();
    }
    let text = format!("{}\n", unready.join("\n"));
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

async fn figures(State(metrics): State<Metrics>) -> Response {
    const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::numbers::CycleNumbers;

    const FIRST: ClientId = ClientId(Uuid::from_u128(1));
    const SECOND: ClientId = ClientId(Uuid::from_u128(2));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    struct Server {
        base: String,
        metrics: Metrics,
        health: Health,
        shutdown: CancellationToken,
        task: tokio::task::JoinHandle<Result<(), ListenError>>,
    }

    async fn start() -> Server {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let metrics = Metrics::new();
        let health = Health::new([FIRST, SECOND], Duration::from_mins(1));
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(serve(
            listener,
            metrics.clone(),
            health.clone(),
            shutdown.clone(),
        ));
        Server {
            base,
            metrics,
            health,
            shutdown,
            task,
        }
    }

    impl Server {
        async fn get(&self, path: &str) -> (u16, String) {
            // The tests of one process share the provider; the first installs it.
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let answer = client
                .get(format!("{}{path}", self.base))
                .send()
                .await
                .unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }
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

    #[tokio::test]
    async fn it_answers_alive_ready_and_figures_and_nothing_else() {
        let server = start().await;
        assert_eq!(server.get("/healthz").await, (200, "ok\n".to_owned()));

        server.health.failed(FIRST, "the vault is not available");
        let (status, text) = server.get("/readyz").await;
        assert_eq!(status, 503);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.contains(&format!(
            "{FIRST}: no successful cycle yet: the vault is not"
        )));

        let now = Timestamp::now();
        server.health.succeeded(FIRST, now);
        server.health.succeeded(SECOND, now);
        assert_eq!(server.get("/readyz").await.0, 200);

        server
            .metrics
            .cycle_finished(FIRST, &CycleNumbers::quiet(now));
        let (status, text) = server.get("/metrics").await;
        assert_eq!(status, 200);
        assert!(text.contains("passportal_agent_cycles_total{"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");

        for path in ["/", "/metrics/", "/debug", "/healthz/x"] {
            assert_eq!(server.get(path).await.0, 404, "{path}");
        }
    }

    #[tokio::test]
    async fn it_ends_when_the_agent_does() {
        let server = start().await;
        server.get("/healthz").await;
        server.shutdown.cancel();
        server.task.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_port_in_use_is_told_with_its_address() {
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();

        let error = bind(address).await.unwrap_err();

        assert_eq!(
            error.to_string(),
            format!("the address {address} is in use by another program")
        );
        assert!(error.hint().contains("listen.address"));
    }
}
