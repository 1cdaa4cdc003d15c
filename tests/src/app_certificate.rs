//! An RSA key, a self-signed certificate for it, and tokens that it signs, made for one test run.

use std::sync::LazyLock;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use rsa::PrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::sha2::Sha256;
use rsa::signature::{SignatureEncoding, Signer};
use serde_json::{Value, json};

/// Keys take a while to make.
static KEYS: LazyLock<[rsa::errors::Result<PrivateKey>; 2]> =
    LazyLock::new(|| [2048, 2048].map(|bits| PrivateKey::new(&mut rand::rng(), bits)));

/// A certificate of an app registration, with its private key.
pub struct AppCertificate {
    /// The certificate alone, as it is uploaded.
    pub pem: String,
    /// The same as DER.
    pub der: Vec<u8>,
    /// Certificate and key, as the agent's file holds them.
    pub file: String,
    /// The key.
    pub key: PrivateKey,
    /// Its last moment.
    pub not_after: Timestamp,
}

impl AppCertificate {
    /// One that is valid in this century.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new() -> anyhow::Result<Self> {
        Self::valid(2000, 2100)
    }

    /// One that is valid from the beginning of a year until the beginning of another.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn valid(from: i32, until: i32) -> anyhow::Result<Self> {
        let [key, _] = &*KEYS;
        let key = key.as_ref().ok().context("an RSA key")?;
        Self::of(key, year(from)?, year(until)?)
    }

    /// One that ends so many days from now, at midnight.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn ending_in(days: i64) -> anyhow::Result<Self> {
        let [key, _] = &*KEYS;
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let end = today.checked_add(days.days())?;
        Self::of(
            key.as_ref().ok().context("an RSA key")?,
            date(2000, 1, 1),
            end,
        )
    }

    /// One with another key.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn other() -> anyhow::Result<Self> {
        let [_, key] = &*KEYS;
        let key = key.as_ref().ok().context("an RSA key")?;
        Self::of(key, date(2000, 1, 1), date(2100, 1, 1))
    }

    /// Another issuer's token for this subject, signed by this key: right for an hour, and for Entra ID.
    pub fn token(&self, issuer: &str, subject: &str) -> String {
        let now = Timestamp::now().as_second();
        self.sign(&json!({
            "aud": ["api://AzureADTokenExchange"],
            "iss": issuer,
            "sub": subject,
            "nbf": now,
            "exp": now + 3_600,
        }))
    }

    /// A token with these claims, as a cluster signs it (RS256).
    pub fn sign(&self, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({ "alg": "RS256", "kid": "cluster" });
        let signed = format!("{}.{}", part(&header), part(claims));
        let key: SigningKey<Sha256> = SigningKey::new(self.key.clone());
        let signature = key.sign(signed.as_bytes()).to_vec();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn of(key: &PrivateKey, from: Date, until: Date) -> anyhow::Result<Self> {
        let key_pem = key.to_pkcs8_pem(LineEnding::LF)?;
        let signer = KeyPair::from_pem_and_sign_algo(&key_pem, &PKCS_RSA_SHA256)?;
        let mut params = CertificateParams::new(vec!["passportal-agent".to_owned()])?;
        let midnight = |date: Date| -> anyhow::Result<_> {
            let (month, day) = (date.month().try_into()?, date.day().try_into()?);
            Ok(date_time_ymd(date.year().into(), month, day))
        };
        params.not_before = midnight(from)?;
        params.not_after = midnight(until)?;
        let certificate = params.self_signed(&signer)?;
        let pem = certificate.pem();
        Ok(Self {
            der: certificate.der().to_vec(),
            file: format!("{pem}{}", *key_pem),
            key: key.clone(),
            not_after: until.to_zoned(TimeZone::UTC)?.timestamp(),
            pem,
        })
    }
}

fn year(year: i32) -> anyhow::Result<Date> {
    Ok(Date::new(year.try_into()?, 1, 1)?)
}
