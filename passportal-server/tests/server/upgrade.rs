//! A vault of an earlier version is served by this one, and old leftovers go.

use passportal_client::wire::{ClientAccess, Credential, HistoryEntry, PersonRecord, Role};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::{Caller, TestClient, TestVault, serve};

pub(crate) const FIRST: &str = include_str!("../../migrations/0001_initial.sql");

/// Puts what the first version knows of a vault into a database of that version.
pub(crate) const COPY: &str = "
    INSERT INTO organization SELECT * FROM new.organization;
    INSERT INTO admins SELECT id, email, password_hash, created FROM new.admins;
    INSERT INTO clients SELECT id, name, company_vault, sync, default_mode, mute, wrapped_key,
        created, seq FROM new.clients;
    INSERT INTO credentials SELECT id, client, credential_type, user_name, description, notes,
        own_mode, standing, version, sealed, changed, confirmed_version, confirmed_at, created, seq
        FROM new.credentials;
    INSERT INTO password_history SELECT credential, version, sealed, changed
        FROM new.password_history;
    INSERT INTO agents SELECT id, client, host, version, state, enrolled, last_seen, revoked
        FROM new.agents;
    INSERT INTO leases SELECT client, agent, until, writes_from, write_timeout_ms FROM new.leases;
    INSERT INTO history SELECT line, credential, at, version, outcome, why, agent FROM new.history;
    INSERT INTO tokens SELECT hash, kind, admin, agent, api_key, created, expires, used, revoked
        FROM new.tokens;
    CREATE TABLE _sqlx_migrations AS SELECT * FROM new._sqlx_migrations WHERE version = 1;
";

async fn open(file: &std::path::Path) -> SqliteConnection {
    let url = format!("sqlite://{}?mode=rwc", file.display());
    SqliteConnection::connect(&url).await.unwrap()
}

#[tokio::test]
async fn a_vault_of_the_first_version_is_brought_up_to_date() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    let path = format!("vault/credentials/{anna}");
    let new = client.new_password(anna, "anna@contoso.com", 2, "y");
    let _: Credential = person.put(&format!("{path}/password"), &new).await;
    let confirm = json!({ "confirm_version": 2 });
    let _: Credential = person.patch(&path, &confirm).await;
    let enrolled = client.enrol(&person, "host-1").await;
    let agent = vault.with_token(&enrolled.token);
    let heartbeat = json!({ "version": "0.1.0", "host": "host-1", "state": "running",
        "write_timeout_seconds": 0 });
    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
    let entry = json!({ "credential": anna, "at": "2025-01-01T00:00:00Z", "version": 2,
        "outcome": "held", "why": "because", "flags": {} });
    let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
    let _: Value = agent.post("agent/reports", &report).await;
    let person_token = person.token().to_owned();

    let dir = vault.stop().await;
    let (old, file) = (dir.path().join("old.db"), dir.path().join("vault.db"));
    let mut first = open(&old).await;
    sqlx::raw_sql(FIRST).execute(&mut first).await.unwrap();
    sqlx::query("ATTACH ? AS new")
        .bind(file.to_str().unwrap())
        .execute(&mut first)
        .await
        .unwrap();
    sqlx::raw_sql(COPY).execute(&mut first).await.unwrap();
    first.close().await.unwrap();
    std::fs::rename(old, file).unwrap();

    let url = serve(dir.path()).await;
    let person = Caller::new(&url, Some(person_token));
    let agent = Caller::new(&url, Some(enrolled.token));
    let people: Vec<PersonRecord> = person.get("vault/people").await;
    let authority = &people[0].authority;
    assert_eq!(
        (authority.role, &authority.access),
        (Role::OrganizationAdmin, &ClientAccess::All)
    );
    let shown: Credential = person.get(&path).await;
    assert_eq!((shown.version, shown.changed_by), (2, None));
    assert_eq!(
        (shown.folder.as_str(), shown.expires, shown.has_totp),
        ("", None, false)
    );
    let versions: Value = person.get(&format!("{path}/versions")).await;
    assert_eq!(versions.as_array().unwrap().len(), 2);
    let found: Value = person.get("vault/search?q=anna").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    let history: Vec<HistoryEntry> = person.get(&format!("{path}/history")).await;
    assert_eq!(history[0].approved_by, None);
    let changed = agent.changes("").await.credentials.remove(0);
    assert_eq!(changed.changed_by, None);
    assert_eq!(changed.confirmed.unwrap().by, None);

    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
    let plan = json!({ "id": Uuid::from_u128(1), "at": "2025-01-01T00:00:00Z", "allowed": 0,
        "total": 0, "writes": [] });
    let _: Value = agent.put("agent/plans", &json!({ "plans": [plan] })).await;
    let approval = format!("plans/{}/approval", Uuid::from_u128(1));
    let _: Value = person.post(&approval, &json!({})).await;
    let _: Credential = person.patch(&path, &confirm).await;
    let changed = agent.changes("").await.credentials.remove(0);
    assert!(
        changed.confirmed.unwrap().by.is_some(),
        "new words are kept"
    );
}

#[tokio::test]
async fn what_is_over_for_a_month_goes_when_the_server_starts() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let enrolled = client.enrol(&person, "host-1").await;
    let dir = vault.stop().await;

    let now = jiff::Timestamp::now();
    let days = |days: i64| format!("{:.9}", now - jiff::SignedDuration::from_hours(days * 24));
    let mut database = open(&dir.path().join("vault.db")).await;
    for (name, age) in [("old", 31), ("recent", 29)] {
        for sql in [
            "INSERT INTO reports (id, agent, taken) VALUES ('r-' || ?1, ?3, ?2)",
            "INSERT INTO tokens (hash, kind, created, expires) VALUES ('e-' || ?1, 'person', '', ?2)",
            "INSERT INTO tokens (hash, kind, created, revoked) VALUES ('v-' || ?1, 'agent', '', ?2)",
            "INSERT INTO plans (id, client, agent, at, allowed, total, contents, ended)
             SELECT 'p-' || ?1, client, id, '', 0, 0, '', ?2 FROM agents WHERE id = ?3",
            "INSERT INTO plans (id, client, agent, at, allowed, total, contents, ended, ruling)
             SELECT 'ruled-' || ?1, client, id, '', 0, 0, '', ?2, 'approve' FROM agents
             WHERE id = ?3",
        ] {
            sqlx::query(sql)
                .bind(name)
                .bind(days(age))
                .bind(enrolled.agent.to_string())
                .execute(&mut database)
                .await
                .unwrap();
        }
    }
    let url = serve(dir.path()).await;
    let left: Vec<(String,)> = sqlx::query_as(
        "SELECT id FROM reports UNION SELECT id FROM plans
         UNION SELECT hash FROM tokens WHERE created = '' ORDER BY 1",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    let left: Vec<_> = left.iter().map(|(id,)| id.as_str()).collect();
    let expected = [
        "e-recent",
        "p-recent",
        "r-recent",
        "ruled-old",
        "ruled-recent",
        "v-recent",
    ];
    assert_eq!(left, expected);
    let agent = Caller::new(&url, Some(enrolled.token));
    agent.changes("").await;
    let unknown = Caller::new(&url, Some("old".to_owned()));
    let refused = unknown
        .fails(Method::GET, "agent/changes", &json!({}))
        .await;
    assert_eq!(refused, (401, 1006));
}
