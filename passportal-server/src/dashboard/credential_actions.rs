//! What a person does with a credential: mode, password, confirmation, standing, flags.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::password_generator;
use passportal_client::wire::{
    Credential, CredentialPatch, FlagKind, NewPassword, Standing, SyncMode,
};
use serde::Deserialize;
use subtle::ConstantTimeEq as _;
use sync_engine::model::Password;
use uuid::Uuid;

use super::credential_page::{address, find};
use super::form::{Empty, OwnForm};
use super::overwrite_page::{self, Wanted};
use super::problem::{Problem, back_with};
use super::secrets::Secret;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::{Act, VaultError};

/// The choice of a mode.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeChoice {
    Inherit,
    Off,
    ReportMismatches,
    Enabled,
}

impl ModeChoice {
    fn patch(self) -> CredentialPatch {
        let own_mode = match self {
            Self::Inherit => None,
            Self::Off => Some(SyncMode::Off),
            Self::ReportMismatches => Some(SyncMode::ReportMismatches),
            Self::Enabled => Some(SyncMode::Enabled),
        };
        CredentialPatch {
            own_mode,
            inherit_mode: own_mode.is_none(),
            ..CredentialPatch::default()
        }
    }
}

/// The form `mode`.
#[derive(Deserialize)]
pub(super) struct ModeForm {
    mode: ModeChoice,
    /// Said on the page that asks before a password is overwritten.
    overwrite: Option<String>,
}

pub(super) async fn set_mode(
    State(state): State<AppState>,
    Path((client, id)): Path<(Uuid, Uuid)>,
    form: OwnForm<ModeForm>,
) -> Result<Response, Problem> {
    let OwnForm { session, fields } = form;
    let patch = fields.mode.patch();
    if fields.overwrite.is_none() {
        let credential = find(&session, client, id).await?;
        let of = session.vault().client_for(Act::SetUpSync, client).await?;
        let after = patch.own_mode.unwrap_or(of.default_mode);
        if overwrite_page::is_at_stake(&credential, after) {
            let wanted = Wanted {
                action: format!("{}/mode", address(client, id)),
                fields: vec![(
                    "mode".to_owned(),
                    patch.own_mode.map_or("inherit", SyncMode::name).to_owned(),
                )],
                back: address(client, id),
            };
            return overwrite_page::ask(&state, &session, wanted, [&credential].into_iter());
        }
    }
    let done = "The sync mode was saved.";
    let back = change(&session, (client, id), &patch, done).await?;
    Ok(back.into_response())
}

/// The form of the standing.
#[derive(Deserialize)]
pub(super) struct StandingForm {
    standing: Standing,
}

pub(super) async fn set_standing(
    Path(at): Path<(Uuid, Uuid)>,
    form: OwnForm<StandingForm>,
) -> Result<Redirect, Problem> {
    let patch = CredentialPatch {
        standing: Some(form.fields.standing),
        ..CredentialPatch::default()
    };
    let done = match form.fields.standing {
        Standing::Active => "The credential is in use again.",
        Standing::Disabled => "The credential was disabled. Its history stays.",
    };
    change(&form.session, at, &patch, done).await
}

/// A form that names the version that the person saw. Text, because forms carry nothing else.
#[derive(Deserialize)]
pub(super) struct VersionForm {
    version: String,
}

pub(super) async fn confirm(
    Path(at): Path<(Uuid, Uuid)>,
    form: OwnForm<VersionForm>,
) -> Result<Redirect, Problem> {
    let patch = CredentialPatch {
        confirm_version: Some(seen_version(&form.fields.version)?),
        ..CredentialPatch::default()
    };
    let done = "Confirmed. The agent goes on with this version.";
    change(&form.session, at, &patch, done).await
}

async fn change(
    session: &SignedIn,
    (client, id): (Uuid, Uuid),
    patch: &CredentialPatch,
    done: &str,
) -> Result<Redirect, Problem> {
    find(session, client, id).await?;
    let changed = session.vault().change_credential(id, patch).await;
    back_with(session, &address(client, id), changed, done)
}

/// The form `change-password`.
#[derive(Deserialize)]
pub(super) struct PasswordForm {
    version: String,
    #[serde(default)]
    password: String,
    /// The button that stands for a generated password.
    generate: Option<String>,
}

pub(super) async fn set_password(
    Path((client, id)): Path<(Uuid, Uuid)>,
    form: OwnForm<PasswordForm>,
) -> Result<Redirect, Problem> {
    let OwnForm { session, fields } = form;
    let version = seen_version(&fields.version)?.saturating_add(1);
    let password = match fields.generate {
        Some(_) => password_generator::generate(),
        None => Password::new(fields.password),
    };
    let credential = find(&session, client, id).await?;
    let stored = store(&session, &credential, version, &password).await;
    let done = format!("The password was changed to version {version}.");
    back_with(&session, &address(client, id), stored, &done)
}

async fn store(
    session: &SignedIn,
    credential: &Credential,
    version: u64,
    password: &Password,
) -> Result<Credential, VaultError> {
    let secret = Secret {
        client: credential.client,
        credential: credential.id,
        version,
        user_name: &credential.user_name,
    };
    refuse_the_same(session, credential, password).await?;
    let sealed = secret.seal(session, password).await?;
    let new = NewPassword {
        version,
        sealed,
        user_name: Some(credential.user_name.clone()),
    };
    session.vault().set_password(credential.id, &new).await
}

/// A version changes when the password does, only then: the same one again would be set in Entra ID
/// for nothing, and sign the user out everywhere.
async fn refuse_the_same(
    session: &SignedIn,
    credential: &Credential,
    password: &Password,
) -> Result<(), VaultError> {
    let current = Secret {
        client: credential.client,
        credential: credential.id,
        version: credential.version,
        user_name: &credential.user_name,
    };
    let sealed = session.vault().sealed_password(credential.id).await?;
    // What does not open may well be replaced.
    let Ok(there) = current.open(session, &sealed).await else {
        return Ok(());
    };
    if bool::from(
        there
            .expose()
            .as_bytes()
            .ct_eq(password.expose().as_bytes()),
    ) {
        let why = "this is the password already; nothing was changed";
        return Err(VaultError::Refused(why.to_owned()));
    }
    Ok(())
}

pub(super) async fn clear_flag(
    Path((client, id, kind)): Path<(Uuid, Uuid, FlagKind)>,
    form: OwnForm<Empty>,
) -> Result<Redirect, Problem> {
    let session = &form.session;
    find(session, client, id).await?;
    let cleared = session.vault().clear_flag(id, kind).await;
    let done = "The flag was cleared. It comes back when something new happens.";
    back_with(session, &address(client, id), cleared, done)
}

fn seen_version(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::unreadable_form())
}
