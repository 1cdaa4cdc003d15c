//! `/invitation/{token}`: whoever was invited chooses a password and proves the organization key.

use std::net::SocketAddr;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use passportal_client::wire::Invitation;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::authority_form::access_label;
use super::problem::{Problem, sentence};
use crate::password_hash;
use crate::proof::{self, KeyUse, ProofError};
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::token::{Token, TokenHash};
use crate::vault::{VaultError, person_password};

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage<'a> {
    organization: &'a str,
    email: &'a str,
    role: &'a str,
    access: String,
    refusal: Option<String>,
    is_accepted: bool,
}

/// The path of an invitation's page.
pub(crate) fn invitation_path(token: &Token) -> String {
    format!("/invitation/{}", token.expose())
}

/// The form of the page. The address is the secret that another site does not know.
#[derive(Deserialize)]
pub(super) struct AcceptForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
    #[serde(default)]
    organization_key: String,
}

/// What was typed.
struct Typed {
    password: SecretString,
    again: SecretString,
    organization_key: SecretString,
}

impl From<AcceptForm> for Typed {
    fn from(form: AcceptForm) -> Self {
        Self {
            password: form.password.into(),
            again: form.again.into(),
            organization_key: form.organization_key.into(),
        }
    }
}

/// Why an invitation was not accepted.
struct Refusal {
    status: StatusCode,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, text: &str) -> Self {
        let text = text.to_owned();
        Self { status, text }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let (_, invitation) = find(&state, &token).await?;
    render(&state, &invitation, StatusCode::OK, None)
}

pub(super) async fn accept(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    Path(token): Path<String>,
    form: Result<Form<AcceptForm>, FormRejection>,
) -> Result<Response, Problem> {
    let (hash, invitation) = find(&state, &token).await?;
    let Ok(Form(form)) = form else {
        return Err(Problem::unreadable_form());
    };
    let typed = Typed::from(form);
    if let Some(refusal) = refusal(&state, address, &invitation, &typed).await? {
        return render(&state, &invitation, refusal.status, Some(refusal.text));
    }
    let password = password_hash::hash(typed.password).await?;
    state.vault.accept_invitation(&hash, &password).await?;
    let page = InvitationPage {
        is_accepted: true,
        ..InvitationPage::new(&state, &invitation)
    };
    Ok(Html(page.render()?).into_response())
}

async fn find(state: &AppState, token: &str) -> Result<(TokenHash, Invitation), Problem> {
    let hash = TokenHash::of(token);
    let found = state.vault.invitation(&hash).await?;
    let invitation = found.ok_or_else(Problem::no_invitation)?;
    Ok((hash, invitation))
}

/// What is wrong with the form. Guesses at the organization key are counted as wrong sign-ins are.
async fn refusal(
    state: &AppState,
    address: SocketAddr,
    invitation: &Invitation,
    typed: &Typed,
) -> Result<Option<Refusal>, VaultError> {
    let unfit = StatusCode::UNPROCESSABLE_ENTITY;
    if let Err(refused) = person_password::check(&invitation.email, typed.password.expose_secret())
    {
        return Ok(Some(Refusal::new(unfit, &sentence(&refused.to_string()))));
    }
    if typed.password.expose_secret() != typed.again.expose_secret() {
        let text = "The two passwords are not the same.";
        return Ok(Some(Refusal::new(unfit, text)));
    }
    let source = Source::Address(address.ip());
    let (email, key) = (&invitation.email, typed.organization_key.clone());
    let used = KeyUse::Invitation(invitation.id);
    match proof::by_organization_key(state, email, source, key, used).await {
        Ok((_, attempt)) => {
            attempt.succeeded();
            Ok(None)
        }
        Err(ProofError::Vault(fault)) => Err(fault),
        Err(ProofError::TooMany) => {
            let text = "Too many wrong organization keys. Try again in 15 minutes.";
            Ok(Some(Refusal::new(StatusCode::TOO_MANY_REQUESTS, text)))
        }
        Err(wrong) => {
            let text = sentence(&wrong.to_string());
            Ok(Some(Refusal::new(StatusCode::UNAUTHORIZED, &text)))
        }
    }
}

impl<'a> InvitationPage<'a> {
    fn new(state: &'a AppState, invitation: &'a Invitation) -> Self {
        Self {
            organization: &state.vault.organization().name,
            email: &invitation.email,
            role: invitation.authority.role.label(),
            access: access_label(&invitation.authority),
            refusal: None,
            is_accepted: false,
        }
    }
}

fn render(
    state: &AppState,
    invitation: &Invitation,
    status: StatusCode,
    refusal: Option<String>,
) -> Result<Response, Problem> {
    let page = InvitationPage {
        refusal,
        ..InvitationPage::new(state, invitation)
    };
    Ok((status, Html(page.render()?)).into_response())
}
