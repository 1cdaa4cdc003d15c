//! What a configuration that is there settles already: options may repeat it, and not change it.

use std::path::Path;

use url::Url;

use super::overrides::absolute_text;
use super::{ArgsError, SetupArgs};
use crate::config::{ClientConfig, Config};

impl SetupArgs {
    /// One entry for each client.
    pub(super) fn check_client(&self, there: &Config, path: &Path) -> Result<(), ArgsError> {
        let client = self.client.as_deref().unwrap_or_default().trim();
        let is_there = |it: &ClientConfig| it.name.eq_ignore_ascii_case(client);
        if there.clients.iter().any(is_there) {
            return Err(ArgsError::ClientIsThere {
                path: path.to_owned(),
                client: client.to_owned(),
            });
        }
        Ok(())
    }

    /// What holds for every client is not changed on the way.
    pub(super) fn check_settings(&self, there: &Config) -> Result<(), ArgsError> {
        let extra_ca = there.tls.extra_ca.as_deref().map(absolute_text);
        let asked_ca = self.extra_ca.as_deref().map(absolute_text);
        let state = Some(there.state.url.clone());
        let password = there.state.password_file.as_deref().map(absolute_text);
        let asked_password = self.state_password_file.as_deref().map(absolute_text);
        let proxy = there.proxy.as_ref();
        let user = proxy.and_then(|it| it.user.as_ref());
        let proxy_url = proxy.map(|it| it.url.to_string());
        let asked_proxy_url = self.proxy_url.as_ref().map(Url::to_string);
        let proxy_user = user.map(|it| it.name.clone());
        let proxy_password = user.map(|it| absolute_text(&it.password_file));
        let asked_proxy_password = self.proxy_password_file.as_deref().map(absolute_text);
        for (key, there, asked) in [
            ("state.url", state, self.state_url.clone()),
            ("state.password_file", password, asked_password),
            ("tls.extra_ca", extra_ca, asked_ca),
            ("proxy.url", proxy_url, asked_proxy_url),
            ("proxy.username", proxy_user, self.proxy_username.clone()),
            ("proxy.password_file", proxy_password, asked_proxy_password),
        ] {
            if asked.is_some() && asked != there {
                return Err(ArgsError::OtherSetting {
                    key,
                    there: there.unwrap_or_else(|| "nothing".to_owned()),
                    asked: asked.unwrap_or_default(),
                });
            }
        }
        Ok(())
    }

    /// One agent, one vault.
    pub(super) fn check_vault(&self, config: &Config) -> Result<(), ArgsError> {
        let there = &config.passportal.base_url;
        let of_region = || Url::parse(self.region?.base_url()).ok();
        match self.base_url.clone().or_else(of_region) {
            Some(asked) if asked != *there => Err(ArgsError::OtherVault {
                there: Box::new(there.clone()),
                asked: Box::new(asked),
            }),
            _ => Ok(()),
        }
    }
}
