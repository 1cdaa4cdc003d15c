//! A person's own account: password, second factor and sessions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The account of whoever asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnAccount {
    /// The e-mail address.
    pub email: String,
    /// Since when signing in takes a one-time code as well; `null` where it does not.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub second_factor_since: Option<Timestamp>,
    /// Recovery codes that were not used yet.
    pub recovery_codes_left: u32,
}

/// `PUT /api/v2/account/password`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PasswordChange {
    /// The password as it is.
    pub password: String,
    /// The password as it will be: at least 12 characters.
    pub new_password: String,
}

/// What proves once more who asks.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AccountProof {
    /// The person's password.
    pub password: String,
    /// A one-time or recovery code, where a second factor is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_code: Option<String>,
}

/// A second factor that waits for its first code.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BegunSecondFactor {
    /// The secret in base32, for the authenticator app.
    pub secret: String,
    /// The same as an `otpauth://` address, which QR codes carry.
    pub address: String,
}

/// A code that an authenticator app shows.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OneTimeCodeConfirmation {
    /// The code.
    pub one_time_code: String,
}

/// Codes for when the authenticator is lost. They are shown this once; each works once.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecoveryCodes {
    /// The codes.
    pub recovery_codes: Vec<String>,
}

/// Where a session is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// In a browser.
    Dashboard,
    /// By a program, such as the command line.
    Api,
}

/// One of a person's own sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OwnSession {
    /// Its id.
    pub id: Uuid,
    /// Where it is used.
    pub kind: SessionKind,
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub begun: Timestamp,
    /// When it was last used, to five minutes.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub seen: Timestamp,
    /// The address that it began from, where it is known.
    pub address: Option<String>,
    /// The program that it began with, in short; empty where it is not known.
    pub program: String,
    /// Whether it is the one that asks.
    pub current: bool,
}
