//! Holds our own tables against a folder of reference facts, when `PASSPORTAL_REFERENCE` names one.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig, VerdictTable};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sync_engine::model::{BlockedReason, ObjectId, Password, TenantId, Verdict};
use sync_engine::ports::{Directory, SetPassword};
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

/// A file of the reference; `None`, and a word about it, when there is no reference.
fn reference<T: DeserializeOwned>(file: &str) -> Option<T> {
    let Some(folder) = std::env::var_os("PASSPORTAL_REFERENCE") else {
        #[expect(clippy::print_stderr, reason = "a skipped test says so")]
        {
            eprintln!("PASSPORTAL_REFERENCE is not set: {file} is not compared");
        }
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join(file)).unwrap();
    Some(serde_json::from_str(&text).unwrap())
}

#[derive(Deserialize)]
struct Codes {
    codes: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: u32,
    verdict: String,
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Match => "match",
        Verdict::Mismatch => "mismatch",
        Verdict::Unknown(_) => "unknown",
    }
}

#[test]
fn every_code_has_the_verdict_of_the_reference() {
    let Some(reference) = reference::<Codes>("aadsts.json") else {
        return;
    };
    let table = VerdictTable::built_in();
    let ours: BTreeMap<_, _> = table.rulings().map(|(_, r)| (r.code, r.verdict)).collect();
    assert!(!reference.codes.is_empty());
    for listed in reference.codes {
        let verdict = ours.get(&listed.code).map(word);
        assert_eq!(verdict, Some(listed.verdict.as_str()), "{}", listed.code);
    }
}

#[derive(Deserialize)]
struct Failure {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

/// What a password write must make of each failure.
fn is_expected(failure: &str, outcome: &SetPassword) -> bool {
    match failure {
        "policy_violation" | "readonly_property" => {
            *outcome == SetPassword::Refused(BlockedReason::Rejected)
        }
        "hybrid_user" => *outcome == SetPassword::Refused(BlockedReason::OnPremises),
        "insufficient_privileges" | "batch_not_licensed" => {
            *outcome == SetPassword::Refused(BlockedReason::NotAllowed)
        }
        "user_not_found" => *outcome == SetPassword::Gone,
        "throttled" | "token_expired" | "token_empty" | "cae" => {
            matches!(outcome, SetPassword::NotNow { .. })
        }
        "unavailable" => *outcome == SetPassword::Ambiguous,
        unknown => panic!("`{unknown}` is new in the reference: say here what a write makes of it"),
    }
}

#[tokio::test]
async fn every_failure_of_a_write_is_classified_as_the_reference_describes_it() {
    let Some(failures) = reference::<BTreeMap<String, Failure>>("graph_errors.json") else {
        return;
    };
    assert!(!failures.is_empty());
    for (name, failure) in failures {
        let server = MockServer::start().await;
        mount(&server, &failure).await;
        let outcome = directory(&server)
            .set_password(
                ObjectId(uuid::Uuid::from_bytes([1; 16])),
                &Password::new("Passw0rd!"),
            )
            .await;
        assert!(is_expected(&name, &outcome), "{name}: {outcome:?}");
        let all = server.received_requests().await.unwrap();
        let sent = all.iter().filter(|r| r.method.as_str() == "PATCH").count();
        // Only a refused token is a reason to send a write again.
        let expected = if failure.status == 401 { 2 } else { 1 };
        assert_eq!(sent, expected, "{name}");
    }
}

async fn mount(server: &MockServer, failure: &Failure) {
    let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "t" });
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .mount(server)
        .await;
    let mut answer = ResponseTemplate::new(failure.status).set_body_json(&failure.body);
    for (name, value) in &failure.headers {
        answer = answer.insert_header(name.as_str(), value.as_str());
    }
    Mock::given(method("PATCH"))
        .respond_with(answer)
        .mount(server)
        .await;
}

fn directory(server: &MockServer) -> EntraDirectory {
    let base: url::Url = server.uri().parse().unwrap();
    let mut config = TenantConfig::new(
        TenantId("contoso.com".to_owned()),
        "agent-app",
        AppCredential::ClientSecret("secret".into()),
    );
    config.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.clone())
        .with_graph(base);
    EntraDirectory::new(config).unwrap()
}
