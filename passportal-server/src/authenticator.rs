//! A person's second factor: one-time codes by RFC 6238, which an authenticator app shows, and the recovery codes for when it is lost.

use jiff::Timestamp;
use rand::seq::IndexedRandom as _;
use secrecy::SecretString;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

/// What most authenticator apps understand, and what they take it for without being told.
const DIGITS: usize = 6;

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 10;

/// Letters of a recovery code, in groups: 80 random bits, too many to be guessed.
const RECOVERY_LETTERS: usize = 16;
const GROUP: usize = 4;

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The secret that the server and the person's app share.
pub(crate) struct Authenticator(Totp);

/// What somebody typed as a code.
pub(crate) enum TypedCode {
    /// One that an app shows.
    OneTime(String),
    /// One that was written down, as it was made.
    Recovery(Zeroizing<String>),
}

impl Authenticator {
    /// A new secret of 160 bits, as RFC 4226 recommends.
    pub(crate) fn generate() -> Self {
        let bytes: [u8; 20] = rand::random();
        Self(of(Secret::new_stack(bytes)))
    }

    /// Reads what [`to_base32`](Self::to_base32) wrote.
    pub(crate) fn from_base32(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        Some(Self(of(secret)))
    }

    /// The secret as text.
    pub(crate) fn to_base32(&self) -> SecretString {
        SecretString::from(self.0.secret().to_base32())
    }

    /// The address that an app reads from a QR code; `None` if it cannot be written.
    pub(crate) fn address(&self, organization: &str, email: &str) -> Option<SecretString> {
        let without_colons = |text: &str| text.replace(':', " ");
        let named = Builder::new()
            .with_secret(self.0.secret().clone())
            .with_account_name(without_colons(email))
            .with_issuer(Some(without_colons(organization)))
            .build()
            .ok()?;
        named.to_url().ok().map(SecretString::from)
    }

    /// The step that a code belongs to; `None` where it is not of this step, the one before or the one after.
    ///
    /// Source: RFC 6238, section 5.2. The caller takes no step twice.
    pub(crate) fn step_of(&self, code: &str, at: Timestamp) -> Option<u64> {
        let second = u64::try_from(at.as_second()).ok()?;
        self.0.check(code, second)
    }
}

fn of(secret: Secret) -> Totp {
    Builder::new().with_secret(secret).build_noncompliant()
}

impl TypedCode {
    /// Spaces, hyphens and case do not matter.
    pub(crate) fn read(typed: &str) -> Self {
        let letters: Zeroizing<String> = typed
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect::<String>()
            .into();
        if letters.len() == DIGITS {
            Self::OneTime(letters.to_string())
        } else {
            Self::Recovery(letters)
        }
    }
}

/// New recovery codes, as a person writes them down.
pub(crate) fn recovery_codes() -> Vec<SecretString> {
    let mut rng = rand::rng();
    let mut letter = || char::from(*ALPHABET.choose(&mut rng).unwrap_or(&b'a'));
    let mut code = || {
        let mut text = String::with_capacity(RECOVERY_LETTERS + RECOVERY_LETTERS / GROUP);
        for place in 0..RECOVERY_LETTERS {
            if place > 0 && place % GROUP == 0 {
                text.push('-');
            }
            text.push(letter());
        }
        SecretString::from(text)
    };
    (0..RECOVERY_CODES).map(|_| code()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use secrecy::ExposeSecret;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// Source: RFC 6238, appendix B, whose eight digits end with these six.
    #[test]
    fn codes_are_those_of_the_standard_and_hold_for_one_step_around() {
        let app = Authenticator::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(app.step_of("287082", at(59)), Some(1));
        assert_eq!(app.step_of("287082", at(29)), Some(1));
        assert_eq!(app.step_of("287082", at(89)), Some(1));
        assert_eq!(app.step_of("287082", at(90)), None);
        assert_eq!(app.step_of("081804", at(1_111_111_109)), Some(37_037_036));
        for wrong in ["", "000000", "28708", "2870822", "２８７０８２"] {
            assert_eq!(app.step_of(wrong, at(59)), None, "{wrong}");
        }
    }

    #[test]
    fn a_secret_has_160_bits_and_is_read_back() {
        let app = Authenticator::generate();
        let text = app.to_base32();
        assert_eq!(text.expose_secret().len(), 32);
        let read = Authenticator::from_base32(text.expose_secret()).unwrap();
        assert_eq!(read.to_base32().expose_secret(), text.expose_secret());
    }

    #[test]
    fn the_address_names_organization_and_person() {
        let app = Authenticator::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let address = app.address("Northwind: MSP", "ada@msp.example").unwrap();
        let address = address.expose_secret();
        assert!(address.starts_with("otpauth://totp/"), "{address}");
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
        assert!(address.contains("issuer=Northwind%20%20MSP"), "{address}");
    }

    #[test]
    fn recovery_codes_are_all_different_and_read_as_people_write_them() {
        let codes = recovery_codes();
        let different: BTreeSet<_> = codes.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(different.len(), RECOVERY_CODES);
        for code in codes {
            let plain = code.expose_secret().replace('-', "");
            assert_eq!(plain.len(), RECOVERY_LETTERS);
            let typed = code.expose_secret().to_uppercase().replace('-', " ");
            assert!(matches!(TypedCode::read(&typed), TypedCode::Recovery(it) if *it == plain));
        }
        assert!(matches!(TypedCode::read("123 456"), TypedCode::OneTime(it) if it == "123456"));
    }
}
