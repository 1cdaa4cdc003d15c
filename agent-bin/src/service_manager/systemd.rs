//! The service under systemd: a unit where no package brought one, a drop-in for what is asked for in addition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::systemctl::Systemctl;
use super::unit::{self, Addition};
use super::{InstallOptions, NAME, ServiceManagerError, ServiceStatus};
use crate::durable_file::{self, Audience};
use crate::private_folder;

pub(super) fn install(options: &InstallOptions) -> Result<(), ServiceManagerError> {
    Machine::this().install(options)
}

pub(super) fn uninstall() -> Result<(), ServiceManagerError> {
    Machine::this().uninstall()
}

pub(super) fn start() -> Result<(), ServiceManagerError> {
    Machine::this().start()
}

pub(super) fn stop() -> Result<(), ServiceManagerError> {
    Machine::this().stop()
}

pub(super) fn status() -> Result<ServiceStatus, ServiceManagerError> {
    Machine::this().status()
}

/// Where systemd keeps what, and who asks.
struct Machine {
    /// `/`, but in tests.
    root: PathBuf,
    systemctl: Systemctl,
    is_root: bool,
}

impl Machine {
    fn this() -> Self {
        Self {
            root: PathBuf::from("/"),
            systemctl: Systemctl::in_path(),
            is_root: rustix::process::geteuid().is_root(),
        }
    }

    fn install(&self, options: &InstallOptions) -> Result<(), ServiceManagerError> {
        self.may_change()?;
        let addition = Addition::of(options)?;
        let unit = if self.is_packaged() {
            None
        } else {
            Some(unit::text(&own_program()?)?)
        };
        let files = [(self.unit(), unit), (self.drop_in(), addition.text())];
        files
            .iter()
            .try_for_each(|(path, content)| refuse_foreign(path, content.as_deref()))?;
        self.make_secrets_folder()?;
        let before = [self.unit(), self.drop_in()].map(Kept::of);
        let enabled = files
            .iter()
            .try_for_each(|(path, content)| put(path, content.as_deref()))
            .and_then(|()| self.systemctl.reload())
            .and_then(|()| self.systemctl.run("enable", &["enable"]));
        if enabled.is_err() {
            before.iter().for_each(Kept::restore);
            // The first error is the one to tell.
            let _ = self.systemctl.reload();
        }
        enabled
    }

    fn uninstall(&self) -> Result<(), ServiceManagerError> {
        self.may_change()?;
        self.must_be_installed()?;
        self.systemctl.run("disable", &["disable", "--now"])?;
        put(&self.drop_in(), None)?;
        put(&self.unit(), None)?;
        self.systemctl.reload()
    }

    fn start(&self) -> Result<(), ServiceManagerError> {
        self.may_change()?;
        self.must_be_installed()?;
        self.systemctl.run("start", &["start"])?;
        match self.status()? {
            ServiceStatus::Running { .. } => Ok(()),
            // A condition of the unit that is not met is no failure for systemctl.
            status => Err(ServiceManagerError::Refused {
                action: "start",
                said: format!("it is {status}; was a client enrolled by `passportal-agent setup`?"),
            }),
        }
    }

    fn stop(&self) -> Result<(), ServiceManagerError> {
        self.may_change()?;
        self.must_be_installed()?;
        self.systemctl.run("stop", &["stop"])
    }

    fn status(&self) -> Result<ServiceStatus, ServiceManagerError> {
        self.must_run_systemd()?;
        self.systemctl.status()
    }

    fn must_be_installed(&self) -> Result<(), ServiceManagerError> {
        match self.systemctl.status()? {
            ServiceStatus::NotInstalled => Err(ServiceManagerError::NotInstalled),
            _ => Ok(()),
        }
    }

    fn may_change(&self) -> Result<(), ServiceManagerError> {
        self.must_run_systemd()?;
        if self.is_root {
            Ok(())
        } else {
            Err(ServiceManagerError::NotPrivileged)
        }
    }

    /// Source: `sd_booted(3)`.
    fn must_run_systemd(&self) -> Result<(), ServiceManagerError> {
        if self.root.join("run/systemd/system").is_dir() {
            Ok(())
        } else {
            Err(ServiceManagerError::NoServiceManager)
        }
    }

    /// Source: `systemd.unit(5)`, the folders of packages.
    fn is_packaged(&self) -> bool {
        ["usr/lib", "lib"].iter().any(|folder| {
            let units = self.root.join(folder).join("systemd/system");
            units.join(unit::file_name()).exists()
        })
    }

    fn unit(&self) -> PathBuf {
        let units = self.root.join("etc/systemd/system");
        units.join(unit::file_name())
    }

    fn drop_in(&self) -> PathBuf {
        let folder = self.unit().with_extension("service.d");
        folder.join("10-installed.conf")
    }

    /// The unit reads it, and does not start without it.
    fn make_secrets_folder(&self) -> Result<(), ServiceManagerError> {
        let outer = self.root.join("etc").join(NAME);
        let secrets = outer.join("secrets");
        private_folder::make_readable(&outer).map_err(|source| of_file(&outer, source))?;
        private_folder::make(&secrets).map_err(|source| of_file(&secrets, source))
    }
}

/// A file as it was.
struct Kept {
    path: PathBuf,
    content: Option<Vec<u8>>,
}

impl Kept {
    fn of(path: PathBuf) -> Self {
        let content = fs::read(&path).ok();
        Self { path, content }
    }

    /// The error that made it necessary is the one to tell.
    fn restore(&self) {
        if fs::read(&self.path).ok() == self.content {
            return;
        }
        let _ = match &self.content {
            Some(content) => durable_file::replace(&self.path, content, Audience::Everyone),
            None => fs::remove_file(&self.path),
        };
    }
}

/// What an administrator wrote, or masked, is not written over.
fn refuse_foreign(path: &Path, content: Option<&str>) -> Result<(), ServiceManagerError> {
    if content.is_some() && path.symlink_metadata().is_ok() && !unit::is_ours(path) {
        let path = path.to_owned();
        return Err(ServiceManagerError::Foreign { path });
    }
    Ok(())
}

/// Writes a file of ours, or takes it away where there is nothing to say; one that an administrator wrote stays.
fn put(path: &Path, content: Option<&str>) -> Result<(), ServiceManagerError> {
    let put = match (content, unit::is_ours(path)) {
        (Some(content), _) => write(path, content),
        (None, true) => fs::remove_file(path),
        (None, false) => Ok(()),
    };
    put.map_err(|source| of_file(path, source))
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    durable_file::replace(path, content.as_bytes(), Audience::Everyone)
}

fn of_file(path: &Path, source: io::Error) -> ServiceManagerError {
    ServiceManagerError::File {
        path: path.to_owned(),
        source,
    }
}

fn own_program() -> Result<PathBuf, ServiceManagerError> {
    let program = std::env::current_exe();
    program.map_err(|source| of_file(Path::new("/proc/self/exe"), source))
}

#[cfg(test)]
mod tests;
