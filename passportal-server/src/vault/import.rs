//! Many credentials at once, all or nothing.

use std::collections::BTreeSet;

use passportal_client::wire::{Import, Imported, ImportedCredential, ImportedUpdate};
use sqlx::SqliteConnection;

use super::person_vault::{Member, Place};
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
        let now = self.now(&mut transaction).await?;
        let mut clients = BTreeSet::new();
        for new in &import.new {
            add(&mut transaction, &now, new).await?;
            clients.insert(new.client);
        }
        for changed in &import.updates {
            update(&mut transaction, &now, changed).await?;
            clients.insert(credentials::one(&mut transaction, changed.id).await?.client);
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
}

async fn add(
    transaction: &mut SqliteConnection,
    member: &Member,
    new: &ImportedCredential,
) -> Result<(), VaultError> {
    let place = Place::Client(new.client);
    member.require(transaction, Act::Import, place).await?;
    if new.credential.own_mode.is_some() {
        member.require(transaction, Act::SetUpSync, place).await?;
    }
    credentials::add(transaction, &member.actor(), new.client, &new.credential).await
}

async fn update(
    transaction: &mut SqliteConnection,
    member: &Member,
    update: &ImportedUpdate,
) -> Result<(), VaultError> {
    let place = Place::Credential(update.id);
    member.require(transaction, Act::Import, place).await?;
    for act in credentials::acts(&update.patch) {
        member.require(transaction, act, place).await?;
    }
    let actor = member.actor();
    if let Some(password) = &update.password {
        passwords::set(transaction, &actor, update.id, password).await?;
    }
    if !update.patch.is_empty() {
        credentials::change(transaction, &actor, update.id, &update.patch).await?;
    }
    Ok(())
}
