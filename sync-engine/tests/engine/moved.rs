//! What a reading moves in the plan: no more than it names, and everything where it tells of the whole.

use sync_engine::model::*;
use sync_engine::plan::{Inputs, Moved, Planner};
use sync_engine::ports::{Clock, CredentialVault, Directory, StateStore, Wait};

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

#[tokio::test]
async fn an_account_moves_whoever_knows_its_id_and_whoever_has_its_old_or_new_name() {
    let world = World::new();
    let (_, account) = world.anna(SyncMode::Enabled, OLD, OLD);
    let full = world.directory.changes(None).await.unwrap();
    let view = DirectoryView::new(full.clone(), world.directory.domains().await.unwrap());
    world.directory.change_password(account, FOREIGN);
    let changed = world.directory.changes(Some(&full.link)).await.unwrap();
    let mut renamed = changed.clone();
    renamed.accounts[0].user_name = UserPrincipalName::new("renamed@contoso.com");
    let unknown = DirectoryChanges {
        accounts: Vec::new(),
        removed: vec![ObjectId(uuid::Uuid::from_u128(7))],
        ..changed.clone()
    };
    assert_ne!(
        Moved::in_directory(&view, &changed),
        Moved::in_directory(&view, &renamed)
    );
    assert_ne!(Moved::in_directory(&view, &unknown), Moved::default());
}

#[tokio::test]
async fn where_everything_moved_nothing_is_left_of_a_credential_that_nobody_knows_any_more() {
    let world = World::new();
    let (anna, _) = world.anna(SyncMode::Enabled, OLD, OLD);
    let (ben, _) = world.user("ben", SyncMode::Enabled, OLD, OLD);
    let mut vault = VaultView::new(world.vault.changes(None, Wait::No).await.unwrap());
    let accounts = world.directory.changes(None).await.unwrap();
    let directory = DirectoryView::new(accounts, world.directory.domains().await.unwrap());
    let memory = world.store.load().await.unwrap();
    let mut planner = Planner::default();
    let mut in_plan = |vault: &VaultView| -> Vec<CredentialId> {
        planner.mark(Moved::everything());
        planner.replan(Inputs {
            vault,
            directory: &directory,
            memory: &memory,
            policy: &world.policy,
            now: world.clock.now(),
        });
        let whole = planner.whole(&world.policy).decisions;
        whole.iter().map(|it| it.credential).collect()
    };
    assert_eq!(in_plan(&vault).len(), 2);
    vault.credentials.remove(&ben);
    assert_eq!(in_plan(&vault), [anna]);
}
