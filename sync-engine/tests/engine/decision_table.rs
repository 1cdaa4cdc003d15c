//! The decision table of the design, row by row, through whole cycles.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::time::Duration;

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World};
use sync_engine::model::{
    AccountAccess, AccountKind, BlockedReason, CredentialId, DomainKind, FlagKind, HeldReason,
    Mastered, MicrosoftSync, Mute, ObjectId, Outcome, PolicyRefusal, Standing, StepKind, SyncMode,
    UnknownReason, UserPrincipalName, Verdict,
};
use sync_engine::plan::{Action, PauseReason, Policy, Verification};
use sync_engine::ports::StateStore;
use sync_engine::testing::Fault;

use SyncMode::{Enabled, ReportMismatches};

// Not processed.

/// A world in which `AD change` stands on Anna's credential.
async fn flagged() -> (World, CredentialId, ObjectId) {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    assert_eq!(world.flags(anna), [FlagKind::AdChange]);
    (world, anna, account)
}

#[tokio::test]
async fn muting_the_client_clears_every_flag_and_stops_everything() {
    let (mut world, anna, account) = flagged().await;
    world.vault.set_mute(Mute::Muted);
    world.foreign_change(account, FOREIGN);
    let before = world.touched();
    assert_eq!(world.outcome(anna).await, Outcome::Ignored);
    assert!(world.flags(anna).is_empty());
    assert_eq!(world.touched(), before);
}

#[tokio::test]
async fn microsoft_sync_none_clears_every_flag() {
    let (mut world, anna, _) = flagged().await;
    world.vault.set_sync(MicrosoftSync::None);
    assert_eq!(world.outcome(anna).await, Outcome::Ignored);
    assert!(world.flags(anna).is_empty());
}

#[tokio::test]
async fn mode_off_clears_every_flag() {
    let (mut world, anna, _) = flagged().await;
    world.vault.set_mode(anna, SyncMode::Off);
    assert_eq!(world.outcome(anna).await, Outcome::Ignored);
    assert!(world.flags(anna).is_empty());
}

#[tokio::test]
async fn disabling_the_credential_clears_every_flag() {
    let (mut world, anna, _) = flagged().await;
    world.vault.set_standing(anna, Standing::Disabled);
    assert_eq!(world.outcome(anna).await, Outcome::Ignored);
    assert!(world.flags(anna).is_empty());
}

#[tokio::test]
async fn a_credential_that_is_switched_off_is_not_reported_as_in_step() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_mode(anna, SyncMode::Off);
    assert_eq!(world.outcome(anna).await, Outcome::Ignored);
    let (_, told) = world.last_told(anna).unwrap();
    assert_eq!(told, Outcome::Ignored);
}

// Not ours.

/// The account is not ours for this reason: no write, no sign-in, no mismatch flag.
async fn is_left_alone(world: &mut World, reason: BlockedReason) {
    let report = world.cycle().await;
    let row = report.rows.first().unwrap();
    assert_eq!(row.outcome, Outcome::Blocked(reason));
    assert_eq!(row.flags.keys().collect::<Vec<_>>(), [&FlagKind::Blocked]);
    assert_eq!(world.flags(row.credential), [FlagKind::Blocked]);
    assert_eq!(world.touched(), (0, 0));
}

#[tokio::test]
async fn an_account_that_is_not_in_the_directory_is_blocked() {
    for mode in [Enabled, ReportMismatches] {
        let mut world = World::new();
        world.vault.add("nobody@contoso.com", NEW, mode);
        is_left_alone(&mut world, BlockedReason::NotInDirectory).await;
    }
}

#[tokio::test]
async fn a_guest_is_blocked() {
    for mode in [Enabled, ReportMismatches] {
        let mut world = World::new();
        let (_, account) = world.anna(mode, NEW, OLD);
        world
            .directory
            .change(account, |it| it.kind = AccountKind::Guest);
        is_left_alone(&mut world, BlockedReason::Guest).await;
    }
}

#[tokio::test]
async fn an_external_member_is_blocked_as_a_guest() {
    let mut world = World::new();
    let name = "anna_fabrikam.com#EXT#@contoso.com";
    world.directory.add(name, OLD);
    world.vault.add(name, NEW, Enabled);
    is_left_alone(&mut world, BlockedReason::Guest).await;
}

