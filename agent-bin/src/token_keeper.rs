//! Keeps rotated tokens: the agent's, and the refresh token of the administrator whom it acts for.

use async_trait::async_trait;
use msgraph_sync::RefreshTokenKeeper;
use passportal_client::TokenKeeper;
use passportal_client::envelope::DataKey;
use secrecy::{ExposeSecret, SecretString};
use sync_engine::model::ClientId;
use sync_engine::ports::Cause;

use crate::secrets::{Administrator, SecretFiles};

/// The token of one client's enrolment.
#[derive(Debug)]
pub(crate) struct KeptToken {
    secrets: SecretFiles,
    client: ClientId,
}

impl KeptToken {
    pub(crate) fn new(secrets: SecretFiles, client: ClientId) -> Self {
        Self { secrets, client }
    }
}

#[async_trait]
impl TokenKeeper for KeptToken {
    async fn keep(&self, token: &SecretString) -> Result<(), Cause> {
        Ok(self.secrets.replace_token(self.client, token.clone())?)
    }
}

/// The refresh token of one client's administrator.
#[derive(Debug)]
pub(crate) struct KeptSignIn {
    secrets: SecretFiles,
    key: DataKey,
}

impl KeptSignIn {
    pub(crate) fn new(secrets: SecretFiles, key: DataKey) -> Self {
        Self { secrets, key }
    }
}

#[async_trait]
impl RefreshTokenKeeper for KeptSignIn {
    async fn kept(&self) -> Result<SecretString, Cause> {
        Ok(self.secrets.load_administrator(&self.key)?.refresh_token)
    }

    async fn keep(&self, replaced: &SecretString, token: &SecretString) -> Result<(), Cause> {
        let there = self.secrets.load_administrator(&self.key)?;
        if there.refresh_token.expose_secret() != replaced.expose_secret() {
            return Ok(());
        }
        let administrator = Administrator {
            refresh_token: token.clone(),
            ..there
        };
        Ok(self.secrets.save_administrator(&self.key, &administrator)?)
    }
}

#[cfg(test)]
mod tests {
    use sync_engine::model::{ObjectId, UserPrincipalName};
    use uuid::Uuid;

    use super::*;

    fn administrator(name: &str, token: &str) -> Administrator {
        Administrator {
            user_name: UserPrincipalName::new(name),
            object: ObjectId(Uuid::from_u128(7)),
            refresh_token: SecretString::from(token),
        }
    }

    #[tokio::test]
    async fn a_sign_in_that_was_begun_anew_meanwhile_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let secrets = SecretFiles::at(folder.path().join("secrets"));
        let key = DataKey::generate(Uuid::from_u128(1), Uuid::from_u128(2));
        let keeper = KeptSignIn::new(secrets.clone(), key.clone());
        let save = |it: &Administrator| secrets.save_administrator(&key, it).unwrap();
        save(&administrator("admin@contoso.com", "first"));
        keeper
            .keep(&"first".into(), &"second".into())
            .await
            .unwrap();
        assert_eq!(keeper.kept().await.unwrap().expose_secret(), "second");

        save(&administrator("boss@contoso.com", "anew"));
        keeper
            .keep(&"second".into(), &"third".into())
            .await
            .unwrap();
        let kept = secrets.load_administrator(&key).unwrap();
        assert_eq!(kept.refresh_token.expose_secret(), "anew");
        assert_eq!(kept.user_name.as_str(), "boss@contoso.com");
    }
}
