//! `/clients/{id}/credentials/{id}`: one credential; its password only when a person asks for it.

use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use passportal_client::one_time_code::{OneTimeCode, TotpSecret};
use passportal_client::wire::{
    Client, Credential, FlagKind, HistoryEntry, PasswordVersion, Standing, SyncMode,
};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use sync_engine::model::Password;
use uuid::Uuid;

use super::form::{Empty, OwnForm};
use super::layout::{Layout, Section};
use super::plan_page::WaitingPlan;
use super::problem::{Problem, page, sentence};
use super::secrets::Secret;
use super::session::Message;
use super::signed_in::SignedIn;
use super::wording::{FlagView, ResultView, TimeView, standing_label};
use crate::state::AppState;
use crate::vault::{Act, VaultError};

#[derive(Template)]
#[template(path = "credential.html")]
struct CredentialPage {
    layout: Layout,
    id: Uuid,
    client: Uuid,
    client_name: String,
    address: String,
    user_name: String,
    credential_type: String,
    description: String,
    notes: String,
    folder: String,
    url: UrlView,
    expires: Option<Expiry>,
    has_totp: bool,
    code: Option<OneTimeCode>,
    versions: Vec<VersionView>,
    version: u64,
    changed: TimeView,
    changed_by: Option<String>,
    mode: &'static str,
    own_mode_word: &'static str,
    client_mode: &'static str,
    standing: &'static str,
    disabled: bool,
    flags: Vec<FlagView>,
    can_confirm: bool,
    waiting: Option<WaitingPlan>,
    history: Vec<ResultView>,
    revealed: Option<Password>,
}

/// An address, which is a link only where a browser opens no more than a page by it.
struct UrlView {
    text: String,
    is_link: bool,
}

impl UrlView {
    fn new(text: String) -> Self {
        let scheme = text.to_ascii_lowercase();
        let is_link = scheme.starts_with("https://") || scheme.starts_with("http://");
        Self { text, is_link }
    }
}

/// A day of expiry.
struct Expiry {
    day: Date,
    is_over: bool,
}

impl Expiry {
    fn new(day: Date) -> Self {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        Self {
            day,
            is_over: day < today,
        }
    }
}

/// A version of the password.
struct VersionView {
    version: u64,
    changed: TimeView,
    changed_by: Option<String>,
}

impl VersionView {
    fn new(version: PasswordVersion) -> Self {
        Self {
            version: version.version,
            changed: TimeView::new(version.changed),
            changed_by: version.changed_by,
        }
    }
}

/// What a person asked to see.
#[derive(Default)]
struct Shown {
    password: Option<Password>,
    code: Option<OneTimeCode>,
}

/// The address of a credential's page.
pub(super) fn address(client: Uuid, credential: Uuid) -> String {
    format!("/clients/{client}/credentials/{credential}")
}

impl CredentialPage {
    fn new(
        layout: Layout,
        client: &Client,
        credential: Credential,
        waiting: Option<WaitingPlan>,
        history: &[HistoryEntry],
        versions: Vec<PasswordVersion>,
        shown: Shown,
    ) -> Self {
        let waits = |kind: FlagKind| credential.flags.contains_key(&kind);
        let flags = credential.flags.iter();
        Self {
            layout,
            id: credential.id,
            client: client.id,
            client_name: client.name.clone(),
            address: address(client.id, credential.id),
            waiting,
            can_confirm: waits(FlagKind::Held) || waits(FlagKind::Blocked),
            flags: flags
                .map(|(kind, flag)| FlagView::new(*kind, flag))
                .collect(),
            user_name: credential.user_name,
            credential_type: credential.credential_type,
            description: credential.description,
            notes: credential.notes,
            folder: credential.folder,
            url: UrlView::new(credential.url),
            expires: credential.expires.map(Expiry::new),
            has_totp: credential.has_totp,
            code: shown.code,
            versions: versions.into_iter().map(VersionView::new).collect(),
            version: credential.version,
            changed: TimeView::new(credential.changed),
            changed_by: credential.changed_by,
            mode: credential.mode.label(),
            own_mode_word: credential.own_mode.map_or("inherit", SyncMode::name),
            client_mode: client.default_mode.label(),
            standing: standing_label(credential.standing),
            disabled: credential.standing == Standing::Disabled,
            history: history.iter().map(ResultView::new).collect(),
            revealed: shown.password,
        }
    }
}

