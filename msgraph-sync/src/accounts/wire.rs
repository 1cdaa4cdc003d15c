//! A user as Graph writes it, and the account that it means.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use sync_engine::model::{
    Account, AccountAccess, AccountKind, Extent, Mastered, ObjectId, Stamp, UserPrincipalName,
};

use crate::GraphError;

/// A property: absent, or present and perhaps null.
type Property<T> = Option<Option<T>>;

/// One entry of a delta page, or one user.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct WireUser {
    id: String,
    #[serde(deserialize_with = "present")]
    user_principal_name: Property<String>,
    #[serde(deserialize_with = "present")]
    account_enabled: Property<bool>,
    #[serde(deserialize_with = "present")]
    user_type: Property<String>,
    #[serde(deserialize_with = "present")]
    on_premises_sync_enabled: Property<bool>,
    #[serde(deserialize_with = "present")]
    last_password_change_date_time: Property<Timestamp>,
    #[serde(rename = "@removed")]
    removed: Option<serde::de::IgnoredAny>,
}

fn present<'de, D, T>(deserializer: D) -> Result<Property<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// What an entry says.
pub(super) enum Entry {
    Whole(Account),
    /// Too little to know the account by.
    Partial,
    Removed,
}

impl WireUser {
    pub(super) fn object_id(&self) -> Result<ObjectId, GraphError> {
        self.id.parse().map_err(|_| Self::nonsense())
    }

    pub(super) fn nonsense() -> GraphError {
        GraphError::NotUnderstood {
            call: super::NAME,
            source: None,
        }
    }

    /// A later entry of the same account laid over an earlier one.
    pub(super) fn over(self, earlier: Self) -> Self {
        if self.removed.is_some() || earlier.removed.is_some() {
            return self;
        }
        Self {
            id: self.id,
            user_principal_name: self.user_principal_name.or(earlier.user_principal_name),
            account_enabled: self.account_enabled.or(earlier.account_enabled),
            user_type: self.user_type.or(earlier.user_type),
            on_premises_sync_enabled: self
                .on_premises_sync_enabled
                .or(earlier.on_premises_sync_enabled),
            last_password_change_date_time: self
                .last_password_change_date_time
                .or(earlier.last_password_change_date_time),
            removed: None,
        }
    }

    pub(super) fn into_entry(self, id: ObjectId, extent: Extent) -> Result<Entry, GraphError> {
        if self.removed.is_some() {
            return Ok(Entry::Removed);
        }
        if !self.is_whole(extent) {
            return Ok(Entry::Partial);
        }
        self.into_account(id).map(Entry::Whole)
    }

    /// Whether an absent property can only mean "never set". In a full reading it always does, once the
    /// two properties that no user lacks are there.
    fn is_whole(&self, extent: Extent) -> bool {
        let named = self.user_principal_name.is_some() && self.account_enabled.is_some();
        let unchanged_kept =
            self.user_type.is_some() && self.last_password_change_date_time.is_some();
        named && (extent == Extent::Full || unchanged_kept)
    }

    fn into_account(self, id: ObjectId) -> Result<Account, GraphError> {
        let name = self.user_principal_name.flatten();
        let name = name.filter(|name| !name.is_empty());
        Ok(Account {
            id,
            user_name: UserPrincipalName::new(name.ok_or_else(Self::nonsense)?),
            access: access(self.account_enabled.flatten()),
            kind: kind(self.user_type.flatten().as_deref()),
            mastered: mastered(self.on_premises_sync_enabled.flatten()),
            stamp: self.last_password_change_date_time.flatten().map(Stamp),
        })
    }
}

/// Unknown counts as disabled: such an account is never written.
fn access(enabled: Option<bool>) -> AccountAccess {
    match enabled {
        Some(true) => AccountAccess::Enabled,
        Some(false) | None => AccountAccess::Disabled,
    }
}

/// Accounts from before there were guests have no type; they are members.
fn kind(user_type: Option<&str>) -> AccountKind {
    match user_type {
        Some(guest) if guest.eq_ignore_ascii_case("guest") => AccountKind::Guest,
        _ => AccountKind::Member,
    }
}

/// `false` says "was synced once": the password is mastered in the cloud since.
fn mastered(synced: Option<bool>) -> Mastered {
    match synced {
        Some(true) => Mastered::OnPremises,
        Some(false) | None => Mastered::Cloud,
    }
}
