//! The account that the service runs as, where it is not one of its own.

#[cfg(not(windows))]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;

use secrecy::SecretString;

#[cfg(not(windows))]
use unix as platform;
#[cfg(windows)]
use windows as platform;

/// An account that an administrator names.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name, as the platform writes it.
    pub name: String,
    /// Its password, on Windows.
    pub password: Option<SecretString>,
}

/// What a look at an account gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// The service can run as it.
    Good,
    /// The machine does not tell; it will when the service starts.
    NotTold {
        /// Why.
        why: String,
    },
}

/// The service cannot run as the account.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// There is none with this name.
    #[error("this machine knows no user {name}")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A name that leaves open whose account it is.
    #[error("`{name}` does not say whose account it is")]
    NotWhole {
        /// The name.
        name: String,
    },
    /// It has one, and none was given.
    #[error("the account {name} needs its password")]
    NoPassword {
        /// The name.
        name: String,
    },
    /// The platform has no use for one.
    #[error("an account's password has no meaning on this platform")]
    UselessPassword,
    /// The machine or its domain did not take it.
    #[error("the name or the password of the account {name} is wrong")]
    Wrong {
        /// The name.
        name: String,
    },
}

impl AccountError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unknown { .. } => {
                "check the name, or make the user first: useradd --system --no-create-home NAME"
            }
            Self::NotWhole { .. } => r"write DOMAIN\NAME, or .\NAME for an account of this machine",
            Self::NoPassword { .. } => {
                "give it (--account-password-file FILE); a group managed service account, whose name ends in $, needs none"
            }
            Self::UselessPassword => "leave it out",
            Self::Wrong { .. } => {
                "check both; each try counts as a failed sign-in of that account, so mind its lockout"
            }
        }
    }
}

impl Account {
    /// Whether it has a password that the service manager must be told.
    pub fn wants_password(&self) -> bool {
        platform::wants_password(&self.name)
    }

    /// Looks whether the service can run as it. A password is tried once.
    ///
    /// # Errors
    /// When it cannot.
    pub fn look(&self) -> Result<Look, AccountError> {
        platform::look(self)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
