//! What a person may choose as a password of their own.

use secrecy::{ExposeSecret as _, SecretString};

use super::VaultError;

/// The shortest one.
const SHORTEST: usize = 12;

/// The longest one.
const LONGEST: usize = 1024;

/// Refuses a password that is easily guessed.
pub(crate) fn check(email: &str, password: &SecretString) -> Result<(), VaultError> {
    let password = password.expose_secret();
    let length = password.chars().count();
    if !(SHORTEST..=LONGEST).contains(&length) {
        return Err(VaultError::Refused(format!(
            "a password has at least {SHORTEST} characters"
        )));
    }
    if password.to_lowercase().contains(&email.to_lowercase()) {
        return Err(VaultError::refused(
            "a password does not contain the e-mail address",
        ));
    }
    let first = password.chars().next();
    if password.chars().all(|letter| Some(letter) == first) {
        return Err(VaultError::refused(
            "a password is more than one character over and over",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(password: &str) -> bool {
        check("Bea@msp.example", &SecretString::from(password)).is_ok()
    }

    #[test]
    fn a_password_is_long_and_says_nothing_that_is_known() {
        assert!(is_fine("twelve chars"));
        assert!(!is_fine("eleven char"));
        assert!(!is_fine("bea@MSP.example"));
        assert!(!is_fine("bea@msp.example 1"));
        assert!(!is_fine("aaaaaaaaaaaaaaaa"));
        assert!(!is_fine(&"ab".repeat(600)));
    }
}
