//! The vault API under `/api/v2/vault`, for a person's session: clients, credentials and flags.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Flag, FlagKind, Outcome, Renamed, SealedText, SealedTotp, SeenAgent, WrappedKey};

/// What happens to one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SyncMode {
    /// Nothing.
    Off,
    /// Checked, never written.
    ReportMismatches,
    /// Pushed.
    Enabled,
}

/// A client's Microsoft sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MicrosoftSync {
    /// None.
    None,
    /// Entra ID.
    EntraId,
}

/// Whether a client's passwords are processed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Mute {
    /// Not at all.
    Muted,
    /// Normal.
    Unmuted,
}

/// Whether a credential is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Standing {
    /// In use.
    Active,
    /// Kept for its audit trail.
    Disabled,
}

/// `GET /api/v2/vault/clients`: a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Client {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is the organization's own company vault.
    pub company_vault: bool,
    /// Its Microsoft sync.
    pub sync: MicrosoftSync,
    /// The mode of credentials that have none of their own.
    pub default_mode: SyncMode,
    /// Whether it is muted.
    pub mute: Mute,
    /// Active credentials.
    pub credentials: u32,
    /// Standing flags by kind.
    pub flags: BTreeMap<FlagKind, u32>,
    /// Password changes that the mass-change breaker held and that wait for a person's approval.
    #[serde(default)]
    pub waiting_writes: u64,
    /// Its agents that are not revoked, the one seen last first.
    #[serde(default)]
    pub agents: Vec<SeenAgent>,
    /// Its data key, which the organization key opens.
    pub key: WrappedKey,
}

/// `POST /api/v2/vault/clients`. The data key is made and wrapped by the caller, who has the
/// organization key; the server never does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewClient {
    /// Its id, chosen by the caller because the wrapped key names it.
    pub id: Uuid,
    /// Its name, unique in the organization.
    pub name: String,
    /// Its Microsoft sync.
    pub sync: MicrosoftSync,
    /// The mode of credentials that have none of their own.
    pub default_mode: SyncMode,
    /// Its data key.
    pub key: WrappedKey,
}

/// `PATCH /api/v2/vault/clients/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientPatch {
    /// A new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A new Microsoft sync.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync: Option<MicrosoftSync>,
    /// A new default mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_mode: Option<SyncMode>,
    /// Muted or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mute: Option<Mute>,
}

/// `GET /api/v2/documents/clients`: a client as Passportal's documented API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DocumentsClient {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
}

/// The paging of `documents/clients`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct ClientPageQuery {
    /// Clients on a page (1 to 1000); 100 without it.
    #[serde(rename = "resultsPerPage", default = "usual_page")]
    pub results_per_page: u32,
    /// The page, from 1; the first without it.
    #[serde(rename = "pageNum", default = "first_page")]
    pub page_num: u32,
}

fn usual_page() -> u32 {
    100
}

fn first_page() -> u32 {
    1
}

/// A page of `documents/clients`; the last one is shorter than `resultsPerPage`.
pub type ClientPage = Vec<DocumentsClient>;

/// `GET /api/v2/vault/clients/{id}/credentials`: a credential without its password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Credential {
    /// Its id.
    pub id: Uuid,
    /// Its client.
    pub client: Uuid,
    /// Its type, e.g. one of [`credential_type`](super::credential_type).
    pub credential_type: String,
    /// The account that it is for.
    pub user_name: String,
    /// What it is.
    pub description: String,
    /// Notes.
    pub notes: String,
    /// Its folder; empty where it has none.
    #[serde(default)]
    pub folder: String,
    /// Where it is used.
    #[serde(default)]
    pub url: String,
    /// The day on which it expires; `None` never.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub expires: Option<Date>,
    /// Whether it has a secret of one-time codes.
    #[serde(default)]
    pub has_totp: bool,
    /// The version of that secret, or of the last one that it had.
    #[serde(default)]
    pub totp_version: u64,
    /// The version of its password.
    pub version: u64,
    /// Its own mode; `None` inherits.
    pub own_mode: Option<SyncMode>,
    /// Its effective mode.
    pub mode: SyncMode,
    /// Whether it is in use.
    pub standing: Standing,
    /// When its password changed last.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub changed: Timestamp,
    /// Who changed it last, where the vault knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// Flags that stand on it.
    pub flags: BTreeMap<FlagKind, Flag>,
    /// The last sync result.
    pub last_result: Option<HistoryEntry>,
}

