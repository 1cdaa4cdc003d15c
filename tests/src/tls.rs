//! A certificate authority for one test.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::VAULT_HOST;

/// The names of the servers: on loopback, and what a proxy may take for them.
const NAMES: [&str; 5] = [
    "localhost",
    "127.0.0.1",
    VAULT_HOST,
    "login.microsoftonline.com",
    "graph.microsoft.com",
];

/// A certificate authority that nobody else trusts, and a server certificate that it signed.
pub struct TestCa {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The server's certificate.
    pub cert: PathBuf,
    /// The server's key.
    pub key: PathBuf,
}

impl TestCa {
    /// Makes one in this folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let server =
            CertificateParams::new(NAMES.map(str::to_owned))?.signed_by(&key, &authority)?;
        let files = Self {
            ca: folder.join("ca.pem"),
            cert: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        for (path, text) in [
            (&files.ca, authority.pem()),
            (&files.cert, server.pem()),
            (&files.key, key.serialize_pem()),
        ] {
            std::fs::write(path, text).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(files)
    }
}
