//! What is wrong with a tenant's configuration before anything is sent.

use std::sync::Arc;

use sync_engine::model::TenantId;
use url::Url;

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