/// One line of a credential's history of sync results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HistoryEntry {
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The version that it is about.
    pub version: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why.
    pub why: String,
    /// Which agent said so.
    pub agent: String,
    /// Who approved this write, as part of a held plan or by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// `POST /api/v2/vault/clients/{id}/credentials`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewCredential {
    /// Its id, chosen by the caller because the envelope names it.
    pub id: Uuid,
    /// Its type.
    pub credential_type: String,
    /// The account that it is for.
    pub user_name: String,
    /// What it is.
    #[serde(default)]
    pub description: String,
    /// Notes.
    #[serde(default)]
    pub notes: String,
    /// Its folder; one with a new name is made.
    #[serde(default)]
    pub folder: String,
    /// Where it is used.
    #[serde(default)]
    pub url: String,
    /// The day on which it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub expires: Option<Date>,
    /// Its own mode; `None` inherits.
    #[serde(default)]
    pub own_mode: Option<SyncMode>,
    /// Its password, sealed as version 1.
    pub sealed: SealedText,
    /// The secret of its one-time codes, sealed as version 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<SealedText>,
}

/// `PATCH /api/v2/vault/credentials/{id}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CredentialPatch {
    /// A mode of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_mode: Option<SyncMode>,
    /// Back to the client's default mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inherit_mode: bool,
    /// In use or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing: Option<Standing>,
    /// A person confirms this version: push what is held, accept a new account, try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_version: Option<u64>,
    /// Another type; one with a new name is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// Another description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Other notes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// Another folder; one with a new name is made, an empty name is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Another address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Another day of expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub expires: Option<Date>,
    /// It does not expire any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub never_expires: bool,
    /// Another user name. The version of the password stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renamed: Option<Renamed>,
    /// Another secret of one-time codes, of the version after the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<SealedTotp>,
    /// It has no one-time codes any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove_totp: bool,
}

impl CredentialPatch {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        let words =
            self.own_mode.is_none() && self.standing.is_none() && self.confirm_version.is_none();
        let texts = [
            &self.credential_type,
            &self.description,
            &self.notes,
            &self.folder,
            &self.url,
        ];
        let marks = [self.inherit_mode, self.never_expires, self.remove_totp];
        words
            && texts.iter().all(|text| text.is_none())
            && !marks.contains(&true)
            && self.expires.is_none()
            && self.renamed.is_none()
            && self.totp.is_none()
    }
}

/// `PUT /api/v2/vault/credentials/{id}/password`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NewPassword {
    /// The version that it is sealed for: the current one plus one. Another is a conflict (409).
    pub version: u64,
    /// The password.
    pub sealed: SealedText,
    /// The user name that it is sealed for. Where it is told, another one by now is a conflict (409).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// `GET /api/v2/vault/flags`: which flags.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct FlagQuery {
    /// Of this client only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Uuid>,
    /// Of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FlagKind>,
}

/// A flag and where it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlaggedCredential {
    /// The credential.
    pub credential: Uuid,
    /// Its client.
    pub client: Uuid,
    /// The client's name.
    pub client_name: String,
    /// The account that it is for.
    pub user_name: String,
    /// The kind.
    pub kind: FlagKind,
    /// What it stands for.
    pub flag: Flag,
    /// When it was raised.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub raised: Timestamp,
}

/// `DELETE /api/v2/vault/credentials/{id}/flags/{kind}`: cleared until its fact changes.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FlagCleared {
    /// Whether it stood.
    pub stood: bool,
}
