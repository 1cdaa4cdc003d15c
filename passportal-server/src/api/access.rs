//! Who calls: an access token becomes a person, an agent or a program, or the call ends here.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use passportal_client::wire::ACCESS_TOKEN_HEADER;
use uuid::Uuid;

use super::answer::ApiError;
use crate::state::AppState;
use crate::token::TokenHash;
use crate::vault::{Actor, Holder, Person};

/// A person's session.
pub(super) struct PersonCaller {
    pub(super) person: Person,
    pub(super) token: TokenHash,
}

impl PersonCaller {
    /// For the audit trail.
    pub(super) fn actor(&self) -> Actor {
        Actor::person(&self.person.email)
    }
}

/// An agent, bound to its client.
pub(super) struct AgentCaller {
    pub(super) agent: Uuid,
    pub(super) client: Uuid,
    pub(super) token: TokenHash,
}

/// A program that signed in with an API key.
pub(super) struct ProgramCaller;

impl FromRequestParts<AppState> for PersonCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match holder(parts, state).await? {
            (Holder::Person(person), token) => Ok(Self { person, token }),
            _ => Err(ApiError::not_allowed()),
        }
    }
}

impl FromRequestParts<AppState> for AgentCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match holder(parts, state).await? {
            (Holder::Agent { agent, client }, token) => Ok(Self {
                agent,
                client,
                token,
            }),
            _ => Err(ApiError::not_allowed()),
        }
    }
}

impl FromRequestParts<AppState> for ProgramCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        match holder(parts, state).await? {
            (Holder::ApiKey(_), _) => Ok(Self),
            _ => Err(ApiError::not_allowed()),
        }
    }
}

async fn holder(parts: &Parts, state: &AppState) -> Result<(Holder, TokenHash), ApiError> {
    let token = parts
        .headers
        .get(ACCESS_TOKEN_HEADER)
        .and_then(|value| value.to_str().ok())
        .map(TokenHash::of)
        .ok_or_else(ApiError::bad_token)?;
    let holder = state.vault.holder(&token).await?;
    let holder = holder.ok_or_else(ApiError::bad_token)?;
    Ok((holder, token))
}
