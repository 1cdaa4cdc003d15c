//! The agent's own small listener: is it alive, is it ready, and its figures. Nothing else.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::Health;
use crate::metrics::Metrics;

/// How long a request that is under way may go on once the agent stops.
const LAST_REQUESTS: Duration = Duration::from_secs(2);

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
    use sync_engine::model::ClientId;
    use uuid::Uuid;

    use super::*;
    use crate::numbers::CycleNumbers;

    const FIRST: ClientId = ClientId(Uuid::from_u128(1));
    const SECOND: ClientId = ClientId(Uuid::from_u128(2));

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
