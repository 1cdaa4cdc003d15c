//! The pages, as a browser without JavaScript sees them.

use std::path::Path;

use passportal_client::wire::{Credential, Enrolled, credential_type};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::Connection as _;
use uuid::Uuid;

use crate::support::{Browser, Caller, ORGANIZATION_KEY, PASSWORD, TestVault, plain_http};

const CANARY: &str = "Canary-7f3a9\"<&>'😀 inner  space ";

struct World {
    vault: TestVault,
    person: Caller,
    browser: Browser,
    client: Uuid,
    credential: Uuid,
    page: String,
}

/// A person is signed in, and stored a password through the dashboard.
async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let mut browser = vault.browser();
    let home = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_eq!(home.status, 200, "{}", home.html);
    let new = [
        ("name", "Contoso"),
        ("sync", "entra_id"),
        ("default_mode", "enabled"),
    ];
    let page = browser.submit("/clients", "/clients", &new).await;
    assert!(
        page.html.contains("The client was created."),
        "{}",
        page.html
    );

    let clients: Vec<Value> = person.get("vault/clients").await;
    let client: Uuid = clients[1]["id"].as_str().unwrap().parse().unwrap();
    let at = format!("/clients/{client}");
    let fields = [
        ("user_name", "anna@contoso.com"),
        ("credential_type", credential_type::USER),
        ("password", CANARY),
    ];
    browser
        .submit(&at, &format!("{at}/credentials"), &fields)
        .await;
    let stored: Vec<Credential> = person
        .get(&format!("vault/clients/{client}/credentials"))
        .await;
    let credential = stored[0].id;
    World {
        vault,
        person,
        browser,
        client,
        credential,
        page: format!("/clients/{client}/credentials/{credential}"),
    }
}

impl World {
    async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        let (page, to) = (self.page.clone(), format!("{}/{action}", self.page));
        let answer = self.browser.submit(&page, &to, fields).await;
        assert_eq!(answer.status, 200, "{}", answer.html);
        answer.html
    }

    async fn stored(&self) -> Credential {
        self.person
            .get(&format!("vault/credentials/{}", self.credential))
            .await
    }
}

fn unescaped(html: &str) -> String {
    html.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

fn files_contain(dir: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test]
async fn the_login_asks_for_password_and_organization_key() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    let away = browser.get("/").await;
    assert_eq!(
        (away.status, away.location.as_deref()),
        (303, Some("/login"))
    );

    let refused = browser.log_in("wrong password", ORGANIZATION_KEY).await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .html
            .contains("The e-mail address or the password is wrong.")
    );
    let refused = browser.log_in(PASSWORD, "another organization's key").await;
    assert_eq!(refused.status, 401);
    assert!(
        refused
            .html
            .contains("The organization key is not right for this organization.")
    );
    assert!(!refused.html.contains(PASSWORD));

    assert_eq!(browser.log_in(PASSWORD, ORGANIZATION_KEY).await.status, 200);
    let out = browser.submit("/", "/logout", &[]).await;
    assert!(out.html.contains("name=\"organization_key\""));
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn the_session_cookie_is_for_this_site_and_no_script() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    let csrf = browser.get("/login").await.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("email", "ADA@msp.example"),
        ("password", PASSWORD),
        ("organization_key", ORGANIZATION_KEY),
    ];
    let answer = browser.post("/login", &fields).await;
    assert!(answer.set_cookie.contains("passportal_session="));
    assert!(
        answer.set_cookie.contains("HttpOnly") && answer.set_cookie.contains("SameSite=Strict")
    );
}

#[tokio::test]
async fn a_form_of_another_session_changes_nothing() {
    let mut world = world().await;
    let mut foreign = world.vault.browser();
    let without = world
        .browser
        .post(&format!("{}/mode", world.page), &[("mode", "off")])
        .await;
    assert_eq!(without.status, 403);
    foreign.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let csrf = foreign.get("/").await.csrf();
    let fields = [
        ("csrf", csrf.as_str()),
        ("version", "1"),
        ("password", "Stolen-1!"),
    ];
    let refused = world
        .browser
        .post(&format!("{}/password", world.page), &fields)
        .await;
    assert_eq!(refused.status, 403);
    let login = [
        ("email", "ada@msp.example"),
        ("password", PASSWORD),
        ("organization_key", ORGANIZATION_KEY),
    ];
    assert_eq!(foreign.post("/login", &login).await.status, 403);
    let stored = world.stored().await;
    assert_eq!((stored.version, stored.own_mode), (1, None));
}

