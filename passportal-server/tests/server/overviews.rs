//! Reports for people: what each holds, on screen and as files.

use passportal_client::wire::{AuditLine, Credential, Overview};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::{Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

struct World {
    vault: TestVault,
    person: Caller,
    contoso: TestClient,
    fabrikam: TestClient,
    anna: Uuid,
}

impl World {
    /// Anna of Contoso has a mismatch; nothing is known of Ben of Fabrikam.
    async fn new() -> Self {
        let vault = TestVault::start().await;
        let person = vault.person().await;
        let contoso = TestClient::create(&person, "Contoso").await;
        let fabrikam = TestClient::create(&person, "Fabrikam").await;
        let anna = contoso.add(&person, "anna@contoso.com", "x").await;
        fabrikam.add(&person, "ben@fabrikam.com", "x").await;
        let agent = vault.with_token(&contoso.enrol(&person, "host-1").await.token);
        let flag = json!({ "version": 1, "stamp": "2025-01-01T00:00:00Z", "why": "they <differ>" });
        let entry = json!({ "credential": anna, "at": "2025-01-01T00:00:00Z", "version": 1,
            "outcome": "mismatched", "why": "they differ", "flags": { "ad_change": flag } });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
        let _: Value = agent.post("agent/reports", &report).await;
        Self {
            vault,
            person,
            contoso,
            fabrikam,
            anna,
        }
    }

    async fn report(&self, path: &str) -> Overview {
        let report: Overview = self.person.get(&format!("reports/{path}")).await;
        let width = report.columns.len();
        assert!(report.rows.iter().all(|row| row.len() == width));
        assert!(!report.cut_off);
        report
    }

    /// One column of a report, from the top.
    async fn column(&self, path: &str, name: &str) -> Vec<String> {
        let report = self.report(path).await;
        let at = report.columns.iter().position(|it| it == name).unwrap();
        report.rows.iter().map(|row| row[at].clone()).collect()
    }
}

#[tokio::test]
async fn mismatches_stand_in_the_report_snoozed_or_not() {
    let world = World::new().await;
    assert_eq!(
        world.column("mismatches", "User name").await,
        ["anna@contoso.com"]
    );
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let path = format!("vault/credentials/{}/flags/ad_change/snooze", world.anna);
    let new = json!({ "reason": "holiday", "until": until });
    let _: Value = world.person.put(&path, &new).await;
    let snoozed = world.column("mismatches", "Snoozed until").await;
    assert!(snoozed[0].ends_with(" UTC"), "{snoozed:?}");
    let other = format!("mismatches?client={}", world.fabrikam.id);
    assert!(world.column(&other, "User name").await.is_empty());
}

#[tokio::test]
async fn passwords_in_use_that_are_older_than_the_days_are_unchanged() {
    let world = World::new().await;
    let file = world.vault.dir.path().join("vault.db");
    let mut database = SqliteConnection::connect(&format!("sqlite://{}", file.display()))
        .await
        .unwrap();
    let changed = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 100 + 1);
    sqlx::query("UPDATE credentials SET changed = ? WHERE id = ?")
        .bind(format!("{changed:.9}"))
        .bind(world.anna.to_string())
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(world.column("unchanged-passwords", "Days").await, ["100"]);
    assert_eq!(
        world.column("unchanged-passwords", "Changed by").await,
        [EMAIL]
    );
    assert!(
        world
            .column("unchanged-passwords?days=101", "Days")
            .await
            .is_empty()
    );
    let path = format!("vault/credentials/{}", world.anna);
    let disabled = json!({ "standing": "disabled" });
    let _: Credential = world.person.patch(&path, &disabled).await;
    assert!(world.column("unchanged-passwords", "Days").await.is_empty());
    let far = world
        .person
        .fails(
            Method::GET,
            "reports/unchanged-passwords?days=40000",
            &json!({}),
        )
        .await;
    assert_eq!(far, (422, 4022));
}

#[tokio::test]
async fn changes_sign_ins_and_a_clients_log_come_from_the_audit_trail() {
    let world = World::new().await;
    let wrong = json!({ "email": EMAIL, "password": "wrong" });
    let anyone = world.vault.anyone();
    anyone.fails(Method::POST, "auth/session", &wrong).await;
    let sign_ins = world.column("sign-ins", "What").await;
    let failed = "failed to sign in: wrong e-mail or password";
    assert_eq!(sign_ins, [failed, "signed in to the API"]);
    let changes = world.column("changes", "What").await;
    let expected = [
        "enrolled an agent on host-1 for Contoso",
        "added a credential",
        "added a credential",
        "created the client Fabrikam",
        "created the client Contoso",
    ];
    assert_eq!(changes, expected);
    assert_eq!(
        world.column("changes", "User name").await[1],
        "ben@fabrikam.com"
    );
    let of_client = format!("client-audit?client={}", world.contoso.id);
    assert_eq!(world.column(&of_client, "What").await.len(), 3);
    let past = "changes?from=2020-01-01T00:00:00Z&until=2021-01-01T00:00:00Z";
    assert!(world.column(past, "What").await.is_empty());
    let refused = world
        .person
        .fails(Method::GET, "reports/client-audit", &json!({}))
        .await;
    assert_eq!(refused, (422, 4022));
    let refused = world
        .person
        .fails(Method::GET, "reports/everything", &json!({}))
        .await;
    assert_eq!(refused, (404, 4004));
    let agent = world
        .vault
        .with_token(&world.contoso.enrol(&world.person, "h").await.token);
    let refused = agent
        .fails(Method::GET, "reports/sign-ins", &json!({}))
        .await;
    assert_eq!(refused, (403, 4003));
}

#[tokio::test]
async fn each_report_is_a_page_and_a_file() {
    let world = World::new().await;
    let mut browser = world.vault.browser();
    assert_eq!(
        browser.get("/reports/changes").await.location.as_deref(),
        Some("/login")
    );
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    for name in ["mismatches", "unchanged-passwords", "changes", "sign-ins"] {
        let page = browser.get(&format!("/reports/{name}")).await;
        assert!(
            page.status == 200 && page.html.contains("Download as"),
            "{}",
            page.html
        );
    }
    let page = browser.get("/reports/mismatches").await;
    assert!(page.html.contains("they &#60;differ&#62;"), "{}", page.html);
    let page = browser.get("/reports/client-audit").await;
    assert!(page.html.contains("The client audit log needs a client."));
    assert_eq!(browser.get("/reports/everything").await.status, 404);

    let csv = browser.get("/reports/mismatches?format=csv").await.html;
    assert!(
        csv.starts_with("\"Client\",\"User name\",") && csv.lines().count() == 2,
        "{csv}"
    );
    let json = browser.get("/reports/mismatches?format=json").await.html;
    let report: Overview = serde_json::from_str(&json).unwrap();
    assert_eq!(report.rows.len(), 1);
    let said: Vec<AuditLine> = world.person.get("audit?limit=1").await;
    assert_eq!(said[0].what, "exported the report mismatches as json");
}
