//! Headers of every answer: nothing is cached, framed, sniffed or loaded from elsewhere.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::state::Transport;

const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
];

const TLS_ONLY: (HeaderName, &str) = (
    header::STRICT_TRANSPORT_SECURITY,
    "max-age=31536000; includeSubDomains",
);

/// Adds the headers to every answer of `routes`.
pub(crate) fn add(routes: Router, transport: Transport) -> Router {
    let tls_only = match transport {
        Transport::Tls => Some(TLS_ONLY),
        Transport::Loopback => None,
    };
    ALWAYS
        .into_iter()
        .chain(tls_only)
        .fold(routes, |routes, (name, value)| {
            let value = HeaderValue::from_static(value);
            routes.layer(SetResponseHeaderLayer::overriding(name, value))
        })
}
