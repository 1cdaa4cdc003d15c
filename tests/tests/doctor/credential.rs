//! Secrets and certificates that do not sign in, or not for long.

use agent_bin::config::{Config, SignIn};
use agent_bin::doctor::Examined;
use entra_sim::{AppChange, Fault};
use integration_tests::{AppCertificate, World};
use serde_json::json;

use crate::{assert_told, builder, enrolled, examined, examined_with, fault, faults, note};

/// The token endpoint refuses with this code from now on.
fn refuse_tokens(world: &World, code: u32) {
    world.simulator.add_fault(Fault {
        path_prefix: "/contoso.onmicrosoft.com/oauth2/v2.0/token".to_owned(),
        status: Some(401),
        count: 100,
        body: Some(json!({ "error": "invalid_client", "error_codes": [code] })),
        ..Fault::default()
    });
}

#[tokio::test]
async fn an_expired_secret() {
    let world = enrolled(builder()).await;
    refuse_tokens(&world, 7_000_222);
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["sign-in"]);
    assert_told(
        &fault(&examined, "sign-in"),
        "has expired",
        "new client secret",
    );
}

#[tokio::test]
async fn a_wrong_secret_is_told_apart_from_an_expired_one() {
    let world = enrolled(builder()).await;
    world
        .change_app(AppChange {
            secret: Some("another".into()),
            ..AppChange::default()
        })
        .unwrap();
    let told = fault(&examined(&world).await, "sign-in");
    assert_told(&told, "is wrong", "secret's value");
}

/// What is found where the agent signs in with this certificate.
async fn examined_with_certificate(world: &World, certificate: &AppCertificate) -> Examined {
    let file = world.secret_file("app.pem", &certificate.file).unwrap();
    let certificate = |config: &mut Config| {
        let microsoft = &mut config.clients.first_mut().unwrap().microsoft;
        microsoft.sign_in = SignIn::Certificate;
        microsoft.certificate = Some(file);
    };
    examined_with(world, certificate).await
}

/// A world whose app has this certificate.
async fn enrolled_with(certificate: &AppCertificate) -> World {
    enrolled(builder().app(|app| app.certificate(&certificate.pem))).await
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_end_and_nothing_is_sent() {
    let certificate = AppCertificate::ending_in(-1).unwrap();
    let world = enrolled_with(&certificate).await;
    let before = world.simulator.counters().requests;
    let found = examined_with_certificate(&world, &certificate).await;
    assert_eq!(faults(&found), ["certificate"]);
    let expired = format!("expired at {}", certificate.not_after);
    let told = fault(&found, "certificate");
    assert_told(&told, &expired, "make a new certificate");
    assert!(told.1.contains("upload it to the app registration"));
    assert_eq!(world.simulator.counters().requests, before);
}

#[tokio::test]
async fn a_certificate_that_ends_within_thirty_days_is_a_note_with_its_end() {
    let soon = AppCertificate::ending_in(10).unwrap();
    let found = examined_with_certificate(&enrolled_with(&soon).await, &soon).await;
    assert!(!found.has_fault(), "{found:#?}");
    let (ends, remedy) = note(&found, "certificate").unwrap();
    assert!(ends.contains(&format!("at {}", soon.not_after)), "{ends}");
    assert!(remedy.contains("beside the old one"), "{remedy}");
    let late = AppCertificate::ending_in(40).unwrap();
    let found = examined_with_certificate(&enrolled_with(&late).await, &late).await;
    assert!(!found.has_fault(), "{found:#?}");
    assert_eq!(note(&found, "certificate"), None);
}

#[tokio::test]
async fn a_certificate_that_the_app_does_not_have_is_told_with_where_to_upload_it() {
    let (own, other) = (
        AppCertificate::new().unwrap(),
        AppCertificate::other().unwrap(),
    );
    let world = enrolled_with(&other).await;
    let found = examined_with_certificate(&world, &own).await;
    assert_eq!(faults(&found), ["sign-in"]);
    assert_told(
        &fault(&found, "sign-in"),
        "AADSTS700027",
        "Certificates & secrets",
    );
}
