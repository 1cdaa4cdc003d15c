//! A dry run looks and touches nothing: no write, no sign-in, no journal, no report, no attempt.

use crate::world::{FOREIGN, NEW, OLD, World, row_of};
use sync_engine::model::{FlagKind, StepKind, SyncMode, VaultVersion};
use sync_engine::plan::Action;
use sync_engine::ports::{PasswordAnswer, Wait};
use sync_engine::{Engine, Footing, Unwatched};

/// Nothing of this world has been touched.
async fn is_untouched(world: &World) {
    assert_eq!(world.touched(), (0, 0));
    assert_eq!(world.store.writes(), 0);
    assert_eq!(world.journal_length().await, 0);
    assert_eq!(world.waiting_plan().await, None);
    assert!(world.vault.reports().is_empty());
}

#[tokio::test]
async fn a_preview_tells_what_would_be_done() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let (ben, _) = world.user("ben", SyncMode::Enabled, NEW, OLD);
    world.vault.set_password(anna, NEW);
    let before = (world.touched(), world.store.writes());
    let mut dry = Engine::new(world.ports().read_only(), world.policy.clone());
    let report = dry.preview().await.unwrap();
    assert_eq!(report.footing, Footing::Preview);
    assert!(matches!(row_of(&report, anna).action, Action::Push(_)));
    assert!(matches!(row_of(&report, ben).action, Action::Verify(_)));
    assert_eq!(
        report.done(StepKind::Push) + report.done(StepKind::Verify),
        0
    );
    assert_eq!((world.touched(), world.store.writes()), before);
}

#[tokio::test]
async fn a_preview_touches_nothing() {
    let world = World::new();
    let users = world.users(15, NEW, OLD);
    for ports in [world.ports(), world.ports().read_only()] {
        let mut engine = Engine::new(ports, world.policy.clone());
        engine.preview().await.unwrap();
        engine.preview().await.unwrap();
        is_untouched(&world).await;
    }
    assert!(world.vault.attempts(users[0].0).is_empty());
}

#[tokio::test]
async fn even_a_whole_cycle_over_read_only_ports_touches_nothing() {
    let world = World::new();
    let users = world.users(15, NEW, OLD);
    let mut engine = Engine::new(world.ports().read_only(), world.policy.clone());
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    is_untouched(&world).await;
    assert!(world.vault.attempts(users[0].0).is_empty());
}

#[tokio::test]
async fn read_only_ports_hand_out_no_password_and_make_no_test() {
    let world = World::new();
    let (anna, account) = world.anna(SyncMode::Enabled, NEW, OLD);
    let dry = world.ports().read_only();
    let answer = dry.vault.password(anna, VaultVersion(1)).await.unwrap();
    assert!(matches!(answer, PasswordAnswer::Superseded));
    let password = sync_engine::model::Password::new(FOREIGN);
    let name = sync_engine::model::UserPrincipalName::new("anna@contoso.com");
    dry.directory.verify(&name, &password).await;
    dry.directory.set_password(account, &password).await;
    let write = sync_engine::ports::PasswordWrite {
        object: account,
        password,
    };
    dry.directory.set_passwords(&[write]).await;
    assert_eq!(world.touched(), (0, 0));
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_preview_after_a_cycle_leaves_the_next_cycle_as_it_was() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::ReportMismatches, NEW, OLD);
    world.engine.preview().await.unwrap();
    world.cycle().await;
    assert_eq!(world.flags(anna), [FlagKind::AdChange]);
    let writes = world.store.writes();
    world.engine.preview().await.unwrap();
    assert_eq!(world.store.writes(), writes);
}
