//! How long an account is left alone after an answer that says nothing, or that says "locked".

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::SyncMode::{Enabled, Off, ReportMismatches};
use sync_engine::model::{
    CredentialId, CredentialMemory, Outcome, RememberedVerdict, SignIn, UnknownReason,
};
use sync_engine::ports::{Clock, StateStore};

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World};

/// The clock of these tests jitters by as much as it may: a quarter.
const FIRST_PAUSE: Duration = Duration::from_millis(37_500);
const LONGEST_PAUSE: Duration = Duration::from_mins(75);

async fn memory(world: &World, id: CredentialId) -> CredentialMemory {
    let mut memory = world.store.load().await.unwrap();
    memory.credentials.remove(&id).unwrap()
}

async fn verdict(world: &World, id: CredentialId) -> RememberedVerdict {
    memory(world, id).await.verdict.unwrap()
}

/// How long the account is left alone after a cycle.
async fn pause(world: &mut World, id: CredentialId) -> Duration {
    world.cycle().await;
    let known = verdict(world, id).await;
    let until = known.next_try.unwrap();
    until.duration_since(known.at).unsigned_abs()
}

#[tokio::test]
async fn each_further_answer_that_says_nothing_doubles_the_pause_up_to_an_hour() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    let throttled = Some(UnknownReason::Throttled);
    world.directory.answer_sign_ins_with(throttled);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        pauses.push(pause(&mut world, anna).await);
        world.clock.advance(2 * HOUR);
    }
    let doubled: Vec<_> = (0..7).map(|times| FIRST_PAUSE * (1 << times)).collect();
    assert_eq!(pauses[..7], doubled);
    assert_eq!(pauses[7..], [LONGEST_PAUSE; 2]);
}

#[tokio::test]
async fn the_pauses_begin_anew_after_an_answer_that_said_something() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, OLD, OLD);
    world.cycle().await;
    world.foreign_change(account, FOREIGN);
    let throttled = Some(UnknownReason::Throttled);
    world.directory.answer_sign_ins_with(throttled);
    assert_eq!(pause(&mut world, anna).await, FIRST_PAUSE);
}

#[tokio::test]
async fn the_service_may_ask_for_a_longer_pause() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    let retry_at = world.clock.now() + 3 * HOUR;
    world.directory.answer_sign_ins(Some(SignIn {
        retry_at: Some(retry_at),
        ..SignIn::unknown(UnknownReason::Throttled)
    }));
    world.cycle().await;
    assert_eq!(verdict(&world, anna).await.next_try, Some(retry_at));
}

#[tokio::test]
async fn an_answer_that_says_nothing_but_may_have_been_counted_is_not_asked_for_again() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    world.directory.answer_sign_ins(Some(SignIn {
        counted: true,
        ..SignIn::unknown(UnknownReason::Unavailable)
    }));
    let interrupted = Outcome::Unknown(UnknownReason::Interrupted);
    assert_eq!(world.outcome(anna).await, interrupted);
    world.clock.advance(50 * HOUR);
    assert_eq!(world.outcome(anna).await, interrupted);
    assert_eq!(world.directory.sign_ins(), 1);
}

#[tokio::test]
async fn a_locked_account_rests_for_an_hour_and_then_for_a_day_also_where_the_answer_was_counted() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    world.directory.answer_sign_ins(Some(SignIn {
        counted: true,
        ..SignIn::unknown(UnknownReason::Locked)
    }));
    assert_eq!(pause(&mut world, anna).await, HOUR);
    let known = memory(&world, anna).await;
    assert_eq!(known.paused_until, known.verdict.unwrap().next_try);
    // Another version, because the same one is not tested twice.
    world.vault.set_password(anna, FOREIGN);
    world.clock.advance(HOUR);
    assert_eq!(pause(&mut world, anna).await, 24 * HOUR);
}

async fn tenant_pause(world: &World) -> Option<Timestamp> {
    let memory = world.store.load().await.unwrap();
    memory.client.verification_paused_until
}

#[tokio::test]
async fn locked_answers_an_hour_apart_do_not_pause_the_tenant() {
    for (apart, pauses) in [(59 * MINUTE, true), (HOUR, false)] {
        let mut world = World::new();
        let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
        world.directory.lock(account);
        world.cycle().await;
        let first = world.clock.now();
        world.vault.set_mode(anna, Off);
        let ben = world.directory.add("ben@contoso.com", OLD);
        world.directory.lock(ben);
        world.vault.add("ben@contoso.com", NEW, ReportMismatches);
        // The cycle itself turns the clock by a second.
        world.clock.set(first + apart - Duration::from_secs(1));
        world.cycle().await;
        assert_eq!(world.directory.sign_ins(), 2);
        assert_eq!(tenant_pause(&world).await.is_some(), pauses, "{apart:?}");
    }
}

#[tokio::test]
async fn the_tenants_pause_is_over_at_its_end() {
    let mut world = World::new();
    for name in ["anna", "ben"] {
        let account = world.directory.add(&format!("{name}@contoso.com"), OLD);
        world
            .vault
            .add(&format!("{name}@contoso.com"), NEW, ReportMismatches);
        world.directory.lock(account);
    }
    world.cycle().await;
    let until = tenant_pause(&world).await.unwrap();
    world.directory.add("carl@contoso.com", NEW);
    let carl = world.vault.add("carl@contoso.com", NEW, ReportMismatches);
    let locked = Outcome::Unknown(UnknownReason::Locked);
    for (before, outcome) in [(2, locked), (1, Outcome::Matched)] {
        // The cycle itself turns the clock by a second.
        world.clock.set(until - Duration::from_secs(before));
        assert_eq!(world.outcome(carl).await, outcome);
    }
}

#[tokio::test]
async fn a_wrong_password_soon_after_a_write_is_asked_for_again_when_every_replica_knows_it() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    let written = memory(&world, anna).await.written.unwrap().at;
    let known = written + world.policy.replication_grace;
    world.clock.advance(MINUTE / 2);
    world.directory.change_password(account, FOREIGN);
    for (at, outcome) in [
        (known - MINUTE, Outcome::Unknown(UnknownReason::Replicating)),
        (known, Outcome::Pushed),
    ] {
        world.clock.set(at - Duration::from_secs(1));
        assert_eq!(world.outcome(anna).await, outcome);
    }
}

#[tokio::test]
async fn a_cycle_tells_when_time_alone_may_change_the_plan() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    let throttled = Some(UnknownReason::Throttled);
    world.directory.answer_sign_ins_with(throttled);
    let report = world.cycle().await;
    let next_try = verdict(&world, anna).await.next_try;
    assert_eq!(report.next_due, next_try);
    assert!(next_try.is_some_and(|at| at > world.clock.now()));
}
