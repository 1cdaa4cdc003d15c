//! The project's own client against the server: both sides mean the same.

use std::sync::Mutex;

use async_trait::async_trait;
use passportal_client::wire::{
    AgentState, Attempt, AttemptNotice, AttemptState, Attempts, ChangesQuery, FlagQuery, Heartbeat,
    HeldPlan, HeldWrite, Outcome, PlanQuery, PlanStanding, Report, ReportEntry, Ruling,
    SecretPurpose, ShownPlans, SyncMode,
};
use passportal_client::{
    AgentApi, ApiClient, ApiError, ApiKey, BodyFormat, HttpConfig, PersonSession, TokenKeeper,
};
use passportal_server::create_api_key;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use uuid::Uuid;

use crate::support::{EMAIL, PASSWORD, TestClient, TestVault};

#[derive(Default)]
struct Kept(Mutex<Option<String>>);

#[async_trait]
impl TokenKeeper for Kept {
    async fn keep(&self, token: &SecretString) -> Result<(), sync_engine::ports::Cause> {
        *self.0.lock().unwrap() = Some(token.expose_secret().to_owned());
        Ok(())
    }
}

#[tokio::test]
async fn a_person_and_an_agent_go_the_whole_way() {
    let vault = TestVault::start().await;
    let config = HttpConfig::new(&vault.url).unwrap();
    let (person, details) = PersonSession::sign_in(&config, EMAIL, &PASSWORD.into(), None)
        .await
        .unwrap();
    assert_eq!(details.organization, vault.made.organization_id);
    let raw = vault.person().await;
    let client = TestClient::create(&raw, "Contoso").await;
    let anna = client.add(&raw, "anna@contoso.com", "Canary-1!").await;
    let enrolled = client.enrol(&raw, "host-1").await;

    let agent = AgentApi::new(&config, enrolled.token.as_str().into()).unwrap();
    let changes = agent.changes(&ChangesQuery::default()).await.unwrap();
    assert_eq!(changes.credentials[0].id, anna);
    let secret = agent.secret(anna, 1, SecretPurpose::Sync).await.unwrap();
    assert_eq!(
        client.open(&secret.user_name, anna, 1, &secret.sealed),
        "Canary-1!"
    );
    agent.note_attempts(&attempts(anna)).await.unwrap();
    let report = report(anna);
    assert!(!agent.report(&report).await.unwrap().duplicate);
    assert!(agent.report(&report).await.unwrap().duplicate);
    let kept = Kept::default();
    agent.rotate(&kept).await.unwrap();
    agent.changes(&ChangesQuery::default()).await.unwrap();

    assert_eq!(person.history(anna).await.unwrap().len(), 1);
    assert!(
        person
            .flags(&FlagQuery::default())
            .await
            .unwrap()
            .is_empty()
    );
    person.revoke_agent(enrolled.agent).await.unwrap();
    let refused = agent.changes(&ChangesQuery::default()).await.unwrap_err();
    assert!(matches!(refused, ApiError::NotAuthorised { .. }));
    person.sign_out().await.unwrap();
}

#[tokio::test]
async fn a_held_plan_goes_to_a_person_and_the_word_comes_back() {
    let vault = TestVault::start().await;
    let config = HttpConfig::new(&vault.url).unwrap();
    let (person, _) = PersonSession::sign_in(&config, EMAIL, &PASSWORD.into(), None)
        .await
        .unwrap();
    let raw = vault.person().await;
    let client = TestClient::create(&raw, "Contoso").await;
    let anna = client.add(&raw, "anna@contoso.com", "x").await;
    let enrolled = client.enrol(&raw, "host-1").await;
    let agent = AgentApi::new(&config, enrolled.token.as_str().into()).unwrap();
    let instance = Some(Uuid::new_v4());
    let shown = ShownPlans {
        plans: vec![held_plan(anna)],
        instance,
    };
    let too_early = agent.show_plans(&shown).await.unwrap_err();
    assert!(matches!(too_early, ApiError::Conflict { .. }));
    agent.heartbeat(&heartbeat(instance)).await.unwrap();
    agent.show_plans(&shown).await.unwrap();

    let id = shown.plans[0].id;
    let query = PlanQuery {
        client: Some(client.id),
    };
    assert_eq!(person.plans(&query).await.unwrap()[0].id, id);
    let details = person.plan(id).await.unwrap();
    assert_eq!(details.writes, shown.plans[0].writes);
    let ruled = person.rule(id, Ruling::Approve).await.unwrap();
    assert!(!ruled.is_waiting());
    let changes = agent.changes(&ChangesQuery::default()).await.unwrap();
    assert_eq!(
        (changes.rulings[0].plan, changes.rulings[0].ruling),
        (id, Ruling::Approve)
    );
    let twice = person.rule(id, Ruling::Reject).await.unwrap_err();
    assert!(twice.to_string().contains("ruled on once"), "{twice}");
}

fn heartbeat(instance: Option<Uuid>) -> Heartbeat {
    Heartbeat {
        version: "0.1.0".to_owned(),
        host: "host-1".to_owned(),
        state: AgentState::Running,
        write_timeout_seconds: 30,
        interval_seconds: None,
        instance,
    }
}

fn held_plan(credential: Uuid) -> HeldPlan {
    let write = HeldWrite {
        credential,
        user_name: "anna@contoso.com".to_owned(),
        version: 1,
        mode: SyncMode::Enabled,
        why: "because".to_owned(),
        object: Uuid::new_v4(),
        stamp: Some(jiff::Timestamp::now()),
    };
    HeldPlan {
        id: Uuid::new_v4(),
        at: jiff::Timestamp::now(),
        allowed: 0,
        total: 1,
        writes: vec![write],
        standing: PlanStanding::Waiting,
    }
}

fn attempts(credential: Uuid) -> Attempts {
    let attempt = Attempt {
        id: Uuid::new_v4(),
        object: Uuid::new_v4(),
        version: 1,
        stamp: None,
        at: jiff::Timestamp::now(),
        state: AttemptState::Open,
    };
    Attempts {
        notices: vec![AttemptNotice {
            credential,
            attempt,
        }],
    }
}

fn report(credential: Uuid) -> Report {
    Report {
        id: Uuid::new_v4(),
        entries: vec![ReportEntry {
            credential,
            at: jiff::Timestamp::now(),
            version: 1,
            outcome: Outcome::Matched,
            why: "both agree".to_owned(),
            flags: [].into(),
        }],
        instance: None,
    }
}

#[tokio::test]
async fn a_program_lists_the_clients_in_both_formats() {
    let vault = TestVault::start().await;
    let config = HttpConfig::new(&vault.url).unwrap();
    let file = vault.dir.path().join("api-key.json");
    create_api_key(vault.dir.path(), &file).await.unwrap();
    let made: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    for format in [BodyFormat::Json, BodyFormat::Form] {
        let key = ApiKey::new(text("key"), text("secret").into());
        let program = ApiClient::sign_in(&config, key, format).await.unwrap();
        assert_eq!(program.clients().await.unwrap()[0].name, "Northwind MSP");
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_authorised() {
    let vault = TestVault::start().await;
    let config = HttpConfig::new(&vault.url).unwrap();
    let wrong = SecretString::from("something else");
    let refused = PersonSession::sign_in(&config, EMAIL, &wrong, None).await;
    assert!(matches!(
        refused.unwrap_err(),
        ApiError::NotAuthorised { .. }
    ));
}
