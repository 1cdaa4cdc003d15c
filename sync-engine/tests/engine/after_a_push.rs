//! What the engine believes of a write: its new stamp, or a sign-in test, or nothing.

use std::time::Duration;

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World};
use sync_engine::model::{
    CredentialId, HeldReason, ObjectId, Outcome, Standing, StepKind, SyncMode, UnknownReason,
    Verdict, WriteAnswer,
};
use sync_engine::plan::{Action, PauseReason, Policy};
use sync_engine::ports::{Clock, StateStore};
use sync_engine::testing::{Fault, VaultCall};

const SWITCHED_OFF: Outcome = Outcome::Held(HeldReason::Unverifiable(UnknownReason::SwitchedOff));

/// Anna's password changed in the vault, and everything is as it should be before the write.
async fn about_to_push() -> (World, CredentialId, ObjectId) {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    (world, anna, account)
}

/// The same, where no sign-in test can be made.
async fn about_to_push_unverifiably() -> (World, CredentialId, ObjectId) {
    let mut world = World::without_verification();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    (world, anna, account)
}

#[tokio::test]
async fn a_write_is_settled_by_its_stamp_without_a_sign_in() {
    let (mut world, anna, _) = about_to_push().await;
    let sign_ins = world.directory.sign_ins();
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Pushed);
    assert_eq!(row.verdict, Some(Verdict::Match));
    for _ in 0..3 {
        world.clock.advance(HOUR);
        world.cycle().await;
    }
    assert_eq!(world.touched(), (1, sign_ins));
}

#[tokio::test]
async fn a_write_tells_how_long_after_the_vaults_change_it_was_taken() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password_at(anna, NEW, world.clock.now());
    world.clock.advance(MINUTE);
    let wrote = world.row(anna).await.wrote.unwrap();
    assert_eq!(wrote.answer, WriteAnswer::Accepted);
    // The world's cycle takes a second more.
    assert_eq!(wrote.after_change, Some(MINUTE + Duration::from_secs(1)));
}

#[tokio::test]
async fn a_write_that_no_change_of_the_vault_asked_for_tells_no_such_time() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password_at(anna, OLD, world.clock.now());
    world.cycle().await;
    world.foreign_change(account, FOREIGN);
    let wrote = world.row(anna).await.wrote.unwrap();
    assert_eq!(wrote.answer, WriteAnswer::Accepted);
    assert_eq!(wrote.after_change, None);
}

