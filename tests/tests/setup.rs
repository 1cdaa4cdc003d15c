//! Setup refuses what is wrong, says what, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use agent_bin::causes::chain;
use agent_bin::setup::{self, SetupError, SetupRequest};
use entra_sim::{AppChange, UserSpec};
use integration_tests::{PERMISSIONS, World};
use jiff::SignedDuration;
use passportal_client::wire::{ClientPatch, SyncMode};
use secrecy::SecretString;

async fn refused(world: &World, spoil: impl FnOnce(&mut SetupRequest)) -> (String, SetupError) {
    let mut request = world.setup_request().unwrap();
    spoil(&mut request);
    let error = setup::run(request).await.unwrap_err();
    assert!(!world.config_path().exists(), "no configuration is left");
    let secrets = world.folder().join("agent").join("secrets");
    let left = std::fs::read_dir(secrets).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no secret is left");
    let line = chain(&error);
    assert!(!line.contains('\n'), "{line}");
    assert!(error.hint().is_some(), "{line}");
    (line, error)
}

#[tokio::test]
async fn a_wrong_password_or_organization_key_is_not_authorised() {
    let world = World::builder().start().await.unwrap();
    let (line, error) = refused(&world, |it| {
        it.password = SecretString::from("Wrong-Passw0rd");
    })
    .await;
    assert!(error.is_not_authorised(), "{line}");
    let (line, error) = refused(&world, |it| {
        it.organization_key = SecretString::from("another organization key");
    })
    .await;
    assert!(error.is_not_authorised(), "{line}");
    assert!(line.contains("organization key"), "{line}");
    let (line, error) = refused(&world, |it| it.email = "nobody@msp.example".to_owned()).await;
    assert!(error.is_not_authorised(), "{line}");
}

#[tokio::test]
async fn an_unknown_client_is_told_with_those_that_are_there() {
    let world = World::builder().start().await.unwrap();
    let (line, error) = refused(&world, |it| it.client.name = "Fabrikam".to_owned()).await;
    assert_eq!(line, "the vault has no client `Fabrikam`");
    assert!(error.hint().unwrap().contains("Contoso"));
}

#[tokio::test]
async fn the_tenant_s_faults_are_told_apart() {
    let world = World::builder().start().await.unwrap();
    let (line, _) = refused(&world, |it| {
        it.client.microsoft.tenant.0 = "fabrikam.onmicrosoft.com".to_owned();
    })
    .await;
    assert!(
        line.contains("no tenant `fabrikam.onmicrosoft.com`"),
        "{line}"
    );
    let wrong = world.secret_file("wrong-secret", "Wrong~Secret").unwrap();
    let (line, _) = refused(&world, |it| {
        it.client.microsoft.client_secret_file = Some(wrong);
    })
    .await;
    assert!(
        line.contains("client secret") && line.contains("wrong"),
        "{line}"
    );
    assert!(!line.contains("Wrong~Secret"), "{line}");
}

/// Spoils the agent's app, and expects this to be told.
async fn spoilt(change: AppChange, what: &str, mend: &str) {
    let world = World::builder().start().await.unwrap();
    world.change_app(change).unwrap();
    let (line, error) = refused(&world, |_| {}).await;
    assert!(line.contains(what), "{line}");
    let hint = error.hint().unwrap();
    assert!(hint.contains(mend), "{hint}");
    assert!(error.is_not_authorised(), "{line}");
}

fn permissions(permissions: &[&str]) -> AppChange {
    AppChange {
        permissions: Some(permissions.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    }
}

fn without_a_role() -> AppChange {
    AppChange {
        roles: Some(Vec::new()),
        ..AppChange::default()
    }
}

#[tokio::test]
async fn an_app_that_could_set_no_password_is_refused_with_what_it_lacks() {
    spoilt(without_a_role(), "no directory role", "User Administrator").await;
    let reads = ["User.Read.All", "Domain.Read.All"];
    let write = "User-PasswordProfile.ReadWrite.All";
    spoilt(permissions(&reads), write, write).await;
    spoilt(permissions(&[]), "nobody consented", "consent").await;
    spoilt(permissions(&PERMISSIONS[1..]), "User.Read.All", "consent").await;
}

#[tokio::test]
async fn an_app_of_another_tenant_is_refused() {
    let world = World::builder().start().await.unwrap();
    let (line, error) = refused(&world, |it| {
        it.client.microsoft.client_id = Some(uuid::Uuid::from_u128(0xBAD).to_string());
    })
    .await;
    assert!(line.contains("has no app"), "{line}");
    assert!(error.hint().unwrap().contains("this tenant"), "{line}");
}

#[tokio::test]
async fn a_client_whose_passwords_are_only_reported_on_needs_an_app_that_reads() {
    let world = World::builder().start().await.unwrap();
    world
        .change_app(permissions(&["User.Read.All", "Domain.Read.All"]))
        .unwrap();
    world.change_app(without_a_role()).unwrap();
    let change = ClientPatch {
        default_mode: Some(SyncMode::ReportMismatches),
        ..ClientPatch::default()
    };
    world
        .person
        .patch_client(world.client.id, &change)
        .await
        .unwrap();
    let done = world.enrol().await.unwrap();
    let findings = done.preflight.findings;
    assert!(findings.iter().any(msgraph_sync::Finding::forbids_writes));
}

#[tokio::test]
async fn a_clock_that_is_off_by_an_hour_is_told() {
    let anna = UserSpec::new("anna@contoso.com", "First-Passw0rd");
    let world = World::builder()
        .user(anna)
        .clock_offset(SignedDuration::from_hours(1))
        .start()
        .await
        .unwrap();
    let (line, _) = refused(&world, |_| {}).await;
    assert!(line.contains("clock") && line.contains("1 h"), "{line}");
}

#[tokio::test]
async fn an_unreachable_vault_is_told_with_its_address() {
    let world = World::builder().start().await.unwrap();
    let (line, _) = refused(&world, |it| {
        it.config.passportal.base_url = "http://127.0.0.1:9/".parse().unwrap();
    })
    .await;
    assert!(line.contains("127.0.0.1:9"), "{line}");
}

#[tokio::test]
async fn a_client_is_enrolled_once() {
    let world = World::builder().start().await.unwrap();
    world.enrol().await.unwrap();
    let error = world.enrol().await.unwrap_err();
    assert!(
        matches!(error, SetupError::AlreadyEnrolled { .. }),
        "{error}"
    );
}
