//! Several credentials of a client at once, and passwords whose last day is over.

use passportal_client::wire::{Client, Credential, FlagKind, FlaggedCredential, SyncMode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

async fn modes(person: &Caller, client: Uuid) -> Vec<Option<SyncMode>> {
    let credentials: Vec<Credential> = person
        .get(&format!("vault/clients/{client}/credentials"))
        .await;
    credentials.iter().map(|it| it.own_mode).collect()
}

#[tokio::test]
async fn a_mode_is_set_for_those_selected_or_for_all_and_asks_before_it_overwrites() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    client.add(&person, "ben@contoso.com", "x").await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let (page, to) = (
        format!("/clients/{}", client.id),
        format!("/clients/{}/credentials/selected", client.id),
    );
    let one = format!("credential.{anna}");
    let none = browser
        .submit(&page, &to, &[("do", "mode"), ("mode", "off")])
        .await;
    assert!(none.html.contains("No credential is selected."));
    let unset = browser
        .submit(&page, &to, &[("do", "mode"), (&one, "on"), ("mode", "")])
        .await;
    assert!(unset.html.contains("Choose a mode."));
    browser
        .submit(&page, &to, &[("do", "mode"), (&one, "on"), ("mode", "off")])
        .await;
    assert_eq!(modes(&person, client.id).await, [Some(SyncMode::Off), None]);
    let all = [("do", "mode"), ("all", "on"), ("mode", "report_mismatches")];
    let saved = browser.submit(&page, &to, &all).await;
    assert!(saved.html.contains("changed: 2."), "{}", saved.html);

    let entry = json!({ "credential": anna, "at": "2025-01-01T00:00:00Z", "version": 1, "outcome": "mismatched",
        "why": "they differ", "flags": { "ad_change": { "version": 1, "stamp": null, "why": "they differ" } } });
    let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
    let _: Value = agent.post("agent/reports", &report).await;
    let enable = [("do", "mode"), ("all", "on"), ("mode", "inherit")];
    let asked = browser.submit(&page, &to, &enable).await;
    assert!(
        asked
            .html
            .contains("1 password in Entra ID would be overwritten"),
        "{}",
        asked.html
    );
    assert_eq!(
        modes(&person, client.id).await,
        [Some(SyncMode::ReportMismatches); 2]
    );
    let said = [&enable[..], &[("overwrite", "yes")]].concat();
    browser.submit(&page, &to, &said).await;
    assert_eq!(modes(&person, client.id).await, [None, None]);

    let cleared = browser
        .submit(&page, &to, &[("do", "clear"), ("all", "on")])
        .await;
    assert!(
        cleared.html.contains("Cleared flags: 1."),
        "{}",
        cleared.html
    );
    let flags: Vec<FlaggedCredential> = person.get("vault/flags").await;
    assert!(flags.is_empty());
}

#[tokio::test]
async fn a_password_is_flagged_when_its_last_day_is_over_until_it_is_another_one() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    client.add(&person, "ben@contoso.com", "x").await;
    let path = format!("vault/credentials/{anna}");
    let _: Credential = person
        .patch(&path, &json!({ "expires": "2026-01-31" }))
        .await;
    // It was stored before that day, whatever day it is now.
    sqlx::query("UPDATE credentials SET changed = '2026-01-01T00:00:00.000000000Z' WHERE id = ?")
        .bind(anna.to_string())
        .execute(&mut vault.database().await)
        .await
        .unwrap();
    let vault = vault.restart().await;
    let person = vault.person().await;
    let flags: Vec<FlaggedCredential> = person.get("vault/flags").await;
    assert_eq!((flags.len(), flags[0].kind), (1, FlagKind::PasswordExpired));
    assert!(flags[0].flag.why.contains("2026-01-31"));
    let clients: Vec<Client> = person.get("vault/clients").await;
    assert!(
        clients
            .iter()
            .any(|it| it.flags.get(&FlagKind::PasswordExpired) == Some(&1))
    );
    let _: Value = person
        .delete(&format!("{path}/flags/password_expired"))
        .await;
    let vault = vault.restart().await;
    let person = vault.person().await;
    let flags: Vec<FlaggedCredential> = person.get("vault/flags").await;
    assert!(flags.is_empty(), "what a person cleared stays down");
}
