//! How long a caller may take to send a request: many slow ones must not hold the server's connections.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum_server::Server;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};

/// For a request's head, and between two pieces of its body. Source: nginx, `client_header_timeout` and `client_body_timeout`.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// For a whole body: the longest import over a slow line.
const WHOLE_BODY: Duration = Duration::from_mins(10);

/// Ends connections on which no head of a request comes within `patience`.
pub(crate) fn limit_heads<A>(
    mut server: Server<SocketAddr, A>,
    patience: Duration,
) -> Server<SocketAddr, A> {
    let builder = server.http_builder();
    builder.http1().header_read_timeout(patience);
    builder
        .http2()
        .keep_alive_interval(patience)
        .keep_alive_timeout(patience);
    server.first_request_timeout(patience)
}

/// Ends requests whose body stops coming for `patience`, or never ends.
pub(crate) fn limit_bodies(routes: Router, patience: Duration) -> Router {
    routes
        .layer(RequestBodyTimeoutLayer::new(patience))
        .layer(RequestBodyDeadlineLayer::new(WHOLE_BODY))
}
