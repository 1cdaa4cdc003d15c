//! `passportal-server audit …`.

use std::io::{self, BufWriter};
use std::path::PathBuf;

use clap::Subcommand;
use passportal_client::audit::{AuditFormat, is_hash};
use passportal_server::{AuditError, export_audit, verify_audit};

use super::{NO_VAULT, say};

#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Look at every line: status 1, and the first line that is wrong, where one was changed or is missing.
    Verify {
        /// Where the vault is kept.
        #[arg(long)]
        data_dir: PathBuf,
        /// A hash that an earlier verification printed and that was kept elsewhere: the trail must still have it.
        #[arg(long, value_name = "HASH", value_parser = hash)]
        contains: Option<String>,
    },
    /// Write every line to standard output, the earliest first.
    Export {
        /// Where the vault is kept.
        #[arg(long)]
        data_dir: PathBuf,
        /// json (an object on each line), csv, or cef.
        #[arg(long)]
        format: AuditFormat,
    },
}

fn hash(text: &str) -> Result<String, &'static str> {
    let text = text.to_ascii_lowercase();
    is_hash(&text)
        .then_some(text)
        .ok_or("not a hash: it has 64 hexadecimal digits")
}

pub(super) async fn run(command: AuditCommand) -> anyhow::Result<()> {
    match command {
        AuditCommand::Verify { data_dir, contains } => {
            let head = verify_audit(&data_dir, contains.as_deref()).await?;
            say(&format!("{} lines, all as they were written", head.line));
            say(&format!("head: {}", head.hash));
        }
        AuditCommand::Export { data_dir, format } => {
            let mut out = BufWriter::new(io::stdout());
            export_audit(&data_dir, format, &mut out).await?;
        }
    }
    Ok(())
}

pub(super) fn hint(error: &AuditError) -> &'static str {
    match error {
        AuditError::NoVault { .. } => NO_VAULT,
        AuditError::NotChained { .. } => "start this version's server once: it chains the lines",
        AuditError::Broken(_) => {
            "keep a copy of the folder, compare with the last good backup, and find out who could write to the database"
        }
        AuditError::HashNotFound => "compare with the backups from the time when the hash was kept",
        AuditError::Write(_) => {
            "see that whatever reads the lines is still there, and that the disk is not full"
        }
        AuditError::Read(_) => {
            "check that the files in --data-dir are whole and that you may read them"
        }
    }
}
