//! Secrets of one demo: new in each run, and meant to be shown.

use rand::seq::IndexedRandom as _;

/// Without letters and digits that look alike.
const LETTERS: &[u8] = b"abcdefghijkmnpqrstuvwxyz";
const CAPITALS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
const DIGITS: &[u8] = b"23456789";
const SYMBOLS: &[u8] = b"!#%+-_=?";

/// A password that Entra ID accepts: 16 characters of all four classes.
pub(super) fn password() -> String {
    let classes = [LETTERS, CAPITALS, DIGITS, SYMBOLS];
    classes.iter().map(|class| some(class, 4)).collect()
}

/// A password that no policy accepts: one class of characters only.
pub(super) fn weak_password() -> String {
    some(LETTERS, 9)
}

/// An organization key, in groups so that it can be copied by hand.
pub(super) fn organization_key() -> String {
    let groups: Vec<String> = (0..5).map(|_| some(CAPITALS, 5)).collect();
    groups.join("-")
}

fn some(class: &[u8], count: usize) -> String {
    let mut rng = rand::rng();
    (0..count)
        .filter_map(|_| class.choose(&mut rng).copied().map(char::from))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_engine::model::Password;

    #[test]
    fn passwords_are_accepted_by_the_policy_weak_ones_are_not_and_none_repeats() {
        assert_eq!(Password::new(password()).facts().refusal, None);
        assert!(Password::new(weak_password()).facts().refusal.is_some());
        assert_ne!(password(), password());
        assert_eq!(organization_key().len(), 29);
    }
}
