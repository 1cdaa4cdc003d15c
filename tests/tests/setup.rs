//! Setup refuses what is wrong, says what, and leaves nothing behind.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use agent_bin::causes::chain;
use agent_bin::setup::{self, SetupError, SetupRequest};
use entra_sim::UserSpec;
use integration_tests::World;
use jiff::SignedDuration;
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
