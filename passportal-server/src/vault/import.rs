//! Many credentials at once, all or nothing.

use std::collections::BTreeSet;

use passportal_client::wire::{Import, Imported};

use super::{Actor, Vault, VaultError, audit, credentials, passwords};

impl Vault {
    /// Stores and changes credentials in one transaction: the first that is refused undoes all.
    pub(crate) async fn import(
        &self,
        actor: &Actor,
        import: &Import,
    ) -> Result<Imported, VaultError> {
        if import.new.len() + import.updates.len() > Import::MOST {
            return Err(VaultError::Refused(format!(
                "an import has at most {} credentials; split it",
                Import::MOST
            )));
        }
        let mut transaction = self.database.write().await?;
        let mut clients = BTreeSet::new();
        for new in &import.new {
            credentials::add(&mut transaction, actor, new.client, &new.credential).await?;
            clients.insert(new.client);
        }
        for update in &import.updates {
            if let Some(password) = &update.password {
                passwords::set(&mut transaction, actor, update.id, password).await?;
            }
            if !update.patch.is_empty() {
                credentials::change(&mut transaction, actor, update.id, &update.patch).await?;
            }
            clients.insert(credentials::one(&mut transaction, update.id).await?.client);
        }
        let (added, updated) = (import.new.len(), import.updates.len());
        let what = format!("imported {added} credentials and updated {updated}");
        let subject = self.organization.id.to_string();
        audit::write(&mut transaction, actor, &what, &subject).await?;
        transaction.commit().await?;
        for client in clients {
            self.wakeups.wake(client);
        }
        Ok(Imported { added, updated })
    }
}
