//! Signing in and out: a person with e-mail and password, a program with an API key.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, FromRequest as _, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::{Form, Json};
use passportal_client::wire::{
    ClientToken, ClientTokenRequest, Failure, SessionRequest, SessionToken, Success,
};
use secrecy::SecretString;

use super::access::PersonCaller;
use super::answer::{Answer, ApiError, Done, Results};
use super::reading::Body;
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::vault::{Actor, TakenCode};
use crate::{proof, user_agent};

/// The only scope of the documented API.
const SCOPE: &str = "docs_api";

#[utoipa::path(post, path = "/api/v2/auth/session", tag = "auth", security(()),
    request_body = SessionRequest,
    responses((status = 200, body = Success<SessionToken>),
        (status = 401, description = "Wrong e-mail, password or one-time code (4001); a one-time code is needed as well (4002)", body = Failure),
        (status = 422, description = "A one-time code of somebody who has not set one up (4022)", body = Failure),
        (status = 429, description = "Too many wrong sign-ins (4029)", body = Failure)))]
pub(super) async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Body(request): Body<SessionRequest>,
) -> Answer<SessionToken> {
    let source = Source::Address(address.ip());
    let password = SecretString::from(request.password);
    let given = request.one_time_code.map(SecretString::from);
    let proved = proof::whole(&state, &request.email, source, password, given);
    let (identified, code) = proved.await?;
    let (token, expires) = state
        .vault
        .open_session(
            &identified,
            TakenCode::told(code),
            user_agent::program(&headers),
        )
        .await?;
    let organization = state.vault.organization();
    Ok(Results(SessionToken {
        access_token: token.expose().to_owned(),
        expires,
        organization: organization.id,
        organization_name: organization.name.clone(),
    }))
}

#[utoipa::path(delete, path = "/api/v2/auth/session", tag = "auth",
    responses((status = 200, body = Success<Done>), (status = 401, body = Failure)))]
pub(super) async fn sign_out(State(state): State<AppState>, caller: PersonCaller) -> Answer<Done> {
    let actor = caller.actor();
    state.vault.close_session(&actor, &caller.token).await?;
    Ok(Results(Done::default()))
}

#[utoipa::path(post, path = "/api/v2/auth/client_token", tag = "auth", security(()),
    params(("x-key" = String, Header, description = "The API key"),
        ("x-hash" = String, Header, description = "Hex HMAC-SHA256 of `content` with the secret key")),
    request_body(content((ClientTokenRequest = "application/json"),
        (ClientTokenRequest = "application/x-www-form-urlencoded"))),
    responses((status = 200, description = "Not wrapped into `results`", body = ClientToken),
        (status = 401, description = "Key verification failed (1000)", body = Failure),
        (status = 429, description = "Too many wrong sign-ins (4029)", body = Failure)))]
pub(super) async fn client_token(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    request: Request,
) -> Result<Json<ClientToken>, ApiError> {
    let headers = request.headers().clone();
    let body = json_or_form(request, &state).await?;
    let (key, hash) = header_of(&headers, "x-key")
        .zip(header_of(&headers, "x-hash"))
        .ok_or_else(ApiError::key_verification_failed)?;
    if body.scope != SCOPE {
        return Err(ApiError::invalid(format!("the scope has to be {SCOPE}")));
    }
    let attempt = state
        .api_key_limit
        .begin(key, Source::Address(address.ip()))
        .map_err(|_| ApiError::too_many())?;
    let tokens = state
        .vault
        .sign_in_program(key, hash, &body.content)
        .await?;
    let Some(tokens) = tokens else {
        let what = "failed to sign in with an API key";
        state.vault.note(&Actor::unknown(), what, "").await?;
        return Err(ApiError::key_verification_failed());
    };
    attempt.succeeded();
    Ok(Json(ClientToken {
        success: true,
        access_token: tokens.access.expose().to_owned(),
        refresh_token: tokens.refresh.expose().to_owned(),
        expiry_time: tokens.expires.as_second(),
    }))
}

fn header_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

async fn json_or_form(request: Request, state: &AppState) -> Result<ClientTokenRequest, ApiError> {
    let form = header_of(request.headers(), header::CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        let read = Form::from_request(request, state).await;
        return read.map(|Form(body)| body).map_err(|rejection| {
            ApiError::unreadable(StatusCode::BAD_REQUEST, rejection.body_text())
        });
    }
    let Body(body) = Body::from_request(request, state).await?;
    Ok(body)
}
