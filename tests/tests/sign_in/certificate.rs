//! Sign-in with a certificate.

use agent_bin::causes::chain;
use integration_tests::AppCertificate;
use jiff::SignedDuration;
use msgraph_sync::{AppCredential, ClientCertificate};
use sync_engine::model::{Password, UserPrincipalName, Verdict};
use sync_engine::ports::Directory;

use crate::entra::{ANNA, Entra, PASSWORD, app};

fn credential(certificate: &AppCertificate) -> AppCredential {
    let read = ClientCertificate::read(certificate.file.as_bytes(), None);
    AppCredential::Certificate(read.unwrap())
}

#[tokio::test]
async fn a_certificate_signs_in_with_a_new_assertion_for_each_request() {
    let certificate = AppCertificate::new().unwrap();
    let app = app().certificate(&certificate.pem).single_use_assertions();
    let entra = Entra::start(app);
    let directory = entra.directory(credential(&certificate));
    directory.preflight().await.unwrap();
    // The sign-in test is made by the app itself, which proves again who it is.
    for _ in 0..2 {
        let (name, password) = (UserPrincipalName::new(ANNA), Password::new(PASSWORD));
        let sign_in = directory.verify(&name, &password).await;
        assert_eq!(sign_in.verdict, Verdict::Match);
    }
    assert_eq!(entra.token_requests(), 3);
}

#[tokio::test]
async fn the_directory_tells_until_when_its_certificate_is_valid() {
    let certificate = AppCertificate::valid(2000, 2100).unwrap();
    let entra = Entra::start(app());
    let directory = entra.directory(credential(&certificate));
    let life = directory.certificate().unwrap();
    assert_eq!(life.not_after.to_string(), "2100-01-01T00:00:00Z");
    let secret = entra.directory(AppCredential::ClientSecret("any".into()));
    assert!(secret.certificate().is_none());
}

#[tokio::test]
async fn a_certificate_that_is_not_uploaded_is_refused_with_what_to_do() {
    let (own, other) = (
        AppCertificate::new().unwrap(),
        AppCertificate::other().unwrap(),
    );
    let entra = Entra::start(app().certificate(&other.pem));
    let told = entra.refusal(credential(&own)).await;
    let expected = "does not accept the certificate (AADSTS700027) – upload the certificate";
    assert!(told.contains(expected), "{told}");
    assert_eq!(entra.token_requests(), 1);
}

#[tokio::test]
async fn a_certificate_out_of_its_time_is_told_and_nothing_is_sent() {
    for (from, until, words) in [
        (2000, 2001, "expired at 2001-01-01T00:00:00Z – make a new"),
        (
            2099,
            2100,
            "is not valid before 2099-01-01T00:00:00Z – check",
        ),
    ] {
        let certificate = AppCertificate::valid(from, until).unwrap();
        let entra = Entra::start(app().certificate(&certificate.pem));
        let told = entra.refusal(credential(&certificate)).await;
        assert!(told.contains(words), "{told}");
        let directory = entra.directory(credential(&certificate));
        let error = directory.domains().await.unwrap_err();
        assert!(chain(&error).contains("certificate of app"), "{error:?}");
        let (name, password) = (UserPrincipalName::new(ANNA), Password::new(PASSWORD));
        let sign_in = directory.verify(&name, &password).await;
        assert!(matches!(sign_in.verdict, Verdict::Unknown(_)));
        assert!(!sign_in.counted, "no attempt was made");
        assert_eq!(entra.token_requests(), 0);
    }
}

#[tokio::test]
async fn a_clock_that_is_off_is_told_instead_of_an_assertion_out_of_its_time() {
    let certificate = AppCertificate::new().unwrap();
    let app = app().certificate(&certificate.pem);
    let entra = Entra::with_clock(app, SignedDuration::from_hours(1));
    let told = entra.refusal(credential(&certificate)).await;
    assert!(told.contains("clock is slow by about 1 h"), "{told}");
}
