//! Assertions that a certificate of the application signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rsa::PublicKey;
use rsa::pkcs1::DecodeRsaPublicKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::jws::{Header, Jws};
use super::{Accepted, check_time};
use crate::directory::tenant::Tenant;
use crate::entra::refusal::{self, Refusal};
use crate::entra::request::TokenRequest;
use crate::scenario::AppSpec;

/// A certificate as it is registered.
struct Registered {
    key: PublicKey,
    sha1: String,
    sha256: String,
    ends: i64,
}

/// Whether this is a certificate with which an application can sign in.
pub(crate) fn readable(pem: &str) -> bool {
    Registered::read(pem).is_some()
}

pub(super) fn verify(
    tenant: &Tenant,
    app: &AppSpec,
    request: &TokenRequest,
    jws: &Jws<'_>,
    now: Timestamp,
) -> Result<Accepted, Refusal> {
    let (id, named) = (app.client_id.to_string(), named(&jws.header));
    let registered = app
        .certificates
        .iter()
        .filter_map(|pem| Registered::read(pem))
        .find(|known| known.is_named_by(&jws.header))
        .ok_or_else(|| Refusal::with(&refusal::UNKNOWN_KEY, &[named, &id]))?;
    if !jws.is_signed_by(&registered.key) {
        return Err(Refusal::with(&refusal::WRONG_SIGNATURE, &[named]));
    }
    if registered.ends < now.as_second() {
        return Err(Refusal::with(&refusal::EXPIRED_KEY, &[named]));
    }
    if !is_for(tenant, request, jws) {
        return Err(Refusal::of(&refusal::ASSERTION_AUDIENCE));
    }
    if jws.claims.iss != id || jws.claims.sub != id {
        return Err(Refusal::of(&refusal::ASSERTION_SUBJECT));
    }
    check_time(jws, now)?;
    let jti = jws.claims.jti.clone();
    Ok(Accepted { id: jti })
}

/// The token endpoint of this tenant, by whichever of its names.
fn is_for(tenant: &Tenant, request: &TokenRequest, jws: &Jws<'_>) -> bool {
    jws.claims.audiences().iter().any(|audience| {
        let name = audience
            .strip_prefix(&request.origin)
            .and_then(|rest| rest.strip_prefix('/')?.strip_suffix("/oauth2/v2.0/token"));
        name.is_some_and(|name| tenant.is_named(name))
    })
}

fn named(header: &Header) -> &str {
    let name = header.sha256.as_deref().or(header.sha1.as_deref());
    name.unwrap_or_default()
}

impl Registered {
    fn read(pem: &str) -> Option<Self> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        Some(Self {
            key: PublicKey::from_pkcs1_der(&certificate.public_key().subject_public_key.data)
                .ok()?,
            sha1: URL_SAFE_NO_PAD.encode(Sha1::digest(&der)),
            sha256: URL_SAFE_NO_PAD.encode(Sha256::digest(&der)),
            ends: certificate.validity().not_after.timestamp(),
        })
    }

    /// MSAL for Python pads its thumbprints, and Entra ID takes them.
    fn is_named_by(&self, header: &Header) -> bool {
        match (&header.sha256, &header.sha1) {
            (Some(name), _) => name.trim_end_matches('=') == self.sha256,
            (None, Some(name)) => name.trim_end_matches('=') == self.sha1,
            (None, None) => false,
        }
    }
}
