//! What a technician is told about one credential: one text for each row of the decision table, and
//! for the cases that people ask about most.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use std::time::Duration;

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World};
use insta::assert_snapshot;
use sync_engine::explain::{Change, Explanation, Validity, When, WriteState, explain};
use sync_engine::model::{
    AccountAccess, BlockedReason, CredentialId, DirectoryView, FlagKind, HeldReason, JournalEntry,
    Mute, ObjectId, Phase, StepKind, SyncMode, UnknownReason, UserPrincipalName, VaultView,
    Verdict,
};
use sync_engine::plan::{
    Action, PlanRuling, PlanStanding, Policy, Rule, Ruling, Word, guard, plan,
};
use sync_engine::ports::{Clock, CredentialVault, Directory, StateStore, Wait};
use sync_engine::testing::Fault;

use SyncMode::{Enabled, ReportMismatches};

/// What the engine would say now, before its next cycle.
async fn explained(world: &World, credential: CredentialId) -> Explanation {
    let journal = world.store.journal(Some(credential), 50).await.unwrap();
    explained_with(world, credential, &journal).await
}

async fn explained_with(
    world: &World,
    credential: CredentialId,
    journal: &[JournalEntry],
) -> Explanation {
    let mut vault = VaultView::new(world.vault.changes(None, Wait::No).await.unwrap());
    for it in vault.credentials.values_mut() {
        it.changed_by = Some("bert@msp.example".to_owned());
    }
    let accounts = world.directory.changes(None).await.unwrap();
    let directory = DirectoryView::new(accounts, world.directory.domains().await.unwrap());
    let memory = world.store.load().await.unwrap();
    let now = world.clock.now();
    let made = plan(&vault, &directory, &memory, &world.policy, now);
    let (made, _) = guard(made, &vault, &directory, &memory, &world.policy, now);
    let mut decisions = made.decisions.iter();
    let decision = decisions.find(|it| it.credential == credential).unwrap();
    explain(
        &vault,
        &directory,
        &memory,
        decision,
        journal,
        &world.policy,
        now,
    )
}

/// The rule that applied, checked against the words of the table of rules.
fn rule(told: &Explanation) -> Rule {
    let rule = told.applied.rule;
    assert_eq!(told.applied.condition, rule.condition());
    assert_eq!(told.applied.action, rule.action());
    rule
}

fn when_changed(changes: &[Change]) -> Vec<When> {
    changes.iter().copied().map(When::Changed).collect()
}

// One for each row of the decision table.

#[tokio::test]
async fn a_muted_client() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    world.vault.set_mute(Mute::Muted);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::NotProcessed);
    assert_eq!(told.next.when, when_changed(&[Change::VaultSettings]));
    assert!(told.known.flags.is_empty());
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_disabled_account() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    let disable = |it: &mut sync_engine::model::Account| it.access = AccountAccess::Disabled;
    world.directory.change(account, disable);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::NotOurs);
    let changes = [Change::Account, Change::VaultSettings];
    assert_eq!(told.next.when, when_changed(&changes));
    assert_snapshot!(told);
}

#[tokio::test]
async fn an_account_that_does_not_exist() {
    let world = World::new();
    let nobody = world.vault.add("nobody@contoso.com", NEW, Enabled);
    let told = explained(&world, nobody).await;
    assert_eq!(rule(&told), Rule::NotOurs);
    assert_eq!(told.known.account, None);
    assert_snapshot!(told);
}

