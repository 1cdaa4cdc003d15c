//! Hashes of administrators' passwords: Argon2id as PHC strings.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};

use crate::turns;
use crate::vault::VaultError;

/// Stands in for the hash of an account that does not exist, so that the answer takes as long.
static NOBODY: LazyLock<Option<String>> =
    LazyLock::new(|| hash_now(&SecretString::from("nobody's password")));

/// Hashes a password with a fresh salt.
pub(crate) async fn hash(password: SecretString) -> Result<String, VaultError> {
    let hashed = turns::argon2(move || hash_now(&password)).await?;
    hashed.ok_or(VaultError::Hashing)
}

/// Whether the password belongs to the hash; without a hash it takes the same time and says no.
pub(crate) async fn verify(
    password: SecretString,
    hash: Option<String>,
) -> Result<bool, VaultError> {
    let verified = turns::argon2(move || {
        let known = hash.is_some();
        let hash = hash.or_else(|| NOBODY.clone())?;
        let parsed = PasswordHash::new(&hash).ok()?;
        let right = Argon2::default()
            .verify_password(password.expose_secret().as_bytes(), &parsed)
            .is_ok();
        Some(known && right)
    });
    verified.await?.ok_or(VaultError::Hashing)
}

fn hash_now(password: &SecretString) -> Option<String> {
    let hash: PasswordHash = Argon2::default()
        .hash_password(password.expose_secret().as_bytes())
        .ok()?;
    Some(hash.to_string())
}
