//! Charts: flags over time, and how long changes took.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

async fn report(agent: &Caller, credential: Uuid, outcome: &str, at: Timestamp, flags: Value) {
    let entry = json!({ "credential": credential, "at": at, "version": 1,
        "outcome": outcome, "why": "because", "flags": flags });
    let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
    let _: Value = agent.post("agent/reports", &report).await;
}

#[tokio::test]
async fn what_arrived_within_a_day_is_on_the_chart_of_latency_and_nothing_else() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let empty = browser.get("/trends").await;
    assert!(empty.html.contains("No change was written yet."));

    for (seconds, outcome) in [(4, "pushed"), (90_000, "pushed"), (7, "matched")] {
        let id = client
            .add(&person, &format!("{seconds}@contoso.com"), "x")
            .await;
        let at = Timestamp::now() + SignedDuration::from_secs(seconds);
        report(&agent, id, outcome, at, json!({})).await;
    }
    let page = browser.get("/trends?days=90").await;
    assert!(page.html.contains("of 1 changes"), "{}", page.html);
    assert!(page.html.contains("line-median") && page.html.contains("dot-p95"));
    let wrong = browser.get("/trends?days=nonsense").await;
    assert_eq!(wrong.status, 200);
}

#[tokio::test]
async fn flags_are_counted_for_each_day_from_the_start_on() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    for name in ["anna", "ben"] {
        let id = client
            .add(&person, &format!("{name}@contoso.com"), "x")
            .await;
        let flags = json!({ "ad_change": { "version": 1, "stamp": null, "why": "they differ" } });
        report(&agent, id, "mismatched", Timestamp::now(), flags).await;
    }
    // The next server counts when it starts.
    let vault = vault.restart().await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let counted = async {
        loop {
            let page = browser.get("/trends").await;
            if page.html.contains("<td>2</td>") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let page = tokio::time::timeout(Duration::from_secs(30), counted).await;
    assert!(page.unwrap().html.contains("line-ad_change"));
    let counts: Vec<(String, i64)> = sqlx::query_as("SELECT kind, count FROM flag_counts")
        .fetch_all(&mut vault.database().await)
        .await
        .unwrap();
    assert_eq!(counts, [("ad_change".to_owned(), 2)]);
}
