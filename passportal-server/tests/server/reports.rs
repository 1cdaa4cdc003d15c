//! Reports: taken once, flags and their clearing, a history without repeats, attempts.

use std::collections::BTreeMap;

use passportal_client::wire::{
    Credential, FlagKind, FlaggedCredential, HistoryEntry, ReportAccepted,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, TestClient, TestVault};

const EARLY: &str = "2025-01-01T00:00:00Z";
const LATE: &str = "2025-02-01T00:00:00Z";

struct World {
    vault: TestVault,
    person: Caller,
    client: TestClient,
    agent: Caller,
    anna: Uuid,
}

impl World {
    async fn new() -> Self {
        let vault = TestVault::start().await;
        let person = vault.person().await;
        let client = TestClient::create(&person, "Contoso").await;
        let anna = client.add(&person, "anna@contoso.com", "x").await;
        let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
        Self {
            vault,
            person,
            client,
            agent,
            anna,
        }
    }

    async fn report(&self, flags: Value) -> ReportAccepted {
        self.report_as(Uuid::new_v4(), "mismatched", flags).await
    }

    async fn report_as(&self, id: Uuid, outcome: &str, flags: Value) -> ReportAccepted {
        let entry = json!({ "credential": self.anna, "at": EARLY, "version": 1,
            "outcome": outcome, "why": "because", "flags": flags });
        let report = json!({ "id": id, "entries": [entry] });
        self.agent.post("agent/reports", &report).await
    }

    async fn report_with(&self, instance: Uuid, flags: Value) -> ReportAccepted {
        let entry = json!({ "credential": self.anna, "at": EARLY, "version": 1,
            "outcome": "mismatched", "why": "because", "flags": flags });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry], "instance": instance });
        self.agent.post("agent/reports", &report).await
    }

    async fn flags(&self) -> Vec<FlagKind> {
        let anna: Credential = self
            .person
            .get(&format!("vault/credentials/{}", self.anna))
            .await;
        anna.flags.into_keys().collect()
    }

    async fn clear(&self, kind: &str) -> bool {
        let path = format!("vault/credentials/{}/flags/{kind}", self.anna);
        let cleared: Value = self.person.delete(&path).await;
        cleared["stood"].as_bool().unwrap()
    }
}

fn mismatch(stamp: &str) -> Value {
    json!({ "ad_change": { "version": 1, "stamp": stamp, "why": "they differ" } })
}

#[tokio::test]
async fn a_report_is_taken_once() {
    let world = World::new().await;
    let id = Uuid::new_v4();
    assert!(
        !world
            .report_as(id, "mismatched", mismatch(EARLY))
            .await
            .duplicate
    );
    assert!(world.report_as(id, "matched", json!({})).await.duplicate);
    assert_eq!(world.flags().await, [FlagKind::AdChange]);
}

#[tokio::test]
async fn a_report_replaces_the_engines_flags_and_only_those() {
    let world = World::new().await;
    world.report(mismatch(EARLY)).await;
    let held = json!({ "version": 1, "why": "a person decides" });
    let expired = json!({ "version": 1, "why": "not the agent's business" });
    world
        .report(json!({ "held": held, "password_expired": expired }))
        .await;
    assert_eq!(world.flags().await, [FlagKind::Held]);
    world.report(json!({})).await;
    assert!(world.flags().await.is_empty());
}

#[tokio::test]
async fn a_cleared_flag_stays_down_until_its_fact_changes() {
    let world = World::new().await;
    world.report(mismatch(EARLY)).await;
    assert!(world.clear("ad_change").await);
    assert!(!world.clear("ad_change").await);

    world.report(mismatch(EARLY)).await;
    assert!(world.flags().await.is_empty());
    world.report(json!({})).await;
    world.report(mismatch(EARLY)).await;
    assert!(world.flags().await.is_empty());
    world.report(mismatch(LATE)).await;
    assert_eq!(world.flags().await, [FlagKind::AdChange]);
}

#[tokio::test]
async fn a_flag_that_stands_keeps_the_time_when_it_was_raised() {
    let world = World::new().await;
    world.report(mismatch(EARLY)).await;
    let before: Vec<FlaggedCredential> = world.person.get("vault/flags?kind=ad_change").await;
    world.report(mismatch(EARLY)).await;
    let after: Vec<FlaggedCredential> = world.person.get("vault/flags").await;
    assert_eq!(before[0].raised, after[0].raised);
    assert_eq!(after[0].user_name, "anna@contoso.com");
    let none: Vec<FlaggedCredential> = world.person.get("vault/flags?kind=held").await;
    assert!(none.is_empty());
}

