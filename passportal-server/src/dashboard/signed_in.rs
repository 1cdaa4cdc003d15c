//! Who sends a request: their session, and what they may do at this moment.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;

use super::problem::Problem;
use super::session::Session;
use crate::state::AppState;
use crate::vault::{Member, PersonVault, Rights, Vault};

/// A request of somebody who is signed in; others are led to the login page.
pub(super) struct SignedIn {
    session: Arc<Session>,
    member: Member,
    vault: Arc<Vault>,
}

impl SignedIn {
    /// The vault as this person sees it.
    pub(super) fn vault(&self) -> PersonVault<'_> {
        self.vault.as_seen_by(&self.member)
    }

    /// The same person, whose session got another cookie.
    pub(super) fn with(self, session: Arc<Session>) -> Self {
        Self { session, ..self }
    }

    /// What the person may do.
    pub(super) fn rights(&self) -> Rights {
        self.member.rights
    }
}

impl Deref for SignedIn {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Response> {
        let jar = CookieJar::from_headers(&parts.headers);
        let to_login = || Redirect::to("/login").into_response();
        let session = state.sessions.find_at(&jar, Instant::now());
        let session = session.ok_or_else(to_login)?;
        let member = state.vault.member(session.person.id).await;
        let member = member.map_err(|error| Problem::from(error).into_response())?;
        let member = member.filter(|member| member.generation == session.generation());
        let Some(member) = member else {
            state.sessions.close(&jar);
            return Err(to_login());
        };
        Ok(Self {
            session,
            member,
            vault: Arc::clone(&state.vault),
        })
    }
}
