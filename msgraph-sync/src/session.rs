//! One tenant's conversation with Graph: limits, tokens, retries, and what an answer means.

use std::sync::Arc;
use std::time::{Duration, Instant};

use graph_rs_sdk::error::ErrorMessage;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Request, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use crate::calls::{Call, CallBuilder};
use crate::governor::{Governor, Kind};
use crate::paging::Link;
use crate::retry_after::{Patience, retry_after};
use crate::token::{ClaimsChallenge, TokenCache, TokenFacts};
use crate::transport::{Answer, SendFault, Transport};
use crate::{GraphError, ServiceFault};

/// Codes that say that a delta link is of no use any more.
/// Source: Microsoft Graph, "Use delta query": synchronization reset; and error codes.
const EXPIRED_LINK_CODES: [&str; 2] = ["syncStateNotFound", "resyncRequired"];

/// One tenant's conversation with Graph.
pub(crate) struct Session {
    calls: CallBuilder,
    tokens: Arc<TokenCache>,
    transport: Arc<Transport>,
    governor: Governor,
    patience: Patience,
}

/// Why one call has no answer.
#[derive(Debug)]
pub(crate) enum CallFault {
    /// The request was not built, hence not sent: no token, mostly.
    NotBuilt(GraphError),
    /// It became too late to send it.
    TooLate,
    /// It was sent, or tried to be.
    Send(SendFault),
}

impl Session {
    pub(crate) fn new(
        graph: Url,
        tokens: Arc<TokenCache>,
        transport: Arc<Transport>,
        governor: Governor,
        patience: Patience,
    ) -> Self {
        Self {
            calls: CallBuilder::new(graph, Arc::clone(&tokens), Arc::clone(&transport)),
            tokens,
            transport,
            governor,
            patience,
        }
    }

    pub(crate) fn governor(&self) -> &Governor {
        &self.governor
    }

    #[cfg(test)]
    pub(crate) async fn build(&self, call: &Call<'_>) -> Result<Request, GraphError> {
        self.calls.build(call).await
    }

    /// What the agent's token says of the agent; `None` where it cannot be read. A token that permits too little, and
    /// is not fresh, is replaced first.
    pub(crate) async fn token_facts(
        &self,
        permits_too_little: impl Fn(&TokenFacts) -> bool,
    ) -> Result<Option<TokenFacts>, GraphError> {
        let facts = TokenFacts::of(&self.tokens.token().await?);
        if !facts.as_ref().is_some_and(permits_too_little) {
            return Ok(facts);
        }
        self.renounce_old_token().await;
        Ok(TokenFacts::of(&self.tokens.token().await?))
    }

    /// Lets the next call have a new token, unless this one is fresh.
    pub(crate) async fn renounce_old_token(&self) {
        self.tokens.renounce_unless_fresh().await;
    }

    /// Lets the next call have a new token, where this one was refused for what its own permits. It is not sent again.
    pub(crate) async fn heed_refusal(&self, answer: &Answer) {
        if answer.status == StatusCode::FORBIDDEN && Stated::of(answer).is_of_graph() {
            self.renounce_old_token().await;
        }
    }

    /// As if the agent's token had been granted a while ago.
    #[cfg(test)]
    pub(crate) async fn age_token(&self) {
        self.tokens.age().await;
    }

    /// A link of this Graph, checked.
    pub(crate) fn link(&self, text: &str) -> Result<Link, GraphError> {
        Link::parse(text, self.calls.base())
    }

    /// Reads one answer, with patience.
    pub(crate) async fn read<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, GraphError> {
        let answer = self.patiently(call).await?;
        serde_json::from_slice(&answer.body).map_err(|error| GraphError::NotUnderstood {
            call: call.facts().name,
            source: Some(Arc::new(error)),
        })
    }

    async fn patiently(&self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let mut waits = self.patience.waits();
        loop {
            let error = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait) = self.patience.wait(&error, &mut waits) else {
                return Err(error);
            };
            let name = call.facts().name;
            tracing::debug!(
                wait_ms = wait.as_millis(),
                error = &error as &dyn std::error::Error,
                "{name} is tried again"
            );
            tokio::time::sleep(wait).await;
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let facts = call.facts();
        self.governor.read(facts.units).await.map_err(full)?;
        let answer = self.send(call, None).await.map_err(|fault| match fault {
            CallFault::NotBuilt(error) => error,
            CallFault::Send(fault) => fault.at(self.calls.host()),
            // A read has no such time.
            CallFault::TooLate => GraphError::NotBuilt { call: facts.name },
        })?;
        self.governor
            .hear(Kind::Read, facts.units, answer.status, &answer.headers);
        judge(answer, call)
    }

