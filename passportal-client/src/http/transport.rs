//! Sends calls, and sends harmless ones again.

use std::fmt;
use std::time::{Duration, Instant};

use backon::{ExponentialBuilder, Retryable};
use reqwest::Client;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use super::HttpConfig;
use super::answer::Answer;
use super::call::{Call, Repeat};
use super::config::ANSWER_TIMEOUT;
use crate::ApiError;
use crate::wire::ACCESS_TOKEN_HEADER;

const TRIES_AFTER_THE_FIRST: usize = 3;
const SHORTEST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 200 });
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// No further try begins after this long.
const LONGEST_TRYING: Duration = Duration::from_secs(10);

/// A server, and the connections to it.
#[derive(Clone)]
pub(crate) struct Transport {
    client: Client,
    config: HttpConfig,
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client would print the whole authority of the environment's proxy.
        let mut text = f.debug_struct("Transport");
        text.field("config", &self.config).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(config: &HttpConfig) -> Result<Self, ApiError> {
        Ok(Self {
            client: config.client()?,
            config: config.clone(),
        })
    }

    /// Sends the call and returns its results.
    pub(crate) async fn results<T: DeserializeOwned>(
        &self,
        call: &Call,
        token: Option<&SecretString>,
    ) -> Result<T, ApiError> {
        self.answer(call, token).await?.results()
    }

    /// Sends the call and returns its answer as it is.
    pub(crate) async fn plain<T: DeserializeOwned>(&self, call: &Call) -> Result<T, ApiError> {
        self.answer(call, None).await?.plain()
    }

    /// Sends the call, whose answer tells nothing but that it worked.
    pub(crate) async fn done(
        &self,
        call: &Call,
        token: Option<&SecretString>,
    ) -> Result<(), ApiError> {
        self.answer(call, token).await.map(drop)
    }

    async fn answer(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer, ApiError> {
        let began = Instant::now();
        let try_once = || async { self.send(call, token).await?.succeeded() };
        try_once
            .retry(pauses())
            .when(|error| {
                call.repeat == Repeat::Harmless
                    && error.is_passing()
                    && began.elapsed() < LONGEST_TRYING
            })
            .adjust(as_the_server_asked)
            .await
    }

    async fn send(&self, call: &Call, token: Option<&SecretString>) -> Result<Answer, ApiError> {
        let span = span(call);
        let exchanged = self.exchange(call, token).instrument(span.clone()).await;
        match &exchanged {
            Ok(answer) => span.record(
                "http.response.status_code",
                i64::from(answer.status().as_u16()),
            ),
            Err(_) => span.record("otel.status_code", "ERROR"),
        };
        exchanged
    }

    async fn exchange(
        &self,
        call: &Call,
        token: Option<&SecretString>,
    ) -> Result<Answer, ApiError> {
        let mut url = self.config.address(&call.path)?;
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut request = self
            .client
            .request(call.method.clone(), url)
            .timeout(ANSWER_TIMEOUT + call.extra_patience);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = token {
            request = request.header(ACCESS_TOKEN_HEADER, sensitive(token, call)?);
        }
        if let Some(body) = &call.body {
            request = request
                .header(CONTENT_TYPE, body.content_type)
                .body(body.bytes.clone());
        }
        let response = request.send().await.map_err(|e| self.unreachable(e))?;
        Answer::read(response, &call.path)
            .await
            .map_err(|e| self.unreachable(e))
    }

    fn unreachable(&self, error: reqwest::Error) -> ApiError {
        ApiError::Unreachable {
            url: self.config.base_url().to_string(),
            source: error.without_url(),
        }
    }
}

/// Source: OpenTelemetry semantic conventions, "HTTP client spans".
fn span(call: &Call) -> Span {
    tracing::debug_span!(
        "request",
        otel.name = %call.method,
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %call.method,
        url.path = call.path,
        http.response.status_code = Empty,
    )
}

/// A token's header, which HTTP's own logs show as "Sensitive".
fn sensitive(token: &SecretString, call: &Call) -> Result<HeaderValue, ApiError> {
    let mut value =
        HeaderValue::from_str(token.expose_secret()).map_err(|_| ApiError::Protocol {
            path: call.path.clone(),
            reason: "the access token has characters that no token has".into(),
        })?;
    value.set_sensitive(true);
    Ok(value)
}

fn pauses() -> ExponentialBuilder {
    ExponentialBuilder::new()
        .with_min_delay(SHORTEST_PAUSE)
        .with_max_delay(LONGEST_PAUSE)
        .with_max_times(TRIES_AFTER_THE_FIRST)
        .with_jitter()
        .with_jitter_seed(rand::random())
}

/// Waits as long as the server asks, or gives up when that is too long.
fn as_the_server_asked(error: &ApiError, pause: Option<Duration>) -> Option<Duration> {
    let pause = pause?;
    match error {
        ApiError::TooMany {
            retry_after: Some(asked),
            ..
        } => (*asked <= LONGEST_TRYING).then_some(pause.max(*asked)),
        _ => Some(pause),
    }
}
