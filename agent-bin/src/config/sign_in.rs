//! As whom the agent signs in.

use std::fmt;

use serde::{Deserialize, Serialize};

/// As whom the agent signs in to a tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignIn {
    /// An application with a certificate.
    #[default]
    Certificate,
    /// An application with a client secret.
    ClientSecret,
    /// An application that trusts another issuer's token.
    Federated,
    /// An administrator, by device code.
    DeviceCode,
    /// The vault's own `Azure/Office365 Admin` credential.
    VaultAdmin,
}

impl SignIn {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Certificate,
        Self::ClientSecret,
        Self::Federated,
        Self::DeviceCode,
        Self::VaultAdmin,
    ];

    /// The way of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Whether the agent acts for an administrator, whose sign-in is kept.
    pub fn is_of_a_person(self) -> bool {
        matches!(self, Self::DeviceCode | Self::VaultAdmin)
    }

    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::ClientSecret => "client-secret",
            Self::Federated => "federated",
            Self::DeviceCode => "device-code",
            Self::VaultAdmin => "vault-admin",
        }
    }
}

impl fmt::Display for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
