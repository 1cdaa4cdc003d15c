//! One-time codes (TOTP, RFC 6238) of a stored account.

use jiff::Timestamp;
use secrecy::SecretString;
use totp_rs::{Builder, Secret, Totp};

/// What most services leave out because it is so: 6 digits every 30 seconds, by SHA-1.
const DIGITS: std::ops::RangeInclusive<u8> = 6..=8;

/// Steps that a person can follow, in seconds.
const STEPS: std::ops::RangeInclusive<u64> = 10..=300;

/// Many services give 80 bits, fewer than RFC 4226 asks for.
const LEAST_BYTES: usize = 10;

/// Longer than any secret, or its address with name and issuer.
const LONGEST: usize = 1000;

/// Why a text is no secret of one-time codes. No text tells anything of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpRefusal {
    /// Neither base32 nor an address.
    #[error(
        "the TOTP secret is not one: it is the text of letters and digits 2 to 7 that the service shows, or its otpauth:// address"
    )]
    Unreadable,
    /// Too few bits.
    #[error("the TOTP secret is too short: it has at least 16 letters and digits")]
    TooShort,
    /// An address with what no authenticator shows.
    #[error(
        "the TOTP address asks for codes that are not of 6 to 8 digits or do not change every 10 to 300 seconds"
    )]
    Unusual,
}

/// A secret of one-time codes.
pub struct TotpSecret(Totp);

/// A code, and how long it holds.
pub struct OneTimeCode {
    /// The code.
    pub code: SecretString,
    /// Whole seconds until the next one.
    pub seconds_left: u64,
}

impl TotpSecret {
    /// Reads base32 as services show it (spaces, hyphens and case do not matter), or an `otpauth://totp/…` address.
    ///
    /// # Errors
    /// When it is neither, or not of use.
    pub fn parse(text: &str) -> Result<Self, TotpRefusal> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(TotpRefusal::Unreadable);
        }
        let totp = if is_address(text) {
            Totp::from_url_unchecked(text).map_err(|_| TotpRefusal::Unreadable)?
        } else {
            from_base32(text)?
        };
        if totp.secret().as_bytes().len() < LEAST_BYTES {
            return Err(TotpRefusal::TooShort);
        }
        if !DIGITS.contains(&totp.digits()) || !STEPS.contains(&totp.step()) {
            return Err(TotpRefusal::Unusual);
        }
        Ok(Self(totp))
    }

    /// The code at a time.
    pub fn code(&self, at: Timestamp) -> OneTimeCode {
        let second = u64::try_from(at.as_second()).unwrap_or_default();
        OneTimeCode {
            code: SecretString::from(self.0.generate(second).to_string()),
            seconds_left: self.0.step() - second % self.0.step(),
        }
    }
}

fn is_address(text: &str) -> bool {
    text.get(..8)
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("otpauth:"))
}

fn from_base32(text: &str) -> Result<Totp, TotpRefusal> {
    let letters: zeroize::Zeroizing<String> = text
        .trim_end_matches('=')
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .map(|letter| letter.to_ascii_uppercase())
        .collect::<String>()
        .into();
    let secret = Secret::try_from_base32(letters.as_str()).map_err(|_| TotpRefusal::Unreadable)?;
    Ok(Builder::new().with_secret(secret).build_noncompliant())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn code(text: &str, second: i64) -> String {
        let at = Timestamp::from_second(second).unwrap();
        let secret = TotpSecret::parse(text).unwrap();
        secret.code(at).code.expose_secret().to_owned()
    }

    /// Source: RFC 6238, appendix B, whose eight digits end with these six.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert_eq!(code(secret, 59), "287082");
        assert_eq!(code(secret, 1_111_111_109), "081804");
        let address =
            format!("otpauth://totp/Contoso:anna?secret={secret}&issuer=Contoso&digits=8");
        assert_eq!(code(&address, 59), "94287082");
    }

    #[test]
    fn a_secret_is_read_as_services_show_it() {
        let shown = "gezd gnbv gy3t-qojq GEZD GNBV GY3T QOJQ==";
        assert_eq!(code(shown, 59), "287082");
        let at = Timestamp::from_second(59).unwrap();
        assert_eq!(TotpSecret::parse(shown).unwrap().code(at).seconds_left, 1);
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        let refusal = |text: &str| TotpSecret::parse(text).err();
        for text in [
            "not base32!",
            "otpauth://hotp/a?secret=GEZDGNBVGY3TQOJQ",
            "otpauth://totp/a",
        ] {
            assert_eq!(refusal(text), Some(TotpRefusal::Unreadable), "{text}");
        }
        assert_eq!(refusal("GEZDGNBV"), Some(TotpRefusal::TooShort));
        for odd in ["digits=10", "digits=1", "period=0", "period=86400"] {
            let address = format!("otpauth://totp/a?secret=GEZDGNBVGY3TQOJQ&{odd}");
            assert_eq!(refusal(&address), Some(TotpRefusal::Unusual), "{odd}");
        }
    }
}
