//! The options as keys of the configuration.

use std::path::{Path, PathBuf};

use url::Url;

use super::SetupArgs;
use crate::config::Overrides;

/// Without a word of it, and nobody to ask.
const USUAL_SIGN_IN: &str = "client-secret";

impl SetupArgs {
    pub(crate) fn vault_overrides(&self, overrides: Overrides) -> Overrides {
        let url = self.base_url.as_ref().map(Url::to_string);
        let region = self.region.map(|region| region.code().to_owned());
        let extra_ca = self.extra_ca.as_deref().map(absolute_text);
        let password = self.state_password_file.as_deref().map(absolute_text);
        let proxy_url = self.proxy_url.as_ref().map(Url::to_string);
        let proxy_user = self.proxy_username.clone();
        let proxy_password = self.proxy_password_file.as_deref().map(absolute_text);
        [
            ("--state-url", "state.url", self.state_url.clone()),
            ("--state-password-file", "state.password_file", password),
            ("--base-url", "passportal.base_url", url),
            ("--region", "passportal.region", region),
            ("--extra-ca", "tls.extra_ca", extra_ca),
            ("--proxy-url", "proxy.url", proxy_url),
            ("--proxy-username", "proxy.username", proxy_user),
            (
                "--proxy-password-file",
                "proxy.password_file",
                proxy_password,
            ),
        ]
        .into_iter()
        .fold(overrides, |overrides, (option, key, value)| match value {
            Some(value) => overrides.set(option, key, value),
            None => overrides,
        })
    }

    pub(super) fn client_overrides(&self, index: usize) -> Overrides {
        let sign_in = self.sign_in.as_deref().unwrap_or(USUAL_SIGN_IN).to_owned();
        let url = |url: &Option<Url>| url.as_ref().map(Url::to_string);
        let file = |path: &Option<PathBuf>| path.as_deref().map(absolute_text);
        [
            ("--client", "name", self.client.clone()),
            ("--tenant", "microsoft.tenant", self.tenant.clone()),
            ("--cloud", "microsoft.cloud", self.cloud.clone()),
            ("--sign-in", "microsoft.sign_in", Some(sign_in)),
            ("--client-id", "microsoft.client_id", self.client_id.clone()),
            (
                "--client-secret-file",
                "microsoft.client_secret_file",
                file(&self.client_secret_file),
            ),
            (
                "--certificate",
                "microsoft.certificate",
                file(&self.certificate),
            ),
            (
                "--certificate-password-file",
                "microsoft.certificate_password_file",
                file(&self.certificate_password_file),
            ),
            (
                "--federated-token-file",
                "microsoft.federated_token_file",
                file(&self.federated_token_file),
            ),
            (
                "--administrator",
                "microsoft.administrator",
                self.administrator.clone(),
            ),
            (
                "--verification-client-id",
                "microsoft.verification_client_id",
                self.verification_client_id.clone(),
            ),
            ("--authority", "microsoft.authority", url(&self.authority)),
            ("--graph", "microsoft.graph", url(&self.graph)),
        ]
        .into_iter()
        .filter_map(|(option, key, value)| Some((option, format!("client.{index}.{key}"), value?)))
        .fold(Overrides::none(), |overrides, (option, key, value)| {
            overrides.set(option, &key, value)
        })
    }
}

/// The service runs in another folder than setup does.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

pub(super) fn absolute_text(path: &Path) -> String {
    absolute(path).to_string_lossy().into_owned()
}
