//! `/clients/{id}/credentials/new` and `…/{id}/edit`: adds a credential, changes all of one but its password.

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use passportal_client::password_generator;
use passportal_client::wire::{Credential, CredentialPatch, NewCredential, Renamed, SealedTotp};
use serde::Deserialize;
use sync_engine::model::Password;
use uuid::Uuid;

use super::credential_form::{self, Fields, Purpose, typed_totp};
use super::credential_page::{address, find};
use super::form::OwnForm;
use super::problem::Problem;
use super::secrets::Secret;
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::VaultError;

/// The form of a new credential.
#[derive(Deserialize)]
pub(super) struct NewForm {
    #[serde(flatten)]
    fields: Fields,
    #[serde(default)]
    password: String,
    /// The button that stands for a generated password.
    generate: Option<String>,
    #[serde(default)]
    totp: String,
}

pub(super) async fn show_new(
    State(state): State<AppState>,
    session: SignedIn,
    Path(client): Path<Uuid>,
) -> Result<Response, Problem> {
    credential_form::show(&state, &session, client, Purpose::New, Fields::empty()).await
}

pub(super) async fn add(
    State(state): State<AppState>,
    Path(client): Path<Uuid>,
    form: OwnForm<NewForm>,
) -> Result<Response, Problem> {
    let OwnForm {
        session,
        fields: form,
    } = form;
    let fields = form.fields.tidied();
    let password = match form.generate {
        Some(_) => password_generator::generate(),
        None => Password::new(form.password),
    };
    let added = store_new(&session, client, &fields, &password, &form.totp).await;
    match added {
        Ok(_) => {
            session.leave_message(Message::Done("The credential was added.".to_owned()));
            Ok(Redirect::to(&format!("/clients/{client}")).into_response())
        }
        Err(error) => {
            let purpose = Purpose::New;
            credential_form::show_refused(&state, &session, client, purpose, fields, error).await
        }
    }
}

async fn store_new(
    session: &SignedIn,
    client: Uuid,
    fields: &Fields,
    password: &Password,
    totp: &str,
) -> Result<Credential, VaultError> {
    let id = Uuid::new_v4();
    let secret = Secret {
        client,
        credential: id,
        version: 1,
        user_name: &fields.user_name,
    };
    let sealed = secret.seal(session, password).await?;
    let totp = match typed_totp(totp)? {
        Some(clear) => Some(secret.seal_totp(session, &clear).await?),
        None => None,
    };
    let new = NewCredential {
        id,
        credential_type: fields.credential_type.clone(),
        user_name: fields.user_name.clone(),
        description: fields.description.clone(),
        notes: fields.notes.clone(),
        folder: fields.folder.clone(),
        url: fields.url.clone(),
        expires: fields.expiry()?,
        own_mode: None,
        sealed,
        totp,
    };
    session.vault().add_credential(client, &new).await
}

/// The form of a credential that is edited.
#[derive(Deserialize)]
pub(super) struct EditForm {
    #[serde(flatten)]
    fields: Fields,
    #[serde(default)]
    totp: String,
    remove_totp: Option<String>,
}

pub(super) async fn show_edit(
    State(state): State<AppState>,
    session: SignedIn,
    Path((client, id)): Path<(Uuid, Uuid)>,
) -> Result<Response, Problem> {
    let credential = find(&session, client, id).await?;
    let purpose = Purpose::Edit(&credential);
    let fields = Fields::of(&credential);
    credential_form::show(&state, &session, client, purpose, fields).await
}

pub(super) async fn save(
    State(state): State<AppState>,
    Path((client, id)): Path<(Uuid, Uuid)>,
    form: OwnForm<EditForm>,
) -> Result<Response, Problem> {
    let OwnForm {
        session,
        fields: mut form,
    } = form;
    let before = find(&session, client, id).await?;
    form.fields = form.fields.tidied();
    match store(&session, &before, &form).await {
        Ok(said) => {
            session.leave_message(Message::Done(said.to_owned()));
            Ok(Redirect::to(&address(client, id)).into_response())
        }
        Err(error) => {
            let purpose = Purpose::Edit(&before);
            let fields = form.fields;
            credential_form::show_refused(&state, &session, client, purpose, fields, error).await
        }
    }
}

async fn store(
    session: &SignedIn,
    before: &Credential,
    form: &EditForm,
) -> Result<&'static str, VaultError> {
    let mut patch = changed_fields(before, &form.fields)?;
    let user_name = &form.fields.user_name;
    patch.remove_totp = form.remove_totp.is_some() && before.has_totp;
    if let Some(clear) = typed_totp(&form.totp)? {
        patch.remove_totp = false;
        patch.totp = Some(next_totp(session, before, user_name, &clear).await?);
    }
    if *user_name != before.user_name {
        patch.renamed = Some(renamed(session, before, user_name).await?);
    }
    if patch.is_empty() {
        return Ok("Nothing was changed.");
    }
    session.vault().change_credential(before.id, &patch).await?;
    Ok("The credential was saved.")
}

/// Only what differs, so that the audit trail says what somebody changed.
fn changed_fields(before: &Credential, fields: &Fields) -> Result<CredentialPatch, VaultError> {
    let differs = |now: &String, before: &String| (now != before).then(|| now.clone());
    let expires = fields.expiry()?;
    Ok(CredentialPatch {
        credential_type: differs(&fields.credential_type, &before.credential_type),
        folder: differs(&fields.folder, &before.folder),
        description: differs(&fields.description, &before.description),
        url: differs(&fields.url, &before.url),
        notes: differs(&fields.notes, &before.notes),
        expires: expires.filter(|day| Some(*day) != before.expires),
        never_expires: expires.is_none() && before.expires.is_some(),
        ..CredentialPatch::default()
    })
}

async fn next_totp(
    session: &SignedIn,
    before: &Credential,
    user_name: &str,
    clear: &Password,
) -> Result<SealedTotp, VaultError> {
    let version = before.totp_version + 1;
    let secret = Secret {
        client: before.client,
        credential: before.id,
        version,
        user_name,
    };
    Ok(SealedTotp {
        version,
        user_name: user_name.to_owned(),
        sealed: secret.seal_totp(session, clear).await?,
    })
}

/// Seals the same secrets for another user name. They pass through memory and are shown to nobody.
async fn renamed(
    session: &SignedIn,
    before: &Credential,
    user_name: &str,
) -> Result<Renamed, VaultError> {
    let what = "opened the secrets to seal them for another user name";
    let there = session.vault().sealed_secrets(before.id, what).await?;
    let at = |version, user_name| Secret {
        client: before.client,
        credential: before.id,
        version,
        user_name,
    };
    let (old, new) = (
        at(there.version, &there.user_name),
        at(there.version, user_name),
    );
    let clear = old.open(session, &there.sealed).await?;
    let totp = match &there.totp {
        Some(totp) => {
            let (old, new) = (
                at(totp.version, &totp.user_name),
                at(totp.version, user_name),
            );
            let clear = old.open_totp(session, &totp.sealed).await?;
            Some(SealedTotp {
                version: totp.version,
                user_name: user_name.to_owned(),
                sealed: new.seal_totp(session, &clear).await?,
            })
        }
        None => None,
    };
    Ok(Renamed {
        user_name: user_name.to_owned(),
        version: there.version,
        sealed: new.reseal(session, &clear).await?,
        totp,
    })
}
