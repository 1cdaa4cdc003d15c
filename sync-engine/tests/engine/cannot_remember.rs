//! An engine that cannot remember does nothing.

use crate::world::{FOREIGN, HOUR, NEW, OLD, World};
use sync_engine::EngineError;
use sync_engine::model::{Outcome, SyncMode, UnknownReason};

#[tokio::test]
async fn a_store_that_fails_stops_sign_ins_and_writes() {
    let mut world = World::new();
    world.anna(SyncMode::Enabled, NEW, OLD);
    world.store.fail_writes();
    for _ in 0..3 {
        let error = world.try_cycle().await.unwrap_err();
        assert!(matches!(error, EngineError::Store(_)));
        world.clock.advance(HOUR);
    }
    assert_eq!(world.touched(), (0, 0));
    assert!(world.vault.reports().is_empty());
}

#[tokio::test]
async fn a_store_that_fails_before_a_write_stops_it() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let before = world.touched();
    world.store.fail_writes();
    for _ in 0..3 {
        world.try_cycle().await.unwrap_err();
    }
    assert_eq!(world.touched(), before);
    world.store.mend_writes();
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn what_could_not_be_made_durable_is_not_believed() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_mode(anna, SyncMode::ReportMismatches);
    world.store.fail_writes();
    world.try_cycle().await.unwrap_err();
    // The mode was seen but not kept: the engine and its store must not differ on that, or a
    // restart would forget that a person changed it back.
    world.store.mend_writes();
    world.cycle().await;
    world.restart();
    world.vault.set_mode(anna, SyncMode::Enabled);
    world.foreign_change(account, FOREIGN);
    let impossible = Some(UnknownReason::NotPermitted);
    world.directory.answer_sign_ins_with(impossible);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}
