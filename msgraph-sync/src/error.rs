//! What can go wrong with one tenant, in words that say what to do about it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use sync_engine::model::TenantId;
use sync_engine::ports::DirectoryError;
use url::Url;
use uuid::Uuid;

use crate::retry_after::UNNAMED;
use crate::service_clock;
use crate::{ProxyTrouble, SignInEnd};

/// Why a tenant cannot even be set up: the configuration is wrong, nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum GraphSetupError {
    /// The tenant would not be one path segment of a URL.
    #[error("`{tenant}` is neither a domain nor the GUID of one tenant")]
    Tenant {
        /// As configured.
        tenant: TenantId,
    },
    /// Plain http beyond loopback.
    #[error("`{url}` must be https: it is not on this machine")]
    NotHttps {
        /// As configured.
        url: Url,
    },
    /// An endpoint with a query, a fragment or a user.
    #[error("the endpoint on `{host}` must be a plain base URL, without query and user")]
    NotABase {
        /// Its host; the rest may hold a secret.
        host: String,
    },
    /// The extra certificate authorities are no PEM certificates.
    #[error("the extra certificate authorities are not PEM certificates")]
    ExtraCa(#[source] Option<Arc<reqwest::Error>>),
    /// An address of no proxy.
    #[error("`{proxy}` is no address of a proxy")]
    Proxy {
        /// Its host and port; the rest may hold a secret.
        proxy: String,
    },
    /// The HTTP client cannot be built.
    #[error("the HTTPS client could not be set up")]
    Client(#[source] Arc<reqwest::Error>),
}

/// A failure that a service stated: its status, its code, and its own id of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFault {
    /// The HTTP status.
    pub status: u16,
    /// The service's code: Graph's `error.code`, or `AADSTS` and a number.
    pub code: Option<String>,
    /// What Microsoft's support asks for.
    pub request_id: Option<String>,
    /// The id that the request carried; `None` where none was sent.
    pub client_request_id: Option<Uuid>,
    /// How long the service asked us to wait.
    pub wait: Option<Duration>,
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        if let Some(id) = self.client_request_id {
            write!(f, ", client request {id}")?;
        }
        Ok(())
    }
}

