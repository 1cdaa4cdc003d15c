//! Forgets what nobody can need any more.

use jiff::{SignedDuration, Timestamp};

use super::{Vault, VaultError, words};

/// How long it is kept after its last use could have been.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Vault {
    /// Drops what is over for longer than 30 days: the ids of reports, which no agent sends again;
    /// tokens; and the heads of plans that expired without a word.
    pub(crate) async fn prune(&self) -> Result<(), VaultError> {
        let before = words::time(Timestamp::now() - KEPT);
        let mut transaction = self.database.write().await?;
        for statement in [
            "DELETE FROM reports WHERE taken < ?1",
            "DELETE FROM tokens WHERE expires < ?1 OR revoked < ?1",
            "DELETE FROM plans WHERE ended < ?1 AND ruling IS NULL AND agent_ruling IS NULL",
        ] {
            sqlx::query(statement)
                .bind(&before)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
