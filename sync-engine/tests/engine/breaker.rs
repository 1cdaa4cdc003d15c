//! The mass-change breaker: too many writes within an hour are held, all of them.

use std::time::Duration;

use crate::world::{HOUR, MINUTE, NEW, OLD, World, row_of};
use sync_engine::model::{
    CredentialId, FlagKind, HeldReason, ObjectId, Outcome, StepKind, SyncMode,
};
use sync_engine::ports::Clock;
use sync_engine::testing::Fault;

const HELD: Outcome = Outcome::Held(HeldReason::MassChange);

/// So many users whose passwords are known to agree.
async fn in_step(count: usize) -> (World, Vec<(CredentialId, ObjectId)>) {
    let mut world = World::new();
    let users = world.users(count, OLD, OLD);
    world.cycle().await;
    world.clock.advance(2 * HOUR);
    (world, users)
}

fn change(world: &World, users: &[(CredentialId, ObjectId)]) {
    for (credential, _) in users {
        world.vault.set_password(*credential, NEW);
    }
}

#[tokio::test]
async fn ten_writes_pass() {
    let (mut world, users) = in_step(10).await;
    change(&world, &users);
    assert_eq!(world.cycle().await.done(StepKind::Push), 10);
    assert_eq!(world.directory.writes(), 10);
}

#[tokio::test]
async fn eleven_writes_are_held_all_of_them_and_nothing_is_said_to_be_pushed() {
    let (mut world, users) = in_step(11).await;
    change(&world, &users);
    for _ in 0..3 {
        let report = world.cycle().await;
        assert_eq!(report.flagged(FlagKind::Held), 11);
        assert_eq!(report.done(StepKind::Push), 0);
        assert!(report.rows.iter().all(|row| row.outcome == HELD));
    }
    assert_eq!(world.directory.writes(), 0);
    assert_eq!(world.told_pushed(), 0);
    assert_eq!(world.flags(users[0].0), [FlagKind::Held]);
    let held = world.waiting_plan().await.unwrap();
    assert_eq!(held.writes.len(), 11);
}

#[tokio::test]
async fn a_fifth_of_many_accounts_passes_and_one_more_does_not() {
    let (mut world, users) = in_step(60).await;
    change(&world, &users[..12]);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 12);

    let (mut world, users) = in_step(60).await;
    change(&world, &users[..13]);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn writes_that_drip_are_held_once_the_hour_is_full() {
    let (mut world, users) = in_step(20).await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.directory.writes(), 10);
}

#[tokio::test]
async fn a_restart_does_not_open_the_breaker() {
    let (mut world, users) = in_step(20).await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
        world.restart();
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.directory.writes(), 10);
}

#[tokio::test]
async fn the_hour_rolls() {
    // A cycle begins a second later: just within the hour, and just when it is over.
    for (seconds, writes) in [(3598, 10), (3599, 20)] {
        let (mut world, users) = in_step(20).await;
        change(&world, &users[..10]);
        world.cycle().await;
        world.clock.advance(Duration::from_secs(seconds));
        change(&world, &users[10..]);
        world.cycle().await;
        assert_eq!(world.directory.writes(), writes);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_right_does_not_open_the_breaker() {
    let (mut world, users) = in_step(20).await;
    let right = world.clock.now();
    world.clock.advance(3 * HOUR);
    change(&world, &users[..10]);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 10);
    world.clock.set(right + MINUTE);
    change(&world, &users[10..]);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 10);
    assert_eq!(world.waiting_plan().await.unwrap().writes.len(), 10);
}

#[tokio::test]
async fn mismatches_at_first_contact_are_held_too() {
    let mut world = World::new();
    let users = world.users(11, NEW, OLD);
    let report = world.cycle().await;
    assert!(report.rows.iter().all(|row| row.outcome == HELD));
    let flags = world.flags(users[0].0);
    assert_eq!(flags, [FlagKind::AdChange, FlagKind::Held]);
    assert_eq!(world.touched(), (0, 11));
}

#[tokio::test]
async fn confirmed_writes_pass_one_by_one() {
    let (mut world, users) = in_step(12).await;
    change(&world, &users);
    world.cycle().await;
    let (confirmed, account) = users[3];
    world.confirm(confirmed);
    let report = world.cycle().await;
    assert_eq!(row_of(&report, confirmed).outcome, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(report.flagged(FlagKind::Held), 11);
    assert_eq!(world.directory.writes(), 1);
    assert_eq!(world.told_pushed(), 1);
}

#[tokio::test]
async fn the_held_plan_keeps_its_id_until_the_world_moves() {
    let (mut world, users) = in_step(12).await;
    change(&world, &users);
    world.cycle().await;
    let first = world.waiting_plan().await.unwrap();
    world.cycle().await;
    world.restart();
    world.cycle().await;
    let same = world.waiting_plan().await.unwrap();
    assert_eq!(first, same);
    world.vault.set_password(users[0].0, "Yet-another-1");
    world.cycle().await;
    let other = world.waiting_plan().await.unwrap();
    assert_ne!(first.id, other.id);
}

#[tokio::test]
async fn the_held_plan_goes_when_there_is_nothing_to_hold() {
    let (mut world, users) = in_step(11).await;
    change(&world, &users);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_mode(*credential, SyncMode::Off);
    }
    world.cycle().await;
    assert_eq!(world.waiting_plan().await, None);
    assert!(world.vault.shown_plans().is_empty());
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn what_waits_for_a_person_is_not_released_by_fewer_writes_or_a_later_hour() {
    let (mut world, users) = in_step(11).await;
    change(&world, &users);
    world.cycle().await;
    world
        .vault
        .set_standing(users[0].0, sync_engine::model::Standing::Disabled);
    world.cycle().await;
    world.clock.advance(2 * HOUR);
    world.cycle().await;
    assert_eq!(world.waiting_plan().await.unwrap().writes.len(), 10);
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn writes_that_were_put_off_do_not_fill_the_hour() {
    let (mut world, users) = in_step(12).await;
    change(&world, &users[..10]);
    for _ in 0..10 {
        world.directory.fault(Fault::NotNow(MINUTE));
    }
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
    world.clock.advance(2 * MINUTE);
    assert_eq!(world.cycle().await.done(StepKind::Push), 10);
}
