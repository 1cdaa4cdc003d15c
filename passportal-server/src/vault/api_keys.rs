//! API keys and the documented sign-in of programs: an HMAC over any content.

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::tokens::{self, Holder, NewToken};
use super::{Actor, Vault, VaultError, audit, words};
use crate::token::Token;

/// How long a program's access token lasts.
const ACCESS: SignedDuration = SignedDuration::from_hours(1);

/// How long its refresh token lasts.
const REFRESH: SignedDuration = SignedDuration::from_hours(24);

/// A new API key. The secret is shown this once.
pub(crate) struct ApiKey {
    pub(crate) key: String,
    pub(crate) secret: SecretString,
}

/// What a program gets for a right signature.
pub(crate) struct ProgramTokens {
    pub(crate) access: Token,
    pub(crate) refresh: Token,
    pub(crate) expires: Timestamp,
}

impl Vault {
    /// Makes an API key.
    pub(crate) async fn create_api_key(&self, actor: &Actor) -> Result<ApiKey, VaultError> {
        let key = hex::encode(rand::random::<[u8; 16]>());
        let secret = SecretString::from(hex::encode(rand::random::<[u8; 32]>()));
        let sealed = self
            .server_key
            .seal(&key, secret.expose_secret())
            .ok_or(VaultError::ServerKey)?;
        let mut transaction = self.database.write().await?;
        sqlx::query("INSERT INTO api_keys (api_key, secret_sealed, created) VALUES (?, ?, ?)")
            .bind(&key)
            .bind(sealed)
            .bind(words::time(Timestamp::now()))
            .execute(&mut *transaction)
            .await?;
        audit::write(&mut transaction, actor, "created an API key", &key).await?;
        transaction.commit().await?;
        Ok(ApiKey { key, secret })
    }

    /// Signs a program in; `None` when the key is unknown or the signature wrong.
    pub(crate) async fn sign_in_program(
        &self,
        key: &str,
        hash: &str,
        content: &str,
    ) -> Result<Option<ProgramTokens>, VaultError> {
        let Some(secret) = self.api_secret(key).await? else {
            return Ok(None);
        };
        if !is_signature(&secret, hash, content) {
            return Ok(None);
        }
        let now = Timestamp::now();
        let (access, refresh) = (Token::generate(), Token::generate());
        let mut transaction = self.database.write().await?;
        for (token, holder, lasts) in [
            (&access, Holder::ApiKey(key.to_owned()), ACCESS),
            (&refresh, Holder::Refresh(key.to_owned()), REFRESH),
        ] {
            let token = NewToken {
                hash: token.hash(),
                holder,
                expires: Some(now + lasts),
            };
            tokens::insert(&mut transaction, &token).await?;
        }
        transaction.commit().await?;
        Ok(Some(ProgramTokens {
            access,
            refresh,
            expires: now + ACCESS,
        }))
    }

    async fn api_secret(&self, key: &str) -> Result<Option<SecretString>, VaultError> {
        let mut view = self.database.read().await?;
        let sealed: Option<(String,)> = sqlx::query_as(
            "SELECT secret_sealed FROM api_keys WHERE api_key = ? AND revoked IS NULL",
        )
        .bind(key)
        .fetch_optional(&mut *view)
        .await?;
        let Some((sealed,)) = sealed else {
            return Ok(None);
        };
        let secret = self.server_key.open(key, &sealed);
        secret.map(Some).ok_or(VaultError::ServerKey)
    }
}

/// Whether `hash` is the hex HMAC-SHA256 of `content`, compared in constant time.
fn is_signature(secret: &SecretString, hash: &str, content: &str) -> bool {
    let Ok(presented) = hex::decode(hash) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else {
        return false;
    };
    mac.update(content.as_bytes());
    mac.verify_slice(&presented).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: RFC 4231, test case 2.
    #[test]
    fn the_signature_is_hmac_sha256_in_hex() {
        let secret = SecretString::from("Jefe");
        let hash = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

        assert!(is_signature(&secret, hash, "what do ya want for nothing?"));
        assert!(!is_signature(&secret, hash, "what do ya want for nothing!"));
        assert!(!is_signature(
            &secret,
            "not hex",
            "what do ya want for nothing?"
        ));
    }
}