#[tokio::test]
async fn a_disabled_account_is_blocked() {
    for mode in [Enabled, ReportMismatches] {
        let mut world = World::new();
        let (_, account) = world.anna(mode, NEW, OLD);
        world
            .directory
            .change(account, |it| it.access = AccountAccess::Disabled);
        is_left_alone(&mut world, BlockedReason::AccountDisabled).await;
    }
}

#[tokio::test]
async fn an_account_synced_from_on_premises_is_blocked() {
    for mode in [Enabled, ReportMismatches] {
        let mut world = World::new();
        let (_, account) = world.anna(mode, NEW, OLD);
        world
            .directory
            .change(account, |it| it.mastered = Mastered::OnPremises);
        is_left_alone(&mut world, BlockedReason::OnPremises).await;
    }
}

#[tokio::test]
async fn an_account_of_a_federated_domain_is_blocked() {
    for mode in [Enabled, ReportMismatches] {
        let mut world = World::new();
        world
            .directory
            .set_domain("contoso.com", DomainKind::Federated);
        world.anna(mode, NEW, OLD);
        is_left_alone(&mut world, BlockedReason::Federated).await;
    }
}

#[tokio::test]
async fn a_mismatch_flag_does_not_survive_the_account() {
    let (mut world, anna, account) = flagged().await;
    world.directory.remove(account);
    world.cycle().await;
    assert_eq!(world.flags(anna), [FlagKind::Blocked]);
}

#[tokio::test]
async fn an_envelope_that_does_not_open_is_blocked() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.vault.spoil(anna);
    is_left_alone(&mut world, BlockedReason::Unreadable).await;
}

// Identity.

#[tokio::test]
async fn a_re_created_account_is_blocked_until_a_person_confirms() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.directory.change(account, |it| {
        it.user_name = UserPrincipalName::new("anna.old@contoso.com");
    });
    let other = world.directory.add("anna@contoso.com", FOREIGN);
    world.vault.set_password(anna, NEW);
    let before = world.touched();
    for _ in 0..3 {
        let outcome = world.outcome(anna).await;
        assert_eq!(outcome, Outcome::Blocked(BlockedReason::IdentityChanged));
    }
    assert_eq!(world.touched(), before);
    world.clock.advance(HOUR);
    world.confirm(anna);
    // First contact with the other account: checked, then written.
    let row = world.row(anna).await;
    assert_eq!(
        (row.tested, row.done),
        (Some(Verdict::Mismatch), Some(StepKind::Push))
    );
    assert!(world.directory.has_password(other, NEW));
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_person_s_word_of_before_does_not_accept_another_account() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world
        .directory
        .change(account, |it| it.access = AccountAccess::Disabled);
    world.cycle().await;
    world.confirm(anna);
    world.directory.remove(account);
    let other = world.directory.add("anna@contoso.com", FOREIGN);
    for _ in 0..3 {
        let outcome = world.outcome(anna).await;
        assert_eq!(outcome, Outcome::Blocked(BlockedReason::IdentityChanged));
    }
    assert!(world.directory.has_password(other, FOREIGN));
}

#[tokio::test]
async fn a_domain_that_was_federated_since_the_last_reading_is_not_touched() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    let before = world.touched();
    world
        .directory
        .set_domain("contoso.com", DomainKind::Federated);
    world.clock.advance(HOUR);
    world.directory.change_password(account, FOREIGN);
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Blocked(BlockedReason::Federated));
    assert_eq!(world.touched(), before);
}

#[tokio::test]
async fn a_renamed_account_is_blocked_as_absent() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.directory.change(account, |it| {
        it.user_name = UserPrincipalName::new("anna.new@contoso.com");
    });
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Blocked(BlockedReason::NotInDirectory));
}

#[tokio::test]
async fn duplicates_are_blocked_until_one_is_confirmed() {
    let mut world = World::new();
    let (first, account) = world.anna(Enabled, NEW, OLD);
    let second = world.vault.add("ANNA@contoso.com", FOREIGN, Enabled);
    let duplicate = Outcome::Blocked(BlockedReason::Duplicate);
    assert_eq!(world.outcome(first).await, duplicate);
    assert_eq!(world.outcome(second).await, duplicate);
    assert_eq!(world.touched(), (0, 0));
    world.confirm(second);
    assert_eq!(world.outcome(second).await, Outcome::Pushed);
    assert_eq!(world.outcome(first).await, duplicate);
    assert!(world.directory.has_password(account, FOREIGN));
}

