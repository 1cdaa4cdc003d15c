//! Many credentials at once, all or nothing.

use std::collections::BTreeSet;

use passportal_client::wire::{Import, Imported, ImportedCredential, ImportedUpdate};
use sqlx::SqliteConnection;

use super::person_vault::Place;
use super::{Act, PersonVault, VaultError, audit, credentials, passwords};

impl PersonVault<'_> {
    /// Stores and changes credentials in one transaction: the first that is refused undoes all.
    pub(crate) async fn import(&self, import: &Import) -> Result<Imported, VaultError> {
        let place = Place::Organization;
        let mut transaction = self.write_at(Act::Import, place).await?;
        if import.new.len() + import.updates.len() > Import::MOST {
            return Err(VaultError::Refused(format!(
                "an import has at most {} credentials; split it",
                Import::MOST
            )));
        }
        let mut clients = BTreeSet::new();
        for new in &import.new {
            self.add(&mut transaction, new).await?;
            clients.insert(new.client);
        }
        for update in &import.updates {
            self.update(&mut transaction, update).await?;
            clients.insert(credentials::one(&mut transaction, update.id).await?.client);
        }
        let (added, updated) = (import.new.len(), import.updates.len());
        let what = format!("imported {added} credentials and updated {updated}");
        let subject = self.organization().id.to_string();
        audit::write(&mut transaction, &self.actor(), &what, &subject).await?;
        transaction.commit().await?;
        for client in clients {
            self.wake(client);
        }
        Ok(Imported { added, updated })
    }

    async fn add(
        &self,
        transaction: &mut SqliteConnection,
        new: &ImportedCredential,
    ) -> Result<(), VaultError> {
        let place = Place::Client(new.client);
        self.require(transaction, Act::Import, place).await?;
        if new.credential.own_mode.is_some() {
            self.require(transaction, Act::SetUpSync, place).await?;
        }
        credentials::add(transaction, &self.actor(), new.client, &new.credential).await
    }

    async fn update(
        &self,
        transaction: &mut SqliteConnection,
        update: &ImportedUpdate,
    ) -> Result<(), VaultError> {
        let place = Place::Credential(update.id);
        self.require(transaction, Act::Import, place).await?;
        for act in credentials::acts(&update.patch) {
            self.require(transaction, act, place).await?;
        }
        let actor = self.actor();
        if let Some(password) = &update.password {
            passwords::set(transaction, &actor, update.id, password).await?;
        }
        if !update.patch.is_empty() {
            credentials::change(transaction, &actor, update.id, &update.patch).await?;
        }
        Ok(())
    }
}
