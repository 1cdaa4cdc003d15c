//! The address of whoever calls, for the audit trail.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;

tokio::task_local! {
    static CURRENT: Option<IpAddr>;
}

/// The address of the caller whose request is being answered; `None` where the program works by itself.
pub(crate) fn current() -> Option<IpAddr> {
    CURRENT.try_with(|address| *address).ok().flatten()
}

/// Remembers the address for as long as the request is being answered.
pub(crate) async fn remember(request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = caller.map(|ConnectInfo(address)| address.ip().to_canonical());
    CURRENT.scope(address, next.run(request)).await
}
