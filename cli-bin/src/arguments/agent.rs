//! Options of the commands that work with the agent: setup, plan and sync.

use std::path::PathBuf;

use agent_bin::config::DEFAULT_STATE;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::VaultAddress;

/// `passportal setup`. Together with --config it says everything, so that no question is asked.
#[derive(Args, Debug)]
pub(crate) struct SetupOptions {
    #[command(flatten)]
    pub(crate) vault: VaultAddress,
    /// E-mail of an organization administrator.
    #[arg(long)]
    pub(crate) email: String,
    /// File with the administrator's password, `-` for standard input. It is used this once.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: PathBuf,
    /// The administrator's one-time code, where one is set up.
    #[arg(long, value_name = "CODE")]
    pub(crate) one_time_code: Option<String>,
    /// File with the organization key, `-` for standard input. It never leaves this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
    /// The client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: String,
    /// The client's tenant: a verified domain or its GUID.
    #[arg(long)]
    pub(crate) tenant: String,
    /// The tenant's national cloud.
    #[arg(long, default_value = "global",
          value_parser = PossibleValuesParser::new(["global", "us-gov-l4", "us-gov-l5", "china"]))]
    pub(crate) cloud: String,
    /// As whom the agent signs in to the tenant.
    #[arg(long, value_name = "WAY", default_value = "client-secret",
          value_parser = PossibleValuesParser::new(["certificate", "client-secret", "federated", "device-code", "vault-admin"]))]
    pub(crate) sign_in: String,
    /// The application (client) id of the agent's app registration.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// File with the application's secret; only its owner may read it. It stays where it is.
    #[arg(long, value_name = "FILE")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// PEM file with the application's key and certificate.
    #[arg(long, value_name = "FILE")]
    pub(crate) certificate: Option<PathBuf>,
    /// A public client for the sign-in test, instead of the application itself.
    #[arg(long, value_name = "ID")]
    pub(crate) verification_client_id: Option<String>,
    /// Where tokens come from, instead of the cloud's own address.
    #[arg(long, value_name = "URL")]
    pub(crate) authority: Option<String>,
    /// Where Microsoft Graph is, instead of the cloud's own address.
    #[arg(long, value_name = "URL")]
    pub(crate) graph: Option<String>,
    /// Where the agent remembers; its secrets are kept beside it.
    #[arg(long, value_name = "URL", help = format!("Where the agent remembers [default: {DEFAULT_STATE}]"))]
    pub(crate) state_url: Option<String>,
}

/// Options of `plan`.
#[derive(Args, Debug)]
pub(crate) struct CycleOptions {
    /// End with status 3 when there are mismatches, 4 when something is held.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Only this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

/// `passportal sync`.
#[derive(Args, Debug)]
pub(crate) struct SyncOptions {
    /// One cycle, instead of going on until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) cycle: CycleOptions,
}
