//! What the vault tells the engine: clients, credentials, and the view that the engine keeps of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    AttemptId, ClientId, CredentialId, Cursor, FlagKind, ObjectId, Password, PasswordFacts, Stamp,
    UserPrincipalName, VaultEpoch, VaultVersion,
};
use crate::plan::PlanRuling;

/// What happens to one credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncMode {
    /// Nothing.
    Off,
    /// Checked and flagged, never written.
    ReportMismatches,
    /// Pushed to Entra ID.
    Enabled,
}

impl SyncMode {
    /// The words that users know.
    pub fn label(self) -> &'static str {
        match self {
            Self::Off => "Off",
            Self::ReportMismatches => "Report mismatches",
            Self::Enabled => "Enabled",
        }
    }
}

/// Which directory a client's credentials are kept in step with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MicrosoftSync {
    /// None: the client's credentials are left alone.
    None,
    /// Entra ID.
    EntraId,
}

/// Whether any password of a client is processed at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mute {
    /// No password processing.
    Muted,
    /// Normal.
    Unmuted,
}

/// Whether a credential is in use. A credential is disabled, never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// In use.
    Active,
    /// Kept for its audit trail only.
    Disabled,
}

/// The settings of one client that decide over its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSettings {
    /// Which client.
    pub id: ClientId,
    /// Its name, for people.
    pub name: String,
    /// Which directory it is kept in step with.
    pub sync: MicrosoftSync,
    /// Whether it is muted.
    pub mute: Mute,
}

impl ClientSettings {
    /// Whether any of its credentials is processed.
    pub fn is_switched_on(&self) -> bool {
        self.mute == Mute::Unmuted && self.sync == MicrosoftSync::EntraId
    }

    /// A client that is kept in step with Entra ID.
    pub fn new(id: ClientId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            sync: MicrosoftSync::EntraId,
            mute: Mute::Unmuted,
        }
    }
}

/// One stored password, without the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultCredential {
    /// Which credential.
    pub id: CredentialId,
    /// The account it is for.
    pub user_name: UserPrincipalName,
    /// Which password of this credential is the current one.
    pub version: VaultVersion,
    /// Its sync mode, with the client's default already applied.
    pub mode: SyncMode,
    /// Whether it is in use.
    pub standing: Standing,
    /// Who typed the current password, where the vault tells.
    #[serde(default)]
    pub changed_by: Option<String>,
    /// When they did, by the vault's clock, where it tells. Figures use it, decisions do not.
    #[serde(default)]
    pub changed_at: Option<Timestamp>,
    /// What may be known of the current password; `None` where its envelope does not open with the
    /// client's key, so that it can be neither tested nor written.
    pub facts: Option<PasswordFacts>,
    /// What a person confirmed last; `None` where nobody did.
    pub confirmed: Option<Confirmation>,
    /// Failed or unfinished sign-in tests of the last day, as the vault was told of them.
    pub attempts: Vec<SignInAttempt>,
    /// The engine's flags that stand on it in the vault now.
    pub raised: BTreeMap<FlagKind, FlagFact>,
    /// The engine's flags that a person took down: they stay down until their fact changes.
    #[serde(default)]
    pub cleared: BTreeMap<FlagKind, ClearedFlag>,
}

impl VaultCredential {
    /// A credential in use with its first password. Nobody confirmed anything, nothing was tested.
    pub fn new(
        id: CredentialId,
        user_name: impl AsRef<str>,
        mode: SyncMode,
        password: &Password,
    ) -> Self {
        Self {
            id,
            user_name: UserPrincipalName::new(user_name),
            version: VaultVersion(1),
            mode,
            standing: Standing::Active,
            changed_by: None,
            changed_at: None,
            facts: Some(password.facts()),
            confirmed: None,
            attempts: Vec::new(),
            raised: BTreeMap::new(),
            cleared: BTreeMap::new(),
        }
    }
}

/// A person's word that the engine may go on: push what is held, accept a new account behind the
/// user name, or send a refused version once more. It holds for one version of the password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Which version of the password the person saw.
    pub version: VaultVersion,
    /// When.
    pub at: Timestamp,
    /// Who, where the vault tells.
    #[serde(default)]
    pub by: Option<String>,
}

