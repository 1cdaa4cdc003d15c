//! Seals the rows of an import, in memory.

use std::collections::BTreeMap;

use passportal_client::credential_table::{Decision, new_credential, update};
use passportal_client::envelope::DataKey;
use passportal_client::wire::{Client, Import, ImportedCredential};
use serde::Deserialize;
use uuid::Uuid;

use super::session::Session;
use super::signed_in::SignedIn;
use crate::vault::VaultError;

/// For the audit trail.
const COMPARED: &str = "opened the secrets to compare them with an import";

/// What becomes of credentials that are there already.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Existing {
    Skip,
    Update,
}

/// The import that a decision stands for.
pub(super) async fn sealed(
    session: &SignedIn,
    clients: &[Client],
    decision: &Decision<'_>,
    existing: Existing,
) -> Result<Import, VaultError> {
    let mut keys = Keys {
        session,
        clients,
        opened: BTreeMap::new(),
    };
    let mut import = Import::default();
    for (row, client) in &decision.new {
        let credential = new_credential(keys.of(*client)?, row);
        import.new.push(ImportedCredential {
            client: *client,
            credential,
        });
    }
    if existing == Existing::Skip {
        return Ok(import);
    }
    for (row, credential) in &decision.existing {
        let key = keys.of(credential.client)?;
        let secrets = session
            .vault()
            .sealed_secrets(credential.id, COMPARED)
            .await?;
        let update = update(key, row, credential, &secrets);
        if update.password.is_some() || !update.patch.is_empty() {
            import.updates.push(update);
        }
    }
    Ok(import)
}

/// The data keys of clients, each opened once.
struct Keys<'a> {
    session: &'a Session,
    clients: &'a [Client],
    opened: BTreeMap<Uuid, DataKey>,
}

impl Keys<'_> {
    fn of(&mut self, client: Uuid) -> Result<&DataKey, VaultError> {
        if !self.opened.contains_key(&client) {
            let found = self.clients.iter().find(|it| it.id == client);
            let found = found.ok_or(VaultError::NotFound { what: "client" })?;
            let key = DataKey::unwrap(&self.session.kek, &found.key)
                .map_err(|error| VaultError::Refused(error.to_string()))?;
            self.opened.insert(client, key);
        }
        let key = self.opened.get(&client);
        key.ok_or(VaultError::NotFound { what: "client" })
    }
}
