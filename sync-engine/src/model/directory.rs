//! What the directory tells the engine: accounts, domains, and the view that the engine keeps of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{DeltaLink, Extent, ObjectId, ResetRights, ResetRole, UserPrincipalName};

/// Entra's `lastPasswordChangeDateTime` of an account: it moves with every password change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(pub Timestamp);

/// One account of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its object id, which stays when it is renamed.
    pub id: ObjectId,
    /// Its user principal name.
    pub user_name: UserPrincipalName,
    /// Whether it may sign in.
    pub access: AccountAccess,
    /// Member or guest.
    pub kind: AccountKind,
    /// Where its password is mastered.
    pub mastered: Mastered,
    /// When its password was last changed; `None` where the directory does not say.
    pub stamp: Option<Stamp>,
}

impl Account {
    /// A member that may sign in, with its password mastered in the directory itself.
    pub fn member(id: ObjectId, user_name: impl AsRef<str>, stamp: Option<Stamp>) -> Self {
        Self {
            id,
            user_name: UserPrincipalName::new(user_name),
            access: AccountAccess::Enabled,
            kind: AccountKind::Member,
            mastered: Mastered::Cloud,
            stamp,
        }
    }
}

/// Whether an account may sign in (`accountEnabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountAccess {
    /// It may.
    Enabled,
    /// It may not.
    Disabled,
}

/// Member or guest (`userType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// Of this tenant.
    Member,
    /// Invited from elsewhere.
    Guest,
}

/// Where an account's password is mastered (`onPremisesSyncEnabled`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mastered {
    /// In Entra ID.
    Cloud,
    /// In an on-premises Active Directory.
    OnPremises,
}

/// Who checks the passwords of a domain (`authenticationType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainKind {
    /// Entra ID itself.
    Managed,
    /// A federated identity provider.
    Federated,
}

/// One answer of the directory to "what changed?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryChanges {
    /// Where the next reading begins.
    pub link: DeltaLink,
    /// Whether this is everything there is or only what changed.
    pub extent: Extent,
    /// New and changed accounts, whole.
    pub accounts: Vec<Account>,
    /// Accounts that are gone.
    pub removed: Vec<ObjectId>,
}

impl DirectoryChanges {
    /// Everything there is, from a directory that keeps no history of its changes.
    pub fn full(accounts: Vec<Account>) -> Self {
        Self {
            link: DeltaLink(String::new()),
            extent: Extent::Full,
            accounts,
            removed: Vec::new(),
        }
    }
}

/// The tenant's domains in lower case, and who checks their passwords.
pub type Domains = BTreeMap<String, DomainKind>;

/// What the engine knows of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryView {
    link: DeltaLink,
    accounts: BTreeMap<ObjectId, Account>,
    /// Only ever asked for one name: its order reaches nobody.
    names: HashMap<Arc<str>, ObjectId>,
    domains: Domains,
    rights: ResetRights,
}

impl DirectoryView {
    /// The first view, from a full reading.
    pub fn new(changes: DirectoryChanges, domains: Domains) -> Self {
        let mut view = Self {
            link: changes.link.clone(),
            accounts: BTreeMap::new(),
            names: HashMap::new(),
            domains,
            rights: ResetRights::default(),
        };
        view.absorb(changes);
        view
    }

    /// Brings the view up to date.
    pub fn absorb(&mut self, changes: DirectoryChanges) {
        if changes.extent == Extent::Full {
            self.accounts.clear();
            self.names.clear();
        }
        self.link = changes.link;
        for id in changes.removed {
            self.forget(id);
        }
        for account in changes.accounts {
            self.learn(account);
        }
    }

    /// Takes in one account that was read on its own.
    pub fn learn(&mut self, account: Account) {
        self.forget(account.id);
        let name = Arc::clone(account.user_name.folded());
        self.names.insert(name, account.id);
        self.accounts.insert(account.id, account);
    }

    fn forget(&mut self, id: ObjectId) {
        let Some(gone) = self.accounts.remove(&id) else {
            return;
        };
        let name = gone.user_name.folded();
        // Another account may have taken the name in the meantime; it keeps it.
        if self.names.get(name) == Some(&id) {
            self.names.remove(name);
        }
    }

    /// Replaces what is known of the tenant's domains.
    pub fn set_domains(&mut self, domains: Domains) {
        self.domains = domains;
    }

    /// The tenant's domains.
    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    /// Replaces what is known of the agent's rights.
    pub fn set_reset_rights(&mut self, rights: ResetRights) {
        self.rights = rights;
    }

    /// What is known of the agent's rights.
    pub fn reset_rights(&self) -> &ResetRights {
        &self.rights
    }

    /// The role that the agent lacks for resetting this account.
    pub fn lacking_role(&self, account: ObjectId) -> Option<ResetRole> {
        self.rights.lacking(account)
    }

    /// Where the next reading begins.
    pub fn link(&self) -> &DeltaLink {
        &self.link
    }

    /// The account that a user name resolves to now.
    pub fn resolve(&self, name: &UserPrincipalName) -> Option<&Account> {
        self.accounts.get(self.names.get(name.folded())?)
    }

    /// The account with this object id.
    pub fn account(&self, id: ObjectId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Who checks the password of this user name; `None` for a domain that the tenant does not have.
    pub fn domain_kind(&self, name: &UserPrincipalName) -> Option<DomainKind> {
        self.domains.get(name.domain()?).copied()
    }

    /// How many accounts there are.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether there is no account at all.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }
}
