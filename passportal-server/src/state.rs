//! What every request handler shares.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use url::Url;

use crate::dashboard::Sessions;
use crate::downloads::Downloads;
use crate::sign_in_limit::SignInLimit;
use crate::vault::Vault;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) vault: Arc<Vault>,
    pub(crate) sessions: Sessions,
    pub(crate) sign_in_limit: Arc<SignInLimit>,
    /// Of API keys, apart from persons: guessing the ones must not make the others forgotten.
    pub(crate) api_key_limit: Arc<SignInLimit>,
    pub(crate) transport: Transport,
    /// The address by which people reach the dashboard.
    pub(crate) dashboard: Url,
    pub(crate) downloads: Arc<Downloads>,
    /// Cancelled when the server is about to end: long polls answer at once.
    pub(crate) closing: CancellationToken,
}

/// How requests reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// In clear, on loopback only.
    Loopback,
    /// TLS.
    Tls,
}