    /// Sends a call. A 401 had no effect: the token is dropped, and the call sent once more with a new one, which has
    /// the claims that the 401 demanded.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        not_after: Option<Instant>,
    ) -> Result<Answer, CallFault> {
        Ok(self.send_with_token(call, not_after).await?.0)
    }

    /// The same, and the token that the answer is an answer to.
    pub(crate) async fn send_with_token(
        &self,
        call: &Call<'_>,
        not_after: Option<Instant>,
    ) -> Result<(Answer, String), CallFault> {
        let (answer, used) = self.send_once(call, not_after).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            self.heed_refusal(&answer).await;
            return Ok((answer, used));
        }
        let challenge = ClaimsChallenge::of(&answer.headers);
        self.renounce(call, &used, challenge).await;
        self.send_once(call, not_after).await
    }

    /// Drops a token that was refused. The next one has the claims of the challenge, if there was one.
    pub(crate) async fn renounce(
        &self,
        call: &Call<'_>,
        used: &str,
        challenge: Option<ClaimsChallenge>,
    ) {
        if challenge.is_some() {
            tracing::debug!("{} is challenged for claims", call.facts().name);
        }
        self.tokens.renounce(used, challenge).await;
    }

    async fn send_once(
        &self,
        call: &Call<'_>,
        not_after: Option<Instant>,
    ) -> Result<(Answer, String), CallFault> {
        let request = self.calls.build(call).await.map_err(CallFault::NotBuilt)?;
        if not_after.is_some_and(|end| Instant::now() > end) {
            return Err(CallFault::TooLate);
        }
        let used = bearer(&request);
        let answer = self.transport.send(request).await;
        Ok((answer.map_err(CallFault::Send)?, used))
    }
}

/// The limits leave no room for so long: the same as if the service had said it.
fn full(wait: Duration) -> GraphError {
    GraphError::Service(ServiceFault {
        status: StatusCode::TOO_MANY_REQUESTS.as_u16(),
        code: None,
        request_id: None,
        client_request_id: None,
        wait: Some(wait),
    })
}

fn bearer(request: &Request) -> String {
    request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .unwrap_or_default()
        .to_owned()
}

/// Turns a failure that the service stated into an error.
fn judge(answer: Answer, call: &Call<'_>) -> Result<Answer, GraphError> {
    let status = answer.status;
    if status.is_success() {
        return Ok(answer);
    }
    let stated = Stated::of(&answer);
    let fault = stated.fault(status, &answer.headers);
    Err(match status {
        StatusCode::GONE => GraphError::LinkExpired,
        _ if stated.code_is_one_of(&EXPIRED_LINK_CODES) => GraphError::LinkExpired,
        StatusCode::UNAUTHORIZED => GraphError::TokenRefused(fault),
        StatusCode::FORBIDDEN if stated.is_of_graph() => GraphError::Forbidden {
            needs: call.facts().needs,
            fault,
        },
        StatusCode::NOT_FOUND if stated.is_about_a_missing_object() => GraphError::NotFound,
        StatusCode::TOO_MANY_REQUESTS => GraphError::Service(fault),
        _ if status.is_server_error() => GraphError::Service(fault),
        _ => GraphError::Unexpected(fault),
    })
}

/// What an error body of Graph says. Any body may lack anything, or be no JSON at all.
pub(crate) struct Stated {
    code: Option<String>,
    pub(crate) message: String,
    request_id: Option<String>,
    client_request_id: Uuid,
}

impl Stated {
    pub(crate) fn of(answer: &Answer) -> Self {
        let wire: ErrorMessage = serde_json::from_slice(&answer.body).unwrap_or_default();
        Self {
            code: wire.code_property().filter(|code| is_a_word(code)),
            request_id: wire.request_id().filter(|id| is_a_word(id)),
            message: wire.message().unwrap_or_default(),
            client_request_id: answer.request,
        }
    }

    pub(crate) fn fault(&self, status: StatusCode, headers: &HeaderMap) -> ServiceFault {
        ServiceFault {
            status: status.as_u16(),
            code: self.code.clone(),
            request_id: self.request_id.clone(),
            client_request_id: Some(self.client_request_id),
            wait: retry_after(headers),
        }
    }

    /// Whether Graph itself answered: all its errors have a code. A proxy's page has none.
    pub(crate) fn is_of_graph(&self) -> bool {
        self.code.is_some()
    }

    /// A 404 of Graph itself, not one of a proxy or of a wrong base path.
    pub(crate) fn is_about_a_missing_object(&self) -> bool {
        self.code_is_one_of(&[
            "Request_ResourceNotFound",
            "ResourceNotFound",
            "itemNotFound",
        ])
    }

    fn code_is_one_of(&self, codes: &[&str]) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        codes.iter().any(|listed| listed.eq_ignore_ascii_case(code))
    }
}

/// Codes and ids are words. Anything else is not repeated in our messages.
fn is_a_word(text: &str) -> bool {
    let of_a_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    (1..=100).contains(&text.len()) && text.chars().all(of_a_word)
}
