//! The caller's own account: password, second factor and sessions.

use axum::extract::State;
use passportal_client::wire::{
    AccountProof, BegunSecondFactor, Failure, OneTimeCodeConfirmation, OwnAccount, OwnSession,
    PasswordChange, RecoveryCodes, Success,
};
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use super::access::PersonCaller;
use super::answer::{Answer, Done, Results};
use super::reading::{At, Body};
use crate::account;
use crate::sign_in_limit::Source;
use crate::state::AppState;

#[utoipa::path(get, path = "/api/v2/account", tag = "account",
    responses((status = 200, body = Success<OwnAccount>), (status = 401, body = Failure)))]
pub(super) async fn read(
    State(state): State<AppState>,
    caller: PersonCaller,
) -> Answer<OwnAccount> {
    Ok(Results(state.vault.own_account(caller.person()).await?))
}

#[utoipa::path(put, path = "/api/v2/account/password", tag = "account", request_body = PasswordChange,
    responses((status = 200, description = "The person's other sessions have ended", body = Success<Done>),
        (status = 401, description = "The password is wrong (4001)", body = Failure),
        (status = 422, description = "The new password is refused (4022)", body = Failure),
        (status = 429, description = "Too many wrong passwords (4029)", body = Failure)))]
pub(super) async fn change_password(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(change): Body<PasswordChange>,
) -> Answer<Done> {
    let source = Source::Known(&caller.token);
    let old = SecretString::from(change.password);
    let new = SecretString::from(change.new_password);
    let keep = Some(&caller.token);
    account::change_password(&state, caller.person(), source, old, new, keep).await?;
    Ok(Results(Done::default()))
}

#[utoipa::path(post, path = "/api/v2/account/second-factor", tag = "account", request_body = AccountProof,
    responses((status = 429, description = "Too many wrong passwords or codes (4029)", body = Failure),
        (status = 200, description = "It is on once its first code was confirmed", body = Success<BegunSecondFactor>),
        (status = 401, description = "The password is wrong (4001)", body = Failure),
        (status = 422, description = "It is on already (4022)", body = Failure)))]
pub(super) async fn begin_second_factor(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(proof): Body<AccountProof>,
) -> Answer<BegunSecondFactor> {
    let source = Source::Known(&caller.token);
    let password = SecretString::from(proof.password);
    let begun = account::begin_second_factor(&state, caller.person(), source, password).await?;
    Ok(Results(BegunSecondFactor {
        secret: begun.secret.expose_secret().to_owned(),
        address: begun.address.expose_secret().to_owned(),
    }))
}

#[utoipa::path(post, path = "/api/v2/account/second-factor/confirmation", tag = "account",
    request_body = OneTimeCodeConfirmation,
    responses((status = 429, description = "Too many wrong passwords or codes (4029)", body = Failure),
        (status = 200, description = "It is on", body = Success<RecoveryCodes>),
        (status = 401, body = Failure),
        (status = 422, description = "The code is wrong, or none waits for its first code (4022)", body = Failure)))]
pub(super) async fn confirm_second_factor(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(confirmation): Body<OneTimeCodeConfirmation>,
) -> Answer<RecoveryCodes> {
    let code = &confirmation.one_time_code;
    let codes = state
        .vault
        .confirm_second_factor(caller.person(), code)
        .await?;
    Ok(told(&codes))
}

fn told(codes: &[SecretString]) -> Results<RecoveryCodes> {
    let codes = codes.iter().map(|code| code.expose_secret().to_owned());
    Results(RecoveryCodes {
        recovery_codes: codes.collect(),
    })
}

#[utoipa::path(post, path = "/api/v2/account/second-factor/removal", tag = "account", request_body = AccountProof,
    responses((status = 429, description = "Too many wrong passwords or codes (4029)", body = Failure),
        (status = 200, description = "It is off", body = Success<Done>),
        (status = 401, description = "Password or code is wrong (4001), or a code is needed (4002)", body = Failure),
        (status = 422, description = "It is not on (4022)", body = Failure)))]
pub(super) async fn remove_second_factor(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(proof): Body<AccountProof>,
) -> Answer<Done> {
    let (source, (password, code)) = (Source::Known(&caller.token), read_proof(proof));
    account::end_second_factor(&state, caller.person(), source, password, code).await?;
    Ok(Results(Done::default()))
}

fn read_proof(proof: AccountProof) -> (SecretString, Option<SecretString>) {
    let code = proof.one_time_code.map(SecretString::from);
    (SecretString::from(proof.password), code)
}

#[utoipa::path(post, path = "/api/v2/account/recovery-codes", tag = "account", request_body = AccountProof,
    responses((status = 429, description = "Too many wrong passwords or codes (4029)", body = Failure),
        (status = 200, description = "The old ones are void", body = Success<RecoveryCodes>),
        (status = 401, description = "Password or code is wrong (4001), or a code is needed (4002)", body = Failure),
        (status = 422, description = "No second factor is on (4022)", body = Failure)))]
pub(super) async fn renew_recovery_codes(
    State(state): State<AppState>,
    caller: PersonCaller,
    Body(proof): Body<AccountProof>,
) -> Answer<RecoveryCodes> {
    let (source, (password, code)) = (Source::Known(&caller.token), read_proof(proof));
    let person = caller.person();
    let codes = account::renew_recovery_codes(&state, person, source, password, code).await?;
    Ok(told(&codes))
}

#[utoipa::path(get, path = "/api/v2/account/sessions", tag = "account",
    responses((status = 200, description = "At the dashboard and over the API, the latest used first", body = Success<Vec<OwnSession>>),
        (status = 401, body = Failure)))]
pub(super) async fn sessions(
    State(state): State<AppState>,
    caller: PersonCaller,
) -> Answer<Vec<OwnSession>> {
    let current = account::Current::Api(&caller.token);
    let sessions = account::sessions(&state, caller.person(), current).await?;
    Ok(Results(sessions))
}

#[utoipa::path(delete, path = "/api/v2/account/sessions/{id}", tag = "account",
    params(("id" = Uuid, Path, description = "The session")),
    responses((status = 200, body = Success<Done>), (status = 401, body = Failure),
        (status = 404, description = "The caller has no such session", body = Failure)))]
pub(super) async fn end_session(
    State(state): State<AppState>,
    caller: PersonCaller,
    At(id): At<Uuid>,
) -> Answer<Done> {
    account::end_session(&state, caller.person(), id).await?;
    Ok(Results(Done::default()))
}

#[utoipa::path(delete, path = "/api/v2/account/sessions", tag = "account",
    responses((status = 200, description = "Every session has ended, the caller's included", body = Success<Done>),
        (status = 401, body = Failure)))]
pub(super) async fn sign_out_everywhere(
    State(state): State<AppState>,
    caller: PersonCaller,
) -> Answer<Done> {
    account::sign_out_everywhere(&state, caller.person()).await?;
    Ok(Results(Done::default()))
}
