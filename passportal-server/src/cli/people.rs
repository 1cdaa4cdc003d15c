//! `passportal-server people`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use passportal_client::secret_file;
use passportal_server::{PeopleError, reset_password, reset_second_factor};

use super::{NO_VAULT, say};

#[derive(Debug, Subcommand)]
pub(super) enum PeopleCommand {
    /// Give a person a new password. Their sessions end.
    ResetPassword {
        #[command(flatten)]
        who: Who,
        /// A file with the new password (at least 12 characters). Only you may read it.
        #[arg(long, value_name = "FILE")]
        password_file: PathBuf,
    },
    /// Turn off the second factor of a person who has lost it. Their sessions end.
    ResetSecondFactor {
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
pub(super) struct Who {
    /// Where the vault is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// The person's e-mail address.
    #[arg(long)]
    email: String,
}

pub(super) async fn run(command: PeopleCommand) -> anyhow::Result<()> {
    match command {
        PeopleCommand::ResetPassword { who, password_file } => {
            let password = secret_file::read(&password_file)?;
            reset_password(&who.data_dir, &who.email, password).await?;
            say(&format!("{} has a new password", who.email));
        }
        PeopleCommand::ResetSecondFactor { who } => {
            reset_second_factor(&who.data_dir, &who.email).await?;
            say(&format!("{} signs in without a second factor", who.email));
        }
    }
    Ok(())
}

pub(super) fn hint(error: &PeopleError) -> &'static str {
    match error {
        PeopleError::NoVault { .. } => NO_VAULT,
        PeopleError::OtherVersion { .. } => "use the program of the server that serves it",
        PeopleError::NoSuchPerson { .. } => {
            "check the spelling; the audit trail has the address of everybody who ever signed in"
        }
        PeopleError::Refused(_) => "nothing was changed; correct it and try again",
        PeopleError::Change(_) => {
            "check that the files in --data-dir are whole and that you may read and write them"
        }
    }
}
