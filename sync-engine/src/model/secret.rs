//! A password in memory, and what may be known of it without having it.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// A password in clear. Zeroized when dropped, never printed, serialized or compared.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes over a password exactly as it is: nothing is trimmed or normalised.
    pub fn new(clear: impl Into<String>) -> Self {
        Self(SecretString::from(clear.into()))
    }

    /// The password in clear, for the one line that sends or seals it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// What the engine may keep in mind of this password.
    pub fn facts(&self) -> PasswordFacts {
        let clear = self.expose();
        let edge_whitespace = EdgeWhitespace::of(clear);
        PasswordFacts {
            refusal: PolicyRefusal::of(clear, edge_whitespace),
            edge_whitespace,
        }
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(redacted)")
    }
}

/// What a plan may know of a password. It tells nothing that helps to guess it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordFacts {
    /// Why Entra ID would refuse to set this password; `None` where nothing speaks against it.
    pub refusal: Option<PolicyRefusal>,
    /// Whether white space at an edge makes a sign-in test meaningless.
    pub edge_whitespace: EdgeWhitespace,
}

/// Whether a password begins or ends with white space, which the token endpoint may trim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EdgeWhitespace {
    /// White space at an edge: never tested by signing in.
    Present,
    /// None.
    Absent,
}

impl EdgeWhitespace {
    fn of(clear: &str) -> Self {
        if clear.trim() == clear {
            Self::Absent
        } else {
            Self::Present
        }
    }
}

/// A rule of Entra ID's password policy that a password breaks for certain.
///
/// Source: Microsoft Entra password policies ("Password policies that only apply to cloud user
/// accounts"): 8 to 256 characters; A-Z, a-z, 0-9, the listed symbols and blank; three of four
/// character classes; no Unicode characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRefusal {
    /// Fewer than 8 characters.
    TooShort,
    /// More than 256 characters.
    TooLong,
    /// White space at the beginning or the end.
    EdgeWhitespace,
    /// A character outside printable ASCII.
    Characters,
    /// Fewer than three of: lower case, upper case, digit, symbol.
    Classes,
}

impl PolicyRefusal {
    const SHORTEST: usize = 8;
    const LONGEST: usize = 256;
    const CLASSES_NEEDED: usize = 3;

    fn of(clear: &str, edge: EdgeWhitespace) -> Option<Self> {
        let characters = clear.chars().count();
        if characters < Self::SHORTEST {
            return Some(Self::TooShort);
        }
        if characters > Self::LONGEST {
            return Some(Self::TooLong);
        }
        if edge == EdgeWhitespace::Present {
            return Some(Self::EdgeWhitespace);
        }
        if !clear.chars().all(|c| matches!(c, ' '..='~')) {
            return Some(Self::Characters);
        }
        (character_classes(clear) < Self::CLASSES_NEEDED).then_some(Self::Classes)
    }
}

impl fmt::Display for PolicyRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooShort => "it has fewer than 8 characters",
            Self::TooLong => "it has more than 256 characters",
            Self::EdgeWhitespace => "it begins or ends with white space",
            Self::Characters => "it has characters that Entra ID does not accept",
            Self::Classes => "it needs three of: lower case, upper case, digit, symbol",
        })
    }
}

fn character_classes(clear: &str) -> usize {
    let classes: [fn(char) -> bool; 4] = [
        |c| c.is_ascii_lowercase(),
        |c| c.is_ascii_uppercase(),
        |c| c.is_ascii_digit(),
        |c| c.is_ascii_punctuation() || c == ' ',
    ];
    classes
        .iter()
        .filter(|is_in_class| clear.chars().any(**is_in_class))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(clear: &str) -> Option<PolicyRefusal> {
        Password::new(clear).facts().refusal
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(
            format!("{:?}", Password::new("Hunter2!Hunter2")),
            "Password(redacted)"
        );
    }

    #[test]
    fn the_policy_counts_characters_from_8_to_256() {
        assert_eq!(refusal("Abcdef1"), Some(PolicyRefusal::TooShort));
        assert_eq!(refusal("Abcdefg1"), None);
        assert_eq!(refusal(&format!("A1{}", "a".repeat(254))), None);
        assert_eq!(
            refusal(&format!("A1{}", "a".repeat(255))),
            Some(PolicyRefusal::TooLong)
        );
    }

    #[test]
    fn three_of_four_classes_are_needed() {
        assert_eq!(refusal("abcdefg1"), Some(PolicyRefusal::Classes));
        assert_eq!(refusal("abcdef 1"), None);
        assert_eq!(refusal("abcdef!1"), None);
    }

    #[test]
    fn edge_spaces_and_characters_beyond_ascii_are_refused() {
        assert_eq!(refusal("Abcdefg1 "), Some(PolicyRefusal::EdgeWhitespace));
        assert_eq!(
            refusal("Abcdefg1\u{1F600}"),
            Some(PolicyRefusal::Characters)
        );
        assert_eq!(refusal(r#"Quote"and\slash1"#), None);
    }
}
