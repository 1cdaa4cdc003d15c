//! A JSON Web Signature in its compact form, and its verification with an RSA key.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use rsa::{PublicKey, pkcs1v15, pss};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A JWT that is not verified yet.
pub(super) struct Jws<'a> {
    pub(super) header: Header,
    pub(super) claims: Claims,
    signed: &'a str,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
pub(super) struct Header {
    alg: String,
    #[serde(rename = "x5t")]
    pub(super) sha1: Option<String>,
    #[serde(rename = "x5t#S256")]
    pub(super) sha256: Option<String>,
}

/// Times in seconds since 1970, which may have a fraction (RFC 7519, 2); MSAL for Python's have.
#[derive(Deserialize)]
pub(super) struct Claims {
    aud: Audience,
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) jti: Option<String>,
    pub(super) nbf: Option<f64>,
    pub(super) exp: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Header {
    pub(super) fn names_a_certificate(&self) -> bool {
        self.sha1.is_some() || self.sha256.is_some()
    }
}

impl Claims {
    pub(super) fn audiences(&self) -> &[String] {
        match &self.aud {
            Audience::One(one) => std::slice::from_ref(one),
            Audience::Several(several) => several,
        }
    }
}

impl<'a> Jws<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        Some(Self {
            header: decode(header)?,
            claims: decode(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Whether this key signed it, with one of the two algorithms that Entra ID takes.
    pub(super) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let (message, signature) = (self.signed.as_bytes(), self.signature.as_slice());
        match self.header.alg.as_str() {
            "PS256" => pss::Signature::try_from(signature).is_ok_and(|signature| {
                pss::VerifyingKey::<Sha256>::new(key.clone())
                    .verify(message, &signature)
                    .is_ok()
            }),
            "RS256" => pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
                pkcs1v15::VerifyingKey::<Sha256>::new(key.clone())
                    .verify(message, &signature)
                    .is_ok()
            }),
            _ => false,
        }
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
