//! `passportal-server backup` and `restore`.

use std::path::PathBuf;

use clap::Args;
use passportal_server::{
    BackupError, KeySource, RestoreError, Restored, WithServerKey, backup, restore,
};

use super::{NO_VAULT, say};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the vault is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// The new file. Only you may read it.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Write the server's key beside it, to FILE.server.key, too.
    #[arg(long)]
    with_server_key: bool,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// The backup.
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Where the vault will be kept: a new or empty folder.
    #[arg(long)]
    data_dir: PathBuf,
    /// The server's key, where it is not FILE.server.key.
    #[arg(long, value_name = "FILE")]
    server_key: Option<PathBuf>,
    /// Make a new server's key: every API key has to be made anew then, and second factors are off.
    #[arg(long, conflicts_with = "server_key")]
    new_server_key: bool,
}

pub(super) async fn make(arguments: Backup) -> anyhow::Result<()> {
    let with = if arguments.with_server_key {
        WithServerKey::Yes
    } else {
        WithServerKey::No
    };
    let made = backup(&arguments.data_dir, &arguments.to, with).await?;
    say(&format!("wrote the backup to {}", arguments.to.display()));
    match made.server_key {
        Some(path) => say(&format!("wrote the server's key to {}", path.display())),
        None => say(&format!(
            "keep {} as well, apart from the backup: without it API keys have to be made anew, and second factors are off",
            arguments.data_dir.join("server.key").display()
        )),
    }
    say("keep the organization key as well: without it no password can be opened");
    say(&format!(
        "audit trail: {} lines, head {}",
        made.audit_head.line, made.audit_head.hash
    ));
    Ok(())
}

pub(super) async fn put_back(arguments: Restore) -> anyhow::Result<()> {
    let key = match (arguments.server_key, arguments.new_server_key) {
        (Some(path), _) => KeySource::File(path),
        (None, true) => KeySource::New,
        (None, false) => KeySource::Beside,
    };
    let restored = restore(&arguments.from, &arguments.data_dir, &key).await?;
    say(&format!(
        "restored the vault to {}",
        arguments.data_dir.display()
    ));
    say("its agents check everything before they write: the history is a new one");
    say("sign-ins, agents and API keys are as they were then: revoke again what was revoked since");
    tell_what_ended(&restored);
    let head = restored.audit_head;
    match restored.audit_broken {
        None => say(&format!(
            "audit trail: {} lines, head {}",
            head.line, head.hash
        )),
        Some(broken) => say(&format!("warning: {broken}")),
    }
    Ok(())
}

/// What the server's former key sealed.
fn tell_what_ended(restored: &Restored) {
    for (count, what) in [
        (
            restored.second_factors_off,
            "second factors are off: let people set theirs up again",
        ),
        (
            restored.api_keys_revoked,
            "API keys are revoked: make new ones",
        ),
        (
            restored.notice_channels_paused,
            "notice channels are paused: remove them and add them anew",
        ),
    ] {
        if count > 0 {
            say(&format!("the server's key is a new one; {count} {what}"));
        }
    }
}

pub(super) fn backup_hint(error: &BackupError) -> &'static str {
    match error {
        BackupError::NoVault { .. } => NO_VAULT,
        BackupError::OtherVersion { .. } => "use the program of the server that serves it",
        BackupError::Exists { .. } => "name another file: a backup is never overwritten",
        BackupError::Write { .. } | BackupError::Copy(_) => {
            "name a file in a folder that exists and that you may write, and see that the disk is not full"
        }
        BackupError::Damaged { .. } => {
            "keep a copy of the folder, and restore the last good backup"
        }
    }
}

pub(super) fn restore_hint(error: &RestoreError) -> &'static str {
    match error {
        RestoreError::Read { .. } => "check that the file exists and that you may read it",
        RestoreError::NotABackup { .. } => {
            "copy the backup once more, or take another one; `passportal-server backup` makes them"
        }
        RestoreError::Newer { .. } => "use the newer version",
        RestoreError::NoServerKey { .. } => {
            "name the vault's server.key with --server-key, or make a new one with --new-server-key"
        }
        RestoreError::WrongServerKey { .. } => {
            "name the server.key of the vault that was backed up, or make a new one with --new-server-key"
        }
        RestoreError::InUse { .. } => {
            "name a new folder with --data-dir; a vault in use is never replaced"
        }
        RestoreError::NotEmpty { .. } => "name a new or empty folder with --data-dir",
        RestoreError::Write { .. } | RestoreError::Prepare(_) => {
            "let yourself write the folder of --data-dir, and see that the disk is not full"
        }
    }
}
