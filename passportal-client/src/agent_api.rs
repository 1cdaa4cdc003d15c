//! The agent's calls, with its own revocable token.

use std::fmt;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;
use sync_engine::ports::Cause;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::http::{Call, Transport};
use crate::wire::{
    Attempts, Changes, ChangesQuery, Heartbeat, LeaseAnswer, Report, ReportAccepted, RotatedToken,
    SecretAnswer, SecretPurpose, ShownPlans, WrappedKey,
};
use crate::{ApiError, HttpConfig};

const HEARTBEAT: &str = "api/v2/agent/heartbeat";
const CHANGES: &str = "api/v2/agent/changes";
const CREDENTIALS: &str = "api/v2/agent/credentials";
const KEY: &str = "api/v2/agent/key";
const ATTEMPTS: &str = "api/v2/agent/attempts";
const REPORTS: &str = "api/v2/agent/reports";
const PLANS: &str = "api/v2/agent/plans";
const TOKEN: &str = "api/v2/agent/token";

/// Where an agent's token survives a restart.
#[async_trait]
pub trait TokenKeeper: Send + Sync {
    /// Keeps a new token instead of the old one. Durable when it returns; when it fails, the old
    /// one is still kept.
    async fn keep(&self, token: &SecretString) -> Result<(), Cause>;
}

/// Why the agent's token was not replaced. The old one is still good.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The vault gave none.
    #[error("the vault gave no new token")]
    Refused(#[from] ApiError),
    /// It could not be kept, and was therefore not used.
    #[error("the new token could not be kept")]
    NotKept(#[source] Cause),
}

/// An agent's conversation with the vault.
pub struct AgentApi {
    transport: Transport,
    token: RwLock<SecretString>,
    rotation: Mutex<()>,
}

impl AgentApi {
    /// With the token of the agent's enrolment, or of its last rotation.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up; whether the token is good shows in the first call.
    pub fn new(config: &HttpConfig, token: SecretString) -> Result<Self, ApiError> {
        Ok(Self {
            transport: Transport::new(config)?,
            token: RwLock::new(token),
            rotation: Mutex::new(()),
        })
    }

    /// Says "I am alive" and asks for the lease.
    pub async fn heartbeat(&self, heartbeat: &Heartbeat) -> Result<LeaseAnswer, ApiError> {
        self.results(Call::post(HEARTBEAT).json(heartbeat).repeatable())
            .await
    }

    /// One page of what changed.
    pub async fn changes(&self, query: &ChangesQuery) -> Result<Changes, ApiError> {
        let call = Call::get(CHANGES)
            .maybe("cursor", query.cursor.as_deref())
            .query("wait", &query.wait)
            .maybe("limit", query.limit)
            .maybe("instance", query.instance)
            .patience(Duration::from_secs(query.wait.into()));
        self.results(call).await
    }

    /// The sealed password of exactly this version.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when the credential has another version, [`ApiError::NotFound`] when
    /// it is disabled or unknown.
    pub async fn secret(
        &self,
        credential: Uuid,
        version: u64,
        purpose: SecretPurpose,
    ) -> Result<SecretAnswer, ApiError> {
        let path = format!("{CREDENTIALS}/{credential}/secret");
        let call = Call::get(path).query("version", &version);
        let call = match purpose {
            SecretPurpose::Sync => call,
            SecretPurpose::SignIn => call.query("purpose", &purpose.name()),
        };
        self.results(call).await
    }

    /// The client's data key, which the organization key opens.
    pub async fn wrapped_key(&self) -> Result<WrappedKey, ApiError> {
        self.results(Call::get(KEY)).await
    }

    /// Writes down sign-in tests, 1000 at the most. The vault keeps the newest state of each.
    pub async fn note_attempts(&self, attempts: &Attempts) -> Result<(), ApiError> {
        let call = &Call::post(ATTEMPTS).json(attempts).repeatable();
        self.with_token(|token| async move { self.transport.done(call, Some(&token)).await })
            .await
    }

    /// Tells what happened, 1000 entries at the most. The vault takes each report's id once.
    pub async fn report(&self, report: &Report) -> Result<ReportAccepted, ApiError> {
        self.results(Call::post(REPORTS).json(report).repeatable())
            .await
    }

    /// Shows people the plans that the breaker held, in place of those shown before.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] when another agent holds the lease, [`ApiError::NotFound`] when the
    /// vault is of a version that shows no plans.
    pub async fn show_plans(&self, plans: &ShownPlans) -> Result<(), ApiError> {
        let call = &Call::put(PLANS).json(plans).unhurried();
        self.with_token(|token| async move { self.transport.done(call, Some(&token)).await })
            .await
    }

    /// Replaces the token. The new one is kept before it is first used: the vault lets the old one
    /// live until then, so that whatever happens in between, the kept one is good.
    ///
    /// # Errors
    /// When there is no new token, or it cannot be kept; the old one stays in use.
    pub async fn rotate(&self, keeper: &dyn TokenKeeper) -> Result<(), RotateError> {
        let _one_at_a_time = self.rotation.lock().await;
        let rotated: RotatedToken = self.results(Call::post(TOKEN)).await?;
        let token = SecretString::from(rotated.token);
        keeper.keep(&token).await.map_err(RotateError::NotKept)?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    async fn results<T: DeserializeOwned>(&self, call: Call) -> Result<T, ApiError> {
        let call = &call;
        self.with_token(|token| async move { self.transport.results(call, Some(&token)).await })
            .await
    }

    /// A call that was about to be sent while another one used a rotated token first comes too late
    /// with the old token: it is sent again with the new one.
    async fn with_token<T, F>(&self, send: impl Fn(SecretString) -> F) -> Result<T, ApiError>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let token = self.token();
        match send(token.clone()).await {
            Err(error) if error.is_bad_token() && self.has_rotated_since(&token) => {
                send(self.token()).await
            }
            other => other,
        }
    }

    fn token(&self) -> SecretString {
        self.token
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn has_rotated_since(&self, token: &SecretString) -> bool {
        let current = self.token();
        let (current, token) = (current.expose_secret(), token.expose_secret());
        !bool::from(current.as_bytes().ct_eq(token.as_bytes()))
    }
}

impl fmt::Debug for AgentApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgentApi(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wiremock::matchers::header;
    use wiremock::{Mock, MockServer, Request};

    use super::*;
    use crate::tests::{config, failure, secret, success};
    use crate::wire::code;

    #[tokio::test]
    async fn a_call_that_came_too_late_with_the_old_token_is_sent_with_the_new_one() {
        let server = MockServer::start().await;
        let api = Arc::new(AgentApi::new(&config(&server), secret("old")).unwrap());
        let meanwhile = Arc::clone(&api);
        Mock::given(header("x-access-token", "old"))
            .respond_with(move |_: &Request| {
                *meanwhile.token.write().unwrap() = secret("new");
                failure(401, code::BAD_TOKEN)
            })
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(header("x-access-token", "new"))
            .respond_with(success(ReportAccepted { duplicate: false }))
            .expect(1)
            .mount(&server)
            .await;
        let report = Report {
            id: Uuid::from_u128(9),
            entries: Vec::new(),
            instance: None,
        };
        assert!(!api.report(&report).await.unwrap().duplicate);
    }
}
