//! `/organization-key`: another organization key, under which every secret is sealed anew.

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Response};
use axum_extra::extract::CookieJar;
use secrecy::SecretString;
use serde::Deserialize;
use tracing::Instrument as _;

use super::account_page::refused;
use super::form::OwnForm;
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::{Message, no_cookie};
use super::signed_in::SignedIn;
use crate::caller_address;
use crate::organization_key;
use crate::proof::{self, KeyUse, ProofError};
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::vault::{Act, Agent, Rotated, VaultError};

const HERE: &str = "/organization-key";

#[derive(Template)]
#[template(path = "organization_key.html")]
struct OrganizationKeyPage {
    layout: Layout,
    needs_code: bool,
    agents: usize,
}

/// Nobody is signed in any more: the sessions held the old key.
#[derive(Template)]
#[template(path = "organization_key_changed.html")]
struct ChangedPage<'a> {
    organization: &'a str,
    rotated: Rotated,
    agents: Vec<Agent>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    session.vault().require_right(Act::ChangeOrganizationKey)?;
    page(&OrganizationKeyPage {
        layout: Layout::new(&state, &session, Section::Account, "Organization key"),
        needs_code: state.vault.needs_code(session.person.id).await?,
        agents: session.vault().agents().await?.len(),
    })
}

#[derive(Deserialize)]
pub(super) struct KeyForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    organization_key: String,
    #[serde(default)]
    new_key: String,
    #[serde(default)]
    repeated: String,
}

pub(super) async fn change(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<KeyForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    session.vault().require_right(Act::ChangeOrganizationKey)?;
    let agents = session.vault().agents().await?;
    // A browser that does not wait for the answer does not stop it half way.
    let rotation = rotate_and_end_sessions(state.clone(), session, fields).in_current_span();
    let rotated = tokio::spawn(caller_address::carried(rotation)).await;
    let (session, rotated) = rotated.map_err(|error| Problem::internal(&error))?;
    let rotated = match rotated {
        Ok(rotated) => rotated,
        Err(error) => return refused(&session, HERE, error),
    };
    let changed = ChangedPage {
        organization: &state.vault.organization().name,
        rotated,
        agents,
    };
    Ok((jar.remove(no_cookie()), Html(changed.render()?)).into_response())
}

async fn rotate_and_end_sessions(
    state: AppState,
    session: SignedIn,
    fields: KeyForm,
) -> (SignedIn, Result<Rotated, ProofError>) {
    let rotated = rotate(&state, &session, fields).await;
    if rotated.is_ok() {
        state.sessions.end_every_one();
    }
    (session, rotated)
}

async fn rotate(
    state: &AppState,
    session: &SignedIn,
    fields: KeyForm,
) -> Result<Rotated, ProofError> {
    check_new_key(&fields)?;
    let mark = session.mark();
    let code = (!fields.code.is_empty()).then(|| SecretString::from(fields.code));
    let password = SecretString::from(fields.password);
    let email = &session.person.email;
    let source = Source::Known(&mark);
    proof::whole(state, email, source, password, code).await?;
    let key = SecretString::from(fields.organization_key);
    let proved = proof::by_organization_key(state, email, source, key, KeyUse::Change).await;
    let (old, attempt) = proved?;
    attempt.passed();
    let new = organization_key::derive(
        state.vault.organization().id,
        SecretString::from(fields.new_key),
    )
    .await?;
    Ok(session.vault().change_organization_key(&old, &new).await?)
}

fn check_new_key(fields: &KeyForm) -> Result<(), VaultError> {
    let why = if organization_key::is_too_short(&fields.new_key) {
        format!(
            "the new organization key is too short: it needs at least {} characters",
            organization_key::SHORTEST
        )
    } else if fields.new_key != fields.repeated {
        "the new organization key was not repeated exactly as it is; nothing was changed".to_owned()
    } else if fields.new_key == fields.organization_key {
        "the new organization key is the old one; choose another one".to_owned()
    } else {
        return Ok(());
    };
    Err(VaultError::Refused(why))
}
