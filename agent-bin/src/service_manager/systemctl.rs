//! What `systemctl` is asked, and what it answers.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::unit::file_name;
use super::{ServiceManagerError, ServiceStatus};

/// The program, as it is found.
pub(super) struct Systemctl(PathBuf);

impl Systemctl {
    /// Wherever `$PATH` leads.
    pub(super) fn in_path() -> Self {
        Self(PathBuf::from("systemctl"))
    }

    #[cfg(test)]
    pub(super) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Asks for something to be done with the unit, and waits for it.
    pub(super) fn run(
        &self,
        action: &'static str,
        words: &[&str],
    ) -> Result<(), ServiceManagerError> {
        let unit = file_name();
        self.done(action, &[words, &[unit.as_str()]].concat())
    }

    /// Lets systemd read its units anew.
    pub(super) fn reload(&self) -> Result<(), ServiceManagerError> {
        self.done("read", &["daemon-reload"])
    }

    pub(super) fn status(&self) -> Result<ServiceStatus, ServiceManagerError> {
        let unit = file_name();
        let properties = "--property=LoadState,ActiveState,MainPID,Result";
        let answer = self.ask(&["show", properties, &unit])?;
        let told = succeeded("look at", &answer)?;
        Ok(read_status(&told))
    }

    fn done(&self, action: &'static str, words: &[&str]) -> Result<(), ServiceManagerError> {
        succeeded(action, &self.ask(words)?).map(drop)
    }

    fn ask(&self, words: &[&str]) -> Result<Output, ServiceManagerError> {
        let mut command = Command::new(&self.0);
        command
            .arg("--no-ask-password")
            .args(words)
            .stdin(Stdio::null());
        command
            .output()
            .map_err(|source| ServiceManagerError::Program {
                program: "systemctl",
                source,
            })
    }
}

/// What it printed, where it ended well.
fn succeeded(action: &'static str, answer: &Output) -> Result<String, ServiceManagerError> {
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&answer.stderr);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = if said.is_empty() {
        answer.status.to_string()
    } else {
        said
    };
    Err(ServiceManagerError::Refused { action, said })
}

/// Source: `org.freedesktop.systemd1(5)`.
fn read_status(told: &str) -> ServiceStatus {
    let value = |name: &str| {
        let mut lines = told.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    if value("LoadState") == Some("not-found") {
        return ServiceStatus::NotInstalled;
    }
    match value("ActiveState") {
        Some("active" | "reloading") => {
            let pid = value("MainPID").and_then(|pid| pid.parse().ok());
            ServiceStatus::Running {
                pid: pid.filter(|pid| *pid != 0),
            }
        }
        Some("activating") => ServiceStatus::Starting,
        Some("deactivating") => ServiceStatus::Stopping,
        Some("failed") => ServiceStatus::Failed {
            why: value("Result").unwrap_or("unknown").to_owned(),
        },
        _ => ServiceStatus::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_systemd_tells_becomes_a_status() {
        let status = |told: &str| read_status(&told.replace(' ', "\n"));
        for (told, expected) in [
            (
                "LoadState=not-found ActiveState=inactive",
                ServiceStatus::NotInstalled,
            ),
            (
                "LoadState=loaded ActiveState=inactive MainPID=0",
                ServiceStatus::Stopped,
            ),
            (
                "LoadState=loaded ActiveState=activating",
                ServiceStatus::Starting,
            ),
            (
                "ActiveState=active MainPID=42",
                ServiceStatus::Running { pid: Some(42) },
            ),
            (
                "ActiveState=deactivating MainPID=42",
                ServiceStatus::Stopping,
            ),
            (
                "ActiveState=failed Result=watchdog",
                ServiceStatus::Failed {
                    why: "watchdog".to_owned(),
                },
            ),
        ] {
            assert_eq!(status(told), expected, "{told}");
        }
    }
}
