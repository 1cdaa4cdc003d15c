//! An account that the agent may not reset is checked, flagged, and never written.

use crate::world::{FOREIGN, HOUR, MINUTE, NEW, OLD, World, row_of};
use sync_engine::Engine;
use sync_engine::explain::{Change, When};
use sync_engine::model::ResetRole::{PrivilegedAuthenticationAdministrator, UserAdministrator};
use sync_engine::model::{
    BlockedReason, FlagKind, ObjectId, Outcome, ResetRights, ResetRole, SyncMode, UserPrincipalName,
};
use sync_engine::plan::Action;

fn lacking_for(account: ObjectId, role: ResetRole) -> ResetRights {
    ResetRights {
        everybody: None,
        accounts: [(account, role)].into(),
    }
}

fn blocked(role: ResetRole) -> Outcome {
    Outcome::Blocked(BlockedReason::RoleMissing(role))
}

#[tokio::test]
async fn a_changed_password_of_an_administrator_is_not_even_tried() {
    let mut world = World::new();
    let (boss, account) = world.anna_in_step().await;
    let (ben, _) = world.user("ben", SyncMode::Enabled, NEW, OLD);
    let role = PrivilegedAuthenticationAdministrator;
    world.directory.set_reset_rights(lacking_for(account, role));
    world.vault.set_password(boss, NEW);
    let sign_ins = world.directory.sign_ins();
    let report = world.cycle().await;
    assert_eq!(row_of(&report, boss).outcome, blocked(role));
    let why = &row_of(&report, boss).flags[&FlagKind::Blocked].why;
    assert!(
        why.contains("Privileged Authentication Administrator"),
        "{why}"
    );
    assert_eq!(row_of(&report, ben).outcome, Outcome::Pushed);
    assert_eq!(world.directory.writes(), 1);
    // Ben's only: no test of the administrator's password prepares a write that is never made.
    assert_eq!(world.directory.sign_ins(), sign_ins + 1);
}

#[tokio::test]
async fn in_report_mismatches_it_is_checked_and_flagged_as_any_other() {
    let mut world = World::new();
    let (boss, account) = world.anna(SyncMode::ReportMismatches, NEW, OLD);
    let role = PrivilegedAuthenticationAdministrator;
    world.directory.set_reset_rights(lacking_for(account, role));
    let report = world.cycle().await;
    let row = row_of(&report, boss);
    assert!(row.flags.contains_key(&FlagKind::AdChange), "{row:?}");
    assert!(!row.flags.contains_key(&FlagKind::Blocked), "{row:?}");
    world.directory.change_password(account, NEW);
    world.clock.advance(HOUR);
    assert_eq!(world.outcome(boss).await, Outcome::Matched);
}

#[tokio::test]
async fn a_mismatch_of_it_is_found_in_enabled_and_both_facts_are_flagged() {
    let mut world = World::new();
    let (boss, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    let role = PrivilegedAuthenticationAdministrator;
    world.directory.set_reset_rights(lacking_for(account, role));
    let report = world.cycle().await;
    let flags: Vec<_> = row_of(&report, boss).flags.keys().copied().collect();
    assert_eq!(flags, [FlagKind::AdChange, FlagKind::Blocked]);
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn a_person_s_word_does_not_give_the_agent_a_role() {
    let mut world = World::new();
    let (boss, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    let role = PrivilegedAuthenticationAdministrator;
    world.directory.set_reset_rights(lacking_for(account, role));
    world.cycle().await;
    world.confirm(boss);
    assert_eq!(world.outcome(boss).await, blocked(role));
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn an_agent_without_any_role_writes_nobody() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.directory.set_reset_rights(ResetRights {
        everybody: Some(UserAdministrator),
        accounts: [(
            ObjectId(uuid::Uuid::from_u128(7)),
            PrivilegedAuthenticationAdministrator,
        )]
        .into(),
    });
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, blocked(UserAdministrator));
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_role_that_was_assigned_is_noticed_within_the_hour_and_the_password_is_set() {
    let mut world = World::new();
    let (boss, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    let role = PrivilegedAuthenticationAdministrator;
    world.directory.set_reset_rights(lacking_for(account, role));
    assert_eq!(world.outcome(boss).await, blocked(role));
    world.directory.set_reset_rights(ResetRights::default());
    assert_eq!(world.outcome(boss).await, blocked(role));
    world.clock.advance(HOUR);
    assert_eq!(world.outcome(boss).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn before_a_write_the_rights_are_not_older_than_ten_minutes() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.cycle().await;
    world
        .directory
        .set_reset_rights(lacking_for(account, UserAdministrator));
    world.clock.advance(10 * MINUTE);
    world.vault.set_password(anna, FOREIGN);
    assert_eq!(world.outcome(anna).await, blocked(UserAdministrator));
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn a_dry_run_knows_the_rights_too() {
    let mut world = World::new();
    let (boss, account) = world.anna_in_step().await;
    world.vault.set_password(boss, NEW);
    world
        .directory
        .set_reset_rights(lacking_for(account, UserAdministrator));
    let mut dry = Engine::new(world.ports().read_only(), world.policy.clone());
    let explained = dry
        .explain(&UserPrincipalName::new("anna@contoso.com"))
        .await
        .unwrap();
    let known = explained[0].known.account.as_ref().unwrap();
    assert_eq!(known.lacking, Some(UserAdministrator));
    let next = &explained[0].next;
    let changes = [Change::AgentRole, Change::VaultSettings];
    assert_eq!(next.when, changes.map(When::Changed));
    let told = explained[0].to_string();
    assert!(
        told.contains("assign the role User Administrator"),
        "{told}"
    );
    let report = dry.preview().await.unwrap();
    assert!(matches!(row_of(&report, boss).action, Action::Block(_)));
}

#[test]
fn what_was_remembered_before_there_were_roles_is_still_understood() {
    let before: BlockedReason = serde_json::from_str("\"not_allowed\"").unwrap();
    assert_eq!(before, BlockedReason::NotAllowed);
    let now = BlockedReason::RoleMissing(PrivilegedAuthenticationAdministrator);
    let kept = serde_json::to_string(&now).unwrap();
    assert_eq!(serde_json::from_str::<BlockedReason>(&kept).unwrap(), now);
}
