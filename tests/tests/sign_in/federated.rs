//! Sign-in with another issuer's token, which the platform keeps in a file.

use std::path::{Path, PathBuf};

use integration_tests::AppCertificate;
use jiff::{SignedDuration, Timestamp};
use msgraph_sync::AppCredential;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::claims::demand;
use crate::entra::{Entra, TENANT, app};

const ISSUER: &str = "https://oidc.example/cluster";
const SUBJECT: &str = "system:serviceaccount:passportal:agent";

/// A cluster that writes service account tokens into a file.
struct Platform {
    folder: TempDir,
    issuer: AppCertificate,
}

impl Platform {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            issuer: AppCertificate::new().unwrap(),
        }
    }

    fn entra(&self) -> Entra {
        let key = rsa::PublicKey::from(&self.issuer.key);
        let key = key.to_public_key_pem(LineEnding::LF).unwrap();
        Entra::start(app().federated(ISSUER, SUBJECT, &key))
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("token")
    }

    fn credential(&self) -> AppCredential {
        AppCredential::Federated(self.file())
    }

    /// Writes a token that is right but for these claims.
    fn write(&self, changes: &[(&str, Value)]) {
        std::fs::write(self.file(), format!("{}\n", self.token(changes))).unwrap();
    }

    fn token(&self, changes: &[(&str, Value)]) -> String {
        let now = Timestamp::now().as_second();
        let mut claims = json!({
            "aud": ["api://AzureADTokenExchange"],
            "iss": ISSUER,
            "sub": SUBJECT,
            "nbf": now,
            "exp": now + 3_600,
        });
        for (name, value) in changes {
            claims[*name] = value.clone();
        }
        self.issuer.sign(&claims)
    }
}

#[tokio::test]
async fn the_platform_s_token_signs_in() {
    let platform = Platform::new();
    platform.write(&[]);
    let entra = platform.entra();
    let directory = entra.directory(platform.credential());
    directory.preflight().await.unwrap();
}

#[tokio::test]
async fn the_file_is_read_anew_for_each_token() {
    let platform = Platform::new();
    platform.write(&[("exp", json!(1))]);
    let entra = platform.entra();
    let directory = entra.directory(platform.credential());
    assert!(directory.preflight().await.is_err());
    platform.write(&[]);
    directory.preflight().await.unwrap();
    // A token of another subject is not taken, so it is not the old one that is sent.
    platform.write(&[("sub", json!("somebody else"))]);
    demand(&entra, TENANT);
    let error = directory.preflight().await.unwrap_err();
    assert!(error.to_string().contains("AADSTS700213"), "{error}");
}

#[tokio::test]
async fn each_claim_that_does_not_fit_is_told_with_its_code() {
    let platform = Platform::new();
    for (claim, value, code) in [
        ("iss", json!("https://oidc.example/other"), 700_211),
        ("aud", json!("api://other"), 700_212),
        (
            "sub",
            json!("system:serviceaccount:passportal:AGENT"),
            700_213,
        ),
    ] {
        platform.write(&[(claim, value)]);
        let told = platform.entra().refusal(platform.credential()).await;
        let expected = format!("no federated credential for this token (AADSTS{code}) – compare");
        assert!(told.contains(&expected), "{told}");
    }
}

#[tokio::test]
async fn a_token_out_of_its_time_or_of_another_key_is_refused() {
    let platform = Platform::new();
    let past = Timestamp::now() - SignedDuration::from_mins(6);
    platform.write(&[("exp", json!(past.as_second()))]);
    let told = platform.entra().refusal(platform.credential()).await;
    assert!(told.contains("AADSTS700024"), "{told}");
    let stranger = Platform {
        issuer: AppCertificate::other().unwrap(),
        ..Platform::new()
    };
    stranger.write(&[]);
    let told = platform.entra().refusal(stranger.credential()).await;
    assert!(told.contains("AADSTS50027"), "{told}");
}

#[tokio::test]
async fn a_missing_or_empty_file_is_told_with_its_name_and_nothing_is_sent() {
    let platform = Platform::new();
    let entra = platform.entra();
    let told = entra.refusal(platform.credential()).await;
    let name = |path: &Path| path.display().to_string();
    assert!(
        told.contains("could not read the federated token file"),
        "{told}"
    );
    assert!(told.contains(&name(&platform.file())), "{told}");
    std::fs::write(platform.file(), " \n").unwrap();
    let told = entra.refusal(platform.credential()).await;
    assert!(
        told.contains("is empty – check federated_token_file"),
        "{told}"
    );
    assert_eq!(entra.token_requests(), 0);
}
