//! The account that the agent itself is signed in as.

use crate::world::{FOREIGN, NEW, OLD, World, row_of};
use sync_engine::explain::When;
use sync_engine::model::{
    CredentialId, FlagKind, HeldReason, ObjectId, Outcome, SyncMode, UserPrincipalName,
};
use sync_engine::plan::{NewOwnPassword, OwnAccount, Policy};

const HELD: Outcome = Outcome::Held(HeldReason::OwnSignIn);

/// Anna's account is the agent's own, under the name or the id that it was signed in with.
async fn signed_in_as_anna(
    new_password: NewOwnPassword,
    known: impl FnOnce(ObjectId) -> (&'static str, Option<ObjectId>),
) -> (World, CredentialId, ObjectId) {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    let (user_name, object) = known(account);
    let policy = Policy {
        own_account: Some(OwnAccount {
            user_name: UserPrincipalName::new(user_name),
            object,
            new_password,
        }),
        ..Policy::default()
    };
    world.policy(policy);
    (world, anna, account)
}

fn by_name(_: ObjectId) -> (&'static str, Option<ObjectId>) {
    ("ANNA@contoso.com", None)
}

#[tokio::test]
async fn a_write_that_would_sign_the_agent_out_waits_for_a_person_and_is_made_once() {
    let (mut world, anna, account) = signed_in_as_anna(NewOwnPassword::EndsSignIn, by_name).await;
    let (ben, _) = world.user("ben", SyncMode::Enabled, NEW, OLD);
    world.vault.set_password(anna, NEW);
    let report = world.cycle().await;
    assert_eq!(row_of(&report, anna).outcome, HELD);
    assert!(row_of(&report, anna).flags.contains_key(&FlagKind::Held));
    assert_eq!(row_of(&report, ben).outcome, Outcome::Pushed);
    assert!(world.directory.has_password(account, OLD));
    let name = UserPrincipalName::new("anna@contoso.com");
    let explained = world.engine.explain(&name).await.unwrap();
    assert_eq!(explained[0].next.when, [When::Confirmed]);

    world.confirm(anna);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
    assert!(world.flags(anna).is_empty());

    world.vault.set_password(anna, OLD);
    assert_eq!(world.outcome(anna).await, HELD, "one word, one write");
}

#[tokio::test]
async fn somebody_elses_change_of_it_is_not_undone_without_a_person_either() {
    let (mut world, anna, account) = signed_in_as_anna(NewOwnPassword::EndsSignIn, by_name).await;
    world.foreign_change(account, FOREIGN);
    assert_eq!(world.outcome(anna).await, HELD);
    assert_eq!(world.flags(anna), [FlagKind::AdChange, FlagKind::Held]);
    assert!(world.directory.has_password(account, FOREIGN));
}

#[tokio::test]
async fn renamed_it_is_known_by_its_id() {
    let known = |account| ("old.name@contoso.com", Some(account));
    let (mut world, anna, _) = signed_in_as_anna(NewOwnPassword::EndsSignIn, known).await;
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, HELD);
}

#[tokio::test]
async fn an_agent_that_signs_in_with_the_password_itself_writes_it() {
    let (mut world, anna, account) = signed_in_as_anna(NewOwnPassword::IsUsed, by_name).await;
    world.vault.set_password(anna, NEW);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}
