//! A proxy on loopback that counts the requests that pass through it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Larger than anything that the product sends.
const MOST: usize = 64 * 1024 * 1024;

/// A proxy that counts.
#[derive(Clone)]
pub struct CountingProxy {
    address: SocketAddr,
    count: Arc<AtomicU64>,
}

#[derive(Clone)]
struct Upstream {
    base: String,
    http: reqwest::Client,
    count: Arc<AtomicU64>,
}

impl CountingProxy {
    /// A proxy in front of this server, until the test's runtime ends.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(base: &str) -> anyhow::Result<Self> {
        let count = Arc::new(AtomicU64::new(0));
        let upstream = Upstream {
            base: base.trim_end_matches('/').to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
            count: Arc::clone(&count),
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(forward).with_state(upstream);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, count })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests passed so far.
    pub fn requests(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }
}

async fn forward(State(upstream): State<Upstream>, request: Request) -> Response {
    upstream.count.fetch_add(1, Ordering::SeqCst);
    match pass_on(&upstream, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

async fn pass_on(upstream: &Upstream, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let mut headers = parts.headers;
    headers.remove("host");
    let answer = upstream
        .http
        .request(parts.method, format!("{}{path}", upstream.base))
        .headers(headers)
        .body(to_bytes(body, MOST).await?)
        .send()
        .await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    Ok(response.body(Body::from(answer.bytes().await?))?)
}
