//! Options that come from elsewhere than the command line, and those that are missing.

use std::path::{Path, PathBuf};

use super::{ArgsError, SetupArgs};
use crate::config::{Config, ConfigError, StateConfig};

impl SetupArgs {
    /// With what the answers file says, where one is named.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn with_answers(self) -> Result<Self, ArgsError> {
        let Some(path) = &self.answers else {
            return Ok(self);
        };
        let text = std::fs::read_to_string(path).map_err(|source| ArgsError::Answers {
            path: path.clone(),
            source,
        })?;
        let answers: Self = toml::from_str(&text).map_err(|error| ArgsError::NoAnswers {
            path: path.clone(),
            line: line_of(&text, error.span().map_or(0, |span| span.start)),
            why: error.message().to_owned(),
        })?;
        Ok(self.or(answers))
    }

    /// These, and the other ones where these say nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let says_where = self.base_url.is_some() || self.region.is_some();
        let (base_url, region) = if says_where {
            (self.base_url, self.region)
        } else {
            (other.base_url, other.region)
        };
        Self {
            answers: self.answers,
            base_url,
            region,
            email: self.email.or(other.email),
            password_file: self.password_file.or(other.password_file),
            one_time_code: self.one_time_code.or(other.one_time_code),
            organization_key_file: self.organization_key_file.or(other.organization_key_file),
            client: self.client.or(other.client),
            tenant: self.tenant.or(other.tenant),
            cloud: self.cloud.or(other.cloud),
            sign_in: self.sign_in.or(other.sign_in),
            client_id: self.client_id.or(other.client_id),
            client_secret_file: self.client_secret_file.or(other.client_secret_file),
            certificate: self.certificate.or(other.certificate),
            certificate_password_file: self
                .certificate_password_file
                .or(other.certificate_password_file),
            federated_token_file: self.federated_token_file.or(other.federated_token_file),
            administrator: self.administrator.or(other.administrator),
            verification_client_id: self.verification_client_id.or(other.verification_client_id),
            authority: self.authority.or(other.authority),
            graph: self.graph.or(other.graph),
            extra_ca: self.extra_ca.or(other.extra_ca),
            proxy_url: self.proxy_url.or(other.proxy_url),
            proxy_username: self.proxy_username.or(other.proxy_username),
            proxy_password_file: self.proxy_password_file.or(other.proxy_password_file),
            state_url: self.state_url.or(other.state_url),
            state_password_file: self.state_password_file.or(other.state_password_file),
        }
    }

    /// The options without which nothing can be enrolled, as far as they are missing.
    pub fn missing(&self) -> Vec<&'static str> {
        [
            (
                "--base-url or --region",
                self.base_url.is_some() || self.region.is_some(),
            ),
            ("--email", self.email.is_some()),
            ("--password-file", self.password_file.is_some()),
            (
                "--organization-key-file",
                self.organization_key_file.is_some(),
            ),
            ("--client", self.client.is_some()),
            ("--tenant", self.tenant.is_some()),
        ]
        .into_iter()
        .filter_map(|(option, is_there)| (!is_there).then_some(option))
        .collect()
    }

    /// The files that setup is going to write.
    pub(crate) fn places(&self, config_path: &Path) -> Vec<PathBuf> {
        let state = state_store::database_path(&self.state_url()).ok();
        [Some(config_path.to_owned()), state]
            .into_iter()
            .flatten()
            .collect()
    }

    pub(crate) fn state_url(&self) -> String {
        let own = self.state_url.clone();
        own.unwrap_or_else(|| StateConfig::default().url)
    }

    /// The vault's address; empty where nothing says it.
    pub(crate) fn vault_url(&self) -> String {
        let own = self.base_url.as_ref().map(ToString::to_string);
        let of_region = || self.region.map(|it| it.base_url().to_owned());
        own.or_else(of_region).unwrap_or_default()
    }

    /// The configuration as far as it holds for every client.
    ///
    /// # Errors
    /// When an option makes no sense.
    pub(crate) fn config_without_client(&self, path: &Path) -> Result<Config, ConfigError> {
        // Any address will do: what every connection needs does not depend on it.
        let anywhere = url::Url::parse("http://127.0.0.1/").ok();
        let args = Self {
            base_url: self.base_url.clone().or(anywhere),
            region: None,
            ..self.clone()
        };
        Config::of_options(path, args.vault_overrides(crate::config::Overrides::none()))
    }
}

/// From 1.
fn line_of(text: &str, place: usize) -> usize {
    1 + text
        .bytes()
        .take(place)
        .filter(|byte| *byte == b'\n')
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(text: &str) -> Result<SetupArgs, ArgsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        std::fs::write(&path, text).unwrap();
        let args = SetupArgs {
            answers: Some(path),
            client: Some("Contoso".to_owned()),
            ..SetupArgs::default()
        };
        args.with_answers()
    }

    #[test]
    fn answers_fill_what_the_command_line_leaves_open() {
        let args = answers("region = 'ca'\nclient = 'Fabrikam'\ntenant = 'contoso.com'\n").unwrap();
        assert_eq!(
            args.client.as_deref(),
            Some("Contoso"),
            "the command line wins"
        );
        assert_eq!(args.tenant.as_deref(), Some("contoso.com"));
        assert_eq!(args.vault_url(), "https://ca-clover.passportalmsp.com/");
        let missing = args.missing();
        assert_eq!(
            missing,
            ["--email", "--password-file", "--organization-key-file"]
        );
    }

    #[test]
    fn an_address_of_the_command_line_leaves_no_room_for_another_region() {
        let own = SetupArgs {
            base_url: url::Url::parse("https://vault.example").ok(),
            ..SetupArgs::default()
        };
        let other = SetupArgs {
            region: "us".parse().ok(),
            ..SetupArgs::default()
        };
        let both = own.or(other);
        assert_eq!(both.vault_url(), "https://vault.example/");
        assert_eq!(both.region, None);
    }

    #[test]
    fn what_is_no_answer_is_told_and_none_is_a_secret() {
        let error = answers("client = 'Contoso'\npassword = 'geheim'").unwrap_err();
        let told = crate::causes::chain(&error);
        assert!(
            told.contains("answers.toml:2: unknown field `password`"),
            "{told}"
        );
        assert!(!told.contains("geheim"), "{told}");
        assert!(error.hint().contains("TOML"));
    }

    #[test]
    fn a_one_time_code_is_not_kept_for_later() {
        let args = SetupArgs {
            one_time_code: Some("123456".to_owned()),
            ..SetupArgs::default()
        };
        assert!(!toml::to_string(&args).unwrap().contains("123456"));
    }
}
