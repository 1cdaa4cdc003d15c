//! Asks the running agent whether it is alive, for containers that have no other program to ask with.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// Whoever asks for an agent's health waits for it.
const LONGEST: Duration = Duration::from_secs(5);

/// Why the agent is not well.
#[derive(Debug, thiserror::Error)]
pub enum HealthCheckError {
    /// It does not answer.
    #[error("the agent does not answer at {address}")]
    NoAnswer {
        /// Where it should.
        address: SocketAddr,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It answers that something is wrong.
    #[error("the agent at {address} answered {status}")]
    NotWell {
        /// Where.
        address: SocketAddr,
        /// With what.
        status: reqwest::StatusCode,
    },
}

impl HealthCheckError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoAnswer { .. } => "is it running, and is listen.address the same there?",
            Self::NotWell { .. } => "is another program at that address? see the agent's log",
        }
    }
}

/// Asks `/healthz` of the agent that listens there.
///
/// # Errors
/// When it does not answer that it works.
pub async fn run(listen: SocketAddr) -> Result<(), HealthCheckError> {
    let address = on_this_machine(listen);
    let asked = ask(address).await;
    let status = asked.map_err(|source| HealthCheckError::NoAnswer { address, source })?;
    if status.is_success() {
        return Ok(());
    }
    Err(HealthCheckError::NotWell { address, status })
}

/// Why the agent that listens there is not ready; `None` where it is.
///
/// # Errors
/// When it does not answer.
pub(crate) async fn readiness(listen: SocketAddr) -> Result<Option<String>, HealthCheckError> {
    let address = on_this_machine(listen);
    let no_answer = |source| HealthCheckError::NoAnswer { address, source };
    let answer = get(address, "readyz").await.map_err(no_answer)?;
    if answer.status().is_success() {
        return Ok(None);
    }
    answer.text().await.map(Some).map_err(no_answer)
}

async fn ask(address: SocketAddr) -> reqwest::Result<reqwest::StatusCode> {
    Ok(get(address, "healthz").await?.status())
}

async fn get(address: SocketAddr, path: &str) -> reqwest::Result<reqwest::Response> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(LONGEST)
        .build()?;
    client.get(format!("http://{address}/{path}")).send().await
}

/// "Every address" is one to listen on; this machine is the one to ask.
fn on_this_machine(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::get;
    use tokio::net::TcpListener;

    use super::*;

    async fn serve(router: Router) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async { axum::serve(listener, router).await });
        port
    }

    #[tokio::test]
    async fn an_agent_that_listens_on_every_address_is_asked_on_this_machine() {
        let port = serve(Router::new().route("/healthz", get(async || "ok\n"))).await;
        run(SocketAddr::from(([0, 0, 0, 0], port))).await.unwrap();
    }

    #[tokio::test]
    async fn another_program_at_its_address_is_no_agent_that_is_well() {
        let address = SocketAddr::from(([127, 0, 0, 1], serve(Router::new()).await));
        let error = run(address).await.unwrap_err();
        assert!(
            error.to_string().ends_with("answered 404 Not Found"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn nobody_there_is_told_with_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = run(address).await.unwrap_err();
        assert!(error.to_string().contains(&address.to_string()), "{error}");
    }
}
