//! The organization key, and the key-encryption key that Argon2id derives from it.

use std::fmt;
use std::ops::RangeInclusive;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::EnvelopeError;
use crate::wire::KeyParameters;

// Source: OWASP Password Storage Cheat Sheet, whose least Argon2id is 19 MiB, 2 passes, 1 lane.
const LEAST_MEMORY_KIB: u32 = 19 * 1024;
const LEAST_ITERATIONS: u32 = 2;
const NEW_MEMORY_KIB: u32 = 64 * 1024;
const NEW_ITERATIONS: u32 = 3;
const NEW_LANES: u32 = 1;
const SALT_BYTES: usize = 16;

// A server must not be able to exhaust the machine of whoever signs in to it.
const MEMORY_KIB: RangeInclusive<u32> = LEAST_MEMORY_KIB..=1024 * 1024;
const ITERATIONS: RangeInclusive<u32> = LEAST_ITERATIONS..=16;
const LANES: RangeInclusive<u32> = 1..=16;
const SALT_LENGTHS: RangeInclusive<usize> = SALT_BYTES..=64;

/// The organization's key, as its people type it. The server never stores it.
#[derive(Clone)]
pub struct OrganizationKey(SecretString);

impl OrganizationKey {
    /// Takes over the key exactly as it is.
    pub fn new(key: impl Into<String>) -> Self {
        Self(SecretString::from(key.into()))
    }

    /// Derives the key-encryption key. Slow by design: a tenth of a second or more, on one core.
    ///
    /// # Errors
    /// When the parameters are too weak to protect anything, or so strong that they could only be
    /// meant to exhaust this machine.
    pub fn derive(&self, parameters: &KeyParameters) -> Result<KeyEncryptionKey, EnvelopeError> {
        let salt = checked_salt(parameters)?;
        let mut key = KeyEncryptionKey([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, cost(parameters)?)
            .hash_password_into(self.0.expose_secret().as_bytes(), &salt, &mut key.0)
            .map_err(|_| EnvelopeError::KeyParameters("the derivation refused them"))?;
        Ok(key)
    }
}

impl fmt::Debug for OrganizationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OrganizationKey(redacted)")
    }
}

/// The key that seals an organization's data keys.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct KeyEncryptionKey(pub(super) [u8; 32]);

impl fmt::Debug for KeyEncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyEncryptionKey(redacted)")
    }
}

/// Parameters for a new organization: a random salt, 64 MiB, 3 passes, 1 lane.
pub fn new_key_parameters(organization: Uuid) -> KeyParameters {
    let mut salt = [0_u8; SALT_BYTES];
    rand::fill(&mut salt);
    KeyParameters {
        organization,
        salt: URL_SAFE_NO_PAD.encode(salt),
        memory_kib: NEW_MEMORY_KIB,
        iterations: NEW_ITERATIONS,
        parallelism: NEW_LANES,
    }
}

fn checked_salt(parameters: &KeyParameters) -> Result<Vec<u8>, EnvelopeError> {
    URL_SAFE_NO_PAD
        .decode(&parameters.salt)
        .ok()
        .filter(|salt| SALT_LENGTHS.contains(&salt.len()))
        .ok_or(EnvelopeError::KeyParameters(
            "the salt is not 16 to 64 bytes of base64url",
        ))
}

fn cost(parameters: &KeyParameters) -> Result<Params, EnvelopeError> {
    let refused = EnvelopeError::KeyParameters;
    if !MEMORY_KIB.contains(&parameters.memory_kib) {
        return Err(refused("the memory is not between 19 MiB and 1 GiB"));
    }
    if !ITERATIONS.contains(&parameters.iterations) {
        return Err(refused("the passes are not between 2 and 16"));
    }
    if !LANES.contains(&parameters.parallelism) {
        return Err(refused("the lanes are not between 1 and 16"));
    }
    Params::new(
        parameters.memory_kib,
        parameters.iterations,
        parameters.parallelism,
        Some(size_of::<KeyEncryptionKey>()),
    )
    .map_err(|_| refused("they contradict each other"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(change: impl FnOnce(&mut KeyParameters)) -> KeyParameters {
        let mut parameters = new_key_parameters(Uuid::from_u128(1));
        change(&mut parameters);
        parameters
    }

    #[test]
    fn new_parameters_are_strong_and_never_the_same() {
        let (one, two) = (parameters(|_| ()), parameters(|_| ()));
        assert_ne!(one.salt, two.salt);
        assert!(cost(&one).is_ok() && checked_salt(&one).is_ok());
        assert!(one.memory_kib >= 64 * 1024 && one.iterations >= 3);
    }

    #[test]
    fn absurd_parameters_of_a_server_are_refused_before_any_work() {
        let key = OrganizationKey::new("anything");
        let absurd = [
            parameters(|p| p.memory_kib = 2 * 1024 * 1024),
            parameters(|p| p.memory_kib = 8),
            parameters(|p| p.iterations = 1),
            parameters(|p| p.iterations = u32::MAX),
            parameters(|p| p.parallelism = 0),
            parameters(|p| p.parallelism = 200),
            parameters(|p| p.salt = "c2hvcnQ".into()),
            parameters(|p| p.salt = "not base64!".into()),
        ];
        for refused in absurd {
            assert!(matches!(
                key.derive(&refused),
                Err(EnvelopeError::KeyParameters(_))
            ));
        }
    }

    #[test]
    fn the_derivation_is_argon2id_of_key_and_salt() {
        let weak = |p: &mut KeyParameters| (p.memory_kib, p.iterations) = (19 * 1024, 2);
        let parameters = parameters(weak);
        let derive = |key: &str| OrganizationKey::new(key).derive(&parameters).unwrap().0;
        assert_eq!(derive("correct horse"), derive("correct horse"));
        assert_ne!(derive("correct horse"), derive("correct horse "));
    }

    #[test]
    fn keys_are_never_printed() {
        let key = OrganizationKey::new("canary-8fa1");
        assert_eq!(format!("{key:?}"), "OrganizationKey(redacted)");
        assert_eq!(
            format!("{:?}", KeyEncryptionKey([7; 32])),
            "KeyEncryptionKey(redacted)"
        );
    }
}
