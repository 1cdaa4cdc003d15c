//! `/account/second-factor`: the QR code for the authenticator, its first code, and the recovery codes.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use qrcode::QrCode;
use qrcode::render::svg;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::account_page::refused;
use super::form::OwnForm;
use super::layout::{Layout, Section};
use super::problem::{Problem, page};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::account;
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::vault::Begun;

const HERE: &str = "/account/second-factor";
const ACCOUNT: &str = "/account";

#[derive(Template)]
#[template(path = "second_factor.html")]
struct SecondFactorPage {
    layout: Layout,
    /// The QR code as SVG.
    picture: SecretString,
    secret: SecretString,
}

#[derive(Template)]
#[template(path = "recovery_codes.html")]
struct RecoveryCodesPage {
    layout: Layout,
    codes: Vec<SecretString>,
}

/// What proves once more who is at the browser.
#[derive(Deserialize)]
pub(super) struct ProofForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
}

impl ProofForm {
    /// What was typed; no code where its field was left empty.
    fn read(self) -> (SecretString, Option<SecretString>) {
        let code = (!self.code.is_empty()).then(|| SecretString::from(self.code));
        (SecretString::from(self.password), code)
    }
}

/// Begins, and leads to the page with the QR code.
pub(super) async fn begin(
    State(state): State<AppState>,
    form: OwnForm<ProofForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let mark = session.mark();
    let (password, _) = fields.read();
    let source = Source::Known(&mark);
    match account::begin_second_factor(&state, &session.person, source, password).await {
        Ok(_) => Ok(Redirect::to(HERE).into_response()),
        Err(error) => refused(&session, ACCOUNT, error),
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    let Some(begun) = state.vault.begun_second_factor(&session.person).await? else {
        return Ok(Redirect::to(ACCOUNT).into_response());
    };
    page(&SecondFactorPage {
        layout: layout(&state, &session, "Set up the second factor"),
        picture: picture(&begun)?,
        secret: in_groups(&begun.secret),
    })
}

fn layout(state: &AppState, session: &SignedIn, title: &str) -> Layout {
    Layout::new(state, session, Section::Account, title)
}

fn picture(begun: &Begun) -> Result<SecretString, Problem> {
    let code = QrCode::new(begun.address.expose_secret().as_bytes());
    let code = code.map_err(|error| Problem::internal(&error))?;
    let svg = code
        .render::<svg::Color<'_>>()
        .min_dimensions(240, 240)
        .build();
    // What stands before the element is for a file of its own.
    let element = svg.find("<svg").and_then(|start| svg.get(start..));
    Ok(SecretString::from(element.unwrap_or_default()))
}

/// As people copy it: in groups of four letters.
fn in_groups(secret: &SecretString) -> SecretString {
    let letters: Vec<char> = secret.expose_secret().chars().collect();
    let groups: Vec<String> = letters
        .chunks(4)
        .map(|group| group.iter().collect())
        .collect();
    SecretString::from(groups.join(" "))
}

#[derive(Deserialize)]
pub(super) struct CodeForm {
    #[serde(default)]
    code: String,
}

/// Turns the second factor on by its first code, and shows the recovery codes this once.
pub(super) async fn confirm(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<CodeForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let vault = &state.vault;
    match vault
        .confirm_second_factor(&session.person, &fields.code)
        .await
    {
        Ok(codes) => {
            let (jar, renewed) = state.sessions.renew(jar, &session, None, state.transport);
            let session = session.with(renewed);
            session.leave_message(Message::Done("The second factor is on.".to_owned()));
            shown_once(&state, jar, &session, codes)
        }
        Err(error) => refused(&session, HERE, error.into()),
    }
}

fn shown_once(
    state: &AppState,
    jar: CookieJar,
    session: &SignedIn,
    codes: Vec<SecretString>,
) -> Result<Response, Problem> {
    let page = page(&RecoveryCodesPage {
        layout: layout(state, session, "Recovery codes"),
        codes,
    })?;
    Ok((jar, page).into_response())
}

pub(super) async fn turn_off(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<ProofForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let mark = session.mark();
    let (password, code) = fields.read();
    let (person, source) = (&session.person, Source::Known(&mark));
    match account::end_second_factor(&state, person, source, password, code).await {
        Ok(()) => {
            let (jar, session) = state.sessions.renew(jar, &session, None, state.transport);
            session.leave_message(Message::Done("The second factor is off.".to_owned()));
            Ok((jar, Redirect::to(ACCOUNT)).into_response())
        }
        Err(error) => refused(&session, ACCOUNT, error),
    }
}

pub(super) async fn renew_recovery_codes(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<ProofForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let mark = session.mark();
    let (password, code) = fields.read();
    let (person, source) = (&session.person, Source::Known(&mark));
    match account::renew_recovery_codes(&state, person, source, password, code).await {
        Ok(codes) => shown_once(&state, jar, &session, codes),
        Err(error) => refused(&session, ACCOUNT, error),
    }
}
