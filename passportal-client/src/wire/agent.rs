//! The agent API under `/api/v2/agent`: ours, because Passportal does not publish its own agent's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MicrosoftSync, Mute, PlanRuling, SealedText, Standing, SyncMode, WrappedKey};

/// `POST /api/v2/agent/enrolments`, with a person's access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolRequest {
    /// The client that the agent is bound to.
    pub client: Uuid,
    /// The machine's host name, for people.
    pub host: String,
    /// The agent's version.
    pub version: String,
}

/// An agent's identity. The token is shown this once and stored hashed.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Enrolled {
    /// The agent.
    pub agent: Uuid,
    /// Its access token.
    pub token: String,
    /// The client that it is bound to.
    pub client: Uuid,
    /// The client's name.
    pub client_name: String,
    /// The client's data key, which the organization key opens.
    pub key: WrappedKey,
}

/// `POST /api/v2/agent/token`: a new token. The old one lives until the new one is first used.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RotatedToken {
    /// The new access token.
    pub token: String,
}

/// `POST /api/v2/agent/heartbeat`: "I am alive", and a request for the lease.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Heartbeat {
    /// The agent's version.
    pub version: String,
    /// The machine's host name.
    pub host: String,
    /// How it is doing.
    pub state: AgentState,
    /// The longest that one write of this agent may take, in seconds: a successor waits that long.
    pub write_timeout_seconds: u32,
    /// The longest time until it is heard again, in seconds: after two of them it counts as silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// Which of the processes that hold this token it is: to the lease, two of them are two agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Uuid>,
}

/// How an agent is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AgentState {
    /// Working.
    Running,
    /// Its last cycle failed.
    Failing,
    /// It is about to end: its lease is free at once.
    Stopping,
}

/// The answer to a heartbeat.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseAnswer {
    /// The lease.
    pub lease: LeaseState,
    /// Whether the agent should rotate its token now.
    pub rotate_token: bool,
}

/// Who may write. Durations, not times, so that no two clocks have to agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LeaseState {
    /// This agent.
    Granted {
        /// Milliseconds left.
        remaining_ms: u64,
        /// Milliseconds before the first write, because a predecessor's may still be under way.
        writes_after_ms: u64,
    },
    /// Another agent.
    Elsewhere {
        /// Its host name.
        holder: String,
        /// Milliseconds left.
        remaining_ms: u64,
    },
}

/// `GET /api/v2/agent/changes`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct ChangesQuery {
    /// From an earlier answer; everything without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Seconds to wait for a change at the most (0 to 60).
    #[serde(default)]
    pub wait: u32,
    /// Credentials in one answer at the most (1 to 1000).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The process that acts on the answer, as its heartbeats name it. People's words about plans count as heard
    /// where it holds the client's lease; whoever only looks names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Uuid>,
}

/// What changed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Changes {
    /// The vault's history; a restored backup begins a new one.
    pub epoch: Uuid,
    /// For the next request.
    pub cursor: String,
    /// Whether the reading that this page belongs to began without a usable cursor.
    pub extent: Extent,
    /// Whether to ask again at once with `cursor` for the next page.
    pub more: bool,
    /// The client as it is now.
    pub client: ClientSettings,
    /// New and changed credentials, in the order in which they changed.
    pub credentials: Vec<ChangedCredential>,
    /// What people said about the plans that are shown now: all of it, each time.
    #[serde(default)]
    pub rulings: Vec<PlanRuling>,
}

/// Whether an answer holds everything or only what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Extent {
    /// Everything.
    Full,
    /// Only what changed.
    Changes,
}

/// A client's settings, as an agent needs them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientSettings {
    /// The client.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Its Microsoft sync.
    pub sync: MicrosoftSync,
    /// Whether it is muted.
    pub mute: Mute,
    /// The data key that its secrets are sealed with; absent where the vault does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<Uuid>,
}

/// One credential, with its password sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChangedCredential {
    /// The credential.
    pub id: Uuid,
    /// The account that it is for.
    pub user_name: String,
    /// Its type, e.g. one of [`credential_type`](super::credential_type); empty where the vault does not tell.
    #[serde(default)]
    pub credential_type: String,
    /// The version of its password.
    pub version: u64,
    /// Who typed that version, where the vault knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// When they did, by the vault's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub changed: Option<Timestamp>,
    /// Its effective mode.
    pub mode: SyncMode,
    /// Whether it is in use.
    pub standing: Standing,
    /// Its password.
    pub sealed: SealedText,
    /// What a person confirmed last.
    #[serde(default)]
    pub confirmed: Option<Confirmation>,
    /// Sign-in tests of the last day that count, or may count, towards a lockout, and those of the
    /// current version whatever their age.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// The engine's flags that stand on it.
    #[serde(default)]
    pub flags: BTreeMap<FlagKind, Flag>,
    /// The engine's flags that a person took down; they stay down until their fact changes.
    #[serde(default)]
    pub cleared: BTreeMap<FlagKind, ClearedFlag>,
}

