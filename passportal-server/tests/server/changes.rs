//! The cursor, its pages and the long poll.

use std::time::{Duration, Instant};

use passportal_client::wire::{
    Client, Credential, Extent, MicrosoftSync, Mute, SecretAnswer, SyncMode,
};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, TestClient, TestVault};

struct World {
    vault: TestVault,
    person: Caller,
    client: TestClient,
    agent: Caller,
}

async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    World {
        vault,
        person,
        client,
        agent,
    }
}

#[tokio::test]
async fn the_first_reading_is_full_and_the_next_one_only_what_changed() {
    let world = world().await;
    let anna = world
        .client
        .add(&world.person, "anna@contoso.com", "Canary-1!")
        .await;
    let bert = world
        .client
        .add(&world.person, "bert@contoso.com", "Canary-2!")
        .await;

    let all = world.agent.changes("wait=0").await;
    assert_eq!(all.extent, Extent::Full);
    assert_eq!(all.credentials.len(), 2);
    let first = &all.credentials[0];
    assert_eq!(
        (first.id, first.mode, first.version),
        (anna, SyncMode::Enabled, 1)
    );
    let opened = world
        .client
        .open("anna@contoso.com", anna, 1, &first.sealed);
    assert_eq!(opened, "Canary-1!");

    let quiet = world.agent.changes(&format!("cursor={}", all.cursor)).await;
    assert_eq!(quiet.extent, Extent::Changes);
    assert!(quiet.credentials.is_empty());

    let new = world
        .client
        .new_password(bert, "bert@contoso.com", 2, "Canary-3!");
    let _: Credential = world
        .person
        .put(&format!("vault/credentials/{bert}/password"), &new)
        .await;
    let news = world
        .agent
        .changes(&format!("cursor={}", quiet.cursor))
        .await;
    assert_eq!(news.extent, Extent::Changes);
    assert_eq!(news.credentials.len(), 1);
    assert_eq!(
        (news.credentials[0].id, news.credentials[0].version),
        (bert, 2)
    );
}

#[tokio::test]
async fn a_reading_in_pages_misses_nothing_and_keeps_its_extent() {
    let world = world().await;
    for number in 0..5 {
        world
            .client
            .add(&world.person, &format!("user{number}@contoso.com"), "x")
            .await;
    }
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = world.agent.changes(&query).await;
        assert_eq!(page.extent, Extent::Full);
        seen.extend(
            page.credentials
                .into_iter()
                .map(|credential| credential.user_name),
        );
        query = format!("limit=2&cursor={}", page.cursor);
        if !page.more {
            break;
        }
    }
    assert_eq!(
        seen,
        (0..5)
            .map(|number| format!("user{number}@contoso.com"))
            .collect::<Vec<_>>()
    );
    assert_eq!(world.agent.changes(&query).await.extent, Extent::Changes);
}

#[tokio::test]
async fn a_cursor_of_another_history_begins_anew() {
    let world = world().await;
    world
        .client
        .add(&world.person, "anna@contoso.com", "x")
        .await;
    let epoch = world.agent.changes("").await.epoch;
    for cursor in [
        format!("{}:1", Uuid::new_v4()),
        format!("{epoch}:999999"),
        "nonsense".to_owned(),
    ] {
        let again = world
            .agent
            .changes(&format!("cursor={cursor}&wait=60"))
            .await;
        assert_eq!(again.extent, Extent::Full, "{cursor}");
        assert_eq!(again.credentials.len(), 1);
    }
}

#[tokio::test]
async fn a_cursor_ahead_of_the_vault_begins_a_new_epoch() {
    let world = world().await;
    let epoch = world.agent.changes("").await.epoch;
    let ahead = world.agent.changes(&format!("cursor={epoch}:999999")).await;
    assert_ne!(
        ahead.epoch, epoch,
        "an older copy of the vault was put back"
    );
    let again = world.agent.changes("").await;
    assert_eq!(again.epoch, ahead.epoch, "once is enough");
}

#[tokio::test]
async fn a_muted_client_hands_out_no_password() {
    let world = world().await;
    let anna = world
        .client
        .add(&world.person, "anna@contoso.com", "x")
        .await;
    let path = format!("agent/credentials/{anna}/secret?version=1");
    let _: SecretAnswer = world.agent.get(&path).await;
    let client = format!("vault/clients/{}", world.client.id);
    let _: Client = world
        .person
        .patch(&client, &json!({ "mute": "muted" }))
        .await;
    let refused = world.agent.fails(Method::GET, &path, &json!({})).await;
    assert_eq!(refused, (409, 4009));
}

