//! PEM: the private key (PKCS#8 or PKCS#1) and the certificate in one file, in any order.

use pem::Pem;
use zeroize::Zeroizing;

use super::{CertificateError, ClientCertificate, KeyDer, assemble};

const MARK: &[u8] = b"-----BEGIN ";

/// Whether this is meant to be PEM. PKCS#12 is DER, which begins with another byte.
pub(super) fn is_pem(content: &[u8]) -> bool {
    content.windows(MARK.len()).any(|part| part == MARK)
}

pub(super) fn read(content: &[u8]) -> Result<ClientCertificate, CertificateError> {
    let sections = pem::parse_many(content).map_err(CertificateError::Pem)?;
    let (certificates, others): (Vec<_>, Vec<_>) = sections
        .into_iter()
        .partition(|section| section.tag() == "CERTIFICATE");
    let chain: Vec<_> = certificates.iter().map(Pem::contents).collect();
    let mut keys = others
        .into_iter()
        .filter(|section| section.tag().ends_with("PRIVATE KEY"));
    let key = keys.next().ok_or(CertificateError::NoKey)?;
    if keys.next().is_some() {
        return Err(CertificateError::SeveralKeys);
    }
    if key.tag().starts_with("ENCRYPTED") || key.headers().get("Proc-Type").is_some() {
        return Err(CertificateError::EncryptedKey);
    }
    let tag = key.tag().to_owned();
    let der = Zeroizing::new(key.into_contents());
    match tag.as_str() {
        "PRIVATE KEY" => assemble(&KeyDer::Pkcs8(&der), &chain),
        "RSA PRIVATE KEY" => assemble(&KeyDer::Pkcs1(&der), &chain),
        _ => Err(CertificateError::NotRsa),
    }
}
