//! The client that is to be enrolled: which one it is, whether its key opens, and whether its agent could do its work.

use msgraph_sync::Preflight;
use passportal_client::envelope::{DataKey, OrganizationKey};
use passportal_client::wire::{Client, MicrosoftSync, SyncMode};
use secrecy::{ExposeSecret, SecretString};

use super::SetupError;
use crate::config::ClientConfig;

/// A client whose passwords are only reported on needs an agent that reads.
pub(crate) fn refuse_the_powerless(
    preflight: &Preflight,
    client: &Client,
    wanted: &ClientConfig,
) -> Result<(), SetupError> {
    if client.default_mode == SyncMode::ReportMismatches {
        return Ok(());
    }
    let mut findings = preflight.findings.iter();
    match findings.find(|finding| finding.forbids_writes()) {
        Some(finding) => Err(SetupError::Powerless {
            tenant: wanted.microsoft.tenant.to_string(),
            finding: finding.clone(),
        }),
        None => Ok(()),
    }
}

pub(crate) fn choose(clients: &[Client], wanted: &str) -> Result<Client, SetupError> {
    let is_wanted = |client: &&Client| {
        client.name.eq_ignore_ascii_case(wanted) || client.id.to_string() == wanted
    };
    let on = |client: &&Client| client.sync == MicrosoftSync::EntraId;
    match clients.iter().find(is_wanted) {
        Some(client) if on(&client) => Ok(client.clone()),
        Some(client) => Err(SetupError::SyncIsOff {
            client: client.name.clone(),
        }),
        None => Err(SetupError::UnknownClient {
            client: wanted.to_owned(),
            known: clients
                .iter()
                .filter(on)
                .map(|it| it.name.clone())
                .collect(),
        }),
    }
}

/// Argon2id takes a while, on purpose: it runs beside the others.
pub(crate) async fn open_data_key(
    key: &SecretString,
    client: &Client,
) -> Result<DataKey, SetupError> {
    let key = OrganizationKey::new(key.expose_secret());
    let wrapped = client.key.clone();
    let opened = tokio::task::spawn_blocking(move || {
        let kek = key.derive(&wrapped.parameters)?;
        DataKey::unwrap(&kek, &wrapped)
    });
    opened.await?.map_err(SetupError::OrganizationKey)
}