#[tokio::test]
async fn the_newest_choice_among_duplicates_holds_and_the_passwords_never_alternate() {
    let mut world = World::with(Policy {
        max_failed_per_day: 9,
        ..Policy::default()
    });
    let (first, account) = world.anna(Enabled, OLD, OLD);
    let second = world.vault.add("anna@contoso.com", NEW, Enabled);
    world.cycle().await;
    world.confirm(first);
    assert_eq!(world.outcome(first).await, Outcome::Matched);
    world.confirm(second);
    assert_eq!(world.outcome(second).await, Outcome::Pushed);
    for _ in 0..5 {
        world.clock.advance(HOUR);
        let outcome = world.outcome(first).await;
        assert_eq!(outcome, Outcome::Blocked(BlockedReason::Duplicate));
        assert!(world.directory.has_password(account, NEW));
    }
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn a_choice_that_was_outdone_does_not_come_back() {
    let mut world = World::new();
    let (first, account) = world.anna(Enabled, OLD, OLD);
    let second = world.vault.add("anna@contoso.com", NEW, Enabled);
    world.cycle().await;
    world.confirm(first);
    world.confirm(second);
    for _ in 0..3 {
        world.cycle().await;
        assert!(world.directory.has_password(account, NEW));
    }
    let outcome = world.outcome(first).await;
    assert_eq!(outcome, Outcome::Blocked(BlockedReason::Duplicate));
    assert_eq!(world.directory.writes(), 1);
    // Nor once the engine knows only what it made durable.
    for _ in 0..3 {
        world.restart();
        world.cycle().await;
        assert!(world.directory.has_password(account, NEW));
    }
    assert_eq!(world.directory.writes(), 1);
}

#[tokio::test]
async fn an_older_word_for_a_credential_that_was_disabled_meanwhile_undoes_no_newer_choice() {
    let mut world = World::new();
    let (first, account) = world.anna(Enabled, OLD, OLD);
    let second = world.vault.add("anna@contoso.com", NEW, Enabled);
    world.cycle().await;
    world.vault.set_standing(second, Standing::Disabled);
    world.confirm(second);
    world.cycle().await;
    world.clock.advance(HOUR);
    world.confirm(first);
    assert_eq!(world.outcome(first).await, Outcome::Matched);
    world.vault.set_standing(second, Standing::Active);
    for _ in 0..3 {
        let outcome = world.outcome(second).await;
        assert_eq!(outcome, Outcome::Blocked(BlockedReason::Duplicate));
        assert_eq!(world.outcome(first).await, Outcome::Matched);
        world.restart();
    }
    assert!(world.directory.has_password(account, OLD));
    assert_eq!(world.directory.writes(), 0);
    // A newer one does.
    world.clock.advance(HOUR);
    world.confirm(second);
    assert_eq!(world.outcome(second).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

// Report mismatches.

#[tokio::test]
async fn report_mode_checks_once_for_each_version_and_stamp_and_never_writes() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    for _ in 0..3 {
        assert_eq!(world.outcome(anna).await, Outcome::Mismatched);
        world.clock.advance(HOUR);
    }
    assert_eq!(world.touched(), (0, 1));
    // The directory moves to the vault's password: a new stamp, one more check, no flag.
    world.foreign_change(account, NEW);
    for _ in 0..3 {
        assert_eq!(world.outcome(anna).await, Outcome::Matched);
    }
    assert_eq!(world.touched(), (0, 2));
    assert!(world.flags(anna).is_empty());
    // A new version in the vault: one more check, and the flag.
    world.vault.set_password(anna, FOREIGN);
    world.cycle().await;
    assert_eq!(world.flags(anna), [FlagKind::AdChange]);
    assert_eq!(world.touched(), (0, 3));
}

#[tokio::test]
async fn an_unknown_neither_raises_nor_clears_the_mismatch_flag() {
    let (mut world, anna, account) = flagged().await;
    let unknown = Some(UnknownReason::NotPermitted);
    world.directory.answer_sign_ins_with(unknown);
    world.foreign_change(account, NEW);
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::NotPermitted));
    assert_eq!(world.flags(anna), [FlagKind::AdChange]);

    let mut world = World::new();
    world.directory.answer_sign_ins_with(unknown);
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    assert!(world.flags(anna).is_empty());
}

