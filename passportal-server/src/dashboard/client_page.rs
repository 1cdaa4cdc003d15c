//! `/clients/{id}`: a client's credentials and its settings.

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse as _, Response};
use passportal_client::wire::{
    Client, ClientPatch, Credential, CredentialType, MicrosoftSync, Mute, Standing, SyncMode,
    credential_type,
};
use serde::Deserialize;
use uuid::Uuid;

use super::bulk_actions;
use super::form::OwnForm;
use super::layout::{Layout, Section};
use super::overwrite_page;
use super::paging::Paging;
use super::plan_page::{self, WaitingPlan};
use super::problem::{Problem, back_with, page};
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::{FlagView, ResultView, TimeView};
use crate::state::AppState;
use crate::vault::{Act, VaultError, word};

const PER_PAGE: u64 = 100;

#[derive(Template)]
#[template(path = "client.html")]
struct ClientPage {
    layout: Layout,
    id: Uuid,
    name: String,
    company_vault: bool,
    syncs: bool,
    muted: bool,
    default_mode_word: &'static str,
    default_mode: &'static str,
    waiting: Vec<WaitingPlan>,
    credentials: Vec<CredentialLine>,
    types: Vec<CredentialType>,
    paging: Paging,
}

struct CredentialLine {
    id: Uuid,
    /// The name of its check box.
    field: String,
    user_name: String,
    credential_type: String,
    folder: String,
    mode: &'static str,
    inherits: bool,
    disabled: bool,
    changed: TimeView,
    flags: Vec<FlagView>,
    last_result: Option<ResultView>,
}

impl CredentialLine {
    fn new(credential: &Credential) -> Self {
        let flags = credential.flags.iter();
        Self {
            id: credential.id,
            field: bulk_actions::field(credential.id),
            user_name: credential.user_name.clone(),
            credential_type: credential.credential_type.clone(),
            folder: credential.folder.clone(),
            mode: credential.mode.label(),
            inherits: credential.own_mode.is_none(),
            disabled: credential.standing == Standing::Disabled,
            changed: TimeView::new(credential.changed),
            flags: flags
                .map(|(kind, flag)| FlagView::new(*kind, flag))
                .collect(),
            last_result: credential.last_result.as_ref().map(ResultView::new),
        }
    }
}

impl ClientPage {
    fn new(
        layout: Layout,
        client: &Client,
        waiting: Vec<WaitingPlan>,
        credentials: &[Credential],
    ) -> Self {
        Self {
            types: Vec::new(),
            paging: Paging::new(None, PER_PAGE),
            layout,
            waiting,
            id: client.id,
            name: client.name.clone(),
            company_vault: client.company_vault,
            syncs: client.sync == MicrosoftSync::EntraId,
            muted: client.mute == Mute::Muted,
            default_mode_word: client.default_mode.name(),
            default_mode: client.default_mode.label(),
            credentials: credentials.iter().map(CredentialLine::new).collect(),
        }
    }
}

/// Which page of the credentials.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    page: Option<u64>,
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Path(id): Path<Uuid>,
    query: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Problem> {
    let client = session.vault().client(id).await?;
    let asked = query.unwrap_or_default().0.page;
    let mut paging = Paging::new(asked, PER_PAGE);
    let mut credentials = session.vault().credentials_part(id, paging.part()).await?;
    paging.cut(&mut credentials);
    let waiting = plan_page::waiting(&session, Some(id)).await?;
    let layout = Layout::new(&state, &session, Section::Clients, &client.name);
    let types = session.vault().credential_types().await?;
    page(&ClientPage {
        types,
        paging,
        ..ClientPage::new(layout, &client, waiting, &credentials)
    })
}

/// The form of a client's settings.
#[derive(Deserialize)]
pub(super) struct SettingsForm {
    /// As it is without it.
    name: Option<String>,
    sync: MicrosoftSync,
    default_mode: SyncMode,
    mute: Mute,
    /// Said on the page that asks before passwords are overwritten.
    overwrite: Option<String>,
}

pub(super) async fn change(
    State(state): State<AppState>,
    Path(id): Path<Uuid>,
    form: OwnForm<SettingsForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let before = session.vault().client_for(Act::SetUpSync, id).await?;
    if fields.overwrite.is_none() {
        let credentials = session.vault().credentials(id).await?;
        let inheriting = credentials.iter().filter(|it| it.own_mode.is_none());
        let mut at_stake = inheriting
            .filter(|it| overwrite_page::is_at_stake(it, fields.default_mode))
            .peekable();
        if at_stake.peek().is_some() {
            return overwrite_page::ask(&state, &session, wanted(id, &fields)?, at_stake);
        }
    }
    // Only what differs, so that credentials do not count as changed for nothing.
    let patch = ClientPatch {
        name: fields.name.filter(|name| *name != before.name),
        sync: (fields.sync != before.sync).then_some(fields.sync),
        default_mode: (fields.default_mode != before.default_mode).then_some(fields.default_mode),
        mute: (fields.mute != before.mute).then_some(fields.mute),
    };
    let changed = session.vault().change_client(id, &patch).await;
    let to = format!("/clients/{id}");
    let back = back_with(&session, &to, changed, "The settings were saved.")?;
    Ok(back.into_response())
}

fn wanted(id: Uuid, form: &SettingsForm) -> Result<overwrite_page::Wanted, VaultError> {
    let name = form.name.iter().map(|name| ("name", name.clone()));
    let mut fields: Vec<_> = name.collect();
    fields.push(("sync", word(form.sync)?));
    fields.push(("default_mode", form.default_mode.name().to_owned()));
    fields.push(("mute", word(form.mute)?));
    let fields = fields.into_iter();
    Ok(overwrite_page::Wanted {
        action: format!("/clients/{id}/settings"),
        fields: fields
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        back: format!("/clients/{id}"),
    })
}
