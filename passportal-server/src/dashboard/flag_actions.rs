//! What a person does with several flags at once: clearing them, and snoozing them with a reason and an end.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use passportal_client::wire::{FlagKind, FlagQuery, NewSnooze};
use serde::Deserialize;
use uuid::Uuid;

use super::form::OwnForm;
use super::layout::{Layout, Section};
use super::problem::{Problem, back_with, page, sentence};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::VaultError;

/// The fields of a form that names flags, each as `flag.CREDENTIAL.KIND`.
type Fields = BTreeMap<String, String>;

type Which = (Uuid, FlagKind);

/// The name of a flag's field.
pub(super) fn field(credential: Uuid, kind: FlagKind) -> String {
    format!("flag.{credential}.{}", kind.name())
}

fn chosen(fields: &Fields) -> Vec<Which> {
    fields.keys().filter_map(|name| which(name)).collect()
}

fn which(name: &str) -> Option<Which> {
    let (credential, kind) = name.strip_prefix("flag.")?.split_once('.')?;
    Some((credential.parse().ok()?, kind_of(kind)?))
}

fn kind_of(word: &str) -> Option<FlagKind> {
    FlagKind::ALL.into_iter().find(|kind| kind.name() == word)
}

#[derive(Template)]
#[template(path = "snooze.html")]
struct SnoozePage {
    layout: Layout,
    flags: Vec<Line>,
    reason: String,
    until: String,
}

struct Line {
    field: String,
    user_name: String,
    client_name: String,
    label: &'static str,
    why: String,
}

/// The buttons below the list of flags.
pub(super) async fn act(
    State(state): State<AppState>,
    form: OwnForm<Fields>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let which = chosen(&fields);
    match fields.get("do").map(String::as_str) {
        Some("clear_all") => {
            let kind = fields.get("kind").and_then(|word| kind_of(word));
            let query = FlagQuery { client: None, kind };
            let all = session.vault().flags(&query).await?;
            let all: Vec<Which> = all.iter().map(|it| (it.credential, it.kind)).collect();
            clear(&session, &all).await
        }
        _ if which.is_empty() => {
            session.leave_message(Message::Refused("No flag is selected.".to_owned()));
            Ok(Redirect::to("/flags").into_response())
        }
        Some("snooze") => ask(&state, &session, &which, "", "").await,
        _ => clear(&session, &which).await,
    }
}

async fn clear(session: &SignedIn, which: &[Which]) -> Result<Response, Problem> {
    let cleared = session.vault().clear_flags(which).await;
    let done = match cleared {
        Ok(count) => format!(
            "Cleared: {}. They come back when something new happens.",
            flags(count)
        ),
        Err(_) => String::new(),
    };
    Ok(back_with(session, "/flags", cleared, &done)?.into_response())
}

fn flags(count: usize) -> String {
    match count {
        1 => "1 flag".to_owned(),
        count => format!("{count} flags"),
    }
}

/// Which flag to snooze, from a credential's page.
#[derive(Deserialize)]
pub(super) struct SnoozeQuery {
    credential: Uuid,
    kind: FlagKind,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Query(query): Query<SnoozeQuery>,
) -> Result<Response, Problem> {
    session.vault().credential(query.credential).await?;
    ask(&state, &session, &[(query.credential, query.kind)], "", "").await
}

/// The page that asks for the reason and the end, with what was typed before.
async fn ask(
    state: &AppState,
    session: &SignedIn,
    which: &[Which],
    reason: &str,
    until: &str,
) -> Result<Response, Problem> {
    let standing = session.vault().flags(&FlagQuery::default()).await?;
    let lines: Vec<Line> = standing
        .into_iter()
        .filter(|flag| which.contains(&(flag.credential, flag.kind)))
        .map(|flag| Line {
            field: field(flag.credential, flag.kind),
            user_name: flag.user_name,
            client_name: flag.client_name,
            label: flag.kind.label(),
            why: flag.flag.why,
        })
        .collect();
    page(&SnoozePage {
        layout: Layout::new(state, session, Section::Flags, "Snooze flags"),
        flags: lines,
        reason: reason.to_owned(),
        until: until.to_owned(),
    })
}

pub(super) async fn snooze(
    State(state): State<AppState>,
    form: OwnForm<Fields>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let typed = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let (reason, until) = (typed("reason"), typed("until"));
    let which = chosen(&fields);
    match put_off(&session, &which, reason, until).await {
        Err(error @ (VaultError::Refused(_) | VaultError::Conflict(_))) => {
            session.leave_message(Message::Refused(sentence(&error.to_string())));
            let page = ask(&state, &session, &which, reason, until).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        snoozed => {
            let done = match snoozed {
                Ok(count) => format!("Snoozed: {}, until the end of {until} (UTC).", flags(count)),
                Err(_) => String::new(),
            };
            Ok(back_with(&session, "/flags", snoozed, &done)?.into_response())
        }
    }
}

async fn put_off(
    session: &SignedIn,
    which: &[Which],
    reason: &str,
    until: &str,
) -> Result<usize, VaultError> {
    let until = end_of(until)
        .ok_or_else(|| VaultError::Refused("a snooze ends on a day, like 2025-01-31".to_owned()))?;
    let reason = reason.to_owned();
    let new = NewSnooze { reason, until };
    session.vault().snooze_flags(which, &new).await
}

/// The end of a day in UTC.
fn end_of(day: &str) -> Option<Timestamp> {
    let next = day.trim().parse::<Date>().ok()?.tomorrow().ok()?;
    Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

pub(super) async fn end_snooze(form: OwnForm<Fields>) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let mut ended = Ok(());
    for (credential, kind) in chosen(&fields) {
        let one = session.vault().end_snooze(credential, kind).await;
        ended = ended.and(one.map(drop));
    }
    back_with(&session, "/flags", ended, "The snooze has ended.")
}
