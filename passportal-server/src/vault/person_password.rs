//! What a person may choose as a password of their own.

use super::VaultError;

/// The shortest one.
const SHORTEST: usize = 12;

/// The longest one: hashing takes as long as there are letters.
const LONGEST: usize = 256;

/// Refuses a password that is easily guessed.
pub(crate) fn check(email: &str, password: &str) -> Result<(), VaultError> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(VaultError::Refused(format!(
            "the new password is too short: it needs at least {SHORTEST} characters"
        )));
    }
    if length > LONGEST {
        return Err(VaultError::Refused(format!(
            "the new password is too long: it has at most {LONGEST} characters"
        )));
    }
    if password.to_lowercase().contains(&email.to_lowercase()) {
        return Err(VaultError::refused(
            "the new password contains the e-mail address; choose another one",
        ));
    }
    let first = password.chars().next();
    if password.chars().all(|letter| Some(letter) == first) {
        return Err(VaultError::refused(
            "the new password is one character over and over; choose another one",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_fine(password: &str) -> bool {
        check("Bea@msp.example", password).is_ok()
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
