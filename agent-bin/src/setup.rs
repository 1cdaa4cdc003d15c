//! Enrols this machine for one client: everything is checked first, then everything is written.

mod client;
mod enrolling;
mod error;

use std::path::PathBuf;

use msgraph_sync::Preflight;
use passportal_client::PersonSession;
use secrecy::SecretString;
use state_store::StateUrl;
use sync_engine::model::TenantId;

pub(crate) use self::client::{choose, open_data_key, refuse_the_powerless};
pub(crate) use self::enrolling::Setup;
pub use self::error::SetupError;
use crate::administrator::ShowCode;
use crate::config::{ClientConfig, Config};
use crate::entry::Entry;
use crate::outbound::Outbound;
use crate::secrets::SecretFiles;
use crate::wiring::vault_http;

/// All that setup needs to know. Secrets come from files, never from arguments.
pub struct SetupRequest {
    /// The configuration file to write, or to add the client to.
    pub config_path: PathBuf,
    /// The configuration as it will be.
    pub config: Config,
    /// The client that is new in it.
    pub client: ClientConfig,
    /// An organization administrator's e-mail.
    pub email: String,
    /// The administrator's password, used once.
    pub password: SecretString,
    /// The one-time code, where the administrator has set one up.
    pub one_time_code: Option<String>,
    /// The organization key, used once to open the client's data key.
    pub organization_key: SecretString,
    /// A secret that was typed, and the file that it belongs into.
    pub new_secret: Option<NewSecret>,
    /// Shows the code that an administrator enters, where the agent is to act for one.
    pub show_code: ShowCode,
}

/// A secret that is new on this machine.
pub struct NewSecret {
    /// Where the agent will look for it.
    pub path: PathBuf,
    /// The secret.
    pub secret: SecretString,
}

/// What setup did.
#[derive(Clone, Debug)]
pub struct SetupDone {
    /// The client's name in the vault.
    pub client: String,
    /// Its tenant, as configured.
    pub tenant: TenantId,
    /// The file that was written.
    pub config_path: PathBuf,
    /// What the tenant answered.
    pub preflight: Preflight,
}

/// Checks the vault, the organization key and the tenant, then enrols and writes the
/// configuration. When it fails, nothing was written.
///
/// # Errors
/// What did not go along, with a hint.
pub async fn run(request: SetupRequest) -> Result<SetupDone, SetupError> {
    StateUrl::parse(&request.config.state.url)?;
    let secrets = SecretFiles::beside(&request.config.state.url);
    let outbound = Outbound::of(&request.config)?;
    let verdict_table = request.config.verdict_table()?;
    let entry = Entry::prepare(&request, &outbound, &secrets, verdict_table.as_ref())?;
    let http = vault_http(request.config.passportal.base_url.as_str(), &outbound)?;
    let code = request.one_time_code.as_deref();
    let (session, _) =
        PersonSession::sign_in(&http, &request.email, &request.password, code).await?;
    let setup = Setup {
        request: &request,
        secrets: &secrets,
        outbound: &outbound,
        verdict_table: verdict_table.as_ref(),
        session: &session,
    };
    let result = setup.enrol(&entry).await;
    // The session was for this only; a failure to end it changes nothing that was done.
    if let Err(error) = session.sign_out().await {
        tracing::debug!(%error, "the setup session could not be ended");
    }
    result
}
