//! What a person says about a held plan: exactly its writes are made, or exactly they are not.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use crate::world::{HOUR, MINUTE, NEW, OLD, World, row_of};
use sync_engine::RulingError;
use sync_engine::model::{
    AccountAccess, CredentialId, FlagKind, HeldReason, MicrosoftSync, Mute, ObjectId, Outcome,
    Phase, PlanId, StepKind, SyncMode, UnknownReason,
};
use sync_engine::plan::{Action, HeldPlan, PlanRuling, PlanStanding, Ruling, Word};
use sync_engine::ports::{Clock, StateStore};
use sync_engine::testing::{Fault, VaultCall};

const ADA: &str = "ada@msp.example";
const THIRD: &str = "Autumn-2027!";

type Users = Vec<(CredentialId, ObjectId)>;

/// Twelve users whose passwords a person has typed anew, and the plan that waits for it.
async fn held() -> (World, Users, PlanId) {
    let mut world = World::new();
    let users = world.users(12, OLD, OLD);
    world.cycle().await;
    world.clock.advance(2 * HOUR);
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    world.cycle().await;
    let plan = world.waiting_plan().await.unwrap().id;
    (world, users, plan)
}

fn said(world: &World, plan: PlanId, ruling: Ruling) -> PlanRuling {
    PlanRuling {
        plan,
        ruling,
        word: Word {
            by: ADA.to_owned(),
            at: world.clock.now(),
        },
    }
}

async fn rule(world: &mut World, plan: PlanId, what: Ruling) -> Result<(), RulingError> {
    let ruling = said(world, plan, what);
    world.engine.rule(&ruling).await.map(|_| ())
}

#[tokio::test]
async fn an_approved_plan_is_carried_out_whole_and_then_forgotten() {
    let (mut world, users, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    let report = world.cycle().await;
    assert_eq!(report.done(StepKind::Push), 12);
    assert_eq!(report.flagged(FlagKind::Held), 0);
    for (_, account) in &users {
        assert!(world.directory.has_password(*account, NEW));
    }
    world.cycle().await;
    assert!(world.store.load().await.unwrap().plans.is_empty());
    assert!(world.vault.shown_plans().is_empty());
    assert_eq!(world.directory.writes(), 12);
}

#[tokio::test]
async fn the_journal_says_who_approved() {
    let (mut world, _, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.cycle().await;
    let journal = world.store.journal(None, u32::MAX).await.unwrap();
    let intents: Vec<_> = journal
        .iter()
        .filter(|it| (it.step, it.phase) == (StepKind::Push, Phase::Intent))
        .collect();
    assert_eq!(intents.len(), 12);
    assert!(intents.iter().all(|it| it.by.as_deref() == Some(ADA)));
}

#[tokio::test]
async fn people_see_the_plan_in_the_vault_and_approve_it_there() {
    let (mut world, _, plan) = held().await;
    let shown = world.vault.shown_plans();
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].id, shown[0].writes.len()), (plan, 12));
    world.vault.rule(said(&world, plan, Ruling::Approve));
    assert_eq!(world.cycle().await.done(StepKind::Push), 12);
}

