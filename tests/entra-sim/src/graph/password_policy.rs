//! Which passwords Entra ID takes.
//!
//! Source: Microsoft Entra password policies: 8 to 256 characters, three of four kinds, a fixed set of characters.

const SYMBOLS: &str = "@#$%^&*-_!+=[]{}|\\:',.?/`~\"();<> ";

/// Whether a password may be set; Graph does not say which rule it broke.
pub(super) fn accepts(password: &str, banned_words: &[String]) -> bool {
    (8..=256).contains(&password.chars().count())
        && password.chars().all(is_allowed)
        && password.trim() == password
        && kinds(password) >= 3
        && !contains_banned_word(password, banned_words)
}

fn is_allowed(character: char) -> bool {
    character.is_ascii_alphanumeric() || SYMBOLS.contains(character)
}

fn kinds(password: &str) -> usize {
    let has = |kind: fn(char) -> bool| usize::from(password.chars().any(kind));
    has(|c| c.is_ascii_lowercase())
        + has(|c| c.is_ascii_uppercase())
        + has(|c| c.is_ascii_digit())
        + has(|c| SYMBOLS.contains(c))
}

fn contains_banned_word(password: &str, banned_words: &[String]) -> bool {
    let folded = password.to_lowercase();
    banned_words
        .iter()
        .any(|word| folded.contains(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_backslashes_and_inner_spaces_are_fine() {
        assert!(accepts(r#"It's "a\b" 1"#, &[]));
        assert!(accepts(&format!("Aa1{}", "x".repeat(253)), &[]));
    }

    #[test]
    fn length_kinds_characters_and_edges_are_checked() {
        let too_long = format!("Aa1{}", "x".repeat(254));
        for password in [
            "",
            "Aa1!",
            "alllowercase1",
            "Passw0rd😀",
            "Pässw0rd!",
            " Passw0rd",
            "Passw0rd ",
            &too_long,
        ] {
            assert!(!accepts(password, &[]), "{password:?}");
        }
    }

    #[test]
    fn a_banned_word_is_found_in_any_case() {
        assert!(!accepts("my-CONTOSO-2026", &["contoso".to_owned()]));
    }
}
