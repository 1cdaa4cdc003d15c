//! The audit log: who reset whose password.

use entra_sim::AppSpec;
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{APP, Answer, NEW, READER, RIGHT, SECRET, Sim, TENANT, contoso};

const AUDITS: &str = "auditLogs/directoryAudits";
const ANNA: &str = "anna@contoso.com";

/// A simulator with an application that reads the audit log.
fn audited(permissions: &[&str]) -> Sim {
    let mut tenant = contoso();
    tenant.apps.retain(|app| app.client_id != READER);
    Sim::of(tenant.app(AppSpec::confidential(READER, SECRET).permissions(permissions)))
}

fn open() -> Sim {
    audited(&["AuditLog.Read.All", "Directory.Read.All"])
}

async fn read(sim: &Sim, url: &str) -> Answer {
    let request = sim.http.get(url).bearer_auth(sim.token_of(READER).await);
    Answer::of(request.send().await.unwrap()).await
}

async fn audits(sim: &Sim, query: &[(&str, &str)]) -> Answer {
    let url = format!("{}/v1.0/{AUDITS}", sim.url);
    let url = reqwest::Url::parse_with_params(&url, query).unwrap();
    read(sim, url.as_str()).await
}

fn entries(answer: &Answer) -> &Vec<Value> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body["value"].as_array().unwrap()
}

async fn foreign_reset(sim: &Sim) {
    let path = format!("tenants/{TENANT}/users/{ANNA}/password");
    sim.control(Method::POST, &path, json!({ "password": RIGHT }))
        .await;
}

#[tokio::test]
async fn each_reset_is_an_entry_with_its_initiator_the_newest_first_and_no_password() {
    let sim = open();
    sim.set_password(ANNA, NEW).await;
    sim.sign_in(ANNA, NEW).await;
    foreign_reset(&sim).await;
    let answer = audits(&sim, &[]).await;
    let found = entries(&answer);
    assert_eq!(found.len(), 2, "{}", answer.body);
    let (foreign, own) = (&found[0], &found[1]);
    for entry in [foreign, own] {
        assert_eq!(entry["category"], "UserManagement");
        assert_eq!(entry["activityDisplayName"], "Reset user password");
        assert_eq!(entry["loggedByService"], "Core Directory");
        assert_eq!(entry["result"], "success");
        let target = &entry["targetResources"][0];
        assert_eq!(target["userPrincipalName"], ANNA);
        assert_eq!(target["type"], "User");
    }
    assert_eq!(own["initiatedBy"]["app"]["appId"], APP.to_string());
    assert_eq!(own["initiatedBy"]["user"], Value::Null);
    assert_eq!(foreign["initiatedBy"]["app"], Value::Null);
    assert!(foreign["initiatedBy"]["user"]["id"].is_string());
    assert_ne!(own["id"], foreign["id"]);
    assert_eq!(entries(&audits(&sim, &[]).await), entries(&answer));
    for password in [NEW, RIGHT] {
        assert!(!answer.body.to_string().contains(password));
    }
}

#[tokio::test]
async fn a_refused_reset_is_no_entry() {
    let sim = open();
    sim.set_password(ANNA, "short").await;
    sim.set_password("boss@contoso.com", NEW).await;
    assert!(entries(&audits(&sim, &[]).await).is_empty());
}

#[tokio::test]
async fn both_permissions_are_needed() {
    for permissions in [&["AuditLog.Read.All"][..], &["Directory.Read.All"]] {
        let answer = audits(&audited(permissions), &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.graph_code(), "Authorization_RequestDenied");
    }
}

#[tokio::test]
async fn a_filter_leaves_the_activity_and_the_time_that_it_names() {
    let sim = open();
    sim.set_password(ANNA, NEW).await;
    sim.simulator.advance(SignedDuration::from_hours(1));
    let later = sim.simulator.now().to_string();
    foreign_reset(&sim).await;
    let count = async |filter: &str| entries(&audits(&sim, &[("$filter", filter)]).await).len();
    assert_eq!(
        count("activityDisplayName eq 'Reset user password'").await,
        2
    );
    assert_eq!(count("activityDisplayName eq 'Add user'").await, 0);
    assert_eq!(count(&format!("activityDateTime ge {later}")).await, 1);
    let both =
        format!("activityDisplayName eq 'Reset user password' and activityDateTime le {later}");
    assert_eq!(count(&both).await, 1);
    let refused = audits(&sim, &[("$filter", "result eq 'failure'")]).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn top_is_a_page_and_its_link_leads_to_the_next() {
    let sim = open();
    for _ in 0..3 {
        foreign_reset(&sim).await;
    }
    let first = audits(&sim, &[("$top", "2")]).await;
    assert_eq!(entries(&first).len(), 2);
    let next = first.body["@odata.nextLink"].as_str().unwrap();
    let second = read(&sim, next).await;
    assert_eq!(entries(&second).len(), 1);
    assert_eq!(second.body["@odata.nextLink"], Value::Null);
}
