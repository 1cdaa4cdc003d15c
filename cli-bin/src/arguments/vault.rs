//! Options of the commands that work with the vault: login, clients, credentials and flags.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use passportal_client::Region;
use passportal_client::wire::credential_type;
use passportal_client::wire::{FlagKind, MicrosoftSync, SyncMode};

/// Where the vault is.
#[derive(Args, Debug)]
pub(crate) struct VaultAddress {
    /// The vault's address.
    #[arg(long, value_name = "URL", required_unless_present = "region")]
    pub(crate) base_url: Option<String>,
    /// Passportal's region, instead of an address: us, ca, uk or au.
    #[arg(long, conflicts_with = "base_url")]
    pub(crate) region: Option<Region>,
    /// PEM file of certificate authorities to trust in addition to the platform's.
    #[arg(long, value_name = "FILE")]
    pub(crate) extra_ca: Option<PathBuf>,
}

impl VaultAddress {
    pub(crate) fn url(&self) -> &str {
        match (&self.base_url, self.region) {
            (Some(url), _) => url,
            (None, Some(region)) => region.base_url(),
            (None, None) => "",
        }
    }
}

/// `passportal login`.
#[derive(Args, Debug)]
pub(crate) struct LoginOptions {
    #[command(flatten)]
    pub(crate) vault: VaultAddress,
    /// Your e-mail.
    #[arg(long)]
    pub(crate) email: String,
    /// File with your password, `-` for standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: PathBuf,
    /// Your one-time code, where one is set up.
    #[arg(long, value_name = "CODE")]
    pub(crate) one_time_code: Option<String>,
}

/// `passportal clients …`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientsCommand {
    /// Show all clients.
    List,
    /// Add a client.
    Add(AddClient),
    /// Change a client's settings.
    Set(SetClient),
}

#[derive(Args, Debug)]
pub(crate) struct AddClient {
    /// Its name.
    pub(crate) name: String,
    /// File with the organization key, `-` for standard input. It seals the client's new key here
    /// and never leaves this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
    /// Its Microsoft sync.
    #[arg(long, default_value = "none")]
    pub(crate) sync: SyncWord,
    /// The mode of credentials that have none of their own.
    #[arg(long, value_name = "MODE", default_value = "enabled")]
    pub(crate) default_mode: ModeWord,
}

#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
pub(crate) struct SetClient {
    /// The client, by name or id.
    pub(crate) name: String,
    /// A new name.
    #[arg(long, value_name = "NAME", group = "change")]
    pub(crate) rename: Option<String>,
    /// Its Microsoft sync.
    #[arg(long, group = "change")]
    pub(crate) sync: Option<SyncWord>,
    /// The mode of credentials that have none of their own.
    #[arg(long, value_name = "MODE", group = "change")]
    pub(crate) default_mode: Option<ModeWord>,
    /// Process none of its passwords.
    #[arg(long, group = "change", conflicts_with = "unmute")]
    pub(crate) mute: bool,
    /// Process its passwords again.
    #[arg(long, group = "change")]
    pub(crate) unmute: bool,
}

/// `passportal credentials …`.
#[derive(Debug, Subcommand)]
pub(crate) enum CredentialsCommand {
    /// Store a password.
    Add(AddCredential),
    /// Show stored passwords, never the password itself.
    List {
        /// Only of this client, by name or id.
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
    },
    /// Change what is done with a password.
    SetMode(SetMode),
    /// Give a stored password its next version.
    SetPassword(SetPassword),
    /// Store what a CSV file holds: Passportal's import templates and exports. All or nothing.
    Import(ImportCredentials),
    /// Write stored passwords in clear into a CSV file, which the import reads again. Audited.
    Export(ExportCredentials),
    /// Let the agent go on with this version: push what is held, accept a new account, try again.
    Confirm(Named),
    /// Take a stored password out of use; its history stays.
    Disable(Named),
    /// Take it into use again.
    Enable(Named),
}

/// A credential, as a person names it.
#[derive(Args, Debug)]
pub(crate) struct Named {
    /// Its user name or id.
    #[arg(value_name = "USER|ID")]
    pub(crate) credential: String,
    /// Its client, by name or id, where the user name alone is not enough.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct AddCredential {
    /// The client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: String,
    /// The account that it is for (user principal name).
    #[arg(long, value_name = "UPN")]
    pub(crate) user_name: String,
    /// Its type, e.g. "Azure/Office365 Admin" for the account that the agent signs in with.
    #[arg(long, value_name = "TYPE", default_value = credential_type::USER)]
    pub(crate) credential_type: String,
    /// File with the password, `-` for standard input. One line break at its end is left out,
    /// everything else is stored exactly as it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: PathBuf,
    /// File with the organization key. The password is sealed with it here.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
    /// Its own mode, instead of the client's default.
    #[arg(long)]
    pub(crate) mode: Option<ModeWord>,
    /// What it is.
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) description: String,
}

