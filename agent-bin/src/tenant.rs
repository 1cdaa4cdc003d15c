//! From the configuration of one client to its tenant's directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use msgraph_sync::{
    AppCredential, CertificateError, ClientCertificate, Connection, Credential, Endpoints,
    EntraDirectory, GraphSetupError, PersonPassword, SignedInPerson, TenantConfig, VerdictTable,
    VerificationApp,
};
use passportal_client::envelope::{DataKey, EnvelopeError};
use sync_engine::plan::{NewOwnPassword, OwnAccount};
use url::Url;

use crate::config::{ClientConfig, Cloud, SignIn};
use crate::outbound::Outbound;
use crate::secrets::{Administrator, SecretError, SecretFiles, SecretSources};
use crate::token_keeper::KeptSignIn;

/// Why a tenant cannot be reached with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// There is no app to sign in as.
    #[error("client `{client}`: client_id is missing")]
    NoApp {
        /// The client.
        client: String,
    },
    /// The client secret cannot be read.
    #[error("client `{client}`: the client secret cannot be read")]
    Secret {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The certificate's file, or the one with its password, cannot be read.
    #[error("client `{client}`: the certificate cannot be read")]
    CertificateFile {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The file is no certificate to sign in with.
    #[error("client `{client}`: the certificate {} cannot be used", path.display())]
    Certificate {
        /// The client.
        client: String,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: CertificateError,
    },
    /// What is left of the administrator's sign-in cannot be read.
    #[error("client `{client}`: the agent cannot act for an administrator")]
    Administrator {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: SecretError,
    },
    /// The kept data key, which the administrator's sign-in is sealed with, is damaged.
    #[error("the data key of client `{client}` is damaged")]
    DataKey {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: EnvelopeError,
    },
    /// A file that this way to sign in needs is not named.
    #[error("client `{client}`: {key} is missing, and sign_in = \"{sign_in}\" needs it")]
    NoFile {
        /// The client.
        client: String,
        /// The way.
        sign_in: SignIn,
        /// The key of the configuration.
        key: &'static str,
    },
    /// An address or the tenant's name is wrong.
    #[error("client `{client}`: the tenant cannot be set up")]
    Setup {
        /// The client.
        client: String,
        /// Why.
        #[source]
        source: GraphSetupError,
    },
}

impl TenantError {
    /// What to do next.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::NoApp { .. } => Some("set client_id to the app registration's application id"),
            Self::Secret { source, .. }
            | Self::CertificateFile { source, .. }
            | Self::Administrator { source, .. } => Some(source.hint()),
            Self::DataKey { .. } => Some("enrol it with `passportal setup --client NAME …`"),
            Self::Certificate { source, .. } => Some(source.hint()),
            Self::NoFile { .. } => Some("name the file in the configuration"),
            Self::Setup { source, .. } => setup_hint(source),
        }
    }
}

fn setup_hint(error: &GraphSetupError) -> Option<&'static str> {
    Some(match error {
        GraphSetupError::Tenant { .. } => "give a verified domain of the tenant or its GUID",
        GraphSetupError::NotHttps { .. } => "beyond loopback write https://",
        GraphSetupError::NotABase { .. } => "an address only: https://host",
        GraphSetupError::ExtraCa(_) => "tls.extra_ca names a file of PEM certificates",
        GraphSetupError::Proxy { .. } => "an address only: http://host:port or socks5h://host:port",
        GraphSetupError::Client(_) => return None,
    })
}

/// The directory of one client's tenant, as whoever the configuration says. Only an administrator's sign-in is looked up
/// among the secrets of this machine, and ends there: no password begins another. Without a table of its own it has the
/// built-in one.
///
/// # Errors
/// When the configuration or its secret does not allow to sign in.
pub fn directory(
    client: &ClientConfig,
    outbound: &Outbound,
    secrets: &SecretFiles,
    verdict_table: Option<&VerdictTable>,
) -> Result<EntraDirectory, TenantError> {
    Way::of(client, outbound, secrets)?.directory(client, verdict_table)
}

/// The way into one client's tenant: everything that the configuration and this machine's secrets tell of it.
#[derive(Clone)]
pub(crate) struct Way {
    connection: Connection,
    credential: Credential,
}

impl Way {
    pub(crate) fn of(
        client: &ClientConfig,
        outbound: &Outbound,
        secrets: &SecretFiles,
    ) -> Result<Self, TenantError> {
        Ok(Self {
            connection: connection(client, outbound)?,
            credential: credential(client, secrets)?,
        })
    }

    /// Where an administrator's sign-in ends, this password begins another.
    pub(crate) fn with_password(mut self, password: Arc<dyn PersonPassword>) -> Self {
        if let Credential::Person(person) = &mut self.credential {
            person.password = Some(password);
        }
        self
    }

    pub(crate) fn directory(
        self,
        client: &ClientConfig,
        verdict_table: Option<&VerdictTable>,
    ) -> Result<EntraDirectory, TenantError> {
        directory_at(self.connection, self.credential, client, verdict_table)
    }
}

/// The same with a credential that is at hand.
pub(crate) fn directory_at(
    connection: Connection,
    credential: impl Into<Credential>,
    client: &ClientConfig,
    verdict_table: Option<&VerdictTable>,
) -> Result<EntraDirectory, TenantError> {
    let mut config = TenantConfig::at(connection, credential);
    config.verdict_table = verdict_table.cloned();
    config.verification = match &client.microsoft.verification_client_id {
        Some(public) => VerificationApp::Public(public.clone()),
        None => VerificationApp::Itself,
    };
    EntraDirectory::new(config).map_err(|source| TenantError::Setup {
        client: client.name.clone(),
        source,
    })
}

