//! The server, as a process of its own with a new vault.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context as _;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub(crate) const EMAIL: &str = "admin@msp.example";
pub(crate) const PASSWORD: &str = "an administrator's password";
pub(crate) const ORGANIZATION_KEY: &str = "an organization key for a benchmark";

/// A running server.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    // Goes last.
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn start(program: &Path) -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let data = folder.path().join("vault");
        let secret = |name: &str, content: &str| secret(folder.path(), name, content);
        let status = Command::new(program)
            .args([
                "init",
                "--organization",
                "MSP",
                "--admin-email",
                EMAIL,
                "--data-dir",
            ])
            .arg(&data)
            .arg("--admin-password-file")
            .arg(secret("password", PASSWORD)?)
            .arg("--organization-key-file")
            .arg(secret("key", ORGANIZATION_KEY)?)
            .stdout(Stdio::null())
            .status()
            .await?;
        anyhow::ensure!(status.success(), "init ended with {status}");
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().context("standard output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        let line = line.context("the server ended before it listened")?;
        let url = line.strip_prefix("listening on ").context("an address")?;
        Ok(Self {
            url: url.to_owned(),
            child,
            _folder: folder,
        })
    }

    /// MiB, by the name that the kernel's `status` has for it.
    pub(crate) fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let id = self.child.id().context("the server has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kib.context("a figure")?.parse::<f64>()? / 1024.0)
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the server has ended")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "the server ended with {status}");
        Ok(())
    }
}

fn secret(folder: &Path, name: &str, content: &str) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = folder.join(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(content.as_bytes())?;
    Ok(path)
}