#[tokio::test]
async fn report_mode_checks_a_match_again_when_the_slow_re_check_is_due() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, NEW);
    world.cycle().await;
    world.clock.advance(Duration::from_hours(6 * 24));
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), 1);
    world.clock.advance(Duration::from_hours(24));
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.sign_ins(), 2);
}

#[tokio::test]
async fn report_mode_never_checks_a_mismatch_again_at_the_same_stamp() {
    let mut world = World::new();
    world.anna(ReportMismatches, NEW, OLD);
    for _ in 0..60 {
        world.cycle().await;
        world.clock.advance(Duration::from_hours(24));
    }
    assert_eq!(world.directory.sign_ins(), 1);
}

// Enabled.

#[tokio::test]
async fn a_vault_change_over_an_unmoved_stamp_is_pushed_without_a_sign_in() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    let sign_ins = world.directory.sign_ins();
    world.vault.set_password(anna, NEW);
    let row = world.row(anna).await;
    assert_eq!(
        (row.outcome, row.done),
        (Outcome::Pushed, Some(StepKind::Push))
    );
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.touched(), (1, sign_ins));
}

#[tokio::test]
async fn first_contact_is_checked_and_a_match_writes_nothing() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, OLD, OLD);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Matched);
    assert_eq!(
        (row.tested, row.done),
        (Some(Verdict::Match), Some(StepKind::Verify))
    );
    for _ in 0..3 {
        let row = world.row(anna).await;
        assert_eq!(
            (row.outcome, row.tested, row.done),
            (Outcome::Matched, None, None)
        );
    }
    assert_eq!(world.touched(), (0, 1));
}

#[tokio::test]
async fn a_mismatch_at_first_contact_is_pushed() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Pushed);
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert!(row.flags.is_empty());
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.touched(), (1, 1));
    let told = world.last_told(anna);
    assert_eq!(told.map(|it| it.1), Some(Outcome::Pushed));
}

#[tokio::test]
async fn a_foreign_change_is_checked_before_it_is_written_over() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.foreign_change(account, FOREIGN);
    let row = world.row(anna).await;
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert_eq!(row.outcome, Outcome::Pushed);
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_foreign_change_to_the_vaults_own_new_password_is_not_written_over() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.foreign_change(account, NEW);
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn three_foreign_overwrites_within_a_day_are_held() {
    let mut world = World::with(Policy {
        max_failed_per_day: 9,
        ..Policy::default()
    });
    let (anna, account) = world.anna_in_step().await;
    for _ in 0..3 {
        world.foreign_change(account, FOREIGN);
        assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    }
    world.foreign_change(account, FOREIGN);
    let held = Outcome::Held(HeldReason::ForeignOverwrites);
    assert_eq!(world.outcome(anna).await, held);
    assert_eq!(world.flags(anna), [FlagKind::AdChange, FlagKind::Held]);
    assert!(world.directory.has_password(account, FOREIGN));
    world.confirm(anna);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.flags(anna).is_empty());
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_write_that_was_put_off_is_no_overwrite_and_hides_none() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    let mut seen = Vec::new();
    for fault in [None, Some(Fault::NotNow(HOUR))] {
        world.foreign_change(account, FOREIGN);
        if let Some(fault) = fault {
            world.directory.fault(fault);
        }
        world.cycle().await;
        let memory = world.store.load().await.unwrap();
        seen.push(memory.credentials[&anna].overwrites.clone());
    }
    assert_eq!(seen[0].len(), 1);
    assert_eq!(seen[1], seen[0]);
}

