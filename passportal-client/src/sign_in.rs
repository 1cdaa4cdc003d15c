//! Passportal's documented v2 API: a program signs in with an API key, and lists the clients.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use tokio::sync::RwLock;
use uuid::Uuid;

use crate::http::{Call, Transport};
use crate::wire::{ClientPage, ClientToken, ClientTokenRequest, DocumentsClient};
use crate::{ApiError, HttpConfig};

const SIGN_IN: &str = "api/v2/auth/client_token";
const CLIENTS: &str = "api/v2/documents/clients";
const SCOPE: &str = "docs_api";
const PAGE: u32 = 100;
/// A server that never sends a short page must not keep us for ever.
const MOST_PAGES: u32 = 1000;

/// An API key, as Passportal's settings page shows it.
#[derive(Clone)]
pub struct ApiKey {
    key: String,
    secret: SecretString,
}

impl ApiKey {
    /// The access key id and the secret access key.
    pub fn new(key: impl Into<String>, secret: SecretString) -> Self {
        Self {
            key: key.into(),
            secret,
        }
    }

    /// HMAC-SHA256 of the content with the secret key, in hex.
    fn sign(&self, content: &str) -> String {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())
            .expect("HMAC takes keys of every length");
        mac.update(content.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, redacted)", self.key)
    }
}

/// How the sign-in's body is written; Passportal takes both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// A program's conversation with the documented API.
#[derive(Debug)]
pub struct ApiClient {
    transport: Transport,
    key: ApiKey,
    format: BodyFormat,
    token: RwLock<SecretString>,
}

impl ApiClient {
    /// Signs in.
    ///
    /// # Errors
    /// [`ApiError::NotAuthorised`] when Passportal does not know the key or the secret is wrong.
    pub async fn sign_in(
        config: &HttpConfig,
        key: ApiKey,
        format: BodyFormat,
    ) -> Result<Self, ApiError> {
        let transport = Transport::new(config)?;
        let token = request_token(&transport, &key, format).await?;
        Ok(Self {
            transport,
            key,
            format,
            token: RwLock::new(token),
        })
    }

    /// All clients of the organization, page by page.
    pub async fn clients(&self) -> Result<Vec<DocumentsClient>, ApiError> {
        let mut clients = Vec::new();
        for page_num in 1..=MOST_PAGES {
            let page = self.page(page_num).await?;
            let last = page.len() < PAGE as usize;
            clients.extend(page);
            if last {
                return Ok(clients);
            }
        }
        Err(ApiError::Protocol {
            path: CLIENTS.to_owned(),
            reason: format!("more than {MOST_PAGES} pages"),
        })
    }

    /// A token lives for a limited time; one that ended is replaced once, by signing in again.
    async fn page(&self, page_num: u32) -> Result<ClientPage, ApiError> {
        let call = Call::get(CLIENTS)
            .query("resultsPerPage", &PAGE)
            .query("pageNum", &page_num);
        let token = self.token.read().await.clone();
        match self.transport.results(&call, Some(&token)).await {
            Err(error) if error.is_bad_token() => {
                let token = request_token(&self.transport, &self.key, self.format).await?;
                *self.token.write().await = token.clone();
                self.transport.results(&call, Some(&token)).await
            }
            other => other,
        }
    }
}

async fn request_token(
    transport: &Transport,
    key: &ApiKey,
    format: BodyFormat,
) -> Result<SecretString, ApiError> {
    // The content may be any text. A new one each time, so that no signature is seen twice.
    let body = ClientTokenRequest {
        scope: SCOPE.to_owned(),
        content: Uuid::new_v4().to_string(),
    };
    let call = Call::post(SIGN_IN)
        .header("x-key", key.key.as_str())
        .header("x-hash", key.sign(&body.content));
    let call = match format {
        BodyFormat::Json => call.json(&body),
        BodyFormat::Form => call.form(&[("scope", &body.scope), ("content", &body.content)]),
    };
    let answer: ClientToken = transport.plain(&call).await?;
    Ok(SecretString::from(answer.access_token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_hmac_sha256_in_hex() {
        // RFC 4231, test case 2.
        let key = ApiKey::new("key", SecretString::from("Jefe".to_owned()));
        assert_eq!(
            key.sign("what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn the_secret_key_is_never_printed() {
        let key = ApiKey::new("key", SecretString::from("canary-8fa1".to_owned()));
        assert_eq!(format!("{key:?}"), "ApiKey(key, redacted)");
    }
}
