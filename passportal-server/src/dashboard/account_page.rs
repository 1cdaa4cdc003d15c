//! `/account`: a person's own password and sessions, and what leads to their second factor.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum_extra::extract::CookieJar;
use passportal_client::wire::{OwnSession, SessionKind};
use secrecy::SecretString;
use serde::Deserialize;
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page, sentence};
use super::session::{Message, no_cookie};
use super::signed_in::SignedIn;
use super::wording::TimeView;
use crate::account;
use crate::proof::ProofError;
use crate::sign_in_limit::Source;
use crate::state::AppState;
use crate::vault::VaultError;

const HERE: &str = "/account";

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    layout: Layout,
    second_factor_since: Option<TimeView>,
    recovery_codes_left: u32,
    sessions: Vec<SessionLine>,
}

struct SessionLine {
    id: Uuid,
    place: &'static str,
    program: String,
    address: Option<String>,
    begun: TimeView,
    seen: TimeView,
    current: bool,
}

impl From<OwnSession> for SessionLine {
    fn from(session: OwnSession) -> Self {
        Self {
            id: session.id,
            place: match session.kind {
                SessionKind::Dashboard => "Dashboard",
                SessionKind::Api => "API",
            },
            program: session.program,
            address: session.address,
            begun: TimeView::new(session.begun),
            seen: TimeView::new(session.seen),
            current: session.current,
        }
    }
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
) -> Result<Response, Problem> {
    let own = state.vault.own_account(&session.person).await?;
    let current = account::Current::Dashboard(session.id());
    let sessions = account::sessions(&state, &session.person, current).await?;
    page(&AccountPage {
        layout: Layout::new(&state, &session, Section::Account, "Your account"),
        second_factor_since: own.second_factor_since.map(TimeView::new),
        recovery_codes_left: own.recovery_codes_left,
        sessions: sessions.into_iter().map(SessionLine::from).collect(),
    })
}

#[derive(Deserialize)]
pub(super) struct PasswordForm {
    #[serde(default)]
    password: String,
    #[serde(default)]
    new_password: String,
    #[serde(default)]
    repeated: String,
}

/// Gives the person a new password: their other sessions end, and this one goes on under another cookie.
pub(super) async fn change_password(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<PasswordForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    if fields.new_password != fields.repeated {
        let differ = "The new password was not repeated exactly as it is. Nothing was changed.";
        session.leave_message(Message::Refused(differ.to_owned()));
        return Ok(Redirect::to(HERE).into_response());
    }
    let mark = session.mark();
    let old = SecretString::from(fields.password);
    let new = SecretString::from(fields.new_password);
    let source = Source::Known(&mark);
    let changed = account::change_password(&state, &session.person, source, old, new, None).await;
    let generation = match changed {
        Ok(generation) => generation,
        Err(error) => return refused(&session, HERE, error),
    };
    let (jar, session) = state
        .sessions
        .renew(jar, &session, Some(generation), state.transport);
    let done = "The password was changed, and your other sessions have ended.";
    session.leave_message(Message::Done(done.to_owned()));
    Ok((jar, Redirect::to(HERE)).into_response())
}

/// Leads back to a page that says why nothing was changed.
pub(super) fn refused(
    session: &SignedIn,
    to: &str,
    error: ProofError,
) -> Result<Response, Problem> {
    let text = match error {
        ProofError::Vault(error @ (VaultError::Refused(_) | VaultError::Conflict(_))) => {
            error.to_string()
        }
        ProofError::Vault(fault) => return Err(fault.into()),
        ProofError::WrongPassword => "your password is not right; nothing was changed".to_owned(),
        ProofError::WrongOrganizationKey => {
            "the organization key as it is now is not right; nothing was changed".to_owned()
        }
        other => other.to_string(),
    };
    session.leave_message(Message::Refused(sentence(&text)));
    Ok(Redirect::to(to).into_response())
}

/// Ends one of the person's sessions.
pub(super) async fn end_session(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let person = &form.session.person;
    let ended = account::end_session(&state, person, id).await;
    back_with(&form.session, HERE, ended, "The session has ended.")
}

/// Ends every session of the person, this one included.
pub(super) async fn sign_out_everywhere(
    State(state): State<AppState>,
    jar: CookieJar,
    form: OwnForm<BTreeMap<String, String>>,
) -> Result<Response, Problem> {
    let person = &form.session.person;
    account::sign_out_everywhere(&state, person).await?;
    Ok((jar.remove(no_cookie()), Redirect::to("/login")).into_response())
}