#[tokio::test]
async fn a_change_wakes_the_long_poll_at_once() {
    let world = world().await;
    let cursor = world.agent.changes("").await.cursor;
    let agent = world.agent.clone();
    let poll = tokio::spawn(async move {
        let changes = agent.changes(&format!("cursor={cursor}&wait=60")).await;
        (changes, Instant::now())
    });
    let anna = world
        .client
        .add(&world.person, "anna@contoso.com", "x")
        .await;
    let added = Instant::now();
    let (changes, answered) = poll.await.unwrap();
    assert_eq!(changes.credentials[0].id, anna);
    assert!(answered.saturating_duration_since(added) < Duration::from_secs(10));
}

#[tokio::test]
async fn settings_and_inherited_modes_reach_the_agent() {
    let world = world().await;
    let anna = world
        .client
        .add(&world.person, "anna@contoso.com", "x")
        .await;
    let bert = world
        .client
        .add(&world.person, "bert@contoso.com", "x")
        .await;
    let path = format!("vault/credentials/{bert}");
    let _: Credential = world
        .person
        .patch(&path, &json!({ "own_mode": "off" }))
        .await;
    let cursor = world.agent.changes("").await.cursor;

    let client = format!("vault/clients/{}", world.client.id);
    let muted = json!({ "default_mode": "report_mismatches", "mute": "muted" });
    let _: Client = world.person.patch(&client, &muted).await;
    let news = world
        .agent
        .changes(&format!("cursor={cursor}&wait=60"))
        .await;
    assert_eq!(news.client.mute, Mute::Muted);
    assert_eq!(news.client.sync, MicrosoftSync::EntraId);
    let modes: Vec<_> = news
        .credentials
        .iter()
        .map(|credential| (credential.id, credential.mode))
        .collect();
    assert_eq!(modes, [(anna, SyncMode::ReportMismatches)]);

    let _: Credential = world
        .person
        .patch(
            &path,
            &json!({ "inherit_mode": true, "standing": "disabled", "confirm_version": 1 }),
        )
        .await;
    let news = world
        .agent
        .changes(&format!("cursor={}", news.cursor))
        .await;
    let changed = &news.credentials[0];
    assert_eq!(changed.mode, SyncMode::ReportMismatches);
    assert_eq!(changed.confirmed.as_ref().unwrap().version, 1);
    assert_eq!(serde_json::to_value(changed.standing).unwrap(), "disabled");
}

#[tokio::test]
async fn what_the_agent_says_itself_does_not_come_back_as_a_change() {
    let world = world().await;
    let anna = world
        .client
        .add(&world.person, "anna@contoso.com", "x")
        .await;
    let cursor = world.agent.changes("").await.cursor;

    let attempt = json!({ "id": Uuid::new_v4(), "object": Uuid::new_v4(), "version": 1,
        "at": jiff::Timestamp::now(), "state": "failed" });
    let notices = json!({ "notices": [{ "credential": anna, "attempt": attempt }] });
    let _: Value = world.agent.post("agent/attempts", &notices).await;
    let report = json!({ "id": Uuid::new_v4(), "entries": [{ "credential": anna, "at": jiff::Timestamp::now(),
        "version": 1, "outcome": "mismatched", "why": "they differ",
        "flags": { "ad_change": { "version": 1, "why": "they differ" } } }] });
    let _: Value = world.agent.post("agent/reports", &report).await;
    let quiet = world.agent.changes(&format!("cursor={cursor}")).await;
    assert!(quiet.credentials.is_empty());

    let path = format!("vault/credentials/{anna}/flags/ad_change");
    let _: Value = world.person.delete(&path).await;
    let news = world
        .agent
        .changes(&format!("cursor={}", quiet.cursor))
        .await;
    assert_eq!(news.credentials[0].id, anna);
    assert!(news.credentials[0].flags.is_empty());
    assert_eq!(
        serde_json::to_value(news.credentials[0].attempts[0].state).unwrap(),
        "failed"
    );
    world.vault.stop().await;
}
