//! What a person configures for one tenant.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use sync_engine::model::TenantId;

use crate::{
    ClientCertificate, Cloud, Endpoints, GraphSetupError, Limits, Proxy, SignedInPerson,
    VerdictTable,
};

/// How far this machine's clock may be off before it is called wrong.
///
/// Source: Kerberos and Entra ID both allow five minutes of clock skew.
const CLOCK_TOLERANCE: Duration = Duration::from_mins(5);

/// What a sign-in needs to know: where the tenant is, and which app asks.
#[derive(Clone, Debug)]
pub struct Connection {
    /// A verified domain of the tenant, or its GUID.
    pub tenant: TenantId,
    /// Where sign-in and Graph are reached.
    pub endpoints: Endpoints,
    /// The app registration's application (client) id.
    pub client_id: String,
    /// PEM certificates that are trusted in addition to the platform's roots.
    pub extra_ca: Option<Vec<u8>>,
    /// The proxy beyond this machine; without one the environment's.
    pub proxy: Option<Proxy>,
    /// How far this machine's clock may be off.
    pub clock_tolerance: Duration,
}

impl Connection {
    /// A tenant of the global cloud with everything else as usual.
    pub fn new(tenant: TenantId, client_id: impl Into<String>) -> Self {
        Self {
            tenant,
            endpoints: Endpoints::of(Cloud::Global),
            client_id: client_id.into(),
            extra_ca: None,
            proxy: None,
            clock_tolerance: CLOCK_TOLERANCE,
        }
    }

    pub(crate) fn checked(self) -> Result<Self, GraphSetupError> {
        Ok(Self {
            endpoints: self.endpoints.checked()?,
            ..self
        })
    }

    /// One of the tenant's own sign-in endpoints.
    pub(crate) fn oauth_url(&self, name: &str) -> Result<url::Url, GraphSetupError> {
        self.tenant_url(&format!("oauth2/v2.0/{name}"))
    }

    /// Something of the tenant's at the sign-in service.
    pub(crate) fn tenant_url(&self, path: &str) -> Result<url::Url, GraphSetupError> {
        check_tenant(&self.tenant)?;
        let mut url = self.endpoints.authority.clone();
        let base = url.path().trim_end_matches('/');
        url.set_path(&format!("{base}/{}/{path}", self.tenant));
        Ok(url)
    }
}

/// One tenant: where it is, and who the agent is there.
#[derive(Clone, Debug)]
pub struct TenantConfig {
    /// Where it is, and which app asks.
    pub connection: Connection,
    /// As whom the agent acts.
    pub credential: Credential,
    /// Which app the sign-in test uses.
    pub verification: VerificationApp,
    /// Replaces the built-in table of what sign-in codes say of a password.
    pub verdict_table: Option<VerdictTable>,
    /// What may be asked of the tenant in a time.
    pub limits: Limits,
}

impl TenantConfig {
    /// A tenant of the global cloud with everything else as usual.
    pub fn new(
        tenant: TenantId,
        client_id: impl Into<String>,
        credential: impl Into<Credential>,
    ) -> Self {
        Self::at(Connection::new(tenant, client_id), credential)
    }

    /// The tenant behind this connection, with everything else as usual.
    pub fn at(connection: Connection, credential: impl Into<Credential>) -> Self {
        Self {
            connection,
            credential: credential.into(),
            verification: VerificationApp::Itself,
            verdict_table: None,
            limits: Limits::documented(),
        }
    }
}

/// As whom the agent acts in a tenant.
#[derive(Clone, Debug)]
pub enum Credential {
    /// As its app, with the app's own permissions and roles.
    App(AppCredential),
    /// On behalf of a person, with what both the app and the person may do.
    Person(SignedInPerson),
}

impl From<AppCredential> for Credential {
    fn from(credential: AppCredential) -> Self {
        Self::App(credential)
    }
}

impl From<SignedInPerson> for Credential {
    fn from(person: SignedInPerson) -> Self {
        Self::Person(person)
    }
}

/// The name becomes part of a URL: a domain or a GUID, and not one of the words that mean "any tenant".
fn check_tenant(tenant: &TenantId) -> Result<(), GraphSetupError> {
    let name = tenant.0.as_str();
    let of_a_domain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    let labels_are_whole = name.split('.').all(|label| !label.is_empty());
    let means_any = ["common", "organizations", "consumers"].contains(&name);
    if labels_are_whole && name.chars().all(of_a_domain) && !means_any {
        Ok(())
    } else {
        Err(GraphSetupError::Tenant {
            tenant: tenant.clone(),
        })
    }
}

/// How the app proves who it is.
#[derive(Clone)]
#[non_exhaustive]
pub enum AppCredential {
    /// A client secret of the app registration.
    ClientSecret(SecretString),
    /// A certificate of the app registration, with its private key.
    Certificate(ClientCertificate),
    /// A federated credential: the file into which the platform writes the token of another issuer. It is read for
    /// each request, because the platform replaces it (`AZURE_FEDERATED_TOKEN_FILE`).
    Federated(PathBuf),
}

impl fmt::Debug for AppCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClientSecret(_) => f.write_str("ClientSecret(redacted)"),
            Self::Certificate(certificate) => {
                f.debug_tuple("Certificate").field(certificate).finish()
            }
            Self::Federated(path) => f.debug_tuple("Federated").field(path).finish(),
        }
    }
}

/// Which app the sign-in test uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerificationApp {
    /// A public client, by its application (client) id: it has no secret.
    Public(String),
    /// The agent's own app, secret included.
    Itself,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_url(tenant: &str) -> Result<String, GraphSetupError> {
        Connection::new(TenantId(tenant.to_owned()), "app")
            .oauth_url("token")
            .map(|url| url.to_string())
    }

    #[test]
    fn a_tenant_is_a_domain_or_a_guid_and_nothing_that_moves_the_url() {
        assert_eq!(
            token_url("contoso.onmicrosoft.com").unwrap(),
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token"
        );
        assert!(token_url("72f988bf-86f1-41af-91ab-2d7cd011db47").is_ok());
        for bad in ["", "..", ".", "a/b", "common", "a..b", "x?y", "a%2fb"] {
            assert!(token_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_secret_is_not_in_the_configuration_s_debug_text() {
        let config = TenantConfig::new(
            TenantId("contoso.com".to_owned()),
            "app",
            AppCredential::ClientSecret("canary-secret".into()),
        );
        assert!(!format!("{config:?}").contains("canary"));
    }
}
