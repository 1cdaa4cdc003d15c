//! The contract of the engine's memory, kept by `SQLite` on a disk and in memory.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use state_store::{SqliteStore, StateDatabase};
use sync_engine::model::ClientId;
use uuid::Uuid;

const CLIENT: ClientId = ClientId(Uuid::from_u128(1));

mod in_memory {
    use super::*;

    async fn store() -> (SqliteStore, ()) {
        let database = StateDatabase::in_memory().await.unwrap();
        (database.client(CLIENT), ())
    }

    sync_engine::state_store_contract!(store());
}

mod on_disk {
    use super::*;

    async fn store() -> (SqliteStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("state.db").display());
        let database = StateDatabase::open(&url).await.unwrap();
        (database.client(CLIENT), folder)
    }

    sync_engine::state_store_contract!(store());
}
