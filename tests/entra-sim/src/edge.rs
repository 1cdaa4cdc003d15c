//! What every request passes: its ids, the clock's `Date`, the counters, and the faults on order.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{DATE, HOST, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures::stream;
use uuid::Uuid;

use crate::clock::http_date;
use crate::control::fault::{Fault, When};
use crate::recording::{Recording, record};
use crate::reply::{OnOrder, Reply};
use crate::simulator::Simulator;
use crate::{control, entra, graph};

/// The longest body of a request that a fault strikes or that is recorded.
pub(crate) const BODY_LIMIT: usize = 16 << 20;

/// How clients reach the simulator, for the links that it hands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Without TLS.
    Http,
    /// With TLS.
    Https,
}

/// The ids of one request, as its answer and its errors state them.
#[derive(Debug, Clone)]
pub(crate) struct RequestIds {
    pub(crate) request: Uuid,
    pub(crate) client_request: String,
}

/// The scheme, host and port that the client used.
#[derive(Debug, Clone)]
pub(crate) struct Origin(pub(crate) String);

/// The whole HTTP service; what passes goes into the recording.
pub(crate) fn router(simulator: Simulator, scheme: Scheme, recording: Option<Recording>) -> Router {
    let identify = from_fn_with_state((simulator.clone(), scheme), identify);
    let service = Router::new()
        .merge(entra::routes())
        .merge(graph::routes())
        .fallback(graph::unknown_path)
        .layer(from_fn_with_state(simulator.clone(), strike))
        .layer(from_fn_with_state(simulator.clone(), account_for))
        .layer(identify.clone());
    let service = match recording {
        Some(recording) => service.layer(from_fn_with_state(recording, record)),
        None => service,
    };
    Router::new()
        .merge(service)
        .nest("/_sim", control::routes().layer(identify))
        .with_state(simulator)
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

async fn identify(
    State((simulator, scheme)): State<(Simulator, Scheme)>,
    mut request: Request,
    next: Next,
) -> Response {
    let ids = RequestIds::of(request.headers());
    let used = || origin(scheme, request.headers(), request.uri());
    let origin = simulator.public_url().unwrap_or_else(used);
    request.extensions_mut().insert(ids.clone());
    request.extensions_mut().insert(Origin(origin));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    set(headers, DATE, &http_date(simulator.now()));
    set(
        headers,
        HeaderName::from_static("request-id"),
        &ids.request.to_string(),
    );
    set(
        headers,
        HeaderName::from_static("client-request-id"),
        &ids.client_request,
    );
    response
}

async fn account_for(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    simulator.with_world(|world, _| world.requests += 1);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let response = next.run(request).await;
    tracing::debug!(%method, path, status = response.status().as_u16(), "answered");
    response
}

async fn strike(State(simulator): State<Simulator>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let fault =
        simulator.with_world(|world, _| world.faults.strike(request.method().as_str(), &path));
    let Some(fault) = fault else {
        return next.run(request).await;
    };
    // Read whole and in a task of its own: a request that has arrived has its effect, whether or not
    // its sender lives to read the answer.
    let Ok(request) = received(request).await else {
        return dropped_connection();
    };
    let struck = tokio::spawn(suffer(simulator, fault, path, request, next));
    struck.await.unwrap_or_else(|_| dropped_connection())
}

/// The request with its body in memory; an error when its sender went away in the middle.
async fn received(request: Request) -> Result<Request, axum::Error> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_LIMIT).await?;
    Ok(Request::from_parts(head, Body::from(body)))
}

async fn suffer(
    simulator: Simulator,
    fault: Fault,
    path: String,
    request: Request,
    next: Next,
) -> Response {
    let ids = request
        .extensions()
        .get::<RequestIds>()
        .cloned()
        .unwrap_or_else(|| RequestIds::of(request.headers()));
    if fault.when == When::Before {
        tokio::time::sleep(fault.hold()).await;
    }
    if fault.when == When::After || fault.only_delays() {
        let usual = next.run(request).await;
        if fault.when == When::After {
            tokio::time::sleep(fault.hold()).await;
        }
        if fault.only_delays() {
            return usual;
        }
    }
    fault_answer(&fault, &path, &ids, simulator.now())
        .map_or_else(dropped_connection, IntoResponse::into_response)
}

/// What a fault answers; none when it drops the connection.
pub(crate) fn fault_answer(
    fault: &Fault,
    path: &str,
    ids: &RequestIds,
    now: jiff::Timestamp,
) -> Option<Reply> {
    let status = StatusCode::from_u16(fault.status?).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = if path.starts_with("/v1.0") {
        graph::error::of_status(status).into_reply(ids, now)
    } else {
        entra::refusal::of_status(status, ids, now)
    };
    reply.on_order = true;
    reply.body = fault.body.clone().or(reply.body);
    for (name, value) in &fault.headers {
        if let Ok(name) = HeaderName::try_from(name) {
            set(&mut reply.headers, name, value);
        }
    }
    if let Some(seconds) = fault.retry_after {
        set(&mut reply.headers, RETRY_AFTER, &seconds.to_string());
    }
    Some(reply)
}

/// A body that fails before its first byte makes the HTTP/1.1 server close the connection without an answer.
pub(crate) fn dropped_connection() -> Response {
    let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("dropped on order")) });
    let mut response = Body::from_stream(broken).into_response();
    response.extensions_mut().insert(OnOrder);
    response
}

impl RequestIds {
    /// New ids; a client's own `client-request-id` is kept.
    fn of(headers: &HeaderMap) -> Self {
        let request = Uuid::new_v4();
        let given = headers
            .get("client-request-id")
            .and_then(|value| value.to_str().ok());
        Self {
            request,
            client_request: given.map_or_else(|| request.to_string(), str::to_owned),
        }
    }
}

fn origin(scheme: Scheme, headers: &HeaderMap, uri: &Uri) -> String {
    let host = headers.get(HOST).and_then(|value| value.to_str().ok());
    let authority = host
        .or_else(|| uri.authority().map(axum::http::uri::Authority::as_str))
        .unwrap_or("localhost");
    format!("{}://{authority}", scheme.name())
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