#[tokio::test]
async fn a_match_in_between_does_not_hide_that_somebody_fights_the_vault() {
    let mut world = World::with(Policy {
        max_failed_per_day: 9,
        ..Policy::default()
    });
    let (anna, account) = world.anna_in_step().await;
    for _ in 0..3 {
        world.foreign_change(account, FOREIGN);
        world.cycle().await;
        world.foreign_change(account, OLD);
        assert_eq!(world.outcome(anna).await, Outcome::Matched);
    }
    world.foreign_change(account, FOREIGN);
    let held = Outcome::Held(HeldReason::ForeignOverwrites);
    assert_eq!(world.outcome(anna).await, held);
}

#[tokio::test]
async fn with_the_usual_budget_a_fight_waits_instead_of_locking_the_account() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    for _ in 0..2 {
        world.foreign_change(account, FOREIGN);
        assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    }
    world.foreign_change(account, FOREIGN);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Unknown(UnknownReason::BudgetSpent));
    assert_eq!(world.directory.failed(account), 2);
}

#[tokio::test]
async fn a_write_that_was_put_off_is_no_foreign_overwrite() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.foreign_change(account, FOREIGN);
    for _ in 0..4 {
        world.directory.fault(Fault::NotNow(HOUR));
        assert_eq!(world.outcome(anna).await, Outcome::Failed);
        world.clock.advance(2 * HOUR);
    }
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}

#[tokio::test]
async fn a_locked_account_is_not_signed_in_again_before_its_window_ends() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.directory.lock(account);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Unknown(UnknownReason::Locked));
    let Action::Wait(pause) = row.action else {
        panic!("expected a pause, got {:?}", row.action);
    };
    assert_eq!(pause.why, PauseReason::Unknown(UnknownReason::Locked));
    assert!(pause.until.is_some());
    world.clock.advance(58 * MINUTE);
    world.cycle().await;
    assert_eq!(world.touched(), (0, 1));
    world.directory.unlock(account);
    world.clock.advance(HOUR);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert_eq!(world.touched(), (1, 2));
}

#[tokio::test]
async fn an_answer_that_passes_is_tried_again_with_growing_pauses() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world
        .directory
        .answer_sign_ins_with(Some(UnknownReason::Throttled));
    for _ in 0..120 {
        let outcome = world.outcome(anna).await;
        assert_eq!(outcome, Outcome::Unknown(UnknownReason::Throttled));
        world.clock.advance(MINUTE);
    }
    let sign_ins = world.directory.sign_ins();
    assert!(
        (5..=9).contains(&sign_ins),
        "{sign_ins} sign-in tests in two hours"
    );
    assert_eq!(world.directory.writes(), 0);
}

// Verification impossible.

#[tokio::test]
async fn without_verification_first_contact_is_held() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    let held = HeldReason::Unverifiable(UnknownReason::SwitchedOff);
    assert_eq!(world.outcome(anna).await, Outcome::Held(held));
    assert_eq!(world.flags(anna), [FlagKind::Held]);
    assert_eq!(world.touched(), (0, 0));
    world.confirm(anna);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Pushed);
    assert!(world.flags(anna).is_empty());
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.touched(), (1, 0));
}

#[tokio::test]
async fn without_verification_a_new_version_is_pushed() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna(Enabled, OLD, OLD);
    world.cycle().await;
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.touched(), (1, 0));
}

#[tokio::test]
async fn without_verification_a_new_mode_is_pushed() {
    for mode in [ReportMismatches, SyncMode::Off] {
        let mut world = World::without_verification();
        let (anna, account) = world.anna(mode, NEW, OLD);
        world.cycle().await;
        assert_eq!(world.touched(), (0, 0));
        world.vault.set_mode(anna, Enabled);
        assert_eq!(world.outcome(anna).await, Outcome::Pushed);
        assert!(world.directory.has_password(account, NEW));
    }
}

#[tokio::test]
async fn without_verification_a_foreign_change_is_held() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna(Enabled, OLD, OLD);
    world.cycle().await;
    world.vault.set_password(anna, NEW);
    world.cycle().await;
    world.foreign_change(account, FOREIGN);
    let held = HeldReason::Unverifiable(UnknownReason::SwitchedOff);
    assert_eq!(world.outcome(anna).await, Outcome::Held(held));
    assert!(world.directory.has_password(account, FOREIGN));
}

