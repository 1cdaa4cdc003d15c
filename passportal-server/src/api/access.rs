//! Who calls: an access token becomes a person, an agent or a program, or the call ends here.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use passportal_client::wire::ACCESS_TOKEN_HEADER;
use uuid::Uuid;

use super::answer::ApiError;
use crate::state::AppState;
use crate::token::TokenHash;
use crate::vault::{Actor, Holder, Member, Person, PersonVault, Vault};

/// A person's session.
pub(super) struct PersonCaller {
    member: Member,
    vault: Arc<Vault>,
    pub(super) token: TokenHash,
}

impl PersonCaller {
    /// The vault as this person sees it.
    pub(super) fn vault(&self) -> PersonVault<'_> {
        self.vault.as_seen_by(&self.member)
    }

    pub(super) fn person(&self) -> &Person {
        &self.member.person
    }

    /// For the audit trail.
    pub(super) fn actor(&self) -> Actor {
        self.member.actor()
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
        let (Holder::Person(person), token) = holder(parts, state).await? else {
            return Err(ApiError::not_allowed());
        };
        let member = state.vault.member(person.id).await?;
        Ok(Self {
            member: member.ok_or_else(ApiError::bad_token)?,
            vault: Arc::clone(&state.vault),
            token,
        })
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
