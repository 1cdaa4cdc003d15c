//! Setup's options on a command line, the same for both binaries.

mod answers;
mod error;
mod overrides;
mod settled;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use url::Url;

pub use self::error::ArgsError;
use self::overrides::absolute;
use crate::administrator::ShowCode;
use crate::config::{self, ClientConfig, Config, ConfigError, Overrides, Region};
use crate::secrets::read_secret_file;
use crate::setup::SetupRequest;

/// Setup's options. What is missing is asked at a terminal; with all of them nothing is.
#[derive(Args, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SetupArgs {
    /// A TOML file with answers: these options by their names, e.g. `client = "Contoso"`. What stands here wins.
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub answers: Option<PathBuf>,
    /// Where the vault is: its base URL.
    #[arg(long, value_name = "URL", conflicts_with = "region")]
    pub base_url: Option<Url>,
    /// Where the vault is: Passportal's region.
    #[arg(long, value_name = "us|ca|uk|au")]
    pub region: Option<Region>,
    /// An organization administrator's e-mail.
    #[arg(long)]
    pub email: Option<String>,
    /// A file with the administrator's password, used once.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The one-time code, where the administrator has set one up.
    #[arg(long, value_name = "CODE")]
    #[serde(skip_serializing)]
    pub one_time_code: Option<String>,
    /// A file with the organization key, used once.
    #[arg(long, value_name = "FILE")]
    pub organization_key_file: Option<PathBuf>,
    /// The client, by name or id; its Microsoft sync must be on.
    #[arg(long)]
    pub client: Option<String>,
    /// The client's tenant: a verified domain or its GUID.
    #[arg(long)]
    pub tenant: Option<String>,
    /// The national cloud.
    #[arg(long, value_name = "global|us-gov-l4|us-gov-l5|china")]
    pub cloud: Option<String>,
    /// As whom the agent signs in: certificate, client-secret (the usual one for scripts), federated; or for an administrator device-code, or vault-admin
    /// for the vault's own `Azure/Office365 Admin` credential.
    #[arg(long, value_name = "HOW")]
    pub sign_in: Option<String>,
    /// The app registration's application (client) id.
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// A file with the app's client secret; the agent reads it at each start.
    #[arg(long, value_name = "FILE")]
    pub client_secret_file: Option<PathBuf>,
    /// A file with the app's certificate and its key, PEM or PKCS#12; the agent reads it at each start.
    #[arg(long, value_name = "FILE")]
    pub certificate: Option<PathBuf>,
    /// A file with the password of a PKCS#12 certificate; the agent reads it at each start.
    #[arg(long, value_name = "FILE")]
    pub certificate_password_file: Option<PathBuf>,
    /// The file into which the platform writes its token, for a federated sign-in.
    #[arg(long, value_name = "FILE")]
    pub federated_token_file: Option<PathBuf>,
    /// With vault-admin, whose credential, where the vault has several administrators'.
    #[arg(long, value_name = "USER")]
    pub administrator: Option<String>,
    /// A public client for the sign-in test, instead of the app itself.
    #[arg(long, value_name = "ID")]
    pub verification_client_id: Option<String>,
    /// Instead of the cloud's own sign-in address.
    #[arg(long, value_name = "URL")]
    pub authority: Option<Url>,
    /// Instead of the cloud's own Graph address.
    #[arg(long, value_name = "URL")]
    pub graph: Option<Url>,
    /// A PEM file of certificate authorities to trust in addition to the platform's.
    #[arg(long, value_name = "FILE")]
    pub extra_ca: Option<PathBuf>,
    /// The proxy beyond this machine: http, https, socks5 or socks5h [default: the environment's].
    #[arg(long, value_name = "URL")]
    pub proxy_url: Option<Url>,
    /// As whom the agent signs in to the proxy.
    #[arg(long, value_name = "NAME")]
    pub proxy_username: Option<String>,
    /// A file with that user's password; the agent reads it at each start.
    #[arg(long, value_name = "FILE")]
    pub proxy_password_file: Option<PathBuf>,
    /// Where the agent remembers [default: a file of the service's].
    #[arg(long, value_name = "URL")]
    pub state_url: Option<String>,
    /// A file with the password of a PostgreSQL state; the agent reads it at each start.
    #[arg(long, value_name = "FILE")]
    pub state_password_file: Option<PathBuf>,
}

impl SetupArgs {
    /// Reads the secrets and makes the request; a code is shown with `show_code`. An existing configuration keeps its own settings
    /// and gets the client in addition.
    ///
    /// # Errors
    /// When a file cannot be read, or the configuration would not be one.
    pub fn request(
        &self,
        config_path: &Path,
        show_code: ShowCode,
    ) -> Result<SetupRequest, ArgsError> {
        let options = self.missing();
        let (Some(email), Some(password), Some(organization_key), true) = (
            &self.email,
            &self.password_file,
            &self.organization_key_file,
            options.is_empty(),
        ) else {
            return Err(ArgsError::Missing { options });
        };
        let (config, client) = self.config(config_path)?;
        Ok(SetupRequest {
            config_path: config_path.to_owned(),
            config,
            client,
            email: email.clone(),
            password: read_secret_file(password)?,
            one_time_code: self.one_time_code.clone(),
            organization_key: read_secret_file(organization_key)?,
            new_secret: None,
            show_code,
        })
    }

    /// The configuration as it will be, and the client that is new in it.
    pub(crate) fn config(&self, path: &Path) -> Result<(Config, ClientConfig), ArgsError> {
        // A mistake in an option is told as one, before anything is compared with what is there.
        let of_options = self.vault_overrides(self.client_overrides(0));
        let of_options = Config::of_options(path, of_options)?;
        let mut config = if path.exists() {
            let there = Config::load(path, config::environment(), Overrides::none())?;
            self.check_vault(&there)?;
            self.check_client(&there, path)?;
            self.check_settings(&there)?;
            let overrides = self.client_overrides(there.clients.len());
            Config::load(path, config::environment(), overrides)?
        } else {
            of_options
        };
        let client = config.clients.last_mut().ok_or(ConfigError::NoClient)?;
        let microsoft = &mut client.microsoft;
        for (place, given) in [
            (&mut microsoft.client_secret_file, &self.client_secret_file),
            (&mut microsoft.certificate, &self.certificate),
            (
                &mut microsoft.certificate_password_file,
                &self.certificate_password_file,
            ),
            (
                &mut microsoft.federated_token_file,
                &self.federated_token_file,
            ),
        ] {
            *place = given.as_deref().map(absolute);
        }
        let client = client.clone();
        Ok((config, client))
    }
}