/// A credential of this client, or nothing.
pub(super) async fn find(
    session: &SignedIn,
    client: Uuid,
    id: Uuid,
) -> Result<Credential, VaultError> {
    let credential = session.vault().credential(id).await?;
    if credential.client == client {
        return Ok(credential);
    }
    Err(VaultError::NotFound { what: "credential" })
}

pub(super) async fn show(
    State(state): State<AppState>,
    session: SignedIn,
    Path((client, id)): Path<(Uuid, Uuid)>,
) -> Result<Response, Problem> {
    let credential = find(&session, client, id).await?;
    render(&state, &session, credential, Shown::default()).await
}

async fn render(
    state: &AppState,
    session: &SignedIn,
    credential: Credential,
    shown: Shown,
) -> Result<Response, Problem> {
    let client = session.vault().client(credential.client).await?;
    let history = session.vault().history(credential.id).await?;
    let versions = session.vault().password_versions(credential.id).await?;
    let plan = session
        .vault()
        .waiting_plan_of(credential.id, credential.version)
        .await?;
    let waiting = plan.as_ref().map(WaitingPlan::new);
    let layout = Layout::new(state, session, Section::Clients, &credential.user_name);
    page(&CredentialPage::new(
        layout, &client, credential, waiting, &history, versions, shown,
    ))
}

/// A revealed password, for the script.
#[derive(Serialize)]
struct Revealed<'a> {
    password: &'a str,
}

/// Shows the password: as JSON to the script, as a page to a browser without it. Audited first.
pub(super) async fn reveal(
    State(state): State<AppState>,
    Path((client, id)): Path<(Uuid, Uuid)>,
    headers: HeaderMap,
    form: OwnForm<Empty>,
) -> Result<Response, Problem> {
    let session = form.session;
    let credential = find(&session, client, id).await?;
    match open(&session, &credential).await {
        Ok(clear) if wants_json(&headers) => Ok(Json(Revealed {
            password: clear.expose(),
        })
        .into_response()),
        Ok(clear) => {
            let shown = Shown {
                password: Some(clear),
                ..Shown::default()
            };
            render(&state, &session, credential, shown).await
        }
        Err(VaultError::Refused(words)) => {
            session.leave_message(Message::Refused(sentence(&words)));
            render(&state, &session, credential, Shown::default()).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Shows the one-time code of this moment. Audited first.
pub(super) async fn code(
    State(state): State<AppState>,
    Path((client, id)): Path<(Uuid, Uuid)>,
    form: OwnForm<Empty>,
) -> Result<Response, Problem> {
    let session = form.session;
    let credential = find(&session, client, id).await?;
    let shown = match one_time_code(&session, &credential).await {
        Ok(code) => Shown {
            code: Some(code),
            ..Shown::default()
        },
        Err(VaultError::Refused(words)) => {
            session.leave_message(Message::Refused(sentence(&words)));
            Shown::default()
        }
        Err(error) => return Err(error.into()),
    };
    render(&state, &session, credential, shown).await
}

async fn one_time_code(
    session: &SignedIn,
    credential: &Credential,
) -> Result<OneTimeCode, VaultError> {
    let what = "showed a one-time code";
    let secrets = session.vault().sealed_secrets(credential.id, what).await?;
    let totp = secrets
        .totp
        .ok_or_else(|| VaultError::refused("the credential has no TOTP secret"))?;
    let secret = Secret {
        client: credential.client,
        credential: credential.id,
        version: totp.version,
        user_name: &totp.user_name,
    };
    let clear = secret.open_totp(session, &totp.sealed).await?;
    let secret = TotpSecret::parse(clear.expose())
        .map_err(|refusal| VaultError::Refused(refusal.to_string()))?;
    Ok(secret.code(Timestamp::now()))
}

async fn open(session: &SignedIn, credential: &Credential) -> Result<Password, VaultError> {
    let there = session.vault().reveal(credential.id).await?;
    let secret = Secret {
        client: credential.client,
        credential: credential.id,
        version: there.version,
        user_name: &there.user_name,
    };
    secret.open(session, &there.sealed).await
}

fn wants_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.starts_with("application/json"))
}
