//! The engine's words: what a vault, a directory and a memory are made of.

mod directory;
mod ids;
mod memory;
mod report;
mod reset;
mod secret;
mod vault;
mod verdict;
mod write;

pub use directory::{
    Account, AccountAccess, AccountKind, DirectoryChanges, DirectoryView, DomainKind, Domains,
    Mastered, Stamp,
};
pub use ids::{
    AttemptId, ClientId, CredentialId, Cursor, CycleId, DeltaLink, ObjectId, OrganizationId,
    PlanId, ReportId, TenantId, UserPrincipalName, VaultEpoch, VaultVersion,
};
pub use memory::{
    Accepted, Agreed, Asked, Baseline, ClientMemory, CredentialMemory, Memory, PendingWrite,
    Refused, RememberedVerdict, Reported, VerdictSource, Written,
};
pub use report::{AttemptNotice, JournalEntry, Outcome, Phase, Report, ReportEntry, StepKind};
pub use reset::{ResetRights, ResetRole};
pub use secret::{EdgeWhitespace, Password, PasswordFacts, PolicyRefusal};
pub use vault::{
    AttemptState, ClearedFlag, ClientSettings, Confirmation, Extent, FlagFact, MicrosoftSync, Mute,
    SignInAttempt, Standing, SyncMode, VaultChanges, VaultCredential, VaultView,
};
pub use verdict::{BlockedReason, FlagKind, HeldReason, SignIn, UnknownReason, Verdict};
pub use write::{WriteAnswer, Wrote};