#[tokio::test]
async fn a_tenant_that_forbids_the_test_is_held_not_written() {
    let mut world = World::new();
    world
        .directory
        .answer_sign_ins_with(Some(UnknownReason::NotPermitted));
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    let held = HeldReason::Unverifiable(UnknownReason::NotPermitted);
    for _ in 0..3 {
        assert_eq!(world.outcome(anna).await, Outcome::Held(held));
    }
    assert_eq!(world.touched(), (0, 1));
    world.vault.set_password(anna, FOREIGN);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}

#[tokio::test]
async fn switching_verification_off_ends_the_wait_for_another_test() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.directory.lock(account);
    world.cycle().await;
    world.policy(Policy {
        verification: Verification::SwitchedOff,
        ..Policy::default()
    });
    let held = HeldReason::Unverifiable(UnknownReason::SwitchedOff);
    assert_eq!(world.outcome(anna).await, Outcome::Held(held));
}

#[tokio::test]
async fn a_password_that_changed_before_its_account_was_there_is_not_written_unchecked() {
    let mut world = World::without_verification();
    let anna = world.vault.add("anna@contoso.com", OLD, Enabled);
    world.cycle().await;
    world.vault.set_password(anna, NEW);
    world.cycle().await;
    world.directory.add("anna@contoso.com", NEW);
    let held = HeldReason::Unverifiable(UnknownReason::SwitchedOff);
    assert_eq!(world.outcome(anna).await, Outcome::Held(held));
}

#[tokio::test]
async fn a_password_with_white_space_at_an_edge_is_never_sent() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, " Winter-2025!", OLD);
    let held = HeldReason::Unverifiable(UnknownReason::EdgeWhitespace);
    assert_eq!(world.outcome(anna).await, Outcome::Held(held));
    world.vault.set_password(anna, "Winter-2025! ");
    let refused = BlockedReason::Policy(PolicyRefusal::EdgeWhitespace);
    assert_eq!(world.outcome(anna).await, Outcome::Blocked(refused));
    assert_eq!(world.touched(), (0, 0));
}

#[tokio::test]
async fn a_later_test_that_could_not_be_made_takes_nothing_away_from_a_match() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, OLD, OLD);
    world.cycle().await;
    world
        .directory
        .answer_sign_ins_with(Some(UnknownReason::NotPermitted));
    world.clock.advance(Duration::from_hours(8 * 24));
    world.cycle().await;
    world.vault.set_mode(anna, Enabled);
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 0);
}

// Policy and refusals.

#[tokio::test]
async fn a_password_that_entra_cannot_accept_is_blocked_before_any_write() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, "short");
    let refused = BlockedReason::Policy(PolicyRefusal::TooShort);
    assert_eq!(world.outcome(anna).await, Outcome::Blocked(refused));
    assert_eq!(world.flags(anna), [FlagKind::Blocked]);
    assert!(world.directory.has_password(account, OLD));
    assert_eq!(world.touched(), (0, 1));
}

#[tokio::test]
async fn a_password_outside_the_policy_is_still_checked() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, "short", "short");
    assert_eq!(world.outcome(anna).await, Outcome::Matched);
}

#[tokio::test]
async fn a_refused_version_is_not_sent_again_until_it_changes() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world
        .directory
        .fault(Fault::Refused(BlockedReason::Rejected));
    let rejected = Outcome::Blocked(BlockedReason::Rejected);
    for _ in 0..3 {
        assert_eq!(world.outcome(anna).await, rejected);
        world.clock.advance(HOUR);
    }
    assert_eq!(world.directory.writes(), 0);
    world.vault.set_password(anna, FOREIGN);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}

#[tokio::test]
async fn a_refused_version_is_sent_once_more_when_a_person_asks() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let rejected = Outcome::Blocked(BlockedReason::Rejected);
    for _ in 0..2 {
        world
            .directory
            .fault(Fault::Refused(BlockedReason::Rejected));
        assert_eq!(world.outcome(anna).await, rejected);
        // Asking counts once.
        assert_eq!(world.outcome(anna).await, rejected);
        world.confirm(anna);
    }
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_persons_word_is_not_used_up_by_a_write_that_was_put_off() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    world.confirm(anna);
    world.directory.fault(Fault::NotNow(HOUR));
    assert_eq!(world.outcome(anna).await, Outcome::Failed);
    world.clock.advance(2 * HOUR);
    let row = world.row(anna).await;
    assert_eq!(row.outcome, Outcome::Pushed);
    assert_eq!(row.action, Action::Nothing);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_persons_word_about_a_right_password_is_moot_later() {
    let mut world = World::with(Policy {
        max_failed_per_day: 9,
        ..Policy::default()
    });
    let (anna, account) = world.anna_in_step().await;
    world.confirm(anna);
    world.cycle().await;
    for _ in 0..3 {
        world.foreign_change(account, FOREIGN);
        world.cycle().await;
    }
    world.foreign_change(account, FOREIGN);
    let held = Outcome::Held(HeldReason::ForeignOverwrites);
    assert_eq!(world.outcome(anna).await, held);
}

