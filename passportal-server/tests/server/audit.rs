//! The audit trail: what each line knows, its chain, its page and its exports.

use std::path::Path;
use std::process::{Command, Output};

use passportal_client::audit::Chain;
use passportal_client::wire::{AuditLine, AuditVerification};
use passportal_server::Server;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

use crate::support::{EMAIL, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, config, failure};

async fn database(dir: &Path) -> SqliteConnection {
    let url = format!("sqlite://{}", dir.join("vault.db").display());
    SqliteConnection::connect(&url).await.unwrap()
}

/// What somebody with the file and SQL can do: the triggers are no obstacle to them.
async fn tamper(dir: &Path, sql: &'static str) {
    let mut database = database(dir).await;
    for drop in [
        "PRAGMA foreign_keys = OFF",
        "DROP TRIGGER audit_is_never_changed",
        "DROP TRIGGER audit_is_never_deleted",
        "DROP TRIGGER audit_chain_is_never_deleted",
        sql,
    ] {
        sqlx::raw_sql(drop).execute(&mut database).await.unwrap();
    }
    database.close().await.unwrap();
}

fn audit(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_passportal-server"))
        .arg("audit")
        .args(arguments)
        .arg("--data-dir")
        .arg(dir)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A vault with a trail of some lines, stopped.
async fn a_trail() -> TempDir {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    client.add(&person, "anna@contoso.com", "x").await;
    client.enrol(&person, "host-1").await;
    vault.stop().await
}

#[tokio::test]
async fn each_line_knows_who_what_which_client_and_from_where_and_continues_the_chain() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    let enrolled = client.enrol(&person, "host-1").await;
    let agent = vault.with_token(&enrolled.token);
    let _: serde_json::Value = agent.post("agent/token", &json!({})).await;

    let lines: Vec<AuditLine> = person.get("audit?after=0").await;
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line.what.as_str(), line.client_name.as_deref()))
        .collect();
    let contoso = Some("Contoso");
    let expected = [
        ("signed in to the API", None),
        ("created the client Contoso", contoso),
        ("added a credential", contoso),
        ("enrolled an agent on host-1 for Contoso", contoso),
        ("asked for a new token", contoso),
    ];
    assert_eq!(seen, expected);
    assert_eq!(lines[2].subject, anna.to_string());
    assert!(
        lines
            .iter()
            .all(|line| line.address.as_deref() == Some("127.0.0.1"))
    );
    let mut chain = Chain::default();
    for line in &lines {
        chain.take(line).unwrap();
    }
    let verification: AuditVerification = person.get("audit/verification").await;
    assert_eq!(verification.broken, None);
    assert_eq!((verification.line, &verification.hash), (5, &lines[4].hash));

    let of_client: Vec<AuditLine> = person
        .get(&format!("audit?client={}&what=AGENT&limit=1", client.id))
        .await;
    assert_eq!(of_client[0].line, 4);
    let nobody = vault.anyone();
    let refused = nobody.request(reqwest::Method::GET, "audit").send().await;
    assert_eq!(failure(refused.unwrap()).await, (401, 1006));
    let refused = agent.request(reqwest::Method::GET, "audit").send().await;
    assert_eq!(failure(refused.unwrap()).await, (403, 4003));
}

#[tokio::test]
async fn failed_sign_ins_are_written_down_and_what_a_stranger_typed_is_not() {
    let vault = TestVault::start().await;
    for email in [EMAIL, "my password in the wrong field"] {
        let body = json!({ "email": email, "password": "wrong" });
        vault
            .anyone()
            .fails(reqwest::Method::POST, "auth/session", &body)
            .await;
    }
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, "another organization's key").await;
    let person = vault.person().await;
    let lines: Vec<AuditLine> = person.get("audit?after=0&what=failed").await;
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line.who.as_str(), line.what.as_str()))
        .collect();
    let wrong = "failed to sign in: wrong e-mail or password";
    let expected = [
        (EMAIL, wrong),
        ("unknown", wrong),
        (EMAIL, "failed to sign in: wrong organization key"),
    ];
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn verify_tells_the_first_line_that_is_wrong_and_ends_with_1() {
    let cases = [
        (
            "UPDATE audit SET who = 'eve' WHERE line = 2",
            "line 2 of the audit trail was changed",
        ),
        (
            "DELETE FROM audit WHERE line = 3",
            "line 3 of the audit trail is missing",
        ),
        (
            "DELETE FROM audit WHERE line = 4",
            "line 4 of the audit trail is missing",
        ),
        (
            "INSERT INTO audit (at, who, what, subject) VALUES ('2025-01-01T00:00:00.000000000Z', 'eve', '', '')",
            "line 5 of the audit trail has no hash",
        ),
    ];
    for (sql, expected) in cases {
        let dir = a_trail().await;
        assert!(audit(dir.path(), &["verify"]).status.success());
        tamper(dir.path(), sql).await;
        let verified = audit(dir.path(), &["verify"]);
        let told = text(&verified.stderr);
        assert_eq!(verified.status.code(), Some(1), "{told}");
        assert!(told.starts_with(&format!("error: {expected}")), "{told}");
        assert!(told.contains("\nhint: "), "{told}");
    }
}

