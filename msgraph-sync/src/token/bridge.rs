//! Lends our tokens to graph-rs-sdk, which asks for one whenever it builds a request.

use std::sync::Arc;

use async_trait::async_trait;
use graph_core::identity::{ClientApplication, ForceTokenRefresh};
use graph_rs_sdk::error::{AuthExecutionError, AuthExecutionResult};

use super::TokenCache;

/// The tokens of one tenant, in the shape that graph-rs-sdk asks for.
#[derive(Clone)]
pub(crate) struct TokenBridge(pub(crate) Arc<TokenCache>);

#[async_trait]
impl ClientApplication for TokenBridge {
    /// Only the SDK's blocking half would come here, and we do not use it.
    fn get_token_silent(&mut self) -> AuthExecutionResult<String> {
        let cause = std::io::Error::from(std::io::ErrorKind::Unsupported);
        Err(AuthExecutionError::Other(Box::new(cause)))
    }

    async fn get_token_silent_async(&mut self) -> AuthExecutionResult<String> {
        let token = self.0.token().await;
        token
            .map(|token| token.expose().to_owned())
            // Taken out again, as it is, where the request is built.
            .map_err(|error| AuthExecutionError::Other(Box::new(error)))
    }

    /// Refreshing is decided by the answers, in [`TokenCache::renounce`].
    fn with_force_token_refresh(&mut self, _: ForceTokenRefresh) {}
}
