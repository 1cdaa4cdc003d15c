//! Verifies and exports the audit trail from the vault's own machine. The server may be running.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use passportal_client::audit::{AuditFormat, AuditHead, BrokenChain};

use crate::data_dir::DataDir;
use crate::database::Database;
use crate::vault::{self, VaultError};

/// Why the audit trail was not verified or exported.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no vault.
    #[error("there is no vault in `{}`", data_dir.display())]
    NoVault {
        /// Where.
        data_dir: PathBuf,
    },
    /// An earlier version wrote it, and no server of this version has opened it yet.
    #[error("the audit trail in `{}` is not chained yet", data_dir.display())]
    NotChained {
        /// Where.
        data_dir: PathBuf,
    },
    /// A line is wrong.
    #[error(transparent)]
    Broken(BrokenChain),
    /// The trail has no line with the hash that was kept elsewhere.
    #[error(
        "no line of the audit trail has the hash that was kept: it is another trail, or its end was cut off and replaced"
    )]
    HashNotFound,
    /// The lines could not be written out.
    #[error("could not write the audit trail")]
    Write(#[source] io::Error),
    /// The database cannot be read.
    #[error("could not read the audit trail")]
    Read(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<VaultError> for AuditError {
    fn from(error: VaultError) -> Self {
        Self::Read(Box::new(error))
    }
}

/// Looks at every line of the audit trail, and for a hash that was kept elsewhere; returns the last line's.
///
/// # Errors
/// With the first line that is wrong.
pub async fn verify_audit(data_dir: &Path, kept: Option<&str>) -> Result<AuditHead, AuditError> {
    let database = open(data_dir).await?;
    let mut view = database.read().await.map_err(VaultError::from)?;
    let verified = vault::verify(&mut view, kept).await?;
    drop(view);
    database.close().await;
    if let Some(broken) = verified.broken {
        return Err(AuditError::Broken(broken));
    }
    if verified.holds_kept == Some(false) {
        return Err(AuditError::HashNotFound);
    }
    Ok(verified.head)
}

/// Writes every line of the audit trail, the earliest first.
///
/// # Errors
/// When there is no vault, or a line cannot be read or written.
pub async fn export_audit(
    data_dir: &Path,
    format: AuditFormat,
    out: &mut (impl Write + Send),
) -> Result<(), AuditError> {
    let database = open(data_dir).await?;
    let mut view = database.read().await.map_err(VaultError::from)?;
    let mut write = |text: String| out.write_all(text.as_bytes()).map_err(AuditError::Write);
    write(format.heading())?;
    let mut last = 0;
    loop {
        let lines = vault::page_after(&mut view, last).await?;
        let Some(end) = lines.last() else { break };
        last = end.line;
        for line in &lines {
            write(format.line(line))?;
        }
    }
    drop(view);
    database.close().await;
    out.flush().map_err(AuditError::Write)
}

async fn open(data_dir: &Path) -> Result<Database, AuditError> {
    let data_dir = data_dir.to_owned();
    let file = DataDir::new(&data_dir).database();
    if !file.exists() {
        return Err(AuditError::NoVault { data_dir });
    }
    let opened = Database::open_to_read(&file).await;
    let database = opened.map_err(VaultError::from)?;
    if !database
        .has_table("audit_chain")
        .await
        .map_err(VaultError::from)?
    {
        return Err(AuditError::NotChained { data_dir });
    }
    Ok(database)
}
