//! Where nothing changed, nothing is said and nothing is written.

use std::time::Duration;

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World};
use sync_engine::model::{FlagKind, Outcome, SyncMode};
use sync_engine::plan::Policy;
use sync_engine::testing::VaultCall;

/// Cycles that have nothing to do leave no trace.
async fn is_quiet(world: &mut World) {
    let before = (
        world.touched(),
        world.store.writes(),
        world.vault.reports().len(),
        world.journal_length().await,
    );
    for _ in 0..3 {
        world.clock.advance(Duration::from_secs(45));
        world.cycle().await;
    }
    let after = (
        world.touched(),
        world.store.writes(),
        world.vault.reports().len(),
        world.journal_length().await,
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_second_cycle_says_and_writes_nothing() {
    let mut world = World::new();
    world.anna(SyncMode::Enabled, NEW, OLD);
    world.user("ben", SyncMode::ReportMismatches, NEW, OLD);
    world.user("carl", SyncMode::Off, NEW, OLD);
    world
        .vault
        .add("nobody@contoso.com", NEW, SyncMode::Enabled);
    world.cycle().await;
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn held_and_locked_accounts_are_quiet() {
    let mut world = World::without_verification();
    world.anna(SyncMode::Enabled, NEW, OLD);
    world.cycle().await;
    is_quiet(&mut world).await;

    let mut world = World::new();
    let (_, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    world.directory.lock(account);
    world.cycle().await;
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn a_held_mass_change_is_quiet() {
    let mut world = World::with(Policy {
        breaker_minimum: 1,
        ..Policy::default()
    });
    world.users(3, NEW, OLD);
    world.cycle().await;
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn reading_everything_again_is_quiet_too() {
    let mut world = World::new();
    world.anna(SyncMode::Enabled, NEW, OLD);
    world.cycle().await;
    world.engine.await_change(MINUTE).await.unwrap();
    world.engine.read_all_next();
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn a_restart_is_quiet() {
    let mut world = World::new();
    world.anna(SyncMode::Enabled, NEW, OLD);
    world.cycle().await;
    world.restart();
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn a_report_that_the_vault_did_not_take_is_sent_again_and_once_only() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::ReportMismatches, NEW, OLD);
    world.vault.fail(VaultCall::Report);
    world.try_cycle().await.unwrap_err();
    assert!(world.vault.reports().is_empty());
    world.restart();
    world.clock.advance(MINUTE);
    world.vault.mend();
    world.cycle().await;
    assert_eq!(world.vault.reports().len(), 1);
    assert_eq!(world.flags(anna), [FlagKind::AdChange]);
    is_quiet(&mut world).await;
}

#[tokio::test]
async fn a_long_time_later_the_outcome_is_still_the_same() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::Enabled, OLD, OLD);
    world.cycle().await;
    let reports = world.vault.reports().len();
    for _ in 0..30 {
        world.clock.advance(24 * HOUR);
        assert_eq!(world.outcome(anna).await, Outcome::Matched);
    }
    assert_eq!(world.vault.reports().len(), reports);
    assert_eq!(world.touched(), (0, 1));
}

#[tokio::test]
async fn a_flag_that_a_person_took_down_is_not_told_again_until_its_fact_changes() {
    let mut world = World::new();
    let (credential, account) = world.anna(SyncMode::ReportMismatches, OLD, FOREIGN);
    world.cycle().await;
    world.vault.clear(credential, FlagKind::AdChange);
    let told = world.vault.reports().len();
    for _ in 0..3 {
        world.restart();
        world.cycle().await;
    }
    assert_eq!(world.vault.reports().len(), told);
    assert!(world.flags(credential).is_empty());
    world.foreign_change(account, NEW);
    world.cycle().await;
    assert_eq!(world.flags(credential), [FlagKind::AdChange]);
}
