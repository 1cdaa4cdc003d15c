//! The HTTPS client: how requests leave this machine, and what a fault says of the request.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Request, Response, StatusCode, redirect, tls};
use uuid::Uuid;

use crate::service_clock::{self, ServiceClock};
use crate::{GraphError, GraphSetupError};

/// A connection that takes longer than this is not coming.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// From the first byte sent to the last byte received.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of 999 accounts is well under a megabyte.
const LARGEST_BODY: usize = 16 << 20;
/// Under this name Microsoft's support finds a request of ours.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Sends requests, each exactly once.
#[derive(Debug)]
pub(crate) struct Transport {
    client: Client,
    clock: Arc<ServiceClock>,
}

/// Whether a proxy from the environment is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everything is on this machine: no proxy.
    Local,
    /// As the environment says.
    Beyond,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The service's time when it answered.
    pub(crate) date: Option<Timestamp>,
    /// From just before the request was sent until the answer's head was here.
    pub(crate) elapsed: Duration,
}

/// Why there is no answer, by what matters: may the request have had an effect?
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum SendFault {
    /// Certainly not: the connection never came about.
    #[error("not sent")]
    NotSent(#[source] Arc<reqwest::Error>),
    /// It may have.
    #[error("no answer")]
    Lost(#[source] Arc<reqwest::Error>),
    /// It may have, and what came back was not read to its end.
    #[error("the answer is too large")]
    TooLarge,
}

impl SendFault {
    fn of(error: reqwest::Error) -> Self {
        let never_left = error.is_connect() || error.is_builder();
        let error = Arc::new(error.without_url());
        if never_left {
            Self::NotSent(error)
        } else {
            Self::Lost(error)
        }
    }

    /// The same for a reader, with the host that it was about.
    pub(crate) fn at(self, host: String) -> GraphError {
        match self {
            Self::NotSent(source) => GraphError::Unreachable { host, source },
            Self::Lost(source) => GraphError::NoAnswer { host, source },
            Self::TooLarge => GraphError::TooLarge { host },
        }
    }
}

impl Transport {
    pub(crate) fn new(
        extra_ca: Option<&[u8]>,
        reach: Reach,
        clock: Arc<ServiceClock>,
    ) -> Result<Self, GraphSetupError> {
        let mut builder = Client::builder()
            .user_agent(concat!("passportal-sync/", env!("CARGO_PKG_VERSION")))
            .min_tls_version(tls::Version::TLS_1_2)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // A redirect would carry a password or a token to wherever it says.
            .redirect(redirect::Policy::none())
            // Retrying is decided above, where it is known what a repetition does.
            .retry(reqwest::retry::never());
        if reach == Reach::Local {
            builder = builder.no_proxy();
        }
        for certificate in extra_ca.map(certificates).transpose()?.unwrap_or_default() {
            builder = builder.add_root_certificate(certificate);
        }
        let client = builder
            .build()
            .map_err(|error| GraphSetupError::Client(Arc::new(error)))?;
        Ok(Self { client, clock })
    }

    /// For requests that no builder of graph-rs-sdk makes: links to further pages.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request, once.
    pub(crate) async fn send(&self, mut request: Request) -> Result<Answer, SendFault> {
        name_the_request(&mut request);
        let started = Instant::now();
        let response = self.client.execute(request).await.map_err(SendFault::of)?;
        let elapsed = started.elapsed();
        let date = service_clock::stated(response.headers());
        self.clock.observe(date);
        Ok(Answer {
            status: response.status(),
            headers: response.headers().clone(),
            date,
            elapsed,
            body: read_body(response).await?,
        })
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, GraphSetupError> {
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| GraphSetupError::ExtraCa(Some(Arc::new(error))))?;
    if certificates.is_empty() {
        return Err(GraphSetupError::ExtraCa(None));
    }
    Ok(certificates)
}

fn name_the_request(request: &mut Request) {
    let id = Uuid::new_v4();
    if let Ok(value) = HeaderValue::try_from(id.to_string()) {
        request.headers_mut().insert(CLIENT_REQUEST_ID, value);
    }
    tracing::debug!(
        request.id = %id,
        http.method = %request.method(),
        http.host = request.url().host_str(),
        "sending request {id}"
    );
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, SendFault> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(SendFault::of)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(SendFault::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{header_exists, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::test_tenant::silent_service;

    fn transport() -> Transport {
        let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
        Transport::new(None, Reach::Local, clock).unwrap()
    }

    fn get(url: &str) -> Request {
        Request::new(reqwest::Method::GET, url.parse().unwrap())
    }

    #[tokio::test]
    async fn every_request_carries_an_id_of_its_own() {
        let server = MockServer::start().await;
        Mock::given(header_exists("client-request-id"))
            .respond_with(ResponseTemplate::new(204))
            .expect(2)
            .mount(&server)
            .await;
        let transport = transport();
        for _ in 0..2 {
            let answer = transport.send(get(&server.uri())).await.unwrap();
            assert_eq!(answer.status, StatusCode::NO_CONTENT);
        }
        let seen = server.received_requests().await.unwrap();
        let ids: Vec<_> = seen
            .iter()
            .map(|r| &r.headers["client-request-id"])
            .collect();
        assert_ne!(ids[0], ids[1]);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let server = MockServer::start().await;
        let elsewhere = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(
                ResponseTemplate::new(307).insert_header("Location", elsewhere.uri().as_str()),
            )
            .mount(&server)
            .await;
        let answer = transport().send(get(&server.uri())).await.unwrap();
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        assert!(elsewhere.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_refused_connection_was_certainly_not_sent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        drop(listener);
        let fault = transport().send(get(&url)).await.unwrap_err();
        assert!(matches!(fault, SendFault::NotSent(_)), "{fault:?}");
    }

    #[tokio::test]
    async fn a_connection_that_closes_without_an_answer_leaves_it_open() {
        let (url, hang_up) = silent_service().await;
        let fault = transport().send(get(url.as_str())).await.unwrap_err();
        hang_up.await.unwrap();
        assert!(matches!(fault, SendFault::Lost(_)), "{fault:?}");
    }

    /// A server with a certificate of its own making: its base URL, and the certificate.
    async fn tls_server() -> (String, String, axum_server::Handle<std::net::SocketAddr>) {
        // Another test may have done it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let config = axum_server::tls_rustls::RustlsConfig::from_pem(
            certificate.clone().into_bytes(),
            made.signing_key.serialize_pem().into_bytes(),
        )
        .await
        .unwrap();
        let handle: axum_server::Handle<std::net::SocketAddr> = axum_server::Handle::new();
        let server = axum_server::bind_rustls("127.0.0.1:0".parse().unwrap(), config);
        let app = axum::Router::new().fallback(async || "over TLS");
        tokio::spawn(server.handle(handle.clone()).serve(app.into_make_service()));
        let port = handle.listening().await.unwrap().port();
        (format!("https://localhost:{port}/"), certificate, handle)
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_when_it_is_configured_and_only_then() {
        let (url, certificate, server) = tls_server().await;
        let with = |extra: Option<&[u8]>| {
            let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
            Transport::new(extra, Reach::Local, clock).unwrap()
        };
        let stranger = with(None).send(get(&url)).await.unwrap_err();
        assert!(matches!(stranger, SendFault::NotSent(_)), "{stranger:?}");
        let answer = with(Some(certificate.as_bytes())).send(get(&url)).await;
        assert_eq!(answer.unwrap().body, b"over TLS");
        server.shutdown();
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
        let outcome = Transport::new(Some(b"no PEM at all"), Reach::Beyond, clock);
        assert!(matches!(outcome, Err(GraphSetupError::ExtraCa(_))));
    }
}