#[tokio::test]
async fn a_head_that_was_kept_elsewhere_betrays_an_end_that_was_cut_off() {
    let dir = a_trail().await;
    let verified = audit(dir.path(), &["verify"]);
    let told = text(&verified.stdout);
    assert!(
        told.starts_with("4 lines, all as they were written\nhead: "),
        "{told}"
    );
    let head = told.trim_end().rsplit(' ').next().unwrap().to_owned();
    let kept = ["verify", "--contains", &head];
    assert!(audit(dir.path(), &kept).status.success());
    let cut = "DELETE FROM audit_chain WHERE line = 4; DELETE FROM audit WHERE line = 4";
    tamper(dir.path(), cut).await;
    assert!(audit(dir.path(), &["verify"]).status.success());
    let verified = audit(dir.path(), &kept);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stderr).contains("no line of the audit trail has the hash"));
}

#[tokio::test]
async fn a_trail_from_before_the_chain_is_chained_when_the_server_starts() {
    let dir = a_trail().await;
    tamper(dir.path(), "DELETE FROM audit_chain").await;
    let verified = audit(dir.path(), &["verify"]);
    assert!(text(&verified.stderr).contains("line 1 of the audit trail has no hash"));
    drop(Server::bind(config(dir.path())).await.unwrap());
    let verified = audit(dir.path(), &["verify"]);
    assert!(verified.status.success(), "{}", text(&verified.stderr));
    // A chain that has begun is not mended: that would hide a line that somebody slipped in.
    tamper_again(dir.path()).await;
    drop(Server::bind(config(dir.path())).await.unwrap());
    let verified = audit(dir.path(), &["verify"]);
    assert!(text(&verified.stderr).contains("line 4 of the audit trail has no hash"));
}

async fn tamper_again(dir: &Path) {
    let mut database = database(dir).await;
    sqlx::raw_sql("DELETE FROM audit_chain WHERE line = 4")
        .execute(&mut database)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_program_exports_every_line_in_each_format() {
    let dir = a_trail().await;
    let export = |format: &str| {
        let output = audit(dir.path(), &["export", "--format", format]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    };
    let json = export("json");
    let mut chain = Chain::default();
    for line in json.lines() {
        chain.take(&serde_json::from_str(line).unwrap()).unwrap();
    }
    assert_eq!(chain.head().line, 4);
    assert!(export("csv").starts_with("\"Line\",\"Time\",\"Who\""));
    assert_eq!(export("csv").lines().count(), 5);
    let cef = export("cef");
    assert_eq!(
        cef.lines()
            .filter(|line| line.starts_with("CEF:0|"))
            .count(),
        4
    );
    let wrong = audit(dir.path(), &["export", "--format", "xml"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[tokio::test]
async fn the_page_filters_pages_verifies_and_exports() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso & <Sons>").await;
    for number in 0..101 {
        let patch = json!({ "name": format!("Contoso & <Sons> {number}") });
        let to = format!("vault/clients/{}", client.id);
        let _: serde_json::Value = person.patch(&to, &patch).await;
    }
    let mut browser = vault.browser();
    assert_eq!(
        browser.get("/audit").await.location.as_deref(),
        Some("/login")
    );
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;

    let first = browser.get("/audit").await;
    assert!(
        first
            .html
            .contains("renamed a client to Contoso &#38; &#60;Sons&#62; 100")
    );
    assert!(!first.html.contains("<Sons>"));
    let older = first
        .html
        .split("<a href=\"")
        .find(|rest| rest.contains("rel=\"next\""));
    let older = older
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&");
    let second = browser.get(&older).await;
    assert!(
        second.html.contains("signed in to the API"),
        "{}",
        second.html
    );
    assert!(!second.html.contains("rel=\"next\""));

    let filtered = browser
        .get("/audit?who=ADA&what=dashboard&from=2020-01-01&until=9999-12-31")
        .await;
    assert_eq!(filtered.html.matches("<th scope=\"row\"").count(), 1);
    assert!(
        filtered.html.contains("value=\"dashboard\""),
        "what was typed stays"
    );
    let none = browser.get("/audit?until=2020-01-01").await;
    assert!(none.html.contains("No line is like that."));

    let verified = browser.get("/audit?verify=1").await;
    assert!(
        verified
            .html
            .contains("All 104 lines are as they were written."),
        "{}",
        verified.html
    );
    let exported = browser.get("/audit/export?format=csv&what=created").await;
    assert_eq!(exported.html.lines().count(), 2, "{}", exported.html);
    assert!(
        exported
            .html
            .contains("created the client Contoso & <Sons>")
    );
    let lines: Vec<AuditLine> = person.get("audit?limit=1").await;
    assert_eq!(lines[0].what, "exported the audit trail as csv");
}
