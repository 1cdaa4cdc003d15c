//! What a person does with several credentials of a client at once: their mode, their flags.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::wire::{Credential, CredentialPatch, FlagKind, SyncMode};
use uuid::Uuid;

use super::form::OwnForm;
use super::overwrite_page::{self, Wanted};
use super::problem::{Problem, back_with};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::Act;

/// The fields of the form, each credential as `credential.ID`.
type Fields = BTreeMap<String, String>;

/// What all credentials of the client are chosen by.
const ALL: &str = "all";

pub(super) async fn act(
    State(state): State<AppState>,
    Path(client): Path<Uuid>,
    form: OwnForm<Fields>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let there = session.vault().credentials(client).await?;
    let chosen = chosen(&fields, there);
    if chosen.is_empty() {
        session.leave_message(Message::Refused("No credential is selected.".to_owned()));
        return Ok(Redirect::to(&page_of(client)).into_response());
    }
    match fields.get("do").map(String::as_str) {
        Some("clear") => clear(&session, client, &chosen).await,
        _ => set_mode(&state, &session, (client, &fields), &chosen).await,
    }
}

fn chosen(fields: &Fields, there: Vec<Credential>) -> Vec<Credential> {
    let is_chosen =
        |it: &Credential| fields.contains_key(ALL) || fields.contains_key(&field(it.id));
    there.into_iter().filter(is_chosen).collect()
}

/// The name of a credential's check box.
pub(super) fn field(credential: Uuid) -> String {
    format!("credential.{credential}")
}

fn page_of(client: Uuid) -> String {
    format!("/clients/{client}")
}

async fn clear(
    session: &SignedIn,
    client: Uuid,
    chosen: &[Credential],
) -> Result<Response, Problem> {
    let standing = |it: &Credential| {
        let id = it.id;
        it.flags
            .keys()
            .map(move |kind| (id, *kind))
            .collect::<Vec<_>>()
    };
    let flags: Vec<(Uuid, FlagKind)> = chosen.iter().flat_map(standing).collect();
    let cleared = session.vault().clear_flags(&flags).await;
    let done = cleared.as_ref().map_or_else(
        |_| String::new(),
        |count| format!("Cleared flags: {count}. They come back when something new happens."),
    );
    Ok(back_with(session, &page_of(client), cleared, &done)?.into_response())
}

async fn set_mode(
    state: &AppState,
    session: &SignedIn,
    (client, fields): (Uuid, &Fields),
    chosen: &[Credential],
) -> Result<Response, Problem> {
    let of = session.vault().client_for(Act::SetUpSync, client).await?;
    let word = fields.get("mode").map(String::as_str).unwrap_or_default();
    let Some(own_mode) = own_mode(word) else {
        session.leave_message(Message::Refused("Choose a mode.".to_owned()));
        return Ok(Redirect::to(&page_of(client)).into_response());
    };
    let after = own_mode.unwrap_or(of.default_mode);
    let at_stake = chosen
        .iter()
        .filter(|it| overwrite_page::is_at_stake(it, after));
    let at_stake: Vec<&Credential> = at_stake.collect();
    if !at_stake.is_empty() && !fields.contains_key("overwrite") {
        let wanted = again(client, fields);
        return overwrite_page::ask(state, session, wanted, at_stake.into_iter());
    }
    let ids = differing(chosen, own_mode);
    let patch = CredentialPatch {
        own_mode,
        inherit_mode: own_mode.is_none(),
        ..CredentialPatch::default()
    };
    let changed = session
        .vault()
        .change_credentials(client, &ids, &patch)
        .await;
    let done = format!("The sync mode was saved; changed: {}.", ids.len());
    Ok(back_with(session, &page_of(client), changed, &done)?.into_response())
}

/// Only what differs, so that credentials do not count as changed for nothing.
fn differing(chosen: &[Credential], own_mode: Option<SyncMode>) -> Vec<Uuid> {
    let differing = chosen.iter().filter(|it| it.own_mode != own_mode);
    differing.map(|it| it.id).collect()
}

/// The mode that a word of the form stands for: `Some(None)` is the client's.
#[expect(
    clippy::option_option,
    reason = "an unknown word is not the client's mode"
)]
fn own_mode(word: &str) -> Option<Option<SyncMode>> {
    let modes = [SyncMode::Off, SyncMode::ReportMismatches, SyncMode::Enabled];
    match word {
        "inherit" => Some(None),
        word => modes.into_iter().find(|mode| mode.name() == word).map(Some),
    }
}

/// The same once more, for when the person confirms it.
fn again(client: Uuid, fields: &Fields) -> Wanted {
    let kept = |(name, value): (&String, &String)| (name.clone(), value.clone());
    Wanted {
        action: format!("{}/credentials/selected", page_of(client)),
        fields: fields.iter().map(kept).collect(),
        back: page_of(client),
    }
}