#[tokio::test]
async fn a_write_is_unsettled_and_not_repeated_while_its_stamp_lags() {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.lag(Duration::from_secs(90));
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Unsettled);
    assert!(matches!(&row.action, Action::Wait(pause) if pause.why == PauseReason::Unsettled));
    assert_eq!(world.told_pushed(), 0);
    world.clock.advance(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    world.clock.advance(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert_eq!(world.touched(), (1, 1));
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_stamp_that_lags_longer_than_the_grace_is_settled_by_a_sign_in() {
    let (mut world, anna, _) = about_to_push().await;
    world.directory.lag(2 * HOUR);
    world.cycle().await;
    world.clock.advance(3 * MINUTE);
    let row = world.row(anna).await;
    assert_eq!(
        (row.outcome, row.tested),
        (Outcome::Matched, Some(Verdict::Match))
    );
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_stamp_that_lags_longer_than_the_grace_is_held_where_nobody_can_check() {
    let (mut world, anna, _) = about_to_push_unverifiably().await;
    world.directory.lag(2 * HOUR);
    world.cycle().await;
    for _ in 0..10 {
        world.clock.advance(3 * MINUTE);
        assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    }
    assert_eq!(world.touched(), (1, 0));
}

#[tokio::test]
async fn an_account_without_a_stamp_is_not_written_again_and_again() {
    let (mut world, anna, account) = about_to_push_unverifiably().await;
    world.directory.lag(100 * HOUR);
    world.directory.change(account, |it| it.stamp = None);
    for _ in 0..10 {
        world.cycle().await;
        world.clock.advance(3 * MINUTE);
    }
    assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_wrong_password_answer_within_the_grace_is_replicating() {
    let (mut world, anna, account) = about_to_push().await;
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    world.clock.advance(Duration::from_secs(30));
    world.directory.change_password(account, FOREIGN);
    world.clock.advance(Duration::from_secs(30));
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Replicating));
    assert_eq!(world.touched(), (1, 1));
    world.clock.advance(2 * MINUTE);
    let row = world.row(anna).await;
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert_eq!(row.outcome, Outcome::Pushed);
}

#[tokio::test]
async fn a_mismatch_soon_after_our_write_raises_no_flag() {
    let (mut world, anna, account) = about_to_push().await;
    world.policy(Policy {
        recheck: Duration::from_secs(10),
        ..Policy::default()
    });
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    world.vault.set_mode(anna, SyncMode::ReportMismatches);
    // A replica that does not know the new password yet answers the re-check.
    world.directory.lag(HOUR);
    world.directory.change_password(account, OLD);
    world.clock.advance(Duration::from_secs(20));
    let row = world.row(anna).await;
    let replicating = UnknownReason::Replicating;
    assert_eq!(row.tested, Some(Verdict::Unknown(replicating)));
    assert_eq!(row.outcome, Outcome::Unknown(replicating));
    assert!(world.flags(anna).is_empty());
    // It is asked again as soon as the write is everywhere, and not before.
    let memory = world.store.load().await.unwrap();
    let known = &memory.credentials[&anna];
    let everywhere = known.written.unwrap().at + 2 * MINUTE;
    assert_eq!(known.verdict.as_ref().unwrap().next_try, Some(everywhere));
}

#[tokio::test]
async fn a_new_version_in_report_mode_waits_for_our_own_write_to_spread() {
    let (mut world, anna, _) = about_to_push().await;
    world.cycle().await;
    world.vault.set_mode(anna, SyncMode::ReportMismatches);
    world.vault.set_password(anna, FOREIGN);
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Replicating));
    world.clock.advance(3 * MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Mismatched);
}

#[tokio::test]
async fn a_lost_answer_after_the_effect_is_settled_by_a_sign_in_and_not_repeated() {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.fault(Fault::LostAfter);
    for _ in 0..10 {
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 1);
    assert_eq!(world.directory.failed(account), 0);
}

