//! The HTTPS client: how requests leave this machine, and what a fault says of the request.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, Client, Request, Response, StatusCode, redirect, tls};
use tracing::field::{Empty, display};
use tracing::{Instrument as _, Span};
use url::Url;
use uuid::Uuid;

use crate::proxy::{ProxyTrouble, Route};
use crate::service_clock::{self, ServiceClock};
use crate::{GraphError, GraphSetupError};

/// From the first byte sent to the last byte received.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A page of 999 accounts is well under a megabyte.
const LARGEST_BODY: usize = 16 << 20;
/// Under this name Microsoft's support finds a request of ours.
const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Sends requests, each exactly once.
pub(crate) struct Transport {
    client: Client,
    route: Route,
    clock: Arc<ServiceClock>,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client would print the whole authority of the environment's proxy.
        f.debug_struct("Transport").finish_non_exhaustive()
    }
}

/// How long each phase of a request may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Until there is a connection: name, TCP, proxy, TLS.
    pub(crate) connect: Duration,
    /// Without a byte from the service: before its answer's head, and within its body.
    pub(crate) silence: Duration,
    /// For all of it.
    pub(crate) whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(20),
            whole: REQUEST_TIMEOUT,
        }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The id that the request carried.
    pub(crate) request: Uuid,
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
    NotSent(#[source] Fault),
    /// It may have.
    #[error("no answer")]
    Lost(#[source] Fault),
    /// It may have, and what came back was not read to its end.
    #[error("the answer is too large")]
    TooLarge(Uuid),
}

/// What went wrong with a request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("request {request}")]
pub(crate) struct Fault {
    /// The id that it carried, or would have.
    request: Uuid,
    /// The proxy that kept it from its way, and how.
    proxy: Option<(String, ProxyTrouble)>,
    source: Arc<reqwest::Error>,
}

impl SendFault {
    /// The same for a reader, with the host that it was about.
    pub(crate) fn at(self, host: String) -> GraphError {
        match self {
            Self::NotSent(Fault {
                proxy: Some((proxy, trouble)),
                source,
                ..
            }) => GraphError::Proxy {
                proxy,
                trouble,
                host,
                source,
            },
            Self::NotSent(Fault { source, .. }) => GraphError::Unreachable { host, source },
            Self::Lost(Fault {
                request, source, ..
            }) => GraphError::NoAnswer {
                host,
                request,
                source,
            },
            Self::TooLarge(request) => GraphError::TooLarge { host, request },
        }
    }
}

impl Transport {
    pub(crate) fn new(
        extra_ca: Option<&[u8]>,
        route: Route,
        timeouts: Timeouts,
        clock: Arc<ServiceClock>,
    ) -> Result<Self, GraphSetupError> {
        let builder = Client::builder()
            .user_agent(concat!("passportal-sync/", env!("CARGO_PKG_VERSION")))
            .min_tls_version(tls::Version::TLS_1_2)
            .connect_timeout(timeouts.connect)
            .read_timeout(timeouts.silence)
            .timeout(timeouts.whole)
            // A redirect would carry a password or a token to wherever it says.
            .redirect(redirect::Policy::none())
            // Retrying is decided above, where it is known what a repetition does.
            .retry(reqwest::retry::never());
        let mut builder = route.lay(builder);
        for certificate in extra_ca.map(certificates).transpose()?.unwrap_or_default() {
            builder = builder.add_root_certificate(certificate);
        }
        let client = builder
            .build()
            .map_err(|error| GraphSetupError::Client(Arc::new(error)))?;
        Ok(Self {
            client,
            route,
            clock,
        })
    }

    /// For requests that no builder of graph-rs-sdk makes: links to further pages.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a request, once.
    pub(crate) async fn send(&self, mut request: Request) -> Result<Answer, SendFault> {
        let id = name_the_request(&mut request);
        let span = span(id, &request);
        let exchanged = self.exchange(id, request).instrument(span.clone()).await;
        match &exchanged {
            Ok(answer) => span.record(
                "http.response.status_code",
                i64::from(answer.status.as_u16()),
            ),
            Err(fault) => span
                .record("error.type", display(fault))
                .record("otel.status_code", "ERROR"),
        };
        exchanged
    }

    async fn exchange(&self, id: Uuid, request: Request) -> Result<Answer, SendFault> {
        let url = request.url().clone();
        let started = Instant::now();
        let sent = self.client.execute(request).await;
        let response = sent.map_err(|error| self.fault(id, &url, error))?;
        let elapsed = started.elapsed();
        let date = service_clock::stated(response.headers());
        self.clock.observe(date);
        Ok(Answer {
            request: id,
            status: response.status(),
            headers: response.headers().clone(),
            date,
            elapsed,
            body: self.read_body(id, &url, response).await?,
        })
    }

    async fn read_body(
        &self,
        id: Uuid,
        url: &Url,
        mut response: Response,
    ) -> Result<Vec<u8>, SendFault> {
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await;
            let Some(chunk) = chunk.map_err(|error| self.fault(id, url, error))? else {
                return Ok(body);
            };
            if body.len() + chunk.len() > LARGEST_BODY {
                return Err(SendFault::TooLarge(id));
            }
            body.extend_from_slice(&chunk);
        }
    }

    fn fault(&self, request: Uuid, url: &Url, error: reqwest::Error) -> SendFault {
        let never_left = error.is_connect() || error.is_builder();
        let source = error.without_url();
        if never_left {
            let proxy = self.route.proxy_before(url);
            SendFault::NotSent(Fault {
                request,
                proxy: proxy.and_then(|proxy| Some((proxy, ProxyTrouble::of(&source)?))),
                source: Arc::new(source),
            })
        } else {
            SendFault::Lost(Fault {
                request,
                proxy: None,
                source: Arc::new(source),
            })
        }
    }
}

