//! Access tokens: random text that is handed out once and kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// 256 random bits as text.
#[derive(Clone, Debug)]
pub(crate) struct Token(SecretString);

impl Token {
    pub(crate) fn generate() -> Self {
        Self(SecretString::from(
            URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()),
        ))
    }

    /// The text, for the one answer that hands it out.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(self.expose())
    }

    /// Whether `presented` is this token, in a time that does not depend on how much of it is right.
    pub(crate) fn matches(&self, presented: &str) -> bool {
        self.expose().as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

/// SHA-256 of a token, in hex: enough, because a token has 256 random bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenHash(String);

impl TokenHash {
    pub(crate) fn of(token: &str) -> Self {
        Self(hex::encode(Sha256::digest(token.as_bytes())))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
