//! New passwords that Entra ID takes and people can read aloud.

use rand::RngExt as _;
use sync_engine::model::Password;
use zeroize::Zeroizing;

/// Without letters and digits that look alike.
const LOWER: &[u8] = b"abcdefghijkmnopqrstuvwxyz";
const UPPER: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"23456789";
/// Symbols that no shell, spreadsheet or address takes for something else within a text.
const SYMBOLS: &[u8] = b"!#%*+-.:?@_";

const CLASSES: [&[u8]; 4] = [LOWER, UPPER, DIGITS, SYMBOLS];

/// About 120 bits.
const LENGTH: usize = 20;

/// A random password of 20 characters, which has all four classes that Entra ID's policy counts and begins with a letter.
pub fn generate() -> Password {
    let all = CLASSES.concat();
    loop {
        let text: Zeroizing<String> = (0..LENGTH).map(|_| pick(&all)).collect::<String>().into();
        if is_good(&text) {
            return Password::new(text.as_str());
        }
    }
}

fn pick(from: &[u8]) -> char {
    let place = rand::rng().random_range(0..from.len());
    from.get(place).copied().map_or('x', char::from)
}

/// Others are thrown away whole, so that every good password is as likely as any other.
fn is_good(text: &str) -> bool {
    let has = |class: &[u8]| text.bytes().any(|byte| class.contains(&byte));
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && CLASSES.into_iter().all(has)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::password_rule;

    #[test]
    fn every_generated_password_is_one_that_entra_takes_and_no_two_are_the_same() {
        let mut seen = BTreeSet::new();
        for _ in 0..2000 {
            let password = generate();
            assert_eq!(password.facts().refusal, None);
            assert_eq!(password_rule::check(password.expose()), Ok(()));
            assert!(is_good(password.expose()) && password.expose().len() == LENGTH);
            assert!(seen.insert(password.expose().to_owned()));
        }
    }
}
