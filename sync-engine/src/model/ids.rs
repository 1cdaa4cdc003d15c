//! Identifiers and names, each a type of its own so that none can stand where another belongs.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id!(
    /// A managed-service provider.
    OrganizationId
);
uuid_id!(
    /// A customer of the organization; its company vault is one too.
    ClientId
);
uuid_id!(
    /// One stored password.
    CredentialId
);
uuid_id!(
    /// An Entra ID directory object, here always a user.
    ObjectId
);
impl ObjectId {
    /// An account whose id was not known when it was signed in to: no object has this id.
    pub const NOT_KNOWN: Self = Self(Uuid::nil());
}

uuid_id!(
    /// One state of a vault's history; restoring a backup begins a new epoch.
    VaultEpoch
);
uuid_id!(
    /// One report; sending the same one twice has the effect of sending it once.
    ReportId
);
uuid_id!(
    /// One sign-in test, from before it is sent until its outcome is known.
    AttemptId
);
uuid_id!(
    /// One run of gather, plan, guard, apply and report.
    CycleId
);
uuid_id!(
    /// A plan that was held for a person's approval.
    PlanId
);

/// A tenant as an administrator names it: a verified domain or the tenant's GUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantId(pub String);

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A user principal name (`anna@contoso.com`), compared without regard to case as Entra ID does.
///
/// Clones share the text, and it is folded once: a plan compares and copies many names.
#[derive(Clone, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct UserPrincipalName {
    written: Arc<str>,
    folded: Arc<str>,
}

impl UserPrincipalName {
    /// Takes a name as it is written, without surrounding white space.
    pub fn new(name: impl AsRef<str>) -> Self {
        let written: Arc<str> = name.as_ref().trim().into();
        let lower = written.to_lowercase();
        let folded = if *lower == *written {
            Arc::clone(&written)
        } else {
            lower.into()
        };
        Self { written, folded }
    }

    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The part behind the last `@`, in lower case; `None` where there is none.
    pub fn domain(&self) -> Option<&str> {
        self.folded.rsplit_once('@').map(|(_, domain)| domain)
    }

    /// Whether this is the mangled name of an invited guest (`anna_fabrikam.com#EXT#@contoso.com`).
    pub fn is_external(&self) -> bool {
        self.folded.contains("#ext#")
    }

    /// The form in which two equal names are the same text.
    pub fn folded(&self) -> &Arc<str> {
        &self.folded
    }
}

impl From<String> for UserPrincipalName {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<UserPrincipalName> for String {
    fn from(name: UserPrincipalName) -> Self {
        name.written.as_ref().to_owned()
    }
}

impl fmt::Debug for UserPrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UserPrincipalName({:?})", self.as_str())
    }
}

impl fmt::Display for UserPrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl PartialEq for UserPrincipalName {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for UserPrincipalName {}

impl PartialOrd for UserPrincipalName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UserPrincipalName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

/// Counts how often a credential's password changed. It changes with the password, only then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VaultVersion(pub u64);

impl fmt::Display for VaultVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where the next reading of the vault's changes begins; opaque to the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// Where the next reading of the directory's changes begins; opaque to the engine.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeltaLink(pub String);

impl fmt::Debug for DeltaLink {
    /// A delta link carries an opaque token; its length is enough for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeltaLink({} bytes)", self.0.len())
    }
}