#[tokio::test]
async fn another_account_behind_the_user_name() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.directory.change(account, |it| {
        it.user_name = UserPrincipalName::new("anna.old@contoso.com");
    });
    world.directory.add("anna@contoso.com", FOREIGN);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::IdentityChanged);
    assert_eq!(told.next.when, [When::Confirmed]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_duplicate() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let other = world.vault.add("ANNA@contoso.com", FOREIGN, Enabled);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Duplicate);
    assert_eq!(told.known.rivals, [other]);
    let when = [When::Confirmed, When::Changed(Change::Rival)];
    assert_eq!(told.next.when, when);
    let command = format!("passportal credentials confirm {anna}");
    assert_eq!(told.next.commands, [command]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn an_envelope_that_does_not_open() {
    let world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.vault.spoil(anna);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Unreadable);
    assert_eq!(told.next.when, when_changed(&[Change::VaultPassword]));
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_write_whose_stamp_is_awaited() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.directory.lag(MINUTE);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Unsettled);
    assert_eq!(told.known.write.unwrap().state, WriteState::AwaitsStamp);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.directory.lag(HOUR);
    world.directory.fault(Fault::LostAfter);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Unsettled);
    assert_eq!(told.known.write.unwrap().state, WriteState::Ambiguous);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_reported_mismatch() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::ReportKnown);
    let changes = [Change::VaultPassword, Change::AccountPassword];
    assert_eq!(told.next.when, when_changed(&changes));
    assert!(told.known.flags.contains_key(&FlagKind::AdChange));
    assert_eq!(told.known.sign_ins.used, 1);
    assert!(told.next.remedy.is_some());
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_reported_match_is_checked_again_when_the_slow_re_check_is_due() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, OLD, OLD);
    world.cycle().await;
    let due = world.clock.now() + world.policy.recheck;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::ReportKnown);
    assert!(told.next.when.contains(&When::NotBefore(due)));
    assert_eq!(told.next.remedy, None);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_confirmed_password() {
    let mut world = World::without_verification();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    world.confirm(anna);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Confirmed);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert!(told.known.confirmed.is_some());
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_password_that_changed_in_the_vault() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::VaultChanged);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert_eq!(
        told.known.verdict.as_ref().unwrap().validity,
        Validity::Outdated
    );
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_password_that_was_set() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    world.clock.advance(2 * MINUTE);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::KnownMatch);
    assert_eq!(told.known.write.unwrap().state, WriteState::Settled);
    let steps: Vec<_> = told.history.iter().map(|it| it.step).collect();
    assert_eq!(steps, [StepKind::Push, StepKind::Verify]);
    assert!(
        told.history
            .iter()
            .all(|it| it.why.is_some() && it.outcome.is_some())
    );
    assert_snapshot!(told);
}

/// Somebody has changed the password back as often as the rules let pass.
async fn fought_over() -> (World, CredentialId, ObjectId) {
    let mut world = World::with(Policy {
        max_failed_per_day: 9,
        ..Policy::default()
    });
    let (anna, account) = world.anna_in_step().await;
    for _ in 0..4 {
        world.foreign_change(account, FOREIGN);
        world.cycle().await;
    }
    (world, anna, account)
}

#[tokio::test]
async fn a_password_that_others_overwrite() {
    let (world, anna, account) = fought_over().await;
    assert!(world.directory.has_password(account, FOREIGN));
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::KnownMismatch);
    assert_eq!(told.known.overwrites.len(), 3);
    let by_itself = told.known.overwrites[0] + Duration::from_hours(24);
    let when = [When::Confirmed, When::NotBefore(by_itself)];
    assert_eq!(told.next.when, when);
    assert_snapshot!(told);
}

#[tokio::test]
async fn the_time_at_which_a_fight_is_over_is_the_time_at_which_the_password_is_set() {
    let (mut world, anna, account) = fought_over().await;
    let told = explained(&world, anna).await;
    let Some(When::NotBefore(end)) = told.next.when.last().cloned() else {
        panic!("{:?}", told.next.when);
    };
    world
        .clock
        .advance(end.duration_since(world.clock.now()).try_into().unwrap());
    world.cycle().await;
    assert!(
        world.directory.has_password(account, NEW) || world.directory.has_password(account, OLD)
    );
}

