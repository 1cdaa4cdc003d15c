//! The types of the HTTP API, once for both sides. They know nothing of the engine.
//!
//! Every answer follows the conventions of Passportal's documented v2 API: [`Success`] around
//! results, [`Failure`] around an error. Field names are camelCase where the v2 API has them so
//! (`apiRequestUid`, `resultsPerPage`) and `snake_case` elsewhere.

mod account;
mod agent;
mod audit;
mod details;
mod import;
mod notice;
mod overview;
mod people;
mod plan;
mod sealed;
mod search;
mod seen;
mod session;
mod snooze;
mod vault;
mod words;

pub use account::{
    AccountProof, BegunSecondFactor, OneTimeCodeConfirmation, OwnAccount, OwnSession,
    PasswordChange, RecoveryCodes, SessionKind,
};
pub use agent::{
    AgentState, Attempt, AttemptNotice, AttemptState, Attempts, ChangedCredential, Changes,
    ChangesQuery, ClearedFlag, ClientSettings, Confirmation, EnrolRequest, Enrolled, Extent, Flag,
    FlagKind, Heartbeat, LeaseAnswer, LeaseState, Outcome, Report, ReportAccepted, ReportEntry,
    RotatedToken, SecretAnswer, SecretPurpose, SecretQuery,
};
pub use audit::{AuditLine, AuditQuery, AuditVerification};
pub use details::{
    CredentialType, PasswordVersion, Renamed, SealedSecrets, SealedTotp, text_limit,
};
pub use import::{Import, Imported, ImportedCredential, ImportedUpdate};
pub use notice::{
    NewNoticeChannel, NewNoticeChannelAnswer, NoticeChannel, NoticeSettings, NoticeTarget,
    NoticeTopic, QuietHours, SmtpSecurity,
};
pub use overview::{Overview, OverviewKind, OverviewQuery, UnknownOverview};
pub use people::{
    Authority, ClientAccess, Invitation, InvitationLink, NewInvitation, PersonPatch, PersonRecord,
    Role,
};
pub use plan::{
    HeldPlan, HeldWrite, Plan, PlanDetails, PlanQuery, PlanRuling, PlanStanding, Ruling,
    ShownPlans, Word,
};
pub use sealed::{KeyParameters, SealedText, WrappedKey};
pub use search::{FoundCredential, SearchQuery};
pub use seen::{AgentCondition, SeenAgent};
pub use session::{ClientToken, ClientTokenRequest, SessionRequest, SessionToken};
pub use snooze::{NewSnooze, SnoozeEnded, SnoozedFlag};
pub use vault::{
    Client, ClientPage, ClientPageQuery, ClientPatch, Credential, CredentialPatch, DocumentsClient,
    FlagCleared, FlagQuery, FlaggedCredential, HistoryEntry, MicrosoftSync, Mute, NewClient,
    NewCredential, NewPassword, Standing, SyncMode,
};
pub use words::credential_type;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An answer that worked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Success<T> {
    /// Always `true`.
    pub success: bool,
    /// The server's id of this request, for its log.
    #[serde(rename = "apiRequestUid")]
    pub api_request_uid: Uuid,
    /// What was asked for.
    pub results: T,
}

/// An answer that did not work.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    /// Always `false`.
    pub success: bool,
    /// Why, for a person.
    pub message: String,
    /// Why, for a program: see [`code`].
    pub code: u32,
    /// The HTTP status.
    pub status: u16,
}

/// The codes of [`Failure`]. 1000, 1006 and 3000 are Passportal's own; the others are this API's.
pub mod code {
    /// "Key verification failed": an unknown API key or a wrong signature.
    pub const KEY_VERIFICATION_FAILED: u32 = 1000;
    /// The access token is missing, unknown, expired or revoked.
    pub const BAD_TOKEN: u32 = 1006;
    /// The method is not allowed here.
    pub const METHOD_NOT_ALLOWED: u32 = 3000;
    /// Wrong e-mail, password or one-time code.
    pub const WRONG_CREDENTIALS: u32 = 4001;
    /// E-mail and password are right, and a one-time code is needed as well.
    pub const ONE_TIME_CODE_NEEDED: u32 = 4002;
    /// The token is good but not for this.
    pub const NOT_ALLOWED: u32 = 4003;
    /// Nothing has this id or name.
    pub const NOT_FOUND: u32 = 4004;
    /// It has changed since it was read: read it again.
    pub const CONFLICT: u32 = 4009;
    /// The request was understood and is refused: the message says why.
    pub const INVALID: u32 = 4022;
    /// Too many wrong sign-ins; later.
    pub const TOO_MANY: u32 = 4029;
    /// A fault of the server.
    pub const INTERNAL: u32 = 5000;
    /// The vault's disk is full; nothing was changed.
    pub const DISK_FULL: u32 = 5007;
}

/// The header that carries every access token.
pub const ACCESS_TOKEN_HEADER: &str = "x-access-token";
