//! Traces of what the agent does, for a collector of OpenTelemetry, where the environment names one.
//!
//! The variables are those of OpenTelemetry's specification ("OpenTelemetry Protocol Exporter", "SDK environment variables"):
//! `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME`, `OTEL_TRACES_SAMPLER` and their kin.

use std::env;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, ResponseExt as _};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Layer;
use tracing_subscriber::registry::LookupSpan;

use super::super::remark;

const SERVICE: &str = "passportal-agent";

/// Any of them names a collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
];

/// Whose spans are told: a library's are of no use to whoever looks at the agent.
const OURS: [&str; 3] = ["agent_bin", "msgraph_sync", "passportal_client"];

/// A collector that does not answer must not hold up a stop.
const LONGEST_FLUSH: Duration = Duration::from_secs(5);

/// What was begun for a collector.
#[derive(Clone, Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// `None` where the environment names no collector, or one that cannot be used: that is said, and keeps the agent from nothing.
    pub(super) fn of_environment() -> Option<Self> {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        if !ENDPOINTS.into_iter().any(is_set) || is_disabled() {
            return None;
        }
        match Self::begin() {
            Ok(traces) => Some(traces),
            Err(error) => {
                remark(&format!(
                    "no traces are told: {error}; see the variables OTEL_…"
                ));
                None
            }
        }
    }

    fn begin() -> Result<Self, HttpError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector::new()?)
            .build()?;
        let resource = Resource::builder();
        let resource = if env::var_os("OTEL_SERVICE_NAME").is_some() {
            resource
        } else {
            resource.with_service_name(SERVICE)
        };
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.with_attribute(version).build())
            .build();
        Ok(Self(provider))
    }

    /// Spans of ours, and what an operator's log has within them.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            // Where in the code, and by which thread, is nothing to an operator.
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(is_told))
    }

    /// Tells what was not told yet.
    pub(super) async fn end(self) {
        let flush = move || self.0.shutdown_with_timeout(LONGEST_FLUSH);
        // Whatever the collector did not take is lost, as it would be in its way.
        let _ = tokio::task::spawn_blocking(flush).await;
    }
}

/// Source: OpenTelemetry specification, "General SDK configuration".
fn is_disabled() -> bool {
    env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

fn is_told(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    OURS.contains(&crate_name) && (metadata.is_span() || *metadata.level() <= Level::INFO)
}

/// The way to the collector, by the agent's own HTTP library. The exporter has a thread of its own, which knows no runtime.
#[derive(Debug)]
struct Collector {
    client: reqwest::Client,
    runtime: Handle,
    is_away: AtomicBool,
}

impl Collector {
    fn new() -> Result<Self, HttpError> {
        Ok(Self {
            client: reqwest::Client::builder().timeout(LONGEST_FLUSH).build()?,
            runtime: Handle::try_current()?,
            is_away: AtomicBool::new(false),
        })
    }

    /// Once when it goes away, and not with every batch.
    fn note(&self, sent: &Result<Response<Bytes>, HttpError>) {
        let Err(error) = sent else {
            self.is_away.store(false, Ordering::SeqCst);
            return;
        };
        if !self.is_away.swap(true, Ordering::SeqCst) {
            tracing::warn!(%error, "the collector of traces does not take them");
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sending = send(self.client.clone(), request);
        let sent = self
            .runtime
            .spawn(sending)
            .await
            .unwrap_or_else(|error| Err(error.into()));
        self.note(&sent);
        sent
    }
}

async fn send(
    client: reqwest::Client,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, HttpError> {
    let request = reqwest::Request::try_from(request)?;
    let answer = client
        .execute(request)
        .await
        .map_err(reqwest::Error::without_url)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(reqwest::Error::without_url)?;
    let answer = Response::builder().status(status).body(body)?;
    answer.error_for_status()
}
