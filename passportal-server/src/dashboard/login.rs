//! Signing in with e-mail, password and organization key, and signing out.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use passportal_client::envelope::KeyEncryptionKey;
use secrecy::SecretString;
use serde::Deserialize;

use super::form::{Empty, OwnForm};
use super::known_browser::{self, KnownBrowser};
use super::problem::{Problem, sentence};
use super::second_step;
use super::session::{Session, cookie, no_cookie};
use crate::proof::{self, KeyUse, ProofError};
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::token::Token;
use crate::user_agent;
use crate::vault::{Identified, TakenCode, VaultError};

/// Carries the form's text until somebody is signed in: another site can neither read nor set it.
const LOGIN_COOKIE: &str = "passportal_login";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    organization: &'a str,
    csrf: &'a str,
    email: &'a str,
    refusal: Option<String>,
}

/// The login form.
#[derive(Deserialize)]
pub(super) struct LoginForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    organization_key: String,
}

enum Refusal {
    Proof(ProofError),
    ExpiredForm,
}

impl From<ProofError> for Refusal {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

impl From<VaultError> for Refusal {
    fn from(error: VaultError) -> Self {
        Self::Proof(error.into())
    }
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Proof(ProofError::TooMany) => StatusCode::TOO_MANY_REQUESTS,
            Self::Proof(_) => StatusCode::UNAUTHORIZED,
            Self::ExpiredForm => StatusCode::FORBIDDEN,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Proof(error) => sentence(&error.to_string()),
            Self::ExpiredForm => "This form had expired. Please sign in again.".to_owned(),
        }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    jar: CookieJar,
) -> Result<Response, Problem> {
    login_page(&state, jar, "", None)
}

fn login_page(
    state: &AppState,
    jar: CookieJar,
    email: &str,
    refusal: Option<&Refusal>,
) -> Result<Response, Problem> {
    let csrf = Token::generate();
    let page = LoginPage {
        organization: &state.vault.organization().name,
        csrf: csrf.expose(),
        email,
        refusal: refusal.map(Refusal::text),
    };
    let status = refusal.map_or(StatusCode::OK, Refusal::status);
    let jar = jar.add(cookie(
        LOGIN_COOKIE,
        csrf.expose().to_owned(),
        state.transport,
    ));
    Ok((status, jar, Html(page.render()?)).into_response())
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<LoginForm>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|rejection| Problem::refused_form(rejection.status()))?;
    let email = form.email.trim().to_owned();
    if !is_own_form(&jar, &form.csrf) {
        return login_page(&state, jar, &email, Some(&Refusal::ExpiredForm));
    }
    let browser = KnownBrowser::of(&state, &jar, &email).await?;
    let source = browser.source(address.ip());
    let (identified, kek) = match identify(&state, &email, source, form).await {
        Ok(identified) => identified,
        Err(Refusal::Proof(ProofError::Vault(fault))) => return Err(fault.into()),
        Err(refusal) => return login_page(&state, jar, &email, Some(&refusal)),
    };
    let jar = jar.remove(LOGIN_COOKIE);
    if state.vault.needs_code(identified.person.id).await? {
        return Ok(second_step::begin(&state, jar, identified, kek));
    }
    let session = Session::new(identified, kek, user_agent::program(&headers));
    open(&state, jar, session, None).await
}

/// Opens the session of somebody who has proved who they are, under a cookie of its own.
pub(super) async fn open(
    state: &AppState,
    jar: CookieJar,
    session: Session,
    code: Option<TakenCode>,
) -> Result<Response, Problem> {
    let what = format!("signed in to the dashboard{}", TakenCode::told(code));
    state.vault.note(&session.actor(), &what, "").await?;
    state.sessions.close(&jar);
    let jar = known_browser::remember(state, jar, session.person.id).await?;
    let opened = state.sessions.open(Arc::new(session), state.transport);
    Ok((jar.add(opened), Redirect::to("/")).into_response())
}

fn is_own_form(jar: &CookieJar, csrf: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    jar.get(LOGIN_COOKIE).is_some_and(|cookie| {
        !csrf.is_empty() && cookie.value().as_bytes().ct_eq(csrf.as_bytes()).into()
    })
}

async fn identify(
    state: &AppState,
    email: &str,
    source: Source<'_>,
    form: LoginForm,
) -> Result<(Identified, KeyEncryptionKey), Refusal> {
    let password = SecretString::from(form.password);
    let key = SecretString::from(form.organization_key);
    let (identified, attempt) = proof::by_password(state, email, source, password).await?;
    let email = &identified.person.email;
    let proved = proof::by_organization_key(state, email, source, key, KeyUse::SignIn).await;
    let (kek, key_attempt) = proved?;
    key_attempt.passed();
    if state.vault.needs_code(identified.person.id).await? {
        attempt.passed();
    } else {
        attempt.succeeded();
    }
    Ok((identified, kek))
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<Empty>,
) -> Result<Response, Problem> {
    state.sessions.close(&jar);
    let actor = form.session.actor();
    state
        .vault
        .note(&actor, "signed out of the dashboard", "")
        .await?;
    Ok((jar.remove(no_cookie()), Redirect::to("/login")).into_response())
}
