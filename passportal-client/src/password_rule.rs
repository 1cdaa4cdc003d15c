//! Which passwords the vault takes from a person. What passes is carried exactly as it is.

/// Source: the password policy of Microsoft Entra ID, 256 characters at the most.
const LONGEST: usize = 256;

/// Why a password is not taken. No text tells anything of the password itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// There is none.
    #[error("the password is empty")]
    Empty,
    /// White space of any kind comes first.
    #[error("the password begins with white space, which sign-in pages remove; choose another one")]
    LeadingWhiteSpace,
    /// No account can have it.
    #[error("the password has more than {LONGEST} characters")]
    TooLong,
}

/// Whether a password that a person typed can be stored.
///
/// # Errors
/// One [`PasswordRefusal`] per rule that it breaks.
pub fn check(clear: &str) -> Result<(), PasswordRefusal> {
    if clear.is_empty() {
        return Err(PasswordRefusal::Empty);
    }
    if clear.starts_with(char::is_whitespace) {
        return Err(PasswordRefusal::LeadingWhiteSpace);
    }
    if clear.chars().count() > LONGEST {
        return Err(PasswordRefusal::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_of_any_kind_may_not_come_first() {
        for space in [" ", "\t", "\n", "\r\n", "\u{a0}", "\u{3000}"] {
            assert_eq!(
                check(&format!("{space}Hunter2!")),
                Err(PasswordRefusal::LeadingWhiteSpace),
                "{space:?}"
            );
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(check(""), Err(PasswordRefusal::Empty));
        assert_eq!(check(&"x".repeat(257)), Err(PasswordRefusal::TooLong));
        assert_eq!(check(&"😀".repeat(257)), Err(PasswordRefusal::TooLong));
    }

    #[test]
    fn everything_else_is_carried() {
        for carried in [
            "x",
            "edge ",
            "in the middle",
            "tab\tinside",
            "\"\\'<&>",
            "e\u{301} is not é",
            &"😀".repeat(256),
        ] {
            assert_eq!(check(carried), Ok(()), "{carried:?}");
        }
    }
}