#[tokio::test]
async fn the_history_has_a_line_only_for_news() {
    let world = World::new().await;
    for outcome in ["matched", "matched", "mismatched", "mismatched", "matched"] {
        world.report_as(Uuid::new_v4(), outcome, json!({})).await;
    }
    let path = format!("vault/credentials/{}/history", world.anna);
    let history: Vec<HistoryEntry> = world.person.get(&path).await;
    let outcomes: Vec<_> = history
        .iter()
        .map(|line| serde_json::to_value(line.outcome).unwrap())
        .collect();
    assert_eq!(outcomes, ["matched", "mismatched", "matched"]);
    assert_eq!(history[0].agent, "host-1");
}

#[tokio::test]
async fn an_entry_that_names_an_unknown_credential_does_not_stop_the_others() {
    let world = World::new().await;
    let entry = |credential: Uuid| {
        json!({ "credential": credential, "at": EARLY, "version": 1,
        "outcome": "mismatched", "why": "because", "flags": mismatch(EARLY) })
    };
    let report =
        json!({ "id": Uuid::new_v4(), "entries": [entry(Uuid::new_v4()), entry(world.anna)] });
    let _: ReportAccepted = world.agent.post("agent/reports", &report).await;
    assert_eq!(world.flags().await, [FlagKind::AdChange]);
}

#[tokio::test]
async fn the_attempts_that_matter_come_with_a_full_reading() {
    let world = World::new().await;
    let now = jiff::Timestamp::now();
    let yesterday = now - jiff::SignedDuration::from_hours(30);
    let old = now - jiff::SignedDuration::from_hours(50);
    let notice = |id: Uuid, version: u64, at: jiff::Timestamp, state: &str| {
        json!({
        "credential": world.anna, "attempt": { "id": id, "object": Uuid::nil(), "version": version,
        "at": at, "state": state } })
    };
    let ids: Vec<Uuid> = (0..6).map(|_| Uuid::new_v4()).collect();
    let notices = [
        notice(ids[0], 1, old, "failed"),
        notice(ids[1], 7, old, "failed"),
        notice(ids[2], 7, now, "passed"),
        notice(ids[3], 7, now, "open"),
        notice(ids[4], 1, now, "failed"),
        notice(ids[4], 1, now, "open"),
        notice(ids[5], 7, yesterday, "failed"),
    ];
    let _: Value = world
        .agent
        .post("agent/attempts", &json!({ "notices": notices }))
        .await;

    let full = world.agent.changes("").await;
    let states: BTreeMap<Uuid, String> = full.credentials[0]
        .attempts
        .iter()
        .map(|attempt| (attempt.id, format!("{:?}", attempt.state)))
        .collect();
    let expected = [
        (ids[0], "Failed"),
        (ids[3], "Open"),
        (ids[4], "Failed"),
        (ids[5], "Failed"),
    ];
    assert_eq!(
        states,
        expected.map(|(id, state)| (id, state.to_owned())).into()
    );
}

async fn lead(agent: &Caller, instance: Uuid) {
    let heartbeat = json!({ "version": "0.1.0", "host": "host", "state": "running",
        "write_timeout_seconds": 30, "instance": instance });
    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
}

#[tokio::test]
async fn what_a_process_says_late_is_refused_while_another_one_leads() {
    let world = World::new().await;
    let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
    let entry = json!({ "credential": world.anna, "at": EARLY, "version": 1,
        "outcome": "matched", "why": "because", "flags": {} });
    let report =
        |id: Uuid, instance: Uuid| json!({ "id": id, "entries": [entry], "instance": instance });
    let told_before = Uuid::new_v4();
    // Nobody leads yet: there is nothing that it could be older than.
    let _: ReportAccepted = world
        .agent
        .post("agent/reports", &report(told_before, first))
        .await;

    lead(&world.agent, second).await;
    let _: ReportAccepted = world.report_with(second, mismatch(EARLY)).await;
    let enrolled = world.client.enrol(&world.person, "host-2").await;
    let other = world.vault.with_token(&enrolled.token);
    for (caller, instance) in [(&world.agent, first), (&other, first), (&other, second)] {
        let late = report(Uuid::new_v4(), instance);
        let refused = caller.fails(Method::POST, "agent/reports", &late).await;
        assert_eq!(refused, (409, 4009));
    }
    assert_eq!(world.flags().await, [FlagKind::AdChange]);
    // What it had said before is no news.
    let again = report(told_before, first);
    let accepted: ReportAccepted = world.agent.post("agent/reports", &again).await;
    assert!(accepted.duplicate);
}
