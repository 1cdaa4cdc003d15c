//! The second step of signing in: the code of the authenticator. The first step is kept for a few minutes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use askama::Template;
use axum::Form;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::Cookie;
use passportal_client::envelope::KeyEncryptionKey;
use secrecy::SecretString;
use serde::Deserialize;

use super::kept::Lasting;
use super::known_browser::KnownBrowser;
use super::login;
use super::problem::{Problem, sentence};
use super::session::{Session, cookie};
use crate::proof::{self, ProofError};
use crate::state::AppState;
use crate::token::{Token, TokenHash};
use crate::user_agent;
use crate::vault::Identified;

/// How long a person may look for their authenticator.
const PATIENCE: Duration = Duration::from_mins(5);

const COOKIE: &str = "passportal_first_step";

/// Somebody whose password and organization key were right.
pub(super) struct FirstStep {
    pub(super) identified: Identified,
    kek: KeyEncryptionKey,
    csrf: Token,
    since: Instant,
}

impl Lasting for FirstStep {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= PATIENCE
    }

    fn used(&self) -> Instant {
        self.since
    }
}

#[derive(Template)]
#[template(path = "second_step.html")]
struct SecondStepPage<'a> {
    organization: &'a str,
    csrf: &'a str,
    email: &'a str,
    refusal: Option<String>,
}

/// The form of the second step.
#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    code: String,
}

/// Keeps the first step, and asks for the second.
pub(super) fn begin(
    state: &AppState,
    jar: CookieJar,
    identified: Identified,
    kek: KeyEncryptionKey,
) -> Response {
    let token = Token::generate();
    let step = FirstStep {
        identified,
        kek,
        csrf: Token::generate(),
        since: Instant::now(),
    };
    let kept = &state.sessions.first_steps;
    kept.insert(token.hash(), Arc::new(step));
    let jar = jar.add(cookie(COOKIE, token.expose().to_owned(), state.transport));
    (jar, Redirect::to("/login/code")).into_response()
}

pub(super) async fn show(
    State(state): State<AppState>,
    jar: CookieJar,
) -> Result<Response, Problem> {
    match first_step(&state, &jar) {
        Some((_, step)) => step_page(&state, &step, None),
        None => Ok(Redirect::to("/login").into_response()),
    }
}

fn first_step(state: &AppState, jar: &CookieJar) -> Option<(TokenHash, Arc<FirstStep>)> {
    let hash = TokenHash::of(jar.get(COOKIE)?.value());
    let step = state.sessions.first_steps.get(&hash, Instant::now())?;
    Some((hash, step))
}

fn step_page(
    state: &AppState,
    step: &FirstStep,
    refusal: Option<(StatusCode, String)>,
) -> Result<Response, Problem> {
    let (status, refusal) = refusal.unzip();
    let page = SecondStepPage {
        organization: &state.vault.organization().name,
        csrf: step.csrf.expose(),
        email: &step.identified.person.email,
        refusal,
    };
    let status = status.unwrap_or(StatusCode::OK);
    Ok((status, Html(page.render()?)).into_response())
}

pub(super) async fn sign_in(
    State(state): State<AppState>,
    ConnectInfo(address): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    jar: CookieJar,
    form: Result<Form<CodeForm>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Problem> {
    let Ok(Form(form)) = form else {
        return Err(Problem::unreadable_form());
    };
    let Some((hash, step)) = first_step(&state, &jar) else {
        return Ok(Redirect::to("/login").into_response());
    };
    if !step.csrf.matches(&form.csrf) {
        return Err(Problem::foreign_form());
    }
    let person = &step.identified.person;
    let browser = KnownBrowser::of(&state, &jar, &person.email).await?;
    let source = browser.source(address.ip());
    let code = SecretString::from(form.code);
    let taken = match proof::by_code(&state, person, source, &code).await {
        Ok(taken) => taken,
        Err(ProofError::Vault(fault)) => return Err(fault.into()),
        Err(refusal) => {
            let status = match refusal {
                ProofError::TooMany => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::UNAUTHORIZED,
            };
            let refusal = (status, sentence(&refusal.to_string()));
            return step_page(&state, &step, Some(refusal));
        }
    };
    state.sessions.first_steps.remove(&hash);
    let jar = jar.remove(Cookie::build(COOKIE).path("/"));
    let program = user_agent::program(&headers);
    let session = Session::new(step.identified.clone(), step.kek.clone(), program);
    login::open(&state, jar, session, Some(taken)).await
}
