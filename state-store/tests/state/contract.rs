//! The contract of the engine's memory, kept by a file, by a state in memory and by a server.

use crate::samples::ALICE;
use state_store::{ClientStore, StateDatabase};

mod in_memory {
    use super::*;

    async fn store() -> (ClientStore, ()) {
        let database = StateDatabase::in_memory().await.unwrap();
        (database.client(ALICE), ())
    }

    sync_engine::state_store_contract!(store());
}

mod in_a_file {
    use super::*;

    async fn store() -> (ClientStore, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = state_store::file_url(&folder.path().join("state.db"));
        let database = StateDatabase::open(&url).await.unwrap();
        (database.client(ALICE), folder)
    }

    sync_engine::state_store_contract!(store());
}

mod on_a_server {
    use super::*;
    use crate::server::{self, TestDatabase};

    async fn store(server: TestDatabase) -> (ClientStore, TestDatabase) {
        let database = server.open().await.unwrap();
        (database.client(ALICE), server)
    }

    sync_engine::state_store_contract!({
        let Some(server) = server::database().await else {
            return;
        };
        store(server)
    });
}
