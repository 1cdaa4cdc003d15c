//! Setup's options on a command line, the same for both binaries.

mod answers;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::administrator::ShowCode;
use crate::config::{self, ClientConfig, Config, ConfigError, Overrides, Region};
use crate::secrets::{SecretError, read_secret_file};
use crate::setup::SetupRequest;

/// Without a word of it, and nobody to ask.
const USUAL_SIGN_IN: &str = "client-secret";

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

/// Why the options make no request.
#[derive(Debug, thiserror::Error)]
pub enum ArgsError {
    /// Too few of them, and nobody to ask.
    #[error("setup needs {}", options.join(", "))]
    Missing {
        /// Their names.
        options: Vec<&'static str>,
    },
    /// The file with answers cannot be read.
    #[error("could not read the answers in {}", path.display())]
    Answers {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file with answers is not understood.
    #[error("{}:{line}: {why}", path.display())]
    NoAnswers {
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
        /// Why, without a word of the line: somebody may have written a secret there.
        why: String,
    },
    /// The configuration that they would make, or the one that is there.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file with a secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The configuration that is there has this client.
    #[error("the configuration {} has a client `{client}` already", path.display())]
    ClientIsThere {
        /// The configuration.
        path: PathBuf,
        /// The client.
        client: String,
    },
    /// The configuration that is there says something else, and it is for all clients.
    #[error("the configuration has {key} = {there}, not {asked}")]
    OtherSetting {
        /// The key.
        key: &'static str,
        /// What it says.
        there: String,
        /// What the options say.
        asked: String,
    },
    /// The configuration that is there is for another vault.
    #[error("the configuration is for the vault {there}, not for {asked}")]
    OtherVault {
        /// The vault of the configuration.
        there: Box<Url>,
        /// The vault of the options.
        asked: Box<Url>,
    },
}

impl ArgsError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::Missing { .. } => {
                "give these options (`setup --help` tells them) or `--answers FILE`; or run it at a terminal, where it asks"
            }
            Self::Answers { .. } => "name a file that is there",
            Self::NoAnswers { .. } => {
                "it is TOML: setup's options by their names without the dashes, e.g. client = \"Contoso\""
            }
            Self::Config(source) => source.hint(),
            Self::Secret(source) => source.hint(),
            Self::ClientIsThere { .. } => {
                "to enrol it anew, remove it there and in the secrets folder first"
            }
            Self::OtherSetting { .. } => {
                "leave the option out, or change the configuration first; it holds for every client"
            }
            Self::OtherVault { .. } => "use another --config FILE for another vault",
        }
    }
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

    /// One entry for each client.
    fn check_client(&self, there: &Config, path: &Path) -> Result<(), ArgsError> {
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
    fn check_settings(&self, there: &Config) -> Result<(), ArgsError> {
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
    fn check_vault(&self, config: &Config) -> Result<(), ArgsError> {
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

    fn client_overrides(&self, index: usize) -> Overrides {
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
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn absolute_text(path: &Path) -> String {
    absolute(path).to_string_lossy().into_owned()
}
