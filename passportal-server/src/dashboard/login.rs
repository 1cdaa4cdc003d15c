//! Signing in with e-mail, password and organization key, and signing out.

use std::net::SocketAddr;

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use passportal_client::envelope::KeyEncryptionKey;
use secrecy::SecretString;
use serde::Deserialize;

use super::form::{Empty, OwnForm};
use super::problem::Problem;
use super::secrets;
use super::session::{Session, cookie, no_cookie};
use crate::state::AppState;
use crate::token::Token;
use crate::vault::{Actor, Person, SignIn, VaultError};

/// Carries the form's text until somebody is signed in: another site can neither read nor set it.
const LOGIN_COOKIE: &str = "passportal_login";

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    organization: &'a str,
    csrf: &'a str,
    email: &'a str,
    refusal: Option<&'a str>,
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
    TooMany,
    WrongPassword,
    WrongOrganizationKey,
    ExpiredForm,
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::WrongPassword | Self::WrongOrganizationKey => StatusCode::UNAUTHORIZED,
            Self::ExpiredForm => StatusCode::FORBIDDEN,
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::TooMany => "Too many wrong sign-ins. Try again in 15 minutes.",
            Self::WrongPassword => "The e-mail address or the password is wrong.",
            Self::WrongOrganizationKey => {
                "The organization key is not right for this organization."
            }
            Self::ExpiredForm => "This form had expired. Please sign in again.",
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
    jar: CookieJar,
    form: Result<Form<LoginForm>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|rejection| Problem::refused_form(rejection.status()))?;
    let email = form.email.trim().to_owned();
    if !is_own_form(&jar, &form.csrf) {
        return login_page(&state, jar, &email, Some(&Refusal::ExpiredForm));
    }
    match identify(&state, &email, address, form).await? {
        Ok((person, kek)) => {
            let session = Session::new(person, kek);
            let actor = session.actor();
            state
                .vault
                .note(&actor, "signed in to the dashboard", "")
                .await?;
            let opened = state.sessions.open(session, state.transport).await;
            let jar = jar.add(opened).remove(LOGIN_COOKIE);
            Ok((jar, Redirect::to("/")).into_response())
        }
        Err(refusal) => login_page(&state, jar, &email, Some(&refusal)),
    }
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
    address: SocketAddr,
    form: LoginForm,
) -> Result<Result<(Person, KeyEncryptionKey), Refusal>, VaultError> {
    let password = SecretString::from(form.password);
    let organization_key = SecretString::from(form.organization_key);
    let Ok(attempt) = state.sign_in_limit.begin(email, address.ip()) else {
        return Ok(Err(Refusal::TooMany));
    };
    let SignIn::Right(person) = state.vault.sign_in(email, password).await? else {
        return Ok(Err(Refusal::WrongPassword));
    };
    let company_vault = state.vault.company_vault().await?;
    let Some(kek) = secrets::prove(organization_key, company_vault).await? else {
        let what = "failed to sign in: wrong organization key";
        state
            .vault
            .note(&Actor::person(&person.email), what, "")
            .await?;
        return Ok(Err(Refusal::WrongOrganizationKey));
    };
    attempt.succeeded();
    Ok(Ok((person, kek)))
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<Empty>,
) -> Result<Response, Problem> {
    state.sessions.close(&jar).await;
    let actor = form.session.actor();
    state
        .vault
        .note(&actor, "signed out of the dashboard", "")
        .await?;
    Ok((jar.remove(no_cookie()), Redirect::to("/login")).into_response())
}