#[tokio::test]
async fn a_password_is_nowhere_in_clear_until_it_is_revealed() {
    let mut world = world().await;
    for page in [
        "/",
        "/clients",
        "/flags",
        &format!("/clients/{}", world.client),
        &world.page.clone(),
    ] {
        let shown = world.browser.get(page).await;
        assert_eq!(shown.status, 200);
        assert!(!unescaped(&shown.html).contains("Canary"), "{page}");
    }
    let revealed = world.submit("reveal", &[]).await;
    assert!(
        unescaped(&revealed).contains(&format!("for=\"reveal\">{CANARY}</output>")),
        "{revealed}"
    );

    assert!(!files_contain(world.vault.dir.path(), b"Canary"));
    let dir = world.vault.stop().await;
    for secret in ["Canary", PASSWORD, ORGANIZATION_KEY] {
        assert!(!files_contain(dir.path(), secret.as_bytes()), "{secret}");
    }
    assert!(files_contain(
        dir.path(),
        b"revealed version 1 of the password"
    ));
}

#[tokio::test]
async fn a_changed_password_is_sealed_for_the_agent_exactly_as_typed() {
    let mut world = world().await;
    let typed = "pässwörd \\\" trailing ";
    let html = world
        .submit("password", &[("version", "1"), ("password", typed)])
        .await;
    assert!(html.contains("The password was changed to version 2."));
    let revealed = world.submit("reveal", &[]).await;
    assert!(unescaped(&revealed).contains(&format!(">{typed}</output>")));

    let html = world
        .submit("password", &[("version", "2"), ("password", typed)])
        .await;
    assert!(html.contains("This is the password already"), "{html}");
    assert_eq!(world.stored().await.version, 2);

    let html = world
        .submit("password", &[("version", "1"), ("password", "Late-1!")])
        .await;
    assert!(
        html.contains("The password is at version 2, so the next one is 3, not 2."),
        "{html}"
    );
}

#[tokio::test]
async fn what_cannot_be_a_password_is_refused_in_words() {
    let mut world = world().await;
    let long = "x".repeat(300);
    for (typed, words) in [
        ("", "The password is empty."),
        (" leading", "The password begins with white space"),
        ("\u{a0}leading", "The password begins with white space"),
        (long.as_str(), "The password has more than 256 characters."),
    ] {
        let html = world
            .submit("password", &[("version", "1"), ("password", typed)])
            .await;
        assert!(html.contains(words), "{html}");
    }
    assert_eq!(world.stored().await.version, 1);
}

#[tokio::test]
async fn mode_standing_and_settings_are_saved() {
    let mut world = world().await;
    let html = world.submit("mode", &[("mode", "report_mismatches")]).await;
    assert!(html.contains("id=\"effective-mode\">Report mismatches<"));
    let html = world.submit("mode", &[("mode", "inherit")]).await;
    assert!(html.contains("id=\"effective-mode\">Enabled<"));
    let html = world.submit("standing", &[("standing", "disabled")]).await;
    assert!(html.contains("Its history stays."));

    let client = format!("/clients/{}", world.client);
    let settings = [
        ("sync", "entra_id"),
        ("default_mode", "off"),
        ("mute", "muted"),
    ];
    let page = world
        .browser
        .submit(&client, &format!("{client}/settings"), &settings)
        .await;
    assert!(page.html.contains("The settings were saved."));
    let html = world.browser.get(&world.page.clone()).await.html;
    assert!(html.contains("id=\"effective-mode\">Off<"));
}