#[tokio::test]
async fn a_word_that_was_said_here_is_shown_in_the_vault_also_when_it_is_carried_out_at_once() {
    let (mut world, _, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.cycle().await;
    let shown = world.vault.every_showing();
    let approved = |plans: &Vec<HeldPlan>| {
        let standings = plans.iter().map(|it| &it.standing);
        standings
            .into_iter()
            .any(|it| matches!(it, PlanStanding::Approved(_)))
    };
    assert!(shown.iter().any(approved));
    assert_eq!(shown.last().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_plan_that_could_not_be_shown_is_shown_later() {
    let mut world = World::new();
    world.users(11, NEW, OLD);
    world.vault.fail(VaultCall::ShowPlans);
    world.try_cycle().await.unwrap_err();
    world.vault.mend();
    world.cycle().await;
    assert_eq!(world.vault.shown_plans().len(), 1);
}

#[tokio::test]
async fn a_rejected_plan_is_never_carried_out_and_its_writes_do_not_fill_the_hour() {
    let (mut world, users, plan) = held().await;
    rule(&mut world, plan, Ruling::Reject).await.unwrap();
    for _ in 0..3 {
        let report = world.cycle().await;
        let held = Outcome::Held(HeldReason::Rejected);
        assert!(report.rows.iter().all(|row| row.outcome == held));
        world.clock.advance(2 * HOUR);
    }
    assert_eq!(world.waiting_plan().await, None);
    assert_eq!(world.directory.writes(), 0);
    // Another version is another write.
    world.vault.set_password(users[0].0, THIRD);
    world.cycle().await;
    assert!(world.directory.has_password(users[0].1, THIRD));
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_person_may_still_confirm_one_write_of_a_rejected_plan() {
    let (mut world, users, plan) = held().await;
    rule(&mut world, plan, Ruling::Reject).await.unwrap();
    world.cycle().await;
    world.confirm(users[3].0);
    let report = world.cycle().await;
    assert_eq!(row_of(&report, users[3].0).outcome, Outcome::Pushed);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_plan_expires_when_the_world_has_moved() {
    let (mut world, users, plan) = held().await;
    world.vault.set_password(users[0].0, THIRD);
    world.cycle().await;
    let waiting = world.waiting_plan().await.unwrap().id;
    let refused = rule(&mut world, plan, Ruling::Approve).await.unwrap_err();
    let RulingError::Expired { waiting: told, .. } = refused else {
        panic!("expected the plan to have expired, got {refused}");
    };
    assert_eq!(told, Some(waiting));
    world.vault.rule(said(&world, plan, Ruling::Approve));
    world.cycle().await;
    // The one that was typed anew is a single write; the others go on waiting.
    assert_eq!(world.directory.writes(), 1);
    assert_eq!(world.waiting_plan().await.unwrap().writes.len(), 11);
}

#[tokio::test]
async fn what_moved_after_the_approval_is_not_covered_by_it() {
    let (mut world, users, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    for (credential, _) in &users[..11] {
        world.vault.set_password(*credential, THIRD);
    }
    world.cycle().await;
    assert_eq!(world.directory.writes(), 1);
    assert_eq!(world.waiting_plan().await.unwrap().writes.len(), 11);
}

#[tokio::test]
async fn an_approval_lasts_over_a_restart_and_until_each_write_is_made() {
    let (mut world, users, plan) = held().await;
    for _ in 0..12 {
        world.directory.fault(Fault::NotNow(MINUTE));
    }
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
    world.restart();
    world.clock.advance(2 * MINUTE);
    assert_eq!(world.cycle().await.done(StepKind::Push), 12);
    assert!(world.directory.has_password(users[11].1, NEW));
}

#[tokio::test]
async fn approved_writes_do_not_use_up_the_hour() {
    let (mut world, users, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.cycle().await;
    world.cycle().await;
    for (credential, _) in &users[..10] {
        world.vault.set_password(*credential, THIRD);
    }
    assert_eq!(world.cycle().await.done(StepKind::Push), 10);
}

#[tokio::test]
async fn a_plan_is_ruled_on_once() {
    let (mut world, _, plan) = held().await;
    rule(&mut world, plan, Ruling::Reject).await.unwrap();
    let refused = rule(&mut world, plan, Ruling::Approve).await.unwrap_err();
    assert!(matches!(refused, RulingError::AlreadyRuled { .. }));
    world.vault.rule(said(&world, plan, Ruling::Approve));
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn a_word_that_cannot_be_remembered_does_not_count() {
    let (mut world, _, plan) = held().await;
    world.store.fail_writes();
    let refused = rule(&mut world, plan, Ruling::Approve).await.unwrap_err();
    assert!(matches!(refused, RulingError::Store(_)));
    world.store.mend_writes();
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
    let plans = world.engine.plans().await.unwrap();
    assert_eq!(plans[0].standing, PlanStanding::Waiting);
}

#[tokio::test]
async fn a_restored_vault_ends_every_plan() {
    let (mut world, _, plan) = held().await;
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.vault.restore_backup();
    world.cycle().await;
    assert!(
        world
            .store
            .load()
            .await
            .unwrap()
            .plans
            .values()
            .all(|it| it.id != plan)
    );
}

/// Eighteen accounts that cannot be tested, told so in two halves nine hours apart, and switched to
/// Enabled: all of their writes wait as one plan.
async fn held_without_a_test() -> (World, PlanId) {
    let mut world = World::new();
    let refuses = Some(UnknownReason::NotPermitted);
    world.directory.answer_sign_ins_with(refuses);
    let mut users = Vec::new();
    for half in ["early", "late"] {
        for number in 0..9 {
            let name = format!("{half}{number}");
            users.push(world.user(&name, SyncMode::ReportMismatches, NEW, OLD));
        }
        world.cycle().await;
    }
    for (credential, _) in &users {
        world.vault.set_mode(*credential, SyncMode::Enabled);
    }
    world.cycle().await;
    let plan = world.waiting_plan().await.unwrap();
    assert_eq!(plan.writes.len(), 18);
    (world, plan.id)
}

#[tokio::test]
async fn what_waits_goes_on_waiting_while_some_of_it_is_checked_again() {
    let (mut world, plan) = held_without_a_test().await;
    let tested = world.directory.sign_ins();
    // A day after its last answer the first half is asked again.
    world.clock.advance(15 * HOUR);
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), tested + 9);
    for _ in 0..3 {
        world.cycle().await;
        assert_eq!(world.waiting_plan().await.map(|it| it.id), Some(plan));
    }
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn what_waits_goes_on_waiting_while_its_account_cannot_be_touched() {
    let (mut world, users, plan) = held().await;
    for access in [AccountAccess::Disabled, AccountAccess::Enabled] {
        for (_, account) in &users[..9] {
            world.directory.change(*account, |it| it.access = access);
        }
        world.cycle().await;
        assert_eq!(world.waiting_plan().await.map(|it| it.id), Some(plan));
    }
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn what_waits_goes_on_waiting_while_its_client_is_switched_off() {
    let (mut world, users, plan) = held().await;
    // So few are left that the breaker alone would let them pass.
    for (credential, _) in &users[5..] {
        world
            .vault
            .set_mode(*credential, SyncMode::ReportMismatches);
    }
    world.cycle().await;
    let left = world.waiting_plan().await.unwrap();
    assert_ne!(left.id, plan);
    assert_eq!(left.writes.len(), 5);
    for mute in [Mute::Muted, Mute::Unmuted] {
        world.vault.set_mute(mute);
        world.cycle().await;
        assert_eq!(world.waiting_plan().await.map(|it| it.id), Some(left.id));
    }
    for sync in [MicrosoftSync::None, MicrosoftSync::EntraId] {
        world.vault.set_sync(sync);
        world.cycle().await;
        assert_eq!(world.waiting_plan().await.map(|it| it.id), Some(left.id));
    }
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn a_plan_that_was_approved_while_its_client_is_muted_is_carried_out_after_it() {
    let (mut world, _, plan) = held().await;
    world.vault.set_mute(Mute::Muted);
    rule(&mut world, plan, Ruling::Approve).await.unwrap();
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
    world.vault.set_mute(Mute::Unmuted);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 12);
}

#[tokio::test]
async fn what_a_check_finds_right_waits_no_longer() {
    let (mut world, plan) = held_without_a_test().await;
    for number in 0..9 {
        let name = format!("early{number}@contoso.com");
        let account = world.directory.find(&name).unwrap();
        world.directory.change_password(account, NEW);
    }
    world.directory.answer_sign_ins_with(None);
    world.cycle().await;
    let left = world.waiting_plan().await.unwrap();
    assert_ne!(left.id, plan);
    assert_eq!(left.writes.len(), 9);
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn a_word_whose_keeping_is_in_doubt_is_read_again() {
    let (mut world, _, plan) = held().await;
    world.store.lose_answers();
    let refused = rule(&mut world, plan, Ruling::Approve).await.unwrap_err();
    assert!(matches!(refused, RulingError::Store(_)));
    world.store.mend_writes();
    let plans = world.engine.plans().await.unwrap();
    assert!(matches!(plans[0].standing, PlanStanding::Approved(_)));
}

#[tokio::test]
async fn a_preview_takes_the_words_of_people_into_account() {
    let (mut world, _, plan) = held().await;
    world.vault.rule(said(&world, plan, Ruling::Approve));
    let report = world.engine.preview().await.unwrap();
    let pushes = |row: &&sync_engine::Row| matches!(row.action, Action::Push(_));
    assert_eq!(report.rows.iter().filter(pushes).count(), 12);
    assert_eq!(world.directory.writes(), 0);
}