/// Neither path nor query: they name people and hold links. Source: OpenTelemetry semantic conventions, "HTTP client spans".
fn span(id: Uuid, request: &Request) -> Span {
    tracing::debug_span!(
        "request",
        otel.name = %request.method(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %request.method(),
        server.address = request.url().host_str(),
        http.response.status_code = Empty,
        error.type = Empty,
        microsoft.client_request_id = %id,
    )
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, GraphSetupError> {
    let certificates = Certificate::from_pem_bundle(pem)
        .map_err(|error| GraphSetupError::ExtraCa(Some(Arc::new(error))))?;
    if certificates.is_empty() {
        return Err(GraphSetupError::ExtraCa(None));
    }
    Ok(certificates)
}

fn name_the_request(request: &mut Request) -> Uuid {
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
    id
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{header_exists, method};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::test_tenant::{silent_service, tls_service};

    fn made(extra_ca: Option<&[u8]>, timeouts: Timeouts) -> Result<Transport, GraphSetupError> {
        let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
        Transport::new(extra_ca, Route::straight(), timeouts, clock)
    }

    fn transport() -> Transport {
        made(None, Timeouts::default()).unwrap()
    }

    /// A service that takes a connection, and then says these parts, each after a pause.
    async fn slow_service(parts: &'static [&'static str]) -> std::net::SocketAddr {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1_024]).await;
            for part in parts {
                tokio::time::sleep(Duration::from_millis(60)).await;
                if stream.write_all(part.as_bytes()).await.is_err() {
                    return;
                }
            }
            std::future::pending::<()>().await;
        });
        address
    }

    /// How a request to a slow service ends, with these limits in milliseconds.
    async fn slowly(
        scheme: &str,
        parts: &'static [&'static str],
        [connect, silence, whole]: [u64; 3],
    ) -> SendFault {
        let service = slow_service(parts).await;
        let timeouts = Timeouts {
            connect: Duration::from_millis(connect),
            silence: Duration::from_millis(silence),
            whole: Duration::from_millis(whole),
        };
        let _ = rustls::crypto::ring::default_provider().install_default();
        let transport = made(None, timeouts).unwrap();
        let sent = transport.send(get(&format!("{scheme}://{service}/")));
        sent.await.unwrap_err()
    }

    #[tokio::test]
    async fn a_handshake_that_does_not_come_about_in_time_was_certainly_not_sent() {
        let fault = slowly("https", &[], [50, 60_000, 60_000]).await;
        assert!(matches!(fault, SendFault::NotSent(_)), "{fault:?}");
    }

    #[tokio::test]
    async fn silence_before_the_head_or_within_the_body_leaves_it_open() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n";
        for parts in [&[][..], &[HEAD][..], &[HEAD, "abc"][..]] {
            let fault = slowly("http", parts, [60_000, 200, 60_000]).await;
            assert!(matches!(fault, SendFault::Lost(_)), "{fault:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_drips_for_too_long_leaves_it_open() {
        const DRIPS: [&str; 9] = [
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n",
            "a",
            "b",
            "c",
            "d",
            "e",
            "f",
            "g",
            "h",
        ];
        let fault = slowly("http", &DRIPS, [60_000, 60_000, 200]).await;
        assert!(matches!(fault, SendFault::Lost(_)), "{fault:?}");
    }

    #[tokio::test]
    async fn an_error_names_the_request_that_the_service_may_have_seen() {
        let server = MockServer::start().await;
        let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
        Mock::given(method("GET"))
            .respond_with(slow)
            .mount(&server)
            .await;
        let timeouts = Timeouts {
            silence: Duration::from_millis(200),
            ..Timeouts::default()
        };
        let sent = made(None, timeouts).unwrap().send(get(&server.uri())).await;
        let error = sent.unwrap_err().at("graph.example".to_owned());
        let seen = server.received_requests().await.unwrap();
        let id = seen[0].headers["client-request-id"].to_str().unwrap();
        assert!(error.to_string().contains(id), "{error}");
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

    #[tokio::test]
    async fn a_private_authority_is_trusted_when_it_is_configured_and_only_then() {
        let (service, certificate) = tls_service("localhost").await;
        let url = format!("https://localhost:{}/", service.port());
        let with = |extra: Option<&[u8]>| made(extra, Timeouts::default()).unwrap();
        let stranger = with(None).send(get(&url)).await.unwrap_err();
        assert!(matches!(stranger, SendFault::NotSent(_)), "{stranger:?}");
        let answer = with(Some(certificate.as_bytes())).send(get(&url)).await;
        assert_eq!(answer.unwrap().body, b"over TLS");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        let outcome = made(Some(b"no PEM at all"), Timeouts::default());
        assert!(matches!(outcome, Err(GraphSetupError::ExtraCa(_))));
    }
}
