//! A proxy on loopback that counts what passes through it, and keeps it to be searched.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Larger than anything that the product sends.
const MOST: usize = 64 * 1024 * 1024;

/// A proxy that counts and listens.
#[derive(Clone)]
pub struct WireTap {
    address: SocketAddr,
    count: Arc<AtomicU64>,
    heard: Arc<Mutex<Vec<u8>>>,
}

#[derive(Clone)]
struct Upstream {
    base: String,
    http: reqwest::Client,
    count: Arc<AtomicU64>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl WireTap {
    /// A proxy in front of this server, until the test's runtime ends.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn before(base: &str) -> anyhow::Result<Self> {
        let count = Arc::new(AtomicU64::new(0));
        let heard = Arc::new(Mutex::new(Vec::new()));
        let upstream = Upstream {
            base: base.trim_end_matches('/').to_owned(),
            http: reqwest::Client::builder().no_proxy().build()?,
            count: Arc::clone(&count),
            heard: Arc::clone(&heard),
        };
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(forward).with_state(upstream);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            address,
            count,
            heard,
        })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests passed so far.
    pub fn requests(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Whether this text passed in clear, in an address or a body.
    pub fn heard_text(&self, text: &str) -> bool {
        let heard = self.heard();
        heard
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }

    fn heard(&self) -> MutexGuard<'_, Vec<u8>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn forward(State(upstream): State<Upstream>, request: Request) -> Response {
    upstream.count.fetch_add(1, Ordering::SeqCst);
    match pass_on(&upstream, request).await {
        Ok(response) => response,
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

impl Upstream {
    fn hear(&self, bytes: &[u8]) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.extend_from_slice(bytes);
        // No word may be found that only begins in one body and ends in the next.
        heard.push(b'\n');
    }
}

async fn pass_on(upstream: &Upstream, request: Request) -> anyhow::Result<Response> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |it| it.as_str());
    let mut headers = parts.headers;
    headers.remove("host");
    // What is compressed could not be searched.
    headers.remove("accept-encoding");
    let body = to_bytes(body, MOST).await?;
    upstream.hear(path.as_bytes());
    upstream.hear(&body);
    let answer = upstream
        .http
        .request(parts.method, format!("{}{path}", upstream.base))
        .headers(headers)
        .body(body)
        .send()
        .await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if name != "transfer-encoding" && name != "content-length" {
            response = response.header(name, value);
        }
    }
    let body = answer.bytes().await?;
    upstream.hear(&body);
    Ok(response.body(Body::from(body))?)
}