#[tokio::test]
async fn a_locked_account() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.directory.lock(account);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::UnknownPasses);
    let until = told.known.pauses.account.unwrap();
    assert_eq!(told.next.when, [When::NotBefore(until)]);
    assert_eq!(told.known.pauses.tenant, None);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_spent_budget() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    for password in ["Wrong-password-1", "Wrong-password-2", "Wrong-password-3"] {
        world.vault.set_password(anna, password);
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::UnknownPasses);
    let sign_ins = told.known.sign_ins;
    assert_eq!((sign_ins.used, sign_ins.most), (2, 2));
    let free = sign_ins.next_free.unwrap();
    assert_eq!(told.next.when, [When::NotBefore(free)]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_report_before_its_first_check() {
    let world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::ReportCheck);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert!(told.history.is_empty());
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_foreign_change_before_its_check() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.foreign_change(account, FOREIGN);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::NotVerified);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_change_that_cannot_be_checked() {
    let mut world = World::without_verification();
    let (anna, _) = world.anna(Enabled, OLD, OLD);
    world.cycle().await;
    world.vault.set_password(anna, NEW);
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::UnverifiableChanged);
    assert_eq!(told.next.when, [When::NextCycle]);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_password_that_cannot_be_checked() {
    let mut world = World::without_verification();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Unverifiable);
    let when = [When::Confirmed, When::Changed(Change::VaultPassword)];
    assert_eq!(told.next.when, when);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_tenant_that_forbids_the_test_is_asked_again_a_day_later() {
    let mut world = World::new();
    let forbidden = Some(UnknownReason::NotPermitted);
    world.directory.answer_sign_ins_with(forbidden);
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(rule(&told), Rule::Unverifiable);
    let again = told.known.verdict.as_ref().unwrap().verdict.at + Duration::from_hours(24);
    assert_eq!(told.next.when.last(), Some(&When::NotBefore(again)));
    let sign_ins = world.directory.sign_ins();
    world
        .clock
        .advance(again.duration_since(world.clock.now()).try_into().unwrap());
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), sign_ins + 1);
}

// What stops a write on its way.

/// Three users whose passwords changed in the vault at once: too many for the breaker.
async fn mass_change() -> (World, CredentialId) {
    let mut world = World::with(Policy {
        breaker_minimum: 1,
        ..Policy::default()
    });
    let users = world.users(3, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    world.clock.advance(HOUR);
    world.cycle().await;
    (world, users[0].0)
}

#[tokio::test]
async fn a_mass_change() {
    let (world, user) = mass_change().await;
    let told = explained(&world, user).await;
    assert_eq!(rule(&told), Rule::VaultChanged);
    let part = told.known.plan.clone().unwrap();
    assert_eq!((part.writes, &part.standing), (3, &PlanStanding::Waiting));
    let when = [When::Approved(part.plan), When::Confirmed];
    assert_eq!(told.next.when, when);
    let approve = format!("passportal approve {}", part.plan);
    assert!(told.next.commands.contains(&approve));
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_mass_change_that_no_cycle_has_held_yet_names_no_plan() {
    let mut world = World::with(Policy {
        breaker_minimum: 0,
        ..Policy::default()
    });
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let told = explained(&world, anna).await;
    assert_eq!(told.known.plan, None);
    assert_eq!(told.next.when, [When::Confirmed]);
}

#[tokio::test]
async fn a_rejected_change() {
    let (mut world, user) = mass_change().await;
    let plan = explained(&world, user).await.known.plan.unwrap().plan;
    let said = Word {
        by: "ada@msp.example".to_owned(),
        at: world.clock.now(),
    };
    world.vault.rule(PlanRuling {
        plan,
        ruling: Ruling::Reject,
        word: said,
    });
    world.clock.advance(MINUTE);
    world.cycle().await;
    let told = explained(&world, user).await;
    assert_eq!(rule(&told), Rule::VaultChanged);
    let standing = told.known.plan.clone().unwrap().standing;
    assert!(matches!(standing, PlanStanding::Rejected(_)));
    let when = [When::Confirmed, When::Changed(Change::VaultPassword)];
    assert_eq!(told.next.when, when);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_password_that_entra_id_cannot_accept() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, "short");
    let told = explained(&world, anna).await;
    assert_eq!(told.next.when, when_changed(&[Change::VaultPassword]));
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_refused_password() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let refused = Fault::Refused(BlockedReason::Rejected);
    world.directory.fault(refused);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert!(told.known.refused.is_some());
    let when = [When::Confirmed, When::Changed(Change::VaultPassword)];
    assert_eq!(told.next.when, when);
    assert_snapshot!(told);
}

#[tokio::test]
async fn a_write_that_was_put_off() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.directory.fault(Fault::NotNow(HOUR));
    world.cycle().await;
    let told = explained(&world, anna).await;
    let until = told.known.pauses.write.unwrap();
    assert_eq!(told.next.when, [When::NotBefore(until)]);
    assert_snapshot!(told);
}

// The history.