#[tokio::test]
async fn flags_are_counted_listed_confirmed_and_cleared() {
    let mut world = world().await;
    let request = json!({ "client": world.client, "host": "host-1", "version": "0.1.0" });
    let enrolled: Value = world.person.post("agent/enrolments", &request).await;
    let agent = world.vault.with_token(enrolled["token"].as_str().unwrap());
    let flag = json!({ "version": 1, "why": "a <person> decides" });
    let report = json!({ "id": Uuid::new_v4(), "entries": [{ "credential": world.credential,
        "at": "2025-01-01T00:00:00Z", "version": 1, "outcome": "held", "why": "waits",
        "flags": { "held": flag, "ad_change": flag } }] });
    let _: Value = agent.post("agent/reports", &report).await;

    let home = world.browser.get("/").await.html;
    for (kind, count) in [("ad_change", 1), ("held", 1), ("blocked", 0)] {
        assert!(
            home.contains(&format!("id=\"count-{kind}\">{count}<")),
            "{home}"
        );
    }
    assert!(home.contains("host-1"));
    let list = world.browser.get("/flags?kind=held").await.html;
    assert!(
        list.contains("class=\"flag flag-held\"")
            && !list.contains("class=\"flag flag-ad_change\"")
    );
    assert!(list.contains("a &#60;person&#62; decides"));

    let html = world.submit("confirm", &[("version", "1")]).await;
    assert!(html.contains("Confirmed."));
    let html = world.submit("flags/held/clear", &[]).await;
    assert!(!html.contains("flag-held") && html.contains("flag-ad_change"));
    let changes = agent.changes("").await;
    assert_eq!(
        changes.credentials[0].confirmed.as_ref().unwrap().version,
        1
    );
}

#[tokio::test]
async fn only_kinds_that_can_stand_are_offered() {
    let mut world = world().await;
    let offered = |html: &str, kind: &str| html.contains(&format!("href=\"/flags?kind={kind}\""));
    let html = world.browser.get("/flags").await.html;
    for kind in ["ad_change", "held", "blocked"] {
        assert!(offered(&html, kind), "{kind}: {html}");
    }
    for kind in ["password_expired", "password_touched"] {
        assert!(!offered(&html, kind), "{kind}: {html}");
    }

    // Nothing raises such a flag yet, so it is put where one will be.
    let database = format!(
        "sqlite://{}",
        world.vault.dir.path().join("vault.db").display()
    );
    let mut database = sqlx::SqliteConnection::connect(&database).await.unwrap();
    sqlx::query(
        "INSERT INTO flags (credential, kind, version, why, raised)
         VALUES (?, 'password_expired', 1, 'too old', '2025-01-01T00:00:00.000000000Z')",
    )
    .bind(world.credential.to_string())
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    let html = world.browser.get("/flags?kind=held").await.html;
    assert!(offered(&html, "password_expired") && !offered(&html, "password_touched"));
    assert!(!html.contains("too old"));
    let html = world.browser.get("/flags?kind=password_expired").await.html;
    assert!(html.contains("too old"));
}

#[tokio::test]
async fn a_revoked_agent_drops_out_of_the_list_and_of_the_vault() {
    let mut world = world().await;
    let enrol = async |host: &str| -> Enrolled {
        let request = json!({ "client": world.client, "host": host, "version": "0.1.0" });
        world.person.post("agent/enrolments", &request).await
    };
    let (lost, kept) = (enrol("lost-host").await, enrol("kept-host").await);
    let revoke = format!("/agents/{}/revoke", lost.agent);
    let home = world.browser.get("/").await.html;
    assert!(home.contains(&format!("action=\"{revoke}\"")), "{home}");

    assert_eq!(world.browser.post(&revoke, &[]).await.status, 403);
    let agent = world.vault.with_token(&lost.token);
    agent.changes("wait=0").await;

    let home = world.browser.submit("/", &revoke, &[]).await.html;
    assert!(home.contains("The agent was revoked."), "{home}");
    assert!(!home.contains("lost-host") && home.contains("kept-host"));
    let refused = agent.fails(Method::GET, "agent/changes", &json!({})).await;
    assert_eq!(refused, (401, 1006));
    let kept = world.vault.with_token(&kept.token);
    kept.changes("wait=0").await;
    assert_eq!(world.browser.submit("/", &revoke, &[]).await.status, 404);
    let dir = world.vault.stop().await;
    assert!(files_contain(
        dir.path(),
        b"ada@msp.examplerevoked an agent"
    ));
}

#[tokio::test]
async fn pages_are_not_cached_framed_or_fed_from_elsewhere() {
    let vault = TestVault::start().await;
    let http = plain_http();
    let get = |path: &str| http.get(format!("{}{path}", vault.url)).send();
    let response = get("/login").await.unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert!(!response.headers().contains_key("strict-transport-security"));
    let missing = get("/nowhere").await.unwrap();
    assert_eq!(missing.status(), 404);
}
