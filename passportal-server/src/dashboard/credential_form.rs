//! The form of a credential's fields, for a new one and for one that is edited.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use jiff::civil::Date;
use passportal_client::one_time_code::TotpSecret;
use passportal_client::wire::{Credential, CredentialType, credential_type};
use serde::Deserialize;
use sync_engine::model::Password;
use uuid::Uuid;

use super::layout::{Layout, Section};
use super::problem::{Problem, sentence};
use super::session::Message;
use super::signed_in::SignedIn;
use crate::state::AppState;
use crate::vault::VaultError;

/// The fields that are no secrets, as they were typed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Fields {
    #[serde(default)]
    pub(super) user_name: String,
    #[serde(default)]
    pub(super) credential_type: String,
    #[serde(default)]
    pub(super) folder: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) url: String,
    #[serde(default)]
    pub(super) expires: String,
    #[serde(default)]
    pub(super) notes: String,
}

impl Fields {
    pub(super) fn empty() -> Self {
        Self {
            credential_type: credential_type::USER.to_owned(),
            ..Self::default()
        }
    }

    pub(super) fn of(credential: &Credential) -> Self {
        Self {
            user_name: credential.user_name.clone(),
            credential_type: credential.credential_type.clone(),
            folder: credential.folder.clone(),
            description: credential.description.clone(),
            url: credential.url.clone(),
            expires: credential
                .expires
                .map(|day| day.to_string())
                .unwrap_or_default(),
            notes: credential.notes.clone(),
        }
    }

    /// Without what browsers and people add at the edges; line breaks as they are stored.
    pub(super) fn tidied(mut self) -> Self {
        for text in [
            &mut self.user_name,
            &mut self.credential_type,
            &mut self.folder,
            &mut self.url,
            &mut self.expires,
        ] {
            *text = text.trim().to_owned();
        }
        self.notes = self.notes.replace("\r\n", "\n");
        self
    }

    /// The day of expiry; none where the field is empty.
    pub(super) fn expiry(&self) -> Result<Option<Date>, VaultError> {
        if self.expires.is_empty() {
            return Ok(None);
        }
        let day = self.expires.parse().ok();
        day.map(Some).ok_or_else(|| {
            VaultError::refused(
                "the expiry is not a day such as 2027-03-31; leave it empty for none",
            )
        })
    }
}

/// A typed secret of one-time codes; none where the field is empty.
pub(super) fn typed_totp(text: &str) -> Result<Option<Password>, VaultError> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    TotpSecret::parse(text).map_err(|refusal| VaultError::Refused(refusal.to_string()))?;
    Ok(Some(Password::new(text)))
}

/// What the form is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    New,
    Edit(&'a Credential),
}

#[derive(Template)]
#[template(path = "credential_form.html")]
struct FormPage {
    layout: Layout,
    client: Uuid,
    client_name: String,
    /// The page of the credential that is edited.
    edited: Option<Edited>,
    fields: Fields,
    types: Vec<CredentialType>,
    folders: Vec<String>,
}

struct Edited {
    address: String,
    user_name: String,
    version: u64,
    has_totp: bool,
}

/// Shows the form.
pub(super) async fn show(
    state: &AppState,
    session: &SignedIn,
    client: Uuid,
    purpose: Purpose<'_>,
    fields: Fields,
) -> Result<Response, Problem> {
    let edited = match purpose {
        Purpose::New => None,
        Purpose::Edit(credential) => Some(Edited {
            address: super::credential_page::address(client, credential.id),
            user_name: credential.user_name.clone(),
            version: credential.version,
            has_totp: credential.has_totp,
        }),
    };
    let title = match &edited {
        None => "New credential".to_owned(),
        Some(edited) => format!("Edit {}", edited.user_name),
    };
    let page = FormPage {
        client_name: session.vault().client(client).await?.name,
        types: session.vault().credential_types().await?,
        folders: session.vault().folders(client).await?,
        layout: Layout::new(state, session, Section::Clients, title),
        client,
        edited,
        fields,
    };
    Ok(Html(page.render()?).into_response())
}

/// Shows the form again with what was typed, except secrets, and says why it was refused.
pub(super) async fn show_refused(
    state: &AppState,
    session: &SignedIn,
    client: Uuid,
    purpose: Purpose<'_>,
    fields: Fields,
    error: VaultError,
) -> Result<Response, Problem> {
    let (VaultError::Refused(why) | VaultError::Conflict(why)) = error else {
        return Err(error.into());
    };
    session.leave_message(Message::Refused(sentence(&why)));
    let page = show(state, session, client, purpose, fields).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
