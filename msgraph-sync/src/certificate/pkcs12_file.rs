//! PKCS#12 (`.pfx`, `.p12`): key and certificate behind one password.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use secrecy::{ExposeSecret as _, SecretString};

use super::{CertificateError, ClientCertificate, KeyDer, assemble};

pub(super) fn read(
    content: &[u8],
    password: Option<&SecretString>,
) -> Result<ClientCertificate, CertificateError> {
    let given = password.map_or("", |password| password.expose_secret());
    let archive = Pkcs12Archive::from_pkcs12(content, given).map_err(|error| match error {
        Error::MacError(_) if password.is_none() => CertificateError::PasswordNeeded,
        Error::MacError(_) => CertificateError::WrongPassword,
        other => CertificateError::Pkcs12(other),
    })?;
    let mut keys = archive.keys.iter();
    let key = keys.next().ok_or(CertificateError::NoKey)?;
    if keys.next().is_some() {
        return Err(CertificateError::SeveralKeys);
    }
    let chain: Vec<_> = archive.certs.iter().map(|it| it.cert.as_der()).collect();
    assemble(&KeyDer::Pkcs8(key.key.as_der()), &chain)
}
