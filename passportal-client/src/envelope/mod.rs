//! The sealed envelope: how secret fields rest and travel.
//!
//! Two layers. Each client has a random 256-bit **data key**, which seals its secret fields. The
//! data key is itself sealed under the **key-encryption key**, which Argon2id derives from the
//! organization key. The server keeps both sealed and can open neither.
//!
//! # Sealed field (format 1), as unpadded base64url
//!
//! | bytes | what |
//! |---|---|
//! | 1 | format, `1` |
//! | 16 | id of the data key |
//! | 24 | nonce, random |
//! | n | XChaCha20-Poly1305 of the padded text |
//! | 16 | tag |
//!
//! The padded text is its length in bytes (4, big endian), the UTF-8 text exactly as it is, and
//! zeros up to a multiple of 64 bytes, so that the envelope tells the length only roughly.
//!
//! Authenticated with it, each part preceded by its length (4 bytes, big endian): the label
//! `passportal-sync sealed field`, the format, the ids of data key, organization, client and
//! credential, the field's name, the version (8 bytes, big endian) and the user name exactly as it
//! is stored. An envelope therefore opens in its own place only: it cannot be moved to another
//! account, another client or another version.
//!
//! # Wrapped data key (format 1), as unpadded base64url
//!
//! 1 byte format, 24 bytes random nonce, 32 bytes sealed key, 16 bytes tag. Authenticated with it,
//! in the same encoding: the label `passportal-sync data key`, the format, the ids of data key,
//! organization and client, and the salt, memory, passes and lanes of the derivation.

//!
//! # Secret of this machine (format 1)
//!
//! What an agent keeps beside its data key, for one purpose. The bytes are those of a sealed field. Authenticated with it: the
//! label `passportal-sync local secret`, the format, the ids of data key, organization and client, and the purpose's name.

mod binding;
mod data_key;
mod organization_key;
mod padding;

pub use data_key::DataKey;
pub use organization_key::{KeyEncryptionKey, OrganizationKey, new_key_parameters};

use uuid::Uuid;

/// The only format so far, of sealed fields and of wrapped keys.
const FORMAT: u8 = 1;

/// Where a sealed field belongs, beyond the organization and client that its data key names.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The credential.
    pub credential: Uuid,
    /// Which of its fields.
    pub field: Field,
    /// The version of the field.
    pub version: u64,
    /// The credential's user name, exactly as it is stored.
    pub user_name: &'a str,
}

/// A secret field of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Its password.
    Password,
    /// The secret of its one-time codes.
    Totp,
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
        }
    }
}

/// What a secret that rests on an agent's machine is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The sign-in of the administrator whom the agent acts for.
    Administrator,
    /// An agent on its way to another machine.
    Export,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Administrator => "administrator",
            Self::Export => "export",
        }
    }
}

/// Why a key or an envelope could not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The organization key does not open the client's data key.
    #[error("the organization key is wrong")]
    WrongOrganizationKey,
    /// The parameters of the key derivation are out of bounds.
    #[error("the parameters of the key derivation are not acceptable: {0}")]
    KeyParameters(&'static str),
    /// The envelope was sealed with another data key.
    #[error("the envelope was sealed with another key ({named})")]
    OtherKey {
        /// The data key that it names.
        named: Uuid,
    },
    /// The envelope was changed, or belongs to another place.
    #[error("the envelope was altered, or belongs to another credential")]
    Altered,
    /// Not an envelope that this version knows.
    #[error("the envelope is not one that this version understands")]
    Malformed,
    /// Not a data key.
    #[error("this is not a client's data key")]
    NotADataKey,
}
