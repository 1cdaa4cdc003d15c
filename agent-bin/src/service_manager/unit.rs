//! The text of the unit, and of the drop-in that changes it.

use std::fs;
use std::path::Path;

use super::{InstallOptions, NAME, ServiceManagerError};
use crate::config::DEFAULT_PATH;

/// The unit as packages bring it.
const PACKAGED: &str = include_str!("../../../packaging/systemd/passportal-agent.service");

/// The program as packages install it.
const PACKAGED_PROGRAM: &str = "/usr/bin/passportal-agent";

/// What tells files of ours from an administrator's.
const HEADING: &str = "# Written by `passportal-agent service install`.\n";

/// The unit's file, in any of systemd's folders.
pub(super) fn file_name() -> String {
    format!("{NAME}.service")
}

/// The unit for this program.
///
/// # Errors
/// When its path cannot stand in one.
pub(super) fn text(program: &Path) -> Result<String, ServiceManagerError> {
    let program = word(&program.to_string_lossy())?;
    let packaged = format!("={PACKAGED_PROGRAM} ");
    let unit = PACKAGED.replace(&packaged, &format!("={program} "));
    Ok(format!("{HEADING}{unit}"))
}

/// Whether the file is there and was written here.
pub(super) fn is_ours(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.starts_with(HEADING))
}

/// What the options change in the unit.
#[derive(Debug)]
pub(super) struct Addition {
    config: Option<String>,
    account: Option<String>,
    program: String,
}

impl Addition {
    /// # Errors
    /// When an option cannot stand in a unit.
    pub(super) fn of(options: &InstallOptions) -> Result<Self, ServiceManagerError> {
        let config = std::path::absolute(&options.config);
        let config = config.unwrap_or_else(|_| options.config.clone());
        let config = Some(config).filter(|it| it != Path::new(DEFAULT_PATH));
        let program = std::env::current_exe().unwrap_or_else(|_| PACKAGED_PROGRAM.into());
        Ok(Self {
            config: config.map(|it| word(&it.to_string_lossy())).transpose()?,
            account: options
                .account
                .as_ref()
                .map(|it| word(&it.name))
                .transpose()?,
            program: word(&program.to_string_lossy())?,
        })
    }

    /// `None` where the unit is right as it is.
    pub(super) fn text(&self) -> Option<String> {
        let mut text = String::new();
        if let Some(config) = &self.config {
            text.push_str(&with_config(&self.program, config));
        }
        if let Some(account) = &self.account {
            text.push_str(&with_account(account));
        }
        (!text.is_empty()).then(|| format!("{HEADING}{text}"))
    }
}

fn with_config(program: &str, config: &str) -> String {
    format!(
        "[Unit]\nConditionPathExists=\nConditionPathExists={config}\n\n\
         [Service]\nExecStart=\nExecStart={program} run --config {config}\n\
         ExecReload=\nExecReload={program} reload --config {config}\n"
    )
}

fn with_account(account: &str) -> String {
    format!("[Service]\nDynamicUser=no\nUser={account}\n")
}

/// A text that means itself in a unit. Source: `systemd.service(5)`, `systemd.unit(5)`.
fn word(text: &str) -> Result<String, ServiceManagerError> {
    let plain = |c: char| c.is_alphanumeric() || "/._-@+".contains(c);
    if text.is_empty() || !text.chars().all(plain) {
        return Err(ServiceManagerError::NotForAUnit {
            text: text.to_owned(),
        });
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::service_manager::Account;

    fn options(config: &str, account: Option<&str>) -> InstallOptions {
        InstallOptions {
            config: PathBuf::from(config),
            account: account.map(|name| Account {
                name: name.to_owned(),
                password: None,
            }),
        }
    }

    #[test]
    fn the_unit_starts_the_program_that_installs_it() {
        let unit = text(Path::new("/opt/agent/passportal-agent")).unwrap();
        assert!(
            unit.contains("\nExecStart=/opt/agent/passportal-agent run\n"),
            "{unit}"
        );
        assert!(
            unit.contains("\nExecReload=/opt/agent/passportal-agent reload\n"),
            "{unit}"
        );
        assert!(!unit.contains(PACKAGED_PROGRAM), "{unit}");
    }

    #[test]
    fn nothing_is_added_where_the_unit_is_right() {
        let addition = Addition::of(&options(DEFAULT_PATH, None)).unwrap();
        assert_eq!(addition.text(), None);
    }

    #[test]
    fn another_configuration_and_account_are_added() {
        let addition = Addition::of(&options("/srv/agent.toml", Some("sync"))).unwrap();
        let text = addition.text().unwrap();
        assert!(
            text.contains("\nConditionPathExists=/srv/agent.toml\n"),
            "{text}"
        );
        for command in ["run", "reload"] {
            let command = format!(" {command} --config /srv/agent.toml\n");
            assert!(text.contains(&command), "{text}");
        }
        assert!(text.contains("\nDynamicUser=no\nUser=sync\n"), "{text}");
    }

    #[test]
    fn what_systemd_would_read_otherwise_is_refused() {
        for config in ["/srv/%h.toml", "/srv/my agent.toml", "/srv/a\nUser=root"] {
            let error = Addition::of(&options(config, None)).unwrap_err();
            assert!(error.to_string().contains(config), "{error}");
        }
        assert!(Addition::of(&options(DEFAULT_PATH, Some("a\nUser=root"))).is_err());
    }
}
