//! What can go wrong with one tenant, in words that say what to do about it.

mod advice;
mod reach;
mod service_fault;
mod setup;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sync_engine::model::TenantId;
use uuid::Uuid;

pub use self::service_fault::ServiceFault;
pub use self::setup::GraphSetupError;
use crate::{PasswordFault, PasswordNotSent, ProxyTrouble, SignInEnd};

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
    /// The person whom the agent acts for would have to sign in by password, and it is not sent.
    #[error("the agent's administrator is not signed in")]
    PasswordNotSent(#[from] PasswordNotSent),
    /// The password of the person whom the agent acts for does not sign in.
    #[error("the password of the agent's administrator does not sign in: {fault}{}", Aadsts(*code))]
    PasswordRefused {
        /// Why.
        fault: PasswordFault,
        /// The sign-in code, where it was sent.
        code: Option<u32>,
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

/// A sign-in code behind a sentence.
struct Aadsts(Option<u32>);

impl fmt::Display for Aadsts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |code| write!(f, " (AADSTS{code})"))
    }
}
