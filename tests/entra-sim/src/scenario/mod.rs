//! What a simulated world holds at its start: tenants with their domains, applications and accounts.

mod build;
mod check;
mod clear_text;
mod load;
mod throttling;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use clear_text::ClearText;
pub use load::ScenarioError;
pub use throttling::Throttling;

use crate::control::fault::Fault;

/// A world to simulate; read from TOML or JSON, or built in code.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The tenants, `[[tenant]]` in a file.
    #[serde(default, rename = "tenant")]
    pub tenants: Vec<TenantSpec>,
    /// Faults that are armed from the start, `[[fault]]` in a file.
    #[serde(default, rename = "fault", skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Fault>,
}

/// One Entra tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// The tenant id; derived from the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The initial domain, such as `contoso.onmicrosoft.com`; always managed.
    pub name: String,
    /// Whether the sign-in test is possible here.
    #[serde(default)]
    pub verification: Verification,
    /// How long a password change stays invisible: the old stamp is shown and the old password accepted.
    #[serde(default)]
    pub replication_lag: SignedDuration,
    /// Failed sign-ins that lock an account.
    #[serde(default = "defaults::lockout_threshold")]
    pub lockout_threshold: u32,
    /// How long an access token is valid.
    #[serde(default = "defaults::token_lifetime")]
    pub token_lifetime: SignedDuration,
    /// How long a delta link is valid.
    #[serde(default = "defaults::delta_link_lifetime")]
    pub delta_link_lifetime: SignedDuration,
    /// No page is larger, whatever is asked for; without it, Microsoft's limits alone count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub largest_page: Option<NonZeroUsize>,
    /// How it throttles; without it, never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttling: Option<Throttling>,
    /// Words that no password may contain, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banned_words: Vec<String>,
    /// Verified domains beside the initial one.
    #[serde(default, rename = "domain", skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<DomainSpec>,
    /// Registered applications.
    #[serde(default, rename = "app", skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<AppSpec>,
    /// Groups that can hold directory roles.
    #[serde(default, rename = "group", skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSpec>,
    /// Accounts.
    #[serde(default, rename = "user", skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserSpec>,
}

/// A verified domain.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DomainSpec {
    /// Such as `contoso.com`.
    pub name: String,
    /// Who checks the passwords of its accounts.
    #[serde(default)]
    pub authentication: Authentication,
}

/// Who checks the passwords of a domain's accounts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authentication {
    /// Entra ID itself.
    #[default]
    Managed,
    /// Another identity provider.
    Federated,
}

/// A registered application and its service principal.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSpec {
    /// The application (client) id.
    pub client_id: Uuid,
    /// The client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<ClearText>,
    /// A file that holds the client secret, relative to the scenario's folder; read while loading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// When the client secret expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_expires: Option<Timestamp>,
    /// Certificates (PEM, RSA) that may sign its client assertions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<String>,
    /// Files that hold such certificates, relative to the scenario's folder; read while loading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_files: Vec<PathBuf>,
    /// Whether a client assertion is refused when it is presented again. Entra ID does not care.
    #[serde(default)]
    pub single_use_assertions: bool,
    /// Tokens of other issuers that it may sign in with, `[[tenant.app.federated]]` in a file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub federated: Vec<FederatedSpec>,
    /// Graph permissions with admin consent, such as `User.Read.All`.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// Directory roles of the service principal, such as `User Administrator`.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Whether it may sign users in without a secret of its own.
    #[serde(default)]
    pub public_client: bool,
}

/// A role-assignable group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupSpec {
    /// The object id; derived from the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Its display name.
    pub name: String,
    /// User principal names, and client ids of applications.
    #[serde(default)]
    pub members: Vec<String>,
    /// User principal names.
    #[serde(default)]
    pub owners: Vec<String>,
    /// Directory roles that its members have through it.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A federated identity credential of an application: which token of which issuer stands for it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FederatedSpec {
    /// The claim `iss`.
    pub issuer: String,
    /// The claim `sub`.
    pub subject: String,
    /// The claim `aud`.
    #[serde(default = "defaults::federated_audience")]
    pub audience: String,
    /// The issuer's RSA key (PEM, `PUBLIC KEY`). Entra ID fetches it from the issuer.
    #[serde(default)]
    pub public_key: String,
    /// A file that holds the key, relative to the scenario's folder; read while loading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key_file: Option<PathBuf>,
}

/// An account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSpec {
    /// The object id; derived from the name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// The sign-in name.
    pub user_principal_name: String,
    /// The password; an account without one cannot sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<ClearText>,
    /// The name shown; the part before the `@` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether sign-in is allowed at all.
    #[serde(default = "defaults::yes")]
    pub account_enabled: bool,
    /// Member or guest.
    #[serde(default)]
    pub user_type: UserType,
    /// Whether it is mastered in an on-premises Active Directory.
    #[serde(default)]
    pub on_premises_sync_enabled: bool,
    /// What a sign-in with its password meets.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// Directory roles, such as `Global Administrator`; they decide who may reset it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The password's stamp at the start; 2025-01-01 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_password_change: Option<Timestamp>,
}

/// Member or guest of the tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum UserType {
    /// At home in this tenant.
    #[default]
    Member,
    /// Invited from elsewhere.
    Guest,
}

/// What a sign-in with the account's password meets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// The right password gets a token.
    #[default]
    Normal,
    /// The right password is asked for a second factor (50076).
    Mfa,
    /// The right password is asked to register a second factor (50079).
    MfaEnrolment,
    /// The right password is stopped by Conditional Access (53003).
    ConditionalAccess,
    /// The right password has expired (50055).
    Expired,
    /// Every password is answered as locked (50053).
    Locked,
    /// Every password is refused, since the account is not assigned to the app that asks (50105).
    NoSignInTest,
}

/// Whether a tenant lets a password be tested by signing in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Sign-ins are judged by the password.
    #[default]
    Allowed,
    /// Every password grant is refused because public clients are off (7000218).
    PublicClientDisabled,
    /// Every password grant is refused by security defaults (530035).
    SecurityDefaults,
}

mod defaults {
    use jiff::SignedDuration;

    pub(super) fn yes() -> bool {
        true
    }

    /// Source: Microsoft Entra smart lockout, 10 failed sign-ins in public tenants.
    pub(super) fn lockout_threshold() -> u32 {
        10
    }

    /// Source: Microsoft workload identity federation, the recommended audience.
    pub(super) fn federated_audience() -> String {
        "api://AzureADTokenExchange".to_owned()
    }

    /// Source: captured token answers (`expires_in` 3599).
    pub(super) fn token_lifetime() -> SignedDuration {
        SignedDuration::from_secs(3_599)
    }

    /// Source: Microsoft Graph delta query, seven days for directory objects.
    pub(super) fn delta_link_lifetime() -> SignedDuration {
        SignedDuration::from_hours(24 * 7)
    }
}