/// Why Microsoft's side could not do something. Cheap to clone, because one failed sign-in is told
/// to everybody who waited for it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GraphError {
    /// Nothing was sent: no route, no name, no TLS.
    #[error("`{host}` cannot be reached")]
    Unreachable {
        /// Whose answer was wanted.
        host: String,
        /// The fault.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// Nothing was sent: the proxy on the way did not let it pass.
    #[error("the proxy `{proxy}` {trouble}, on the way to `{host}`")]
    Proxy {
        /// Its host and port.
        proxy: String,
        /// What it did.
        trouble: ProxyTrouble,
        /// Whose answer was wanted.
        host: String,
        /// The fault.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// The request was sent, or may have been, and no whole answer came.
    #[error("`{host}` did not answer (client request {request})")]
    NoAnswer {
        /// Whose answer was wanted.
        host: String,
        /// The id that the request carried.
        request: Uuid,
        /// The fault.
        #[source]
        source: Arc<reqwest::Error>,
    },
    /// An answer that is larger than any answer should be.
    #[error("`{host}` answered more than is reasonable (client request {request})")]
    TooLarge {
        /// Whose answer it was.
        host: String,
        /// The id that the request carried.
        request: Uuid,
    },
    /// No such tenant.
    #[error("there is no tenant `{tenant}` (AADSTS{code})")]
    UnknownTenant {
        /// As configured.
        tenant: TenantId,
        /// The sign-in code.
        code: u32,
    },
    /// No such app in the tenant.
    #[error("tenant `{tenant}` has no app `{client_id}` (AADSTS{code})")]
    UnknownApp {
        /// The tenant.
        tenant: TenantId,
        /// As configured.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The app is switched off.
    #[error("app `{client_id}` is disabled in its tenant (AADSTS{code})")]
    AppDisabled {
        /// As configured.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The client secret is not the app's.
    #[error("the client secret of app `{client_id}` is wrong (AADSTS{code})")]
    WrongSecret {
        /// The app.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The client secret was right once.
    #[error("the client secret of app `{client_id}` has expired (AADSTS{code})")]
    SecretExpired {
        /// The app.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The app does not know the certificate, or not any more.
    #[error("app `{client_id}` does not accept the certificate (AADSTS{code})")]
    CertificateRefused {
        /// The app.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The certificate was valid once. Nothing was sent.
    #[error("the certificate of app `{client_id}` expired at {at}")]
    CertificateExpired {
        /// The app.
        client_id: String,
        /// Its last moment.
        at: Timestamp,
    },
    /// The certificate will be valid. Nothing was sent.
    #[error("the certificate of app `{client_id}` is not valid before {from}")]
    CertificateNotYetValid {
        /// The app.
        client_id: String,
        /// Its first moment.
        from: Timestamp,
    },
    /// There is no token of the other issuer. Nothing was sent.
    #[error("could not read the federated token file {}", path.display())]
    FederatedTokenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Arc<std::io::Error>,
    },
    /// The other issuer's token is not there yet. Nothing was sent.
    #[error("the federated token file {} is empty", path.display())]
    FederatedTokenEmpty {
        /// The file.
        path: PathBuf,
    },
    /// The app trusts no such token of another issuer.
    #[error("app `{client_id}` has no federated credential for this token (AADSTS{code})")]
    FederationRefused {
        /// The app.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The app must not sign users in without a proof of its own.
    #[error("app `{client_id}` is not a public client (AADSTS{code})")]
    NotAPublicClient {
        /// The app.
        client_id: String,
        /// The sign-in code.
        code: u32,
    },
    /// The person whom the agent acts for has to sign in again.
    #[error("the sign-in of the agent's administrator has ended: {end} (AADSTS{code})")]
    SignInEnded {
        /// Why.
        end: SignInEnd,
        /// The sign-in code.
        code: u32,
    },
    /// The token endpoint refused for another reason.
    #[error("Entra ID refused the agent's sign-in ({0})")]
    SignInRefused(ServiceFault),
    /// This machine's clock is wrong.
    #[error("this machine's clock {off}")]
    ClockOff {
        /// "is slow by about 1 h".
        off: String,
    },
    /// Graph refused a fresh token.
    #[error("Microsoft Graph does not accept the agent's token ({0})")]
    TokenRefused(ServiceFault),
    /// The app lacks a permission.
    #[error("the agent's app lacks the permission {needs} ({fault})")]
    Forbidden {
        /// The Graph permission that the call needs.
        needs: &'static str,
        /// What Graph said.
        fault: ServiceFault,
    },
    /// The app is in the tenant, and nobody consented to any of its permissions.
    #[error("nobody consented to the permissions of the agent's app")]
    NoConsent,
    /// Nothing has this id.
    #[error("Microsoft Graph has no such object")]
    NotFound,
    /// A delta link has expired.
    #[error("the delta link has expired")]
    LinkExpired,
    /// Slow down, or come back later.
    #[error("Microsoft's service is not available now ({0})")]
    Service(ServiceFault),
    /// An answer that this version knows nothing to do with.
    #[error("Microsoft's service answered something unexpected ({0})")]
    Unexpected(ServiceFault),
    /// A link that leads away from the configured Graph. It was not followed.
    #[error("a link of Microsoft Graph leads to another host, `{host}`")]
    ForeignLink {
        /// Where it leads.
        host: String,
    },
    /// An answer that is not what the documentation says.
    #[error("the answer to `{call}` was not understood")]
    NotUnderstood {
        /// The call.
        call: &'static str,
        /// Where it went wrong, if the JSON was the reason.
        #[source]
        source: Option<Arc<serde_json::Error>>,
    },
    /// A request that could not be put together.
    #[error("the request `{call}` could not be built")]
    NotBuilt {
        /// The call.
        call: &'static str,
    },
}

impl GraphError {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } => {
                "check the network, the proxy, the firewall and tls.extra_ca; then try again"
            }
            Self::Proxy { trouble, .. } => match trouble {
                ProxyTrouble::NotReached => {
                    "check proxy.url or HTTPS_PROXY, and that the proxy runs; a host that needs none belongs into NO_PROXY"
                }
                ProxyTrouble::SignIn => {
                    "set proxy.username and proxy.password_file to an account that the proxy accepts"
                }
                ProxyTrouble::Refused => {
                    "let the proxy allow Microsoft's sign-in and Graph hosts on port 443; its log says more"
                }
            },
            Self::UnknownTenant { .. } => {
                "give a verified domain of the tenant or its GUID, and the right cloud"
            }
            Self::UnknownApp { .. } => {
                "check client_id, and that the app registration is in this tenant"
            }
            Self::AppDisabled { .. } => "enable the enterprise application for sign-in",
            Self::WrongSecret { .. } => {
                "store the secret's value, not its id, and check that it belongs to this app"
            }
            Self::SecretExpired { .. } => "make a new client secret for the app and store it",
            Self::SignInRefused(_) => {
                "look the code up at https://login.microsoftonline.com/error, and check the app's credential and client_id"
            }
            Self::CertificateRefused { .. } => {
                "upload the certificate to the app registration (Certificates & secrets), and check client_id"
            }
            Self::CertificateExpired { .. } => {
                "make a new certificate, upload it to the app registration, and put it into the file"
            }
            Self::CertificateNotYetValid { .. } => {
                "check this machine's clock, or use the certificate that is valid now"
            }
            Self::FederatedTokenFile { .. } | Self::FederatedTokenEmpty { .. } => {
                "check federated_token_file, and that the platform writes a token into it"
            }
            Self::FederationRefused { .. } => {
                "compare issuer, subject and audience of the app's federated credential with the token's"
            }
            Self::NotAPublicClient { .. } => {
                "switch on \"Allow public client flows\" in the app registration (Authentication)"
            }
            Self::SignInEnded { end, .. } => end.remedy(),
            Self::ClockOff { .. } => "set this machine's clock; best by NTP",
            Self::Forbidden { .. } => "grant the permission to the app with admin consent",
            Self::NoConsent => {
                "grant the app's permissions with an administrator's consent: API permissions, Grant admin consent"
            }
            Self::Service(_) => "try again in a while",
            Self::ForeignLink { .. } => "check that `graph` is the address that Graph itself uses",
            _ => return None,
        })
    }

    /// Whether the app was known and not let in: by its secret, or for want of a permission.
    pub fn is_not_authorised(&self) -> bool {
        matches!(
            self,
            Self::AppDisabled { .. }
                | Self::WrongSecret { .. }
                | Self::SecretExpired { .. }
                | Self::CertificateRefused { .. }
                | Self::CertificateExpired { .. }
                | Self::CertificateNotYetValid { .. }
                | Self::FederationRefused { .. }
                | Self::NotAPublicClient { .. }
                | Self::SignInEnded { .. }
                | Self::SignInRefused(_)
                | Self::TokenRefused(_)
                | Self::Forbidden { .. }
                | Self::NoConsent
        )
    }

    /// Whether it is about one call, and says nothing of the sign-in or of the service as a whole.
    pub(crate) fn is_of_one_call(&self) -> bool {
        matches!(
            self,
            Self::Forbidden { .. }
                | Self::NotFound
                | Self::LinkExpired
                | Self::TooLarge { .. }
                | Self::Unexpected(_)
                | Self::ForeignLink { .. }
                | Self::NotUnderstood { .. }
                | Self::NotBuilt { .. }
        )
    }

    /// Whether trying again may help.
    pub(crate) fn passes(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::NoAnswer { .. }
                | Self::Service(_)
                | Self::Proxy {
                    trouble: ProxyTrouble::NotReached,
                    ..
                }
        )
    }

    /// How long the service asked us to wait.
    pub(crate) fn asked_wait(&self) -> Option<Duration> {
        match self {
            Self::Service(fault) => fault.wait,
            _ => None,
        }
    }
}

impl From<GraphError> for DirectoryError {
    fn from(error: GraphError) -> Self {
        match &error {
            GraphError::Service(fault) if is_throttling(fault) => Self::Throttled {
                retry_at: service_clock::after(fault.wait.unwrap_or(UNNAMED)),
            },
            GraphError::Unreachable { .. }
            | GraphError::Proxy { .. }
            | GraphError::NoAnswer { .. }
            | GraphError::LinkExpired
            | GraphError::Service(_) => Self::Unavailable(Box::new(error)),
            GraphError::UnknownTenant { .. }
            | GraphError::UnknownApp { .. }
            | GraphError::AppDisabled { .. }
            | GraphError::WrongSecret { .. }
            | GraphError::SecretExpired { .. }
            | GraphError::CertificateRefused { .. }
            | GraphError::CertificateExpired { .. }
            | GraphError::CertificateNotYetValid { .. }
            | GraphError::FederatedTokenFile { .. }
            | GraphError::FederatedTokenEmpty { .. }
            | GraphError::FederationRefused { .. }
            | GraphError::NotAPublicClient { .. }
            | GraphError::SignInEnded { .. }
            | GraphError::SignInRefused(_)
            | GraphError::ClockOff { .. }
            | GraphError::TokenRefused(_) => Self::SignIn(Box::new(error)),
            GraphError::Forbidden { .. } | GraphError::NoConsent => {
                Self::NotAuthorised(Box::new(error))
            }
            GraphError::NotFound
            | GraphError::TooLarge { .. }
            | GraphError::Unexpected(_)
            | GraphError::ForeignLink { .. }
            | GraphError::NotUnderstood { .. }
            | GraphError::NotBuilt { .. } => Self::Protocol(Box::new(error)),
        }
    }
}

/// A 503 that names a time is a request for patience too.
fn is_throttling(fault: &ServiceFault) -> bool {
    fault.status == StatusCode::TOO_MANY_REQUESTS || fault.wait.is_some()
}