/// Where the tenant is, and which app asks.
pub(crate) fn connection(
    client: &ClientConfig,
    outbound: &Outbound,
) -> Result<Connection, TenantError> {
    let microsoft = &client.microsoft;
    let client_id = microsoft.client_id.clone();
    let client_id = client_id.ok_or_else(|| TenantError::NoApp {
        client: client.name.clone(),
    })?;
    let mut connection = Connection::new(microsoft.tenant.clone(), client_id);
    connection.endpoints = endpoints(
        microsoft.cloud,
        microsoft.authority.as_ref(),
        microsoft.graph.as_ref(),
    );
    connection.extra_ca.clone_from(&outbound.extra_ca);
    connection.proxy.clone_from(&outbound.proxy);
    Ok(connection)
}

/// As whom the agent acts.
fn credential(client: &ClientConfig, secrets: &SecretFiles) -> Result<Credential, TenantError> {
    let app = match client.microsoft.sign_in {
        SignIn::ClientSecret => client_secret(client)?,
        SignIn::Certificate => {
            let file = needed(client, client.microsoft.certificate.as_ref(), "certificate")?;
            AppCredential::Certificate(certificate(client, &file)?)
        }
        SignIn::Federated => {
            let file = client.microsoft.federated_token_file.as_ref();
            AppCredential::Federated(needed(client, file, "federated_token_file")?)
        }
        SignIn::DeviceCode | SignIn::VaultAdmin => {
            return person(client, secrets).map(Credential::Person);
        }
    };
    Ok(Credential::App(app))
}

/// The account that the agent signs in with, where it is a person's.
///
/// # Errors
/// When nobody has signed in, or what is kept of it cannot be read.
pub fn own_account(
    client: &ClientConfig,
    secrets: &SecretFiles,
) -> Result<Option<OwnAccount>, TenantError> {
    let new_password = match client.microsoft.sign_in {
        SignIn::DeviceCode => NewOwnPassword::EndsSignIn,
        SignIn::VaultAdmin => NewOwnPassword::IsUsed,
        SignIn::Certificate | SignIn::ClientSecret | SignIn::Federated => return Ok(None),
    };
    let (_, administrator) = administrator(client, secrets)?;
    Ok(Some(OwnAccount {
        user_name: administrator.user_name,
        object: Some(administrator.object),
        new_password,
    }))
}

fn person(client: &ClientConfig, secrets: &SecretFiles) -> Result<SignedInPerson, TenantError> {
    let (key, administrator) = administrator(client, secrets)?;
    Ok(SignedInPerson {
        refresh_token: administrator.refresh_token,
        keeper: Arc::new(KeptSignIn::new(secrets.clone(), key)),
        password: None,
    })
}

fn administrator(
    client: &ClientConfig,
    secrets: &SecretFiles,
) -> Result<(DataKey, Administrator), TenantError> {
    let unreadable = |source| TenantError::Administrator {
        client: client.name.clone(),
        source,
    };
    let enrolment = secrets.load_enrolment(&client.name).map_err(unreadable)?;
    let enrolment = enrolment.ok_or_else(|| {
        unreadable(SecretError::NotEnrolled {
            client: client.name.clone(),
        })
    })?;
    let key = enrolment.key().map_err(|source| TenantError::DataKey {
        client: client.name.clone(),
        source,
    })?;
    let administrator = secrets.load_administrator(&key).map_err(unreadable)?;
    Ok((key, administrator))
}

fn client_secret(client: &ClientConfig) -> Result<AppCredential, TenantError> {
    let secret = SecretSources::from_env().client_secret(client);
    let secret = secret.map_err(|source| TenantError::Secret {
        client: client.name.clone(),
        source,
    })?;
    Ok(AppCredential::ClientSecret(secret))
}

fn needed(
    client: &ClientConfig,
    file: Option<&PathBuf>,
    key: &'static str,
) -> Result<PathBuf, TenantError> {
    file.cloned().ok_or_else(|| TenantError::NoFile {
        client: client.name.clone(),
        sign_in: client.microsoft.sign_in,
        key,
    })
}

fn certificate(client: &ClientConfig, path: &Path) -> Result<ClientCertificate, TenantError> {
    let sources = SecretSources::from_env();
    let unreadable = |source| TenantError::CertificateFile {
        client: client.name.clone(),
        source,
    };
    let content = sources.read_bytes(path).map_err(unreadable)?;
    let password_file = client.microsoft.certificate_password_file.as_deref();
    let password = password_file.map(|file| sources.read(file)).transpose();
    let password = password.map_err(unreadable)?;
    ClientCertificate::read(&content, password.as_ref()).map_err(|source| {
        TenantError::Certificate {
            client: client.name.clone(),
            path: path.to_owned(),
            source,
        }
    })
}

/// The cloud's addresses, and those that take their place.
pub(crate) fn endpoints(cloud: Cloud, authority: Option<&Url>, graph: Option<&Url>) -> Endpoints {
    let mut endpoints = Endpoints::of(cloud);
    if let Some(authority) = authority {
        endpoints = endpoints.with_authority(authority.clone());
    }
    if let Some(graph) = graph {
        endpoints = endpoints.with_graph(graph.clone());
    }
    endpoints
}
