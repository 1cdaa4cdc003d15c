//! Makes a certificate for the app registration: the private half for the agent, the public half to upload.

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};
use zeroize::Zeroizing;

use crate::durable_file::{self, Audience};
use crate::private_folder;

/// Source: Microsoft identity platform application authentication certificate credentials; NIST SP 800-57, 112 bits
/// and more.
const KEY_BITS: usize = 3072;
const DAYS: i64 = 365;

/// Where both halves are.
#[derive(Clone, Debug)]
pub(super) struct MadeCertificate {
    /// Key and certificate, for the agent only.
    pub(super) private: PathBuf,
    /// The certificate, to upload.
    pub(super) public: PathBuf,
    /// The certificate as text, to copy.
    pub(super) pem: String,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
pub(super) enum CertificateFault {
    /// The key.
    #[error("the key could not be made")]
    Key(#[source] rsa::errors::Error),
    /// Its form.
    #[error("the key could not be written down")]
    Form(#[source] rsa::pkcs8::Error),
    /// The certificate.
    #[error("the certificate could not be made")]
    Certificate(#[source] rcgen::Error),
    /// The files.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Makes a self-signed certificate for a year and writes both halves: `SECRET.pem` for the agent, `STEM.public.pem` to upload.
///
/// # Errors
/// When a file cannot be written.
pub(super) fn make(
    secret: &Path,
    stem: &Path,
    name: &str,
) -> Result<MadeCertificate, CertificateFault> {
    let (key, certificate) = generate(name)?;
    let private = secret.with_extension("pem");
    let public = stem.with_extension("public.pem");
    let both = Zeroizing::new(format!("{}{certificate}", *key));
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| CertificateFault::Write { path, source }
    };
    for folder in [&private, &public].into_iter().filter_map(|it| it.parent()) {
        private_folder::make(folder).map_err(failed(folder))?;
    }
    durable_file::replace(&private, both.as_bytes(), Audience::Owner).map_err(failed(&private))?;
    durable_file::replace(&public, certificate.as_bytes(), Audience::Everyone)
        .map_err(failed(&public))?;
    Ok(MadeCertificate {
        private,
        public,
        pem: certificate,
    })
}

fn generate(name: &str) -> Result<(Zeroizing<String>, String), CertificateFault> {
    let key = PrivateKey::new(&mut rand::rng(), KEY_BITS).map_err(CertificateFault::Key)?;
    let pem = key
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(CertificateFault::Form)?;
    let pair = KeyPair::from_pkcs8_pem_and_sign_algo(&pem, &rcgen::PKCS_RSA_SHA256)
        .map_err(CertificateFault::Certificate)?;
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, name);
    let mut params = CertificateParams::default();
    params.distinguished_name = subject;
    // Clocks differ: it is valid since yesterday.
    let month = |date: Date| date.month().unsigned_abs();
    let day = |date: Date| date.day().unsigned_abs();
    let (from, until) = (
        today.saturating_sub(1.day()),
        today.saturating_add(DAYS.days()),
    );
    params.not_before = date_time_ymd(from.year().into(), month(from), day(from));
    params.not_after = date_time_ymd(until.year().into(), month(until), day(until));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params
        .self_signed(&pair)
        .map_err(CertificateFault::Certificate)?;
    Ok((pem, certificate.pem()))
}

#[cfg(test)]
mod tests {
    use msgraph_sync::ClientCertificate;

    use super::*;

    #[test]
    fn what_is_made_can_be_signed_in_with_and_only_the_public_half_is_for_others() {
        let folder = tempfile::tempdir().unwrap();
        let made = make(
            &folder.path().join("secrets").join("contoso"),
            &folder.path().join("contoso"),
            "passportal-agent",
        )
        .unwrap();
        let private = std::fs::read(&made.private).unwrap();
        let certificate = ClientCertificate::read(&private, None).unwrap();
        let days = certificate
            .life()
            .not_after
            .duration_since(jiff::Timestamp::now());
        assert!((363..=365).contains(&(days.as_hours() / 24)));
        let public = std::fs::read_to_string(&made.public).unwrap();
        assert_eq!(public, made.pem);
        assert!(!public.contains("PRIVATE"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let kept = std::fs::metadata(&made.private).unwrap();
            assert_eq!(kept.permissions().mode() & 0o777, 0o600);
        }
    }
}
