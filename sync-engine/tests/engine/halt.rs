//! A request to stop: what is in flight is finished, and nothing further is begun.

use crate::world::{HOUR, NEW, OLD, StopAtFirstStep, World};
use sync_engine::model::{Outcome, StepKind};
use sync_engine::plan::Policy;
use sync_engine::ports::Wait;

#[tokio::test]
async fn a_halt_finishes_the_batch_in_flight_and_begins_no_other() {
    let mut world = World::with(Policy {
        breaker_minimum: 100,
        ..Policy::default()
    });
    let users = world.users(25, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    world.clock.advance(HOUR);
    let observer = StopAtFirstStep(world.engine.halt());
    let report = world.engine.cycle(Wait::No, &observer).await.unwrap();
    assert_eq!(world.directory.writes(), 20);
    assert_eq!(report.done(StepKind::Push), 20);
    // All twenty are settled and told; the other five are no news.
    assert_eq!(world.told_pushed(), 20);
    let told = world.last_told(users[24].0);
    assert_eq!(
        told.map(|it| it.1),
        Some(Outcome::Matched),
        "as it was told before"
    );
    world.restart();
    world.cycle().await;
    assert_eq!(world.directory.writes(), 25);
    assert_eq!(world.told_pushed(), 25);
}

#[tokio::test]
async fn a_halt_between_check_and_write_writes_nothing() {
    let mut world = World::new();
    let (anna, account) = world.anna(sync_engine::model::SyncMode::Enabled, NEW, OLD);
    let observer = StopAtFirstStep(world.engine.halt());
    world.engine.cycle(Wait::No, &observer).await.unwrap();
    assert_eq!(world.touched(), (0, 1));
    assert_eq!(world.last_told(anna), None);
    world.restart();
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert_eq!(world.touched(), (1, 1));
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_halted_engine_begins_nothing() {
    let mut world = World::new();
    world.users(3, NEW, OLD);
    world.engine.halt().request();
    world.cycle().await;
    assert_eq!(world.touched(), (0, 0));
}