#[tokio::test]
async fn a_step_without_an_outcome_is_told_as_such() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let mut journal = world.store.journal(Some(anna), 50).await.unwrap();
    journal.retain(|it| it.phase == Phase::Intent);
    let told = explained_with(&world, anna, &journal).await;
    assert_eq!(told.history.len(), 1);
    assert_eq!(told.history[0].outcome, None);
    let text = told.to_string();
    assert!(text.contains("how it ended never became known"), "{text}");
}

#[tokio::test]
async fn an_outcome_whose_reason_is_out_of_reach_is_told_without_it() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let journal = world.store.journal(Some(anna), 1).await.unwrap();
    let told = explained_with(&world, anna, &journal).await;
    assert_eq!(told.history.len(), 1);
    assert_eq!(told.history[0].why, None);
    assert!(told.history[0].outcome.is_some());
}

#[tokio::test]
async fn other_credentials_steps_are_not_told() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let (ben, _) = world.user("ben", Enabled, NEW, OLD);
    world.cycle().await;
    let all = world.store.journal(None, 50).await.unwrap();
    let of_ben = explained_with(&world, ben, &all).await.history;
    let of_anna = explained_with(&world, anna, &all).await.history;
    assert_eq!((of_ben.len(), of_anna.len()), (2, 1));
}

#[tokio::test]
async fn the_person_behind_a_write_is_named() {
    let mut world = World::without_verification();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    world.confirm(anna);
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(told.history[0].by.as_deref(), Some("ada@msp.example"));
    assert!(told.to_string().contains("; by ada@msp.example)"));
}

#[tokio::test]
async fn a_write_of_an_earlier_history_is_told_without_its_version() {
    let mut world = World::new();
    let (anna, _) = world.anna(Enabled, NEW, OLD);
    world.cycle().await;
    world.vault.restore_backup();
    world.cycle().await;
    let told = explained(&world, anna).await;
    assert_eq!(told.known.write.unwrap().version, None);
    assert!(told.to_string().contains("written: an earlier version"));
}

// As data.

#[tokio::test]
async fn an_explanation_is_plain_data_without_a_secret() {
    let (world, anna, _) = fought_over().await;
    let told = explained(&world, anna).await;
    let json = serde_json::to_string(&told).unwrap();
    let back: Explanation = serde_json::from_str(&json).unwrap();
    assert_eq!(told, back);
    for secret in [OLD, NEW, FOREIGN] {
        assert!(!json.contains(secret) && !told.to_string().contains(secret));
    }
}

#[tokio::test]
async fn what_is_explained_is_what_the_next_cycle_does() {
    for (in_vault, mode) in [(NEW, Enabled), (OLD, Enabled), (NEW, ReportMismatches)] {
        let mut world = World::new();
        let (anna, _) = world.anna(mode, in_vault, OLD);
        for _ in 0..3 {
            let told = explained(&world, anna).await;
            let before = world.touched();
            let row = world.row(anna).await;
            let touched = world.touched() != before;
            assert_eq!(touched, told.next.when == [When::NextCycle], "{told}");
            let known = told.known.verdict.map(|it| it.verdict.verdict);
            let unknown = matches!(known, None | Some(Verdict::Unknown(_)));
            assert_eq!(touched, unknown, "{row:?}");
        }
    }
}

#[tokio::test]
async fn a_hold_for_safety_is_explained_too() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    let told = explained(&world, anna).await;
    for reason in [HeldReason::Unsafe, HeldReason::OlderVersion] {
        let held = held(&world, anna, reason).await;
        assert_ne!(held.next, told.next);
        assert_eq!(held.applied.here, told.applied.here);
        assert_eq!(held.applied.but, Some(reason.to_string()));
    }
}

/// The explanation of a hold that the rules alone never lead to.
async fn held(world: &World, credential: CredentialId, reason: HeldReason) -> Explanation {
    let vault = VaultView::new(world.vault.changes(None, Wait::No).await.unwrap());
    let accounts = world.directory.changes(None).await.unwrap();
    let directory = DirectoryView::new(accounts, world.directory.domains().await.unwrap());
    let memory = world.store.load().await.unwrap();
    let now = world.clock.now();
    let made = plan(&vault, &directory, &memory, &world.policy, now);
    let mut decisions = made.decisions.into_iter();
    let mut decision = decisions.find(|it| it.credential == credential).unwrap();
    decision.action = Action::Hold(reason);
    explain(
        &vault,
        &directory,
        &memory,
        &decision,
        &[],
        &world.policy,
        now,
    )
}
