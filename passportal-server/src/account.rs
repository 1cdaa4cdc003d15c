//! What a person does with their own account, from a page or over the API.

use std::cmp::Reverse;

use passportal_client::wire::OwnSession;
use secrecy::{ExposeSecret as _, SecretString};
use uuid::Uuid;

use crate::password_hash;
use crate::proof::{self, ProofError};
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::token::TokenHash;
use crate::vault::{Begun, Generations, Person, VaultError, person_password};

/// Gives a person a new password, and ends their sessions but for the token to `keep`; returns the number that sessions
/// begin under from now on.
///
/// # Errors
/// When the old password is wrong, or the new one is refused.
pub(crate) async fn change_password(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    old: SecretString,
    new: SecretString,
    keep: Option<&TokenHash>,
) -> Result<i64, ProofError> {
    person_password::check(&person.email, new.expose_secret())?;
    if old.expose_secret() == new.expose_secret() {
        let same = VaultError::refused("the new password is the old one; choose another one");
        return Err(same.into());
    }
    prove_password(state, person, source, old).await?;
    let hash = password_hash::hash(new).await?;
    let generation = state.vault.change_password(person, &hash, keep).await?;
    state
        .sessions
        .end_older(&Generations::from([(person.id, generation)]));
    Ok(generation)
}

/// Makes a secret of one-time codes, which its first code turns on.
///
/// # Errors
/// When the password is wrong, or a second factor is on already.
pub(crate) async fn begin_second_factor(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    password: SecretString,
) -> Result<Begun, ProofError> {
    prove_password(state, person, source, password).await?;
    Ok(state.vault.begin_second_factor(person).await?)
}

async fn prove_password(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    password: SecretString,
) -> Result<(), ProofError> {
    let (_, attempt) = proof::by_password(state, &person.email, source, password).await?;
    attempt.passed();
    Ok(())
}

/// Turns a person's second factor off.
///
/// # Errors
/// When the password or the code is wrong, or none is on.
pub(crate) async fn end_second_factor(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    password: SecretString,
    code: Option<SecretString>,
) -> Result<(), ProofError> {
    prove_both(state, person, source, password, code).await?;
    Ok(state.vault.end_second_factor(person).await?)
}

/// Makes new recovery codes.
///
/// # Errors
/// When the password or the code is wrong, or no second factor is on.
pub(crate) async fn renew_recovery_codes(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    password: SecretString,
    code: Option<SecretString>,
) -> Result<Vec<SecretString>, ProofError> {
    prove_both(state, person, source, password, code).await?;
    Ok(state.vault.renew_recovery_codes(person).await?)
}

async fn prove_both(
    state: &AppState,
    person: &Person,
    source: Source<'_>,
    password: SecretString,
    code: Option<SecretString>,
) -> Result<(), ProofError> {
    match proof::whole(state, &person.email, source, password, code).await? {
        (_, Some(_)) => Ok(()),
        (_, None) => Err(VaultError::refused("the second factor is not on").into()),
    }
}

/// The session that asks.
pub(crate) enum Current<'a> {
    /// One at the dashboard, by its id.
    Dashboard(Uuid),
    /// One of the API, by its token.
    Api(&'a TokenHash),
}

/// A person's sessions at the dashboard and over the API: the one that asks, and then the latest used first.
pub(crate) async fn sessions(
    state: &AppState,
    person: &Person,
    current: Current<'_>,
) -> Result<Vec<OwnSession>, VaultError> {
    let (id, token) = match current {
        Current::Dashboard(id) => (Some(id), None),
        Current::Api(token) => (None, Some(token)),
    };
    let mut sessions = state.vault.api_sessions(person.id, token).await?;
    let generations = state.vault.generations().await?;
    state.sessions.end_older(&generations);
    sessions.extend(state.sessions.of_person(person.id, id));
    sessions.sort_by_key(|it| (!it.current, Reverse(it.seen), it.id));
    Ok(sessions)
}

/// Ends one of a person's sessions.
///
/// # Errors
/// When they have no such session.
pub(crate) async fn end_session(
    state: &AppState,
    person: &Person,
    id: Uuid,
) -> Result<(), VaultError> {
    if state.vault.end_api_session(person, id).await? {
        return Ok(());
    }
    if !state.sessions.end(person.id, id) {
        return Err(VaultError::NotFound { what: "session" });
    }
    state.vault.note_ended_session(person).await
}

/// Ends every session of a person.
pub(crate) async fn sign_out_everywhere(
    state: &AppState,
    person: &Person,
) -> Result<(), VaultError> {
    state.vault.sign_out_everywhere(person).await?;
    state.sessions.end_all(person.id);
    Ok(())
}
