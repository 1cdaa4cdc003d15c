//! The kinds of deeds: what people do in the vault and in Entra ID.

use std::fmt;

use crate::chance::Chance;

/// A kind of deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// Something in the vault.
    Vault(VaultDeed),
    /// Something in Entra ID.
    Entra(EntraDeed),
}

/// What a person does in the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VaultDeed {
    /// A new password.
    Type,
    /// The password that the account has.
    TypeWhatEntraHas,
    /// A password that Entra ID cannot accept.
    TypeWeak,
    /// A password with white space at its end.
    TypeEdgeSpace,
    /// A password that the credential had before.
    TypeEarlier,
    /// Another sync mode.
    SwitchMode,
    /// The client is muted for some hours.
    Mute,
    /// The client's Microsoft sync is None for some hours.
    SyncNone,
    /// A credential is disabled for a while, or active again.
    SwitchStanding,
    /// A second credential for the same account, for a while.
    AddDuplicate,
    /// A person confirms a credential, mostly one that waits for it.
    Confirm,
    /// A flag is cleared.
    ClearFlag,
    /// Many new passwords within a minute.
    MassEdit,
    /// Many new passwords, minutes apart.
    Drip,
    /// An envelope is spoilt: [`Fault::EnvelopeSpoilt`](crate::Fault::EnvelopeSpoilt).
    Spoil,
    /// A backup is restored: [`Fault::VaultRestored`](crate::Fault::VaultRestored).
    Restore,
    /// A person rules on the plan that waits.
    Rule,
}

/// What somebody does in Entra ID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntraDeed {
    /// A user changes the own password.
    ChangeOwn,
    /// Somebody sets the password that the vault has.
    ChangeToTheVaults,
    /// An administrator resets a password.
    Reset,
    /// An account is disabled for a while.
    SwitchAccess,
    /// An account is renamed, sometimes to the name of another one.
    Rename,
    /// An account is deleted, and created anew later.
    Delete,
    /// An account is synced from on-premises for a while.
    OnPremises,
    /// A domain is federated for a while.
    Federate,
    /// An account gets a second factor: sign-in tests say nothing any more.
    MultiFactor,
    /// Somebody guesses passwords: [`Fault::OthersFail`](crate::Fault::OthersFail).
    Attack,
    /// A forgotten device tries an old password: [`Fault::OthersFail`](crate::Fault::OthersFail).
    Phone,
}

/// Of a hundred deeds, those in the vault.
const IN_THE_VAULT: u64 = 52;

/// How often each is done, compared with the others.
const VAULT_DEEDS: [(u64, VaultDeed); 17] = [
    (300, VaultDeed::Type),
    (40, VaultDeed::TypeWhatEntraHas),
    (15, VaultDeed::TypeWeak),
    (10, VaultDeed::TypeEdgeSpace),
    (15, VaultDeed::TypeEarlier),
    (80, VaultDeed::SwitchMode),
    (12, VaultDeed::Mute),
    (6, VaultDeed::SyncNone),
    (30, VaultDeed::SwitchStanding),
    (8, VaultDeed::AddDuplicate),
    (90, VaultDeed::Confirm),
    (30, VaultDeed::ClearFlag),
    (12, VaultDeed::MassEdit),
    (8, VaultDeed::Drip),
    (8, VaultDeed::Spoil),
    (5, VaultDeed::Restore),
    (20, VaultDeed::Rule),
];

/// The same for Entra ID.
const ENTRA_DEEDS: [(u64, EntraDeed); 11] = [
    (220, EntraDeed::ChangeOwn),
    (40, EntraDeed::ChangeToTheVaults),
    (60, EntraDeed::Reset),
    (30, EntraDeed::SwitchAccess),
    (30, EntraDeed::Rename),
    (15, EntraDeed::Delete),
    (15, EntraDeed::OnPremises),
    (6, EntraDeed::Federate),
    (30, EntraDeed::MultiFactor),
    (35, EntraDeed::Attack),
    (25, EntraDeed::Phone),
];

impl Deed {
    /// All kinds that are not counted as a fault already.
    pub fn all() -> impl Iterator<Item = Self> {
        let vault = VAULT_DEEDS.iter().map(|(_, deed)| Self::Vault(*deed));
        let entra = ENTRA_DEEDS.iter().map(|(_, deed)| Self::Entra(*deed));
        vault.chain(entra).filter(|deed| !deed.is_fault())
    }

    /// What somebody does next.
    pub(crate) fn next(will: &mut Chance) -> Option<Self> {
        if will.percent(IN_THE_VAULT) {
            will.weighted(&VAULT_DEEDS).map(Self::Vault)
        } else {
            will.weighted(&ENTRA_DEEDS).map(Self::Entra)
        }
    }

    /// Whether it strikes only in worlds that have the fault, and is counted with the faults.
    pub(crate) fn is_fault(self) -> bool {
        match self {
            Self::Vault(deed) => matches!(deed, VaultDeed::Spoil | VaultDeed::Restore),
            Self::Entra(deed) => matches!(deed, EntraDeed::Attack | EntraDeed::Phone),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Vault(deed) => write!(f, "vault: {deed:?}"),
            Self::Entra(deed) => write!(f, "Entra ID: {deed:?}"),
        }
    }
}
