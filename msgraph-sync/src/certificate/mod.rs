//! The app's certificate with its private key: how it is read, how long it is valid, and what it signs.

mod error;
mod life;
mod pem_file;
mod pkcs12_file;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256};
use secrecy::SecretString;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;

pub use error::CertificateError;
pub use life::{CertificateLife, WARNED_AHEAD};

/// What signs PS256 here. Entra ID itself takes no smaller key.
/// Source: Microsoft Entra certificate credentials; RFC 7518, 3.5; ring's `RSA_PSS_SHA256`.
const KEY_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A certificate of the app registration, with its private key. Clones share one key.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Inner>);

struct Inner {
    key: KeyPair,
    thumbprint: String,
    life: CertificateLife,
}

impl ClientCertificate {
    /// Reads a file's content: PEM, or else PKCS#12 (`.pfx`, `.p12`) that this password opens.
    ///
    /// # Errors
    /// What is wrong with it, with a hint. Whether it is valid now is not looked at.
    pub fn read(content: &[u8], password: Option<&SecretString>) -> Result<Self, CertificateError> {
        if pem_file::is_pem(content) {
            pem_file::read(content)
        } else {
            pkcs12_file::read(content, password)
        }
    }

    /// From when until when it is valid.
    pub fn life(&self) -> CertificateLife {
        self.0.life
    }

    /// The SHA-256 thumbprint as an assertion's header states it (`x5t#S256`).
    pub(crate) fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// A PS256 signature; `None` where the platform has no random numbers.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let key = &self.0.key;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PSS_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .ok()?;
        Some(signature)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCertificate")
            .field("thumbprint", &self.0.thumbprint)
            .field("life", &self.0.life)
            .finish_non_exhaustive()
    }
}

/// A private key as a file holds it.
enum KeyDer<'a> {
    Pkcs1(&'a [u8]),
    Pkcs8(&'a [u8]),
}

/// Finds the certificate that the key belongs to, of several the one that is valid for longest: an old one may stand
/// beside its renewal. A chain's others are of no use here.
fn assemble(key: &KeyDer<'_>, chain: &[&[u8]]) -> Result<ClientCertificate, CertificateError> {
    let chain = chain
        .iter()
        .map(|der| Leaf::read(der))
        .collect::<Result<Vec<_>, _>>()?;
    let first = chain.first().ok_or(CertificateError::NoCertificate)?;
    if !chain.iter().any(|leaf| leaf.fault.is_none()) {
        return Err(first.fault().unwrap_or(CertificateError::NoCertificate));
    }
    let key = match key {
        KeyDer::Pkcs1(der) => KeyPair::from_der(der),
        KeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der),
    }
    .map_err(CertificateError::Key)?;
    let fits = |leaf: &&Leaf| leaf.public_key == key.public_key().as_ref();
    let leaf = chain
        .iter()
        .filter(fits)
        .max_by_key(|leaf| leaf.life.not_after)
        .ok_or(CertificateError::KeyDoesNotFit)?;
    Ok(ClientCertificate(Arc::new(Inner {
        thumbprint: leaf.thumbprint.clone(),
        life: leaf.life,
        key,
    })))
}

/// The nearest moment that there is: `99991231235959Z`, which stands for no end, lies a day behind the last one.
/// Source: RFC 5280, 4.1.2.5.
fn moment(seconds: i64) -> Timestamp {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(first, last)).unwrap_or(Timestamp::MAX)
}

/// What is needed of one certificate.
struct Leaf {
    thumbprint: String,
    life: CertificateLife,
    /// PKCS#1 DER.
    public_key: Vec<u8>,
    fault: Option<KeyFault>,
}

/// Why a certificate's key does not serve.
#[derive(Clone, Copy)]
enum KeyFault {
    NotRsa,
    Bits(usize),
}

impl Leaf {
    fn read(der: &[u8]) -> Result<Self, CertificateError> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|_| CertificateError::Certificate)?;
        let validity = certificate.validity();
        let public_key = certificate.public_key();
        let fault = match public_key.parsed() {
            Ok(PublicKey::RSA(key)) if KEY_BITS.contains(&key.key_size()) => None,
            Ok(PublicKey::RSA(key)) => Some(KeyFault::Bits(key.key_size())),
            _ => Some(KeyFault::NotRsa),
        };
        Ok(Self {
            thumbprint: URL_SAFE_NO_PAD.encode(digest(&SHA256, der)),
            life: CertificateLife {
                not_before: moment(validity.not_before.timestamp()),
                not_after: moment(validity.not_after.timestamp()),
            },
            public_key: public_key.subject_public_key.data.to_vec(),
            fault,
        })
    }

    fn fault(&self) -> Option<CertificateError> {
        Some(match self.fault? {
            KeyFault::NotRsa => CertificateError::NotRsa,
            KeyFault::Bits(bits) => CertificateError::KeySize { bits },
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
