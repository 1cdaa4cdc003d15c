//! What the app may not do, and whom that concerns.

use entra_sim::{AppChange, UserSpec};
use integration_tests::PERMISSIONS;
use passportal_client::wire::SyncMode;

use crate::{ANNA, FIRST, assert_told, builder, enrolled, examined, fault, faults, permissions};

fn roles(roles: &[&str]) -> AppChange {
    AppChange {
        roles: Some(roles.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    }
}

#[tokio::test]
async fn an_app_without_a_role() {
    let world = enrolled(builder()).await;
    world.change_app(roles(&["Directory Readers"])).unwrap();
    let examined = examined(&world).await;
    let told = fault(&examined, "roles");
    assert_told(&told, "no directory role", "User Administrator");
    let told = fault(&examined, "rights");
    assert_told(&told, ANNA, "User Administrator");
}

#[tokio::test]
async fn an_administrator_whom_the_agent_may_not_reset() {
    let boss = UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]);
    let world = enrolled(builder().user(boss)).await;
    let role = "Privileged Authentication Administrator";
    world
        .add("boss@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["rights"]);
    assert_told(&fault(&found, "rights"), "boss@contoso.com", role);
    world.change_app(roles(&[role])).unwrap();
    assert!(!examined(&world).await.has_fault());
}

#[tokio::test]
async fn in_report_mismatches_no_role_is_needed_for_an_administrator() {
    let boss = UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]);
    let world = enrolled(builder().user(boss)).await;
    let mode = SyncMode::ReportMismatches;
    world.add("boss@contoso.com", FIRST, mode).await.unwrap();
    assert!(!examined(&world).await.has_fault());
}

#[tokio::test]
async fn an_app_with_the_wrong_permission() {
    let world = enrolled(builder()).await;
    world
        .change_app(permissions(&["User.ReadWrite.All", "Domain.Read.All"]))
        .unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    let write = "User-PasswordProfile.ReadWrite.All";
    assert_told(&fault(&examined, "permissions"), write, write);
    let notes = examined
        .checks
        .iter()
        .filter(|check| check.name == "rights");
    assert_eq!(
        notes.count(),
        2,
        "roles and groups cannot be read: {examined:#?}"
    );
}

#[tokio::test]
async fn an_app_that_may_not_read_accounts() {
    let world = enrolled(builder()).await;
    world.change_app(permissions(&PERMISSIONS[1..])).unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    assert_told(
        &fault(&examined, "permissions"),
        "User.Read.All",
        "admin consent",
    );
}

#[tokio::test]
async fn an_app_to_which_nobody_consented() {
    let world = enrolled(builder()).await;
    world.change_app(permissions(&[])).unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    assert_told(
        &fault(&examined, "permissions"),
        "nobody consented",
        "consent",
    );
}