#[tokio::test]
async fn a_lost_answer_before_the_effect_is_checked_before_it_is_written_again() {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.fault(Fault::LostBefore);
    let row = world.row(anna).await;
    assert_eq!((row.outcome, row.done), (Outcome::Unsettled, None));
    world.clock.advance(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    assert_eq!(world.touched(), (0, 1));
    world.clock.advance(MINUTE);
    // The request may have lasted for half a minute, and what it did spreads for two.
    let replicating = Outcome::Unknown(UnknownReason::Replicating);
    assert_eq!(world.outcome(anna).await, replicating);
    world.clock.advance(MINUTE);
    let row = world.row(anna).await;
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert_eq!(row.outcome, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.touched(), (1, 2));
}

#[tokio::test]
async fn a_lost_answer_is_held_where_nobody_can_check() {
    for (fault, writes) in [(Fault::LostBefore, 0), (Fault::LostAfter, 1)] {
        let (mut world, anna, _) = about_to_push_unverifiably().await;
        world.directory.fault(fault);
        for _ in 0..10 {
            world.cycle().await;
            world.clock.advance(MINUTE);
        }
        assert_eq!(world.outcome(anna).await, SWITCHED_OFF, "{fault:?}");
        assert_eq!(world.touched(), (writes, 0), "{fault:?}");
        assert_eq!(world.told_pushed(), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_persons_word_does_not_repeat_a_lost_write_by_itself() {
    let mut world = World::without_verification();
    let (anna, _) = world.anna(SyncMode::Enabled, NEW, OLD);
    world.cycle().await;
    world.confirm(anna);
    world.directory.fault(Fault::LostAfter);
    for _ in 0..10 {
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_foreign_change_right_after_ours_is_not_taken_for_ours() {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.lag(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    world.clock.advance(Duration::from_secs(20));
    world.directory.lag(Duration::ZERO);
    world.directory.change_password(account, FOREIGN);
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Replicating));
    assert_eq!(world.told_pushed(), 0);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_foreign_change_right_after_ours_is_held_where_nobody_can_check() {
    let (mut world, anna, account) = about_to_push_unverifiably().await;
    world.directory.lag(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    world.clock.advance(Duration::from_secs(20));
    world.directory.lag(Duration::ZERO);
    world.directory.change_password(account, FOREIGN);
    assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    assert!(world.directory.has_password(account, FOREIGN));
    assert_eq!(world.told_pushed(), 0);
}

#[tokio::test]
async fn a_newer_version_waits_until_the_write_before_it_is_settled() {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.lag(MINUTE);
    world.cycle().await;
    world.vault.set_password(anna, FOREIGN);
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    assert_eq!(world.directory.writes(), 1);
    world.directory.lag(Duration::ZERO);
    world.clock.advance(MINUTE);
    let row = world.row(anna).await;
    assert_eq!(
        (row.outcome, row.done),
        (Outcome::Pushed, Some(StepKind::Push))
    );
    assert!(world.directory.has_password(account, FOREIGN));
}

#[tokio::test]
async fn a_restart_before_the_stamp_is_seen_writes_nothing() {
    let (mut world, anna, _) = about_to_push().await;
    world.directory.lag(MINUTE);
    world.cycle().await;
    world.restart();
    assert_eq!(world.outcome(anna).await, Outcome::Unsettled);
    world.clock.advance(MINUTE);
    world.restart();
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert_eq!(world.touched(), (1, 1));
}

#[tokio::test]
async fn a_restart_after_a_lost_answer_writes_nothing() {
    let (mut world, anna, _) = about_to_push().await;
    world.directory.fault(Fault::LostAfter);
    world.cycle().await;
    for _ in 0..5 {
        world.restart();
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn an_agent_that_died_after_its_write_does_not_repeat_it() {
    let (mut world, anna, account) = about_to_push().await;
    // The outcome cannot be told nor kept: all that remains is the intent.
    world.directory.lag(MINUTE);
    world.directory.fault(Fault::LostAfter);
    world.cycle().await;
    world.restart();
    for _ in 0..5 {
        world.clock.advance(MINUTE);
        world.cycle().await;
    }
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_lost_memory_writes_nothing_where_the_passwords_agree() {
    let (mut world, anna, _) = about_to_push().await;
    world.cycle().await;
    world.clock.advance(HOUR);
    world.lose_state();
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_lost_memory_is_held_where_nobody_can_check() {
    let (mut world, anna, _) = about_to_push_unverifiably().await;
    world.cycle().await;
    world.clock.advance(HOUR);
    world.lose_state();
    for _ in 0..3 {
        assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    }
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_lost_memory_does_not_act_on_a_persons_word_of_before() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    world.cycle().await;
    world.confirm(anna);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    world.foreign_change(account, FOREIGN);
    world.lose_state();
    assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    assert!(world.directory.has_password(account, FOREIGN));
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_restored_vault_is_first_contact() {
    let (mut world, anna, account) = about_to_push().await;
    world.cycle().await;
    world.clock.advance(HOUR);
    // The backup holds other passwords under the versions that are known.
    world.vault.set_password(anna, OLD);
    world.vault.restore_backup();
    let row = world.row(anna).await;
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert!(world.directory.has_password(account, OLD));

    let (mut world, anna, account) = about_to_push_unverifiably().await;
    world.cycle().await;
    world.clock.advance(HOUR);
    world.vault.set_password(anna, OLD);
    world.vault.restore_backup();
    assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_write_of_before_a_restored_backup_says_nothing_of_the_new_epoch() {
    let (mut world, anna, _) = about_to_push_unverifiably().await;
    world.directory.lag(MINUTE);
    world.cycle().await;
    world.vault.restore_backup();
    for _ in 0..5 {
        world.clock.advance(MINUTE);
        assert_eq!(world.outcome(anna).await, SWITCHED_OFF);
    }
    assert_eq!(world.touched(), (1, 0));
}

#[tokio::test]
async fn a_restored_vault_is_told_everything_again() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let reports = world.vault.reports().len();
    world.vault.restore_backup();
    world.cycle().await;
    assert_eq!(world.vault.reports().len(), reports + 1);
    assert_eq!(world.last_told(anna).unwrap().1, Outcome::Matched);
}

#[tokio::test]
async fn a_password_that_the_vault_does_not_hand_out_is_not_done() {
    let (mut world, anna, account) = about_to_push().await;
    world.vault.fail(VaultCall::Password);
    let row = world.row(anna).await;
    assert_eq!((row.outcome, row.done), (Outcome::Failed, None));
    world.vault.mend();
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_is_set_right_delays_no_check() {
    let mut world = World::new();
    let (credential, account) = world.anna_in_step().await;
    let right = world.clock.now();
    world.clock.advance(9 * HOUR);
    world.vault.set_password(credential, NEW);
    world.cycle().await;
    world.clock.set(right + HOUR);
    world.foreign_change(account, FOREIGN);
    world.cycle().await;
    world.clock.advance(3 * MINUTE);
    assert_eq!(world.outcome(credential).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn after_a_repeated_write_the_grace_begins_anew() {
    let (mut world, anna, account) = about_to_push().await;
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    world.foreign_change(account, FOREIGN);
    world.directory.fault(Fault::LostAfter);
    world.cycle().await;
    assert!(world.directory.has_password(account, NEW));
    let sign_ins = world.directory.sign_ins();
    let replicating = Outcome::Unknown(UnknownReason::Replicating);
    assert_eq!(world.outcome(anna).await, replicating);
    assert_eq!(world.directory.sign_ins(), sign_ins);
    world.clock.advance(3 * MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
}

/// Anna's credential was disabled right after its write, and another one takes its place.
async fn replaced_in_mid_write(lag: Duration) -> (World, CredentialId, ObjectId) {
    let (mut world, anna, account) = about_to_push().await;
    world.directory.lag(lag);
    world.cycle().await;
    world.vault.set_standing(anna, Standing::Disabled);
    let other = world
        .vault
        .add("anna@contoso.com", FOREIGN, SyncMode::Enabled);
    (world, other, account)
}

#[tokio::test]
async fn a_write_that_is_not_settled_holds_up_every_credential_of_the_account() {
    let (mut world, other, account) = replaced_in_mid_write(Duration::from_secs(90)).await;
    let touched = world.touched();
    assert_eq!(world.outcome(other).await, Outcome::Unsettled);
    assert_eq!(world.touched(), touched);
    world.directory.lag(Duration::ZERO);
    world.clock.advance(5 * MINUTE);
    assert_eq!(world.outcome(other).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, FOREIGN));
}

#[tokio::test]
async fn a_write_that_is_still_spreading_delays_the_test_of_every_credential_of_the_account() {
    let (mut world, other, _) = replaced_in_mid_write(Duration::ZERO).await;
    let touched = world.touched();
    let replicating = Outcome::Unknown(UnknownReason::Replicating);
    assert_eq!(world.outcome(other).await, replicating);
    assert_eq!(world.touched(), touched);
    world.clock.advance(3 * MINUTE);
    assert_eq!(world.outcome(other).await, Outcome::Pushed);
}

#[tokio::test]
async fn a_test_that_says_nothing_takes_nothing_away_from_an_agreement_and_is_not_told_as_one() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::ReportMismatches, OLD, OLD);
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    world.clock.advance(8 * 24 * HOUR);
    let refuses = Some(UnknownReason::NotPermitted);
    world.directory.answer_sign_ins_with(refuses);
    world.cycle().await;
    world.vault.set_mode(anna, SyncMode::Enabled);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Matched);
    assert_eq!(
        row.why,
        "vault and account agreed on this password, and neither changed since"
    );
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_may_have_taken_effect_late_and_spreads_from_then_on() {
    let (mut world, anna, _) = about_to_push().await;
    world.directory.lag(MINUTE);
    world.directory.fault(Fault::LostAfter);
    world.cycle().await;
    let sent = world.clock.now();
    let memory = world.store.load().await.unwrap();
    assert_eq!(memory.credentials[&anna].written, None);
    // Seen a minute later: it took effect within its time-out of half a minute.
    world.clock.advance(MINUTE);
    world.cycle().await;
    let memory = world.store.load().await.unwrap();
    let written = memory.credentials[&anna].written.unwrap().at;
    assert_eq!(written, sent + world.policy.write_timeout);
}