#[derive(Args, Debug)]
pub(crate) struct SetMode {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Its mode.
    pub(crate) mode: OwnModeWord,
}

#[derive(Args, Debug)]
pub(crate) struct SetPassword {
    #[command(flatten)]
    pub(crate) named: Named,
    /// File with the password, `-` for standard input. One line break at its end is left out,
    /// everything else is stored exactly as it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: PathBuf,
    /// File with the organization key. The password is sealed with it here.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
}

#[derive(Args, Debug)]
pub(crate) struct ImportCredentials {
    /// The CSV file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File with the organization key. The passwords are sealed with it here.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
    /// The client of rows that name none, by name or id; without it the company vault.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Update credentials that are there already (same client, user name and type) instead of leaving them.
    #[arg(long)]
    pub(crate) update: bool,
    /// Store nothing, only show what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Args, Debug)]
pub(crate) struct ExportCredentials {
    /// The CSV file to be made. One that is there is never written over.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// File with the organization key. The passwords are opened with it here.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
    /// Only of this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Put an apostrophe before what a spreadsheet takes for a formula. Passwords that begin so are wrong in it.
    #[arg(long)]
    pub(crate) neutralise_formulas: bool,
}

/// `passportal flags …`.
#[derive(Debug, Subcommand)]
pub(crate) enum FlagsCommand {
    /// Show the flags that stand.
    List(ListFlags),
    /// Clear flags, until what they stand for changes.
    Clear(ClearFlags),
}

#[derive(Args, Debug)]
pub(crate) struct ListFlags {
    /// Only of this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Only of this kind.
    #[arg(long)]
    pub(crate) kind: Option<FlagWord>,
}

#[derive(Args, Debug)]
pub(crate) struct ClearFlags {
    /// Of this credential: its user name or id.
    #[arg(value_name = "USER|ID", required_unless_present = "all")]
    pub(crate) credential: Option<String>,
    /// Of every credential.
    #[arg(long, conflicts_with = "credential")]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) which: ListFlags,
}

/// A sync mode, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeWord {
    /// Nothing.
    Off,
    /// Checked and flagged, never written.
    ReportMismatches,
    /// Pushed to Entra ID.
    Enabled,
}

impl From<ModeWord> for SyncMode {
    fn from(word: ModeWord) -> Self {
        match word {
            ModeWord::Off => Self::Off,
            ModeWord::ReportMismatches => Self::ReportMismatches,
            ModeWord::Enabled => Self::Enabled,
        }
    }
}

/// A credential's own mode, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OwnModeWord {
    /// Nothing.
    Off,
    /// Checked and flagged, never written.
    ReportMismatches,
    /// Pushed to Entra ID.
    Enabled,
    /// The client's default.
    Inherit,
}

impl OwnModeWord {
    /// `None` inherits.
    pub(crate) fn mode(self) -> Option<SyncMode> {
        match self {
            Self::Off => Some(SyncMode::Off),
            Self::ReportMismatches => Some(SyncMode::ReportMismatches),
            Self::Enabled => Some(SyncMode::Enabled),
            Self::Inherit => None,
        }
    }
}

/// A client's Microsoft sync, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SyncWord {
    /// None.
    None,
    /// Entra ID.
    EntraId,
}

impl From<SyncWord> for MicrosoftSync {
    fn from(word: SyncWord) -> Self {
        match word {
            SyncWord::None => Self::None,
            SyncWord::EntraId => Self::EntraId,
        }
    }
}

/// A kind of flag, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FlagWord {
    /// Entra ID no longer accepts what the vault holds.
    AdChange,
    /// A person must approve first.
    Held,
    /// The account cannot or must not be written.
    Blocked,
    /// Older than its rotation policy.
    PasswordExpired,
    /// Seen by a user who has since been disabled.
    PasswordTouched,
}

impl From<FlagWord> for FlagKind {
    fn from(word: FlagWord) -> Self {
        match word {
            FlagWord::AdChange => Self::AdChange,
            FlagWord::Held => Self::Held,
            FlagWord::Blocked => Self::Blocked,
            FlagWord::PasswordExpired => Self::PasswordExpired,
            FlagWord::PasswordTouched => Self::PasswordTouched,
        }
    }
}
