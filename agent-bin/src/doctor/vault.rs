//! The vault's side: is the client enrolled, does the vault answer, do its envelopes open?

use std::sync::Arc;

use passportal_client::Onlooker;
use sync_engine::model::VaultChanges;
use sync_engine::ports::{CredentialVault as _, Wait};

use super::Check;
use crate::config::{ClientConfig, Config};
use crate::instance;
use crate::outbound::Outbound;
use crate::secrets::{Enrolment, Kept, SecretFiles};
use crate::wiring::{self, WiringError};

/// Adds what was found; what the vault holds, if it could be read.
pub(super) async fn examine(
    config: &Config,
    client: &ClientConfig,
    outbound: &Outbound,
    checks: &mut Vec<Check>,
) -> Option<VaultChanges> {
    let secrets = SecretFiles::beside(&config.state.url);
    let enrolment = match enrolment(config, client, &secrets) {
        Ok(enrolment) => enrolment,
        Err(error) => {
            checks.push(Check::failed("enrolment", &error));
            checks.push(Check::skipped("vault", "the client is not enrolled here"));
            return None;
        }
    };
    let folder = secrets.folder().display();
    checks.push(Check::fine("enrolment", format!("in {folder}")));
    match read(config, client, &secrets, &enrolment, outbound).await {
        Ok(stored) => {
            checks.extend(contents(config, &stored));
            Some(stored)
        }
        Err(check) => {
            checks.push(check);
            None
        }
    }
}

fn enrolment(
    config: &Config,
    client: &ClientConfig,
    secrets: &SecretFiles,
) -> Result<Enrolment, WiringError> {
    let found = secrets.load_enrolment(&client.name)?;
    found.ok_or_else(|| WiringError::NotEnrolled {
        client: client.name.clone(),
        folder: secrets.folder().to_owned(),
        kept: Kept::of(&config.state.url),
    })
}

async fn read(
    config: &Config,
    client: &ClientConfig,
    secrets: &SecretFiles,
    enrolment: &Enrolment,
    outbound: &Outbound,
) -> Result<VaultChanges, Check> {
    let instance = instance::of(&config.state.url);
    let vault = wiring::vault(config, client, secrets, enrolment, instance, outbound)
        .map_err(|error| Check::failed("vault", &error))?;
    let onlooker = Onlooker::new(Arc::new(vault));
    let read = onlooker.changes(None, Wait::No).await;
    read.map_err(|error| Check::failed("vault", &error))
}

fn contents(config: &Config, stored: &VaultChanges) -> Vec<Check> {
    let url = &config.passportal.base_url;
    let count = stored.credentials.len();
    let passwords = if count == 1 { "password" } else { "passwords" };
    let mut checks = vec![Check::fine(
        "vault",
        format!("{count} {passwords} at {url}"),
    )];
    let closed = stored.credentials.iter().filter(|it| it.facts.is_none());
    let closed = closed.count();
    if closed > 0 {
        checks.push(Check::fault(
            "envelopes",
            format!("{closed} of {count} stored passwords do not open with this client's key"),
            "type these passwords into the vault again",
        ));
    }
    checks
}
