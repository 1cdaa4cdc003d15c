//! Who asks for a token, and the proof that goes with one request.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use super::assertion;
use crate::service_clock;
use crate::{ClientCertificate, GraphError};

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct AppIdentity {
    client_id: String,
    proof: Proof,
}

/// How it proves who it is.
#[derive(Clone, Debug)]
enum Proof {
    /// A public client has nothing to prove it with.
    Public,
    Secret(SecretString),
    Certificate(ClientCertificate),
    /// The file into which the platform writes another issuer's token.
    Federated(PathBuf),
}

/// The proof as one request carries it.
pub(crate) enum Evidence {
    Nothing,
    Secret(SecretString),
    /// RFC 7523, 2.2.
    Assertion(SecretString),
}

impl AppIdentity {
    pub(crate) fn public(client_id: &str) -> Self {
        Self::new(client_id, Proof::Public)
    }

    pub(crate) fn with_secret(client_id: &str, secret: SecretString) -> Self {
        Self::new(client_id, Proof::Secret(secret))
    }

    pub(crate) fn with_certificate(client_id: &str, certificate: ClientCertificate) -> Self {
        Self::new(client_id, Proof::Certificate(certificate))
    }

    pub(crate) fn federated(client_id: &str, token_file: PathBuf) -> Self {
        Self::new(client_id, Proof::Federated(token_file))
    }

    fn new(client_id: &str, proof: Proof) -> Self {
        Self {
            client_id: client_id.to_owned(),
            proof,
        }
    }

    pub(crate) fn client_id(&self) -> &str {
        &self.client_id
    }

    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        match &self.proof {
            Proof::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The proof for one request to this token endpoint, made or read anew each time.
    ///
    /// # Errors
    /// A certificate that is not valid now, or a token file that cannot be read.
    pub(crate) async fn prove(&self, endpoint: &Url) -> Result<Evidence, GraphError> {
        match &self.proof {
            Proof::Public => Ok(Evidence::Nothing),
            Proof::Secret(secret) => Ok(Evidence::Secret(secret.clone())),
            Proof::Certificate(certificate) => {
                self.check(certificate)?;
                let now = service_clock::now();
                assertion::make(certificate, &self.client_id, endpoint, now)
                    .map(|assertion| Evidence::Assertion(assertion.into()))
                    .ok_or(GraphError::NotBuilt {
                        call: "POST /oauth2/v2.0/token",
                    })
            }
            Proof::Federated(path) => read(path).await.map(Evidence::Assertion),
        }
    }

    /// Entra ID would refuse it with the same code as a certificate that it does not know.
    fn check(&self, certificate: &ClientCertificate) -> Result<(), GraphError> {
        let (life, now) = (certificate.life(), service_clock::now());
        if life.has_ended(now) {
            return Err(GraphError::CertificateExpired {
                client_id: self.client_id.clone(),
                at: life.not_after,
            });
        }
        if !life.has_begun(now) {
            return Err(GraphError::CertificateNotYetValid {
                client_id: self.client_id.clone(),
                from: life.not_before,
            });
        }
        Ok(())
    }
}

async fn read(path: &Path) -> Result<SecretString, GraphError> {
    let text = tokio::fs::read_to_string(path).await;
    let text = text.map_err(|source| GraphError::FederatedTokenFile {
        path: path.to_owned(),
        source: Arc::new(source),
    })?;
    match text.trim() {
        "" => Err(GraphError::FederatedTokenEmpty {
            path: path.to_owned(),
        }),
        token => Ok(SecretString::from(token)),
    }
}
