//! Tells a technician about one credential: what the engine knows, which rule applied, what comes
//! next and when, and what happened so far. Pure, like the planner whose decision it explains.

mod applied;
mod history;
mod known;
mod next;
pub mod remedy;
mod words;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use applied::Applied;
pub use history::Event;
pub use known::{
    Known, KnownAccount, KnownVerdict, KnownWrite, PartOfPlan, Pauses, SignIns, Validity,
    WriteState,
};
pub use next::{Change, Next, When};
pub use words::Section;

use crate::model::{
    Account, ClientSettings, CredentialId, CredentialMemory, DirectoryView, JournalEntry, Memory,
    SyncMode, UserPrincipalName, VaultCredential, VaultVersion, VaultView,
};
use crate::plan::{Decision, Policy};

/// All there is to say of one credential. Plain data without a secret; [`std::fmt::Display`] writes
/// it as a text, [`Explanation::sections`] as titled lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// The time that it is told for.
    pub at: Timestamp,
    /// Which credential.
    pub credential: CredentialId,
    /// The account that it is for.
    pub user_name: UserPrincipalName,
    /// Its mode.
    pub mode: SyncMode,
    /// The version of its password.
    pub version: VaultVersion,
    /// Who typed that version, where the vault tells.
    pub changed_by: Option<String>,
    /// What the engine knows.
    pub known: Known,
    /// Which rule applied.
    pub applied: Applied,
    /// What the engine does next, and when.
    pub next: Next,
    /// What happened, newest first.
    pub history: Vec<Event>,
}

/// Explains a decision that has passed the guard. `journal` holds the credential's entries, newest
/// first.
pub fn explain(
    vault: &VaultView,
    directory: &DirectoryView,
    memory: &Memory,
    decision: &Decision,
    journal: &[JournalEntry],
    policy: &Policy,
    now: Timestamp,
) -> Explanation {
    let fresh = CredentialMemory::new(decision.credential);
    let case = Case {
        client: &vault.client,
        credential: vault.credentials.get(&decision.credential),
        account: directory.resolve(&decision.user_name),
        vault,
        directory,
        memory,
        own: memory
            .credentials
            .get(&decision.credential)
            .unwrap_or(&fresh),
        decision,
        policy,
        now,
    };
    let known = case.known();
    Explanation {
        at: now,
        credential: decision.credential,
        user_name: decision.user_name.clone(),
        mode: decision.mode,
        version: decision.version,
        changed_by: case.credential.and_then(|it| it.changed_by.clone()),
        applied: case.applied(&known),
        next: case.next(&known),
        history: history::history(decision.credential, journal),
        known,
    }
}

/// One decision, with everything that it was made from.
struct Case<'a> {
    client: &'a ClientSettings,
    credential: Option<&'a VaultCredential>,
    account: Option<&'a Account>,
    vault: &'a VaultView,
    directory: &'a DirectoryView,
    memory: &'a Memory,
    own: &'a CredentialMemory,
    decision: &'a Decision,
    policy: &'a Policy,
    now: Timestamp,
}
