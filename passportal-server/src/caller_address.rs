//! The address of whoever calls, for the audit trail and the sign-in limit.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use ipnet::IpNet;

/// Where a proxy says for whom it asks: each proxy adds the address that it was called from at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies whose word about the caller's address is taken.
pub(crate) type TrustedProxies = Arc<[IpNet]>;

tokio::task_local! {
    static CURRENT: Option<IpAddr>;
}

/// The address of the caller whose request is being answered; `None` where the program works by itself.
pub(crate) fn current() -> Option<IpAddr> {
    CURRENT.try_with(|address| *address).ok().flatten()
}

/// Work of the request that is being answered, which another task does.
pub(crate) fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(current(), work)
}

/// Remembers the address for as long as the request is being answered. Handlers see it as the connection's.
pub(crate) async fn remember(
    State(proxies): State<TrustedProxies>,
    mut request: Request,
    next: Next,
) -> Response {
    let connection = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = connection.map(|ConnectInfo(address)| {
        caller(address.ip().to_canonical(), request.headers(), &proxies)
    });
    if let Some(address) = address {
        let seen = SocketAddr::from((address, 0));
        request.extensions_mut().insert(ConnectInfo(seen));
    }
    CURRENT.scope(address, next.run(request)).await
}

/// The last address that no trusted proxy has: what stands before it the caller may have made up.
fn caller(connection: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| proxies.iter().any(|net| net.contains(address));
    let mut caller = connection;
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    let mut said = lines.iter().flat_map(|line| line.split(',')).rev();
    while is_trusted(&caller) {
        let Some(Ok(before)) = said.next().map(|text| text.trim().parse::<IpAddr>()) else {
            break;
        };
        caller = before.to_canonical();
    }
    caller
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(connection: &str, forwarded_for: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded_for {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let proxies: Vec<IpNet> = proxies.iter().map(|net| net.parse().unwrap()).collect();
        caller(connection.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        assert_eq!(seen("203.0.113.9", &["10.0.0.1"], &[]), "203.0.113.9");
        assert_eq!(
            seen("203.0.113.9", &["10.0.0.1"], &["127.0.0.0/8"]),
            "203.0.113.9"
        );
        assert_eq!(
            seen("127.0.0.1", &["203.0.113.9"], &["127.0.0.0/8"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn what_the_caller_made_up_is_passed_over() {
        let proxies = ["127.0.0.0/8", "10.0.0.0/8"];
        for forwarded in [
            &["1.1.1.1, 203.0.113.9, 10.2.3.4"][..],
            &["1.1.1.1", "203.0.113.9,10.2.3.4"],
            &["nonsense, 203.0.113.9, ::ffff:10.2.3.4"],
        ] {
            assert_eq!(seen("127.0.0.1", forwarded, &proxies), "203.0.113.9");
        }
    }

    #[test]
    fn without_a_readable_word_it_is_the_last_proxy() {
        for forwarded in [&[][..], &["unknown"], &["[::1]:80, _hidden"]] {
            assert_eq!(seen("127.0.0.1", forwarded, &["127.0.0.0/8"]), "127.0.0.1");
        }
    }
}
