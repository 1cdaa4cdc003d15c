//! What a reading moves in the plan: no more than it names, and everything where it tells of the whole.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::time::Duration;

use sync_engine::model::*;
use sync_engine::plan::Moved;
use sync_engine::ports::{CredentialVault, Directory, StateStore, Wait};

use crate::world::{FOREIGN, NEW, OLD, World};

#[tokio::test]
async fn a_change_in_the_vault_moves_the_credentials_that_it_names_and_a_full_reading_everything() {
    let world = World::new();
    let (anna, _) = world.anna(SyncMode::Enabled, OLD, OLD);
    world.user("ben", SyncMode::Enabled, OLD, OLD);
    let full = world.vault.changes(None, Wait::No).await.unwrap();
    let view = VaultView::new(full.clone());
    world.vault.set_password(anna, NEW);
    let cursor = Some(&view.cursor);
    let changes = world.vault.changes(cursor, Wait::No).await.unwrap();
    assert_eq!(Moved::in_vault(&view, &changes), Moved::credentials([anna]));
    assert_eq!(Moved::in_vault(&view, &full), Moved::everything());
    let muted = VaultChanges {
        client: ClientSettings {
            mute: Mute::Muted,
            ..changes.client.clone()
        },
        ..changes.clone()
    };
    assert_eq!(Moved::in_vault(&view, &muted), Moved::everything());
    world.vault.restore_backup();
    let restored = VaultChanges {
        epoch: world.vault.changes(None, Wait::No).await.unwrap().epoch,
        ..changes
    };
    assert_eq!(Moved::in_vault(&view, &restored), Moved::everything());
}

#[tokio::test]
async fn a_full_reading_of_the_directory_moves_everything_and_a_change_does_not() {
    let world = World::new();
    let (_, account) = world.anna(SyncMode::Enabled, OLD, OLD);
    let full = world.directory.changes(None).await.unwrap();
    let view = DirectoryView::new(full.clone(), world.directory.domains().await.unwrap());
    assert_eq!(Moved::in_directory(&view, &full), Moved::everything());
    world.directory.change_password(account, FOREIGN);
    let changes = world.directory.changes(Some(&full.link)).await.unwrap();
    let moved = Moved::in_directory(&view, &changes);
    assert_ne!(moved, Moved::everything());
    assert_ne!(moved, Moved::default());
}

/// The account has another name by then: its id alone leads to the credential that wrote to it.
#[tokio::test]
async fn a_stamp_of_an_account_that_was_renamed_settles_the_write_to_it() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.directory.lag(Duration::from_secs(90));
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    world.directory.change(account, |account| {
        account.user_name = UserPrincipalName::new("renamed@contoso.com");
    });
    world.cycle().await;
    assert!(pending(&world, anna).await.is_some());
    world.clock.advance(Duration::from_secs(95));
    world.cycle().await;
    assert_eq!(pending(&world, anna).await, None);
}

async fn pending(world: &World, id: CredentialId) -> Option<PendingWrite> {
    let memory = world.store.load().await.unwrap();
    memory.credentials.get(&id)?.pending.clone()
}
