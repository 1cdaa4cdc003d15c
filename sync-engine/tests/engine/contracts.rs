//! The fakes keep the contracts of their ports.

use std::future::{Ready, ready};
use std::sync::Arc;

use jiff::Timestamp;
use sync_engine::model::SyncMode;
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock, MemoryStore};

mod state_store {
    use super::{MemoryStore, Ready, ready};

    fn store() -> Ready<(MemoryStore, ())> {
        ready((MemoryStore::default(), ()))
    }

    sync_engine::state_store_contract!(store());
}

mod credential_vault {
    use super::{FakeVault, Ready, SyncMode, ready};

    fn vault() -> Ready<(FakeVault, ())> {
        let vault = FakeVault::new("Contoso");
        vault.add("anna@contoso.com", "Contract-1st", SyncMode::Enabled);
        ready((vault, ()))
    }

    sync_engine::credential_vault_contract!(vault());
}

mod directory {
    use super::{Arc, FakeDirectory, ManualClock, Ready, Timestamp, ready};

    fn directory() -> Ready<(FakeDirectory, ())> {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let directory = FakeDirectory::new("contoso.com", Arc::new(clock));
        directory.add("anna@contoso.com", "Contract-1st");
        ready((directory, ()))
    }

    sync_engine::directory_contract!(directory());
}
