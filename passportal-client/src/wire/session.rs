//! Signing in: a person with e-mail and password, a program with an API key.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// `POST /api/v2/auth/session`: a person signs in.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionRequest {
    /// The person's e-mail address.
    pub email: String,
    /// The person's password.
    pub password: String,
    /// The one-time code of the person's authenticator, or one of their recovery codes. Without one, who has a second factor is
    /// answered code 4002; with one, who has none is refused (4022).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_code: Option<String>,
}

/// A person's session.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SessionToken {
    /// The access token.
    pub access_token: String,
    /// When it ends.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires: Timestamp,
    /// The organization.
    pub organization: Uuid,
    /// Its name.
    pub organization_name: String,
}

/// `POST /api/v2/auth/client_token`: the body of Passportal's documented sign-in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientTokenRequest {
    /// Always `docs_api`.
    pub scope: String,
    /// Any text; `x-hash` is its HMAC-SHA256 with the secret key, in hex.
    pub content: String,
}

/// The answer of `client_token`. It is not wrapped into `results`.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ClientToken {
    /// Always `true`.
    pub success: bool,
    /// For `x-access-token`.
    pub access_token: String,
    /// For a new access token.
    pub refresh_token: String,
    /// When it ends, as Unix time in seconds. Source: Passportal's user guide, "Generate an API Access Token", which
    /// calls it a string and shows a number.
    #[serde(deserialize_with = "number_or_text")]
    pub expiry_time: i64,
}

fn number_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(number) => Ok(number),
        Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
    }
}
