//! Enrolment, the lease, rotation and revocation.

use std::time::Duration;

use passportal_client::envelope::DataKey;
use passportal_client::wire::{AgentCondition, Client, LeaseAnswer, LeaseState, RotatedToken};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::{Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, derive};

async fn beat(agent: &Caller, host: &str, state: &str) -> LeaseState {
    beat_as(agent, host, state, None).await
}

async fn beat_as(agent: &Caller, host: &str, state: &str, instance: Option<Uuid>) -> LeaseState {
    let heartbeat = json!({
        "instance": instance,
        "version": "0.1.0", "host": host, "state": state, "write_timeout_seconds": 30,
    });
    let answer: LeaseAnswer = agent.post("agent/heartbeat", &heartbeat).await;
    assert!(!answer.rotate_token);
    answer.lease
}

#[tokio::test]
async fn an_enrolled_agent_can_open_its_clients_key_with_the_organization_key() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let enrolled = client.enrol(&person, "host-1").await;

    let company: Vec<Client> = person.get("vault/clients").await;
    let key = DataKey::unwrap(&derive(&company[0]), &enrolled.key).unwrap();
    assert_eq!(key.client(), client.id);
    assert_eq!(enrolled.client_name, "Contoso");
}

#[tokio::test]
async fn a_client_without_microsoft_sync_enrols_no_agent() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = vault.made.company_vault;
    let request = json!({ "client": client, "host": "host-1", "version": "0.1.0" });
    let refused = person
        .fails(Method::POST, "agent/enrolments", &request)
        .await;
    assert_eq!(refused, (422, 4022));
}

#[tokio::test]
async fn the_lease_goes_to_one_agent_and_is_handed_over_with_a_wait() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let first = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let second = vault.with_token(&client.enrol(&person, "host-2").await.token);

    let LeaseState::Granted {
        remaining_ms,
        writes_after_ms,
    } = beat(&first, "host-1", "running").await
    else {
        panic!("not granted");
    };
    assert!((119_000..=120_000).contains(&remaining_ms));
    assert_eq!(writes_after_ms, 0);
    let LeaseState::Elsewhere { holder, .. } = beat(&second, "host-2", "running").await else {
        panic!("granted twice");
    };
    assert_eq!(holder, "host-1");

    beat(&first, "host-1", "stopping").await;
    let LeaseState::Granted {
        writes_after_ms, ..
    } = beat(&second, "host-2", "running").await
    else {
        panic!("not free");
    };
    assert!((1..=30_000).contains(&writes_after_ms), "{writes_after_ms}");
}

#[tokio::test]
async fn a_copy_of_an_agent_stands_by_and_frees_nothing() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let original = Some(Uuid::from_u128(1));
    let copy = Some(Uuid::from_u128(2));

    let first = beat_as(&agent, "host-1", "running", original).await;
    assert!(matches!(first, LeaseState::Granted { .. }), "{first:?}");
    for state in ["running", "stopping", "running"] {
        let second = beat_as(&agent, "host-2", state, copy).await;
        let stands_by =
            matches!(&second, LeaseState::Elsewhere { holder, .. } if holder == "host-1");
        assert!(stands_by || state == "stopping", "{second:?}");
    }
    let again = beat_as(&agent, "host-1", "running", original).await;
    assert!(
        matches!(
            again,
            LeaseState::Granted {
                writes_after_ms: 0,
                ..
            }
        ),
        "{again:?}"
    );
}

async fn condition(person: &Caller, client: Uuid) -> AgentCondition {
    let client: Client = person.get(&format!("vault/clients/{client}")).await;
    assert_eq!(client.agents.len(), 1);
    client.agents[0].condition
}

#[tokio::test]
async fn people_see_how_an_agent_is_and_that_it_has_fallen_silent() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let see = async || condition(&person, client.id).await;
    assert_eq!(see().await, AgentCondition::NotSeenYet);
    for (state, expected) in [
        ("running", AgentCondition::Running),
        ("failing", AgentCondition::Failing),
        ("stopping", AgentCondition::Stopped),
    ] {
        beat(&agent, "host-1", state).await;
        assert_eq!(see().await, expected);
    }

    let heartbeat = json!({ "version": "0.1.0", "host": "host-1", "state": "running",
        "write_timeout_seconds": 30, "interval_seconds": 600 });
    let _: LeaseAnswer = agent.post("agent/heartbeat", &heartbeat).await;
    let file = vault.dir.path().join("vault.db");
    for (minutes, expected) in [(19, AgentCondition::Running), (21, AgentCondition::Silent)] {
        last_heard(&file, minutes).await;
        assert_eq!(see().await, expected, "{minutes} minutes ago");
    }
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let home = browser.get("/").await.html;
    assert!(
        home.contains(r#"<strong class="tag">Silent</strong>"#),
        "{home}"
    );
}

/// As if so many minutes had passed since the only agent was heard.
async fn last_heard(file: &std::path::Path, minutes: i64) {
    let at = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("UPDATE agents SET last_seen = ?")
        .bind(format!("{at:.9}"))
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
}

#[tokio::test]
async fn the_old_token_lives_until_the_new_one_is_used() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let old = vault.with_token(&client.enrol(&person, "host-1").await.token);

    let rotated: RotatedToken = old.post("agent/token", &json!({})).await;
    old.changes("wait=0").await;
    vault.with_token(&rotated.token).changes("wait=0").await;
    let refused = old.fails(Method::GET, "agent/changes", &json!({})).await;
    assert_eq!(refused, (401, 1006));
    vault.with_token(&rotated.token).changes("wait=0").await;
}

#[tokio::test]
async fn a_revoked_agent_is_out_at_once() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let enrolled = client.enrol(&person, "host-1").await;
    let agent = vault.with_token(&enrolled.token);
    let cursor = agent.changes("wait=0").await.cursor;

    let waiting = agent.clone();
    let path = format!("agent/changes?cursor={cursor}&wait=60");
    let poll = tokio::spawn(async move { waiting.fails(Method::GET, &path, &json!({})).await });
    let _: Value = person
        .delete(&format!("agent/enrolments/{}", enrolled.agent))
        .await;
    let answer = tokio::time::timeout(Duration::from_secs(20), poll).await;
    assert_eq!(answer.expect("it waits on").unwrap(), (401, 1006));
    let refused = agent.fails(Method::POST, "agent/token", &json!({})).await;
    assert_eq!(refused, (401, 1006));
}

#[tokio::test]
async fn an_agent_sees_its_own_client_only() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let contoso = TestClient::create(&person, "Contoso").await;
    let fabrikam = TestClient::create(&person, "Fabrikam").await;
    let theirs = fabrikam.add(&person, "bob@fabrikam.com", "Canary-1!").await;
    let agent = vault.with_token(&contoso.enrol(&person, "host-1").await.token);

    assert!(agent.changes("wait=0").await.credentials.is_empty());
    let secret = format!("agent/credentials/{theirs}/secret?version=1");
    assert_eq!(
        agent.fails(Method::GET, &secret, &json!({})).await,
        (404, 4004)
    );
    let attempt = json!({ "notices": [{ "credential": theirs, "attempt": {
        "id": Uuid::new_v4(), "object": Uuid::new_v4(), "version": 1,
        "at": "2025-01-01T00:00:00Z", "state": "open" } }] });
    assert_eq!(
        agent.fails(Method::POST, "agent/attempts", &attempt).await,
        (404, 4004)
    );
    let refused = agent.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (403, 4003));
    let refused = person.fails(Method::GET, "agent/changes", &json!({})).await;
    assert_eq!(refused, (403, 4003));
}
