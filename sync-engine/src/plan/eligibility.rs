//! Which credentials and accounts the engine may touch at all.

use jiff::Timestamp;

use crate::model::{
    Account, AccountAccess, AccountKind, BlockedReason, ClientSettings, CredentialMemory,
    DirectoryView, DomainKind, Mastered, Standing, SyncMode, VaultCredential,
};

/// Whether a credential is processed at all.
pub(crate) fn is_processed(client: &ClientSettings, credential: &VaultCredential) -> bool {
    client.is_switched_on()
        && credential.standing == Standing::Active
        && credential.mode != SyncMode::Off
}

/// Why an account's password is not ours to set; `None` where it is.
pub(super) fn not_ours(account: &Account, directory: &DirectoryView) -> Option<BlockedReason> {
    if account.kind == AccountKind::Guest || account.user_name.is_external() {
        return Some(BlockedReason::Guest);
    }
    if account.access == AccountAccess::Disabled {
        return Some(BlockedReason::AccountDisabled);
    }
    if account.mastered == Mastered::OnPremises {
        return Some(BlockedReason::OnPremises);
    }
    let managed = directory.domain_kind(&account.user_name) == Some(DomainKind::Managed);
    (!managed).then_some(BlockedReason::Federated)
}

/// A person's word for the current version that was not acted on yet.
pub(crate) fn fresh_confirmation(
    credential: &VaultCredential,
    memory: &CredentialMemory,
) -> Option<Timestamp> {
    let confirmed = credential.confirmed.as_ref()?;
    let fresh =
        confirmed.version == credential.version && memory.confirmation_used != Some(confirmed.at);
    fresh.then_some(confirmed.at)
}