/// What a flag stood for when a person took it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClearedFlag {
    /// The version.
    pub version: u64,
    /// The account's password stamp.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub stamp: Option<Timestamp>,
}

/// A person's word that the agent may go on with this version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Confirmation {
    /// The version.
    pub version: u64,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// Who, where the vault knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// A flag that the engine raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FlagKind {
    /// `AD change`.
    AdChange,
    /// `Held`.
    Held,
    /// `Blocked`.
    Blocked,
    /// `Password expired`: raised by the vault, never by an agent.
    PasswordExpired,
    /// `Password touched`: raised by the vault, never by an agent.
    PasswordTouched,
}

/// What a flag stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Flag {
    /// The version when it was raised.
    pub version: u64,
    /// The account's password stamp when it was raised.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub stamp: Option<Timestamp>,
    /// Why.
    pub why: String,
}

/// `GET /api/v2/agent/credentials/{id}/secret`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
pub struct SecretQuery {
    /// The version that the agent means; another one is a conflict (409).
    pub version: u64,
    /// What it is for.
    #[serde(default, skip_serializing_if = "SecretPurpose::is_sync")]
    #[cfg_attr(feature = "openapi", param(inline))]
    pub purpose: SecretPurpose,
}

/// What an agent needs a password for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum SecretPurpose {
    /// To check or set it in Entra ID: its credential must be synced at this moment.
    #[default]
    Sync,
    /// To sign in as the client's administrator: its type must be `Azure/Office365 Admin`, its mode is its own affair.
    SignIn,
}

impl SecretPurpose {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
    fn is_sync(&self) -> bool {
        *self == Self::Sync
    }

    /// The word of the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::SignIn => "sign_in",
        }
    }
}

/// One sealed password.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SecretAnswer {
    /// The user name that it is sealed for.
    pub user_name: String,
    /// Its version.
    pub version: u64,
    /// The password.
    pub sealed: SealedText,
}

/// `POST /api/v2/agent/attempts`: written down before it answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempts {
    /// Up to 1000.
    pub notices: Vec<AttemptNotice>,
}

/// The newest state of one sign-in test.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AttemptNotice {
    /// The credential.
    pub credential: Uuid,
    /// The attempt.
    pub attempt: Attempt,
}

/// One sign-in test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// Its id.
    pub id: Uuid,
    /// The account's object id.
    pub object: Uuid,
    /// The version that was sent.
    pub version: u64,
    /// The account's stamp then.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub stamp: Option<Timestamp>,
    /// When it was written down.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// What became of it.
    pub state: AttemptState,
}

/// What became of a sign-in test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AttemptState {
    /// Not known.
    Open,
    /// It counts.
    Failed,
    /// It does not.
    Passed,
}

/// `POST /api/v2/agent/reports`: each id is taken once.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Its id.
    pub id: Uuid,
    /// Up to 1000.
    pub entries: Vec<ReportEntry>,
    /// The process that reports, as its heartbeats name it. While another one leads its client, what it says may be
    /// old, and is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Uuid>,
}

/// The news of one credential.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportEntry {
    /// The credential.
    pub credential: Uuid,
    /// When.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub at: Timestamp,
    /// The version that this is about.
    pub version: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// Why, in words.
    pub why: String,
    /// All engine flags that should stand now: those missing here are taken down.
    pub flags: BTreeMap<FlagKind, Flag>,
}

/// What came of a credential in a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Outcome {
    /// Not processed.
    Ignored,
    /// Both agree.
    Matched,
    /// They do not, and nothing was written.
    Mismatched,
    /// Set in Entra ID, and seen there.
    Pushed,
    /// Sent, not seen yet.
    Unsettled,
    /// Nothing is known.
    Unknown,
    /// Waits for a person.
    Held,
    /// Left alone.
    Blocked,
    /// Failed, tried again later.
    Failed,
}

/// The answer to a report.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportAccepted {
    /// Whether this id had been taken before.
    pub duplicate: bool,
}