#[tokio::test]
async fn several_changes_that_end_where_they_began_write_nothing() {
    let mut world = World::new();
    let (credential, _) = world.anna_in_step().await;
    world.vault.set_password(credential, NEW);
    world.vault.set_password(credential, OLD);
    assert_eq!(world.outcome(credential).await, Outcome::Matched);
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn several_changes_that_end_elsewhere_are_pushed_and_are_no_foreign_overwrite() {
    let mut world = World::new();
    let (credential, account) = world.anna_in_step().await;
    world.vault.set_password(credential, FOREIGN);
    world.vault.set_password(credential, NEW);
    assert_eq!(world.outcome(credential).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
    let memory = world.store.load().await.unwrap();
    assert!(memory.credentials[&credential].overwrites.is_empty());
}

#[tokio::test]
async fn several_changes_are_pushed_also_where_no_test_can_be_made_now() {
    let mut world = World::with(Policy {
        max_failed_per_day: 0,
        ..Policy::default()
    });
    let (credential, account) = world.anna(SyncMode::Enabled, OLD, OLD);
    world.cycle().await;
    world.confirm(credential);
    world.cycle().await;
    let before = world.directory.writes();
    world.vault.set_password(credential, FOREIGN);
    world.vault.set_password(credential, NEW);
    world.clock.advance(HOUR);
    world.cycle().await;
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.directory.writes(), before + 1);
}

#[tokio::test]
async fn several_changes_are_pushed_at_once_while_the_tenant_s_tests_pause() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    for name in ["ben", "carl"] {
        let (_, locked) = world.user(name, SyncMode::ReportMismatches, NEW, OLD);
        world.directory.lock(locked);
    }
    world.cycle().await;
    world.vault.set_password(anna, FOREIGN);
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn several_changes_are_pushed_at_once_where_the_day_s_test_was_made() {
    let mut world = World::with(Policy {
        max_failed_per_day: 1,
        ..Policy::default()
    });
    let (anna, account) = world.anna_in_step().await;
    for password in [NEW, "Later-than-all-1"] {
        world.vault.set_password(anna, FOREIGN);
        world.vault.set_password(anna, password);
        world.clock.advance(HOUR);
        assert_eq!(world.outcome(anna).await, Outcome::Pushed);
        assert!(world.directory.has_password(account, password));
    }
    assert_eq!(world.directory.failed(account), 1);
}

#[tokio::test]
async fn a_write_that_was_put_off_is_made_when_its_time_has_come() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.directory.fault(Fault::NotNow(HOUR));
    world.cycle().await;
    let memory = world.store.load().await.unwrap();
    let retry_at = memory.credentials[&anna].retry_at.unwrap();
    for (before, writes) in [(2, 0), (1, 1)] {
        // The cycle itself turns the clock by a second.
        world.clock.set(retry_at - Duration::from_secs(before));
        world.cycle().await;
        assert_eq!(world.directory.writes(), writes);
    }
}

#[tokio::test]
async fn a_domain_that_is_managed_again_is_synced_again_within_the_hour() {
    let mut world = World::new();
    let (credential, _) = world.anna(SyncMode::Enabled, OLD, OLD);
    world
        .directory
        .set_domain("contoso.com", DomainKind::Federated);
    let blocked = Outcome::Blocked(BlockedReason::Federated);
    assert_eq!(world.outcome(credential).await, blocked);
    world
        .directory
        .set_domain("contoso.com", DomainKind::Managed);
    world.clock.advance(HOUR);
    assert_eq!(world.outcome(credential).await, Outcome::Matched);
}