/// What a flag stands for. A person's clearing lasts until this changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlagFact {
    /// The version of the password when the flag was raised.
    pub version: VaultVersion,
    /// The account's password stamp when the flag was raised.
    pub stamp: Option<Stamp>,
    /// Why, in words for a technician.
    pub why: String,
}

/// What a flag stood for when a person took it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearedFlag {
    /// The version of the password.
    pub version: VaultVersion,
    /// The account's password stamp.
    pub stamp: Option<Stamp>,
}

impl ClearedFlag {
    /// Whether it is this fact's flag that was taken down.
    pub fn is_of(&self, fact: &FlagFact) -> bool {
        self.version == fact.version && self.stamp == fact.stamp
    }
}

/// A sign-in test that did not pass, or whose outcome never became known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInAttempt {
    /// Which attempt.
    pub id: AttemptId,
    /// The account that was signed in to; [`ObjectId::NOT_KNOWN`] where the agent signed in for itself.
    pub object: ObjectId,
    /// The version of the password that was sent.
    pub version: VaultVersion,
    /// The account's password stamp when it was sent.
    pub stamp: Option<Stamp>,
    /// When it was written down, before it was sent.
    pub at: Timestamp,
    /// What became of it.
    pub state: AttemptState,
}

/// What became of a sign-in test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptState {
    /// Not known: it counts as failed until it is.
    Open,
    /// The password was refused, or the account answered that it is locked.
    Failed,
    /// It did not count against the account.
    Passed,
}

impl AttemptState {
    /// Whether Entra ID may have counted it towards a lockout.
    pub fn counts(self) -> bool {
        self != Self::Passed
    }
}

/// One answer of the vault to "what changed?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultChanges {
    /// The state of the vault's history that this belongs to.
    pub epoch: VaultEpoch,
    /// Where the next reading begins.
    pub cursor: Cursor,
    /// Whether this is everything there is or only what changed.
    pub extent: Extent,
    /// The client as it is now.
    pub client: ClientSettings,
    /// New and changed credentials.
    pub credentials: Vec<VaultCredential>,
    /// What people said in the vault about the plans that were shown there: all of it, each time.
    pub rulings: Vec<PlanRuling>,
}

impl VaultChanges {
    /// Everything there is, from a vault that keeps no history of its changes.
    pub fn full(
        epoch: VaultEpoch,
        client: ClientSettings,
        credentials: Vec<VaultCredential>,
    ) -> Self {
        Self {
            epoch,
            cursor: Cursor(String::new()),
            extent: Extent::Full,
            client,
            credentials,
            rulings: Vec::new(),
        }
    }
}

/// Whether an answer holds everything or only what changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Everything: what is missing in it does not exist.
    Full,
    /// Only what changed.
    Changes,
}

/// What the engine knows of one client's vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultView {
    /// The state of the vault's history.
    pub epoch: VaultEpoch,
    /// Where the next reading begins.
    pub cursor: Cursor,
    /// The client.
    pub client: ClientSettings,
    /// Its credentials.
    pub credentials: BTreeMap<CredentialId, VaultCredential>,
    /// What people said there about held plans.
    pub rulings: Vec<PlanRuling>,
}

impl VaultView {
    /// The first view, from a full reading.
    pub fn new(changes: VaultChanges) -> Self {
        Self {
            epoch: changes.epoch,
            cursor: changes.cursor,
            client: changes.client,
            credentials: by_id(changes.credentials),
            rulings: changes.rulings,
        }
    }

    /// Brings the view up to date.
    pub fn absorb(&mut self, changes: VaultChanges) {
        if changes.extent == Extent::Full {
            *self = Self::new(changes);
            return;
        }
        self.epoch = changes.epoch;
        self.cursor = changes.cursor;
        self.client = changes.client;
        self.rulings = changes.rulings;
        self.credentials.extend(by_id(changes.credentials));
    }
}

fn by_id(credentials: Vec<VaultCredential>) -> BTreeMap<CredentialId, VaultCredential> {
    credentials
        .into_iter()
        .map(|credential| (credential.id, credential))
        .collect()
}
