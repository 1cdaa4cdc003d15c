//! Changes that somebody else makes in the directory: an administrator, or a test in their place.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::account::Account;
use super::changes::Property;
use super::tenant::{Tenant, folded};
use crate::scenario::{AppSpec, Behaviour, ClearText, UserType, Verification};

/// New values for some properties of an account; absent ones stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountChange {
    /// A new sign-in name; the object id stays.
    pub user_principal_name: Option<String>,
    /// A new display name.
    pub display_name: Option<String>,
    /// Whether sign-in is allowed.
    pub account_enabled: Option<bool>,
    /// Member or guest.
    pub user_type: Option<UserType>,
    /// Whether it is mastered on premises.
    pub on_premises_sync_enabled: Option<bool>,
    /// What a sign-in meets.
    pub behaviour: Option<Behaviour>,
    /// Directory roles, replacing the old ones.
    pub roles: Option<Vec<String>>,
}

/// New values for some properties of an application; absent ones stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AppChange {
    /// Graph permissions with admin consent, replacing the old ones; tokens that were issued keep theirs.
    pub permissions: Option<Vec<String>>,
    /// Directory roles of the service principal, replacing the old ones.
    pub roles: Option<Vec<String>>,
    /// Another client secret.
    pub secret: Option<ClearText>,
    /// Certificates in PEM, replacing the old ones.
    pub certificates: Option<Vec<String>>,
}

/// New values for some properties of a tenant; absent ones stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TenantChange {
    /// Whether the sign-in test is possible.
    pub verification: Option<Verification>,
    /// How long later password changes stay invisible.
    pub replication_lag: Option<SignedDuration>,
    /// How long later access tokens are valid.
    pub token_lifetime: Option<SignedDuration>,
    /// How long delta links are valid.
    pub delta_link_lifetime: Option<SignedDuration>,
}

impl AccountChange {
    /// Applies the change and returns the Graph properties that it touched.
    pub(crate) fn apply(self, account: &mut Account) -> Vec<Property> {
        let mut touched = Vec::new();
        replace(
            &mut account.user_principal_name,
            self.user_principal_name,
            "userPrincipalName",
            &mut touched,
        );
        replace(
            &mut account.display_name,
            self.display_name,
            "displayName",
            &mut touched,
        );
        replace(
            &mut account.enabled,
            self.account_enabled,
            "accountEnabled",
            &mut touched,
        );
        replace(
            &mut account.user_type,
            self.user_type,
            "userType",
            &mut touched,
        );
        replace(
            &mut account.on_premises,
            self.on_premises_sync_enabled,
            "onPremisesSyncEnabled",
            &mut touched,
        );
        account.behaviour = self.behaviour.unwrap_or(account.behaviour);
        if let Some(roles) = self.roles {
            account.roles = roles;
        }
        touched
    }

    /// The folded name that the account is to have, when it changes.
    pub(crate) fn new_name(&self) -> Option<String> {
        self.user_principal_name.as_deref().map(folded)
    }
}

impl AppChange {
    pub(crate) fn apply(self, app: &mut AppSpec) {
        if let Some(permissions) = self.permissions {
            app.permissions = permissions;
        }
        if let Some(roles) = self.roles {
            app.roles = roles;
        }
        app.secret = self.secret.or(app.secret.take());
        app.certificates = self
            .certificates
            .unwrap_or_else(|| std::mem::take(&mut app.certificates));
    }
}

impl TenantChange {
    pub(crate) fn apply(self, tenant: &mut Tenant) {
        tenant.verification = self.verification.unwrap_or(tenant.verification);
        tenant.replication_lag = self.replication_lag.unwrap_or(tenant.replication_lag);
        tenant.token_lifetime = self.token_lifetime.unwrap_or(tenant.token_lifetime);
        tenant.delta_link_lifetime = self
            .delta_link_lifetime
            .unwrap_or(tenant.delta_link_lifetime);
    }
}

fn replace<T: PartialEq>(
    target: &mut T,
    new: Option<T>,
    property: Property,
    touched: &mut Vec<Property>,
) {
    if let Some(new) = new.filter(|new| new != target) {
        *target = new;
        touched.push(property);
    }
}
