//! The vault's epoch: which history the agents' cursors and memories belong to.

use uuid::Uuid;

use super::{Actor, VaultError, audit, invitations};
use crate::database::Database;

/// Begins a new history, for a vault that was restored: agents meet it for the first time, and an invitation that was
/// accepted since the backup is not good again.
pub(crate) async fn begin_epoch(database: &Database, actor: &Actor) -> Result<(), VaultError> {
    let mut transaction = database.write().await?;
    sqlx::query("UPDATE organization SET epoch = ?")
        .bind(Uuid::new_v4().to_string())
        .execute(&mut *transaction)
        .await?;
    invitations::end_all(&mut transaction).await?;
    audit::write(
        &mut transaction,
        actor,
        "restored the vault from a backup",
        "",
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}
