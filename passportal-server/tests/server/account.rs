//! A person's own account: the password, and where they are signed in.

use std::process::Command;

use passportal_client::wire::{AuditLine, OwnSession, SessionKind, SessionToken};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, EMAIL, ORGANIZATION_KEY, PASSWORD, TestVault};

const NEW: &str = "a much better one";
const SESSION: &str = "passportal_session";

async fn is_signed_in(browser: &mut Browser) -> bool {
    browser.get("/clients").await.status == 200
}

async fn change(browser: &mut Browser, old: &str, new: &str, repeated: &str) -> String {
    let fields = [
        ("password", old),
        ("new_password", new),
        ("repeated", repeated),
    ];
    let page = browser.submit("/account", "/account/password", &fields);
    let page = page.await;
    assert_eq!(page.status, 200, "{}", page.html);
    page.html
}

/// The ids in the forms that end a session, in the order of the page.
async fn sessions(browser: &mut Browser) -> Vec<Uuid> {
    let html = browser.get("/account").await.html;
    let ids = html.split("action=\"/account/sessions/").skip(1);
    let ids = ids.filter_map(|rest| rest.split_once("/end\""));
    ids.filter_map(|(id, _)| id.parse().ok()).collect()
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions_and_gives_this_one_another_cookie() {
    let vault = TestVault::start().await;
    let (mut here, mut elsewhere) = (vault.signed_in().await, vault.signed_in().await);
    let api = vault.person().await;
    let before = here.clone();
    let old_form = here.get("/account").await.csrf();

    let html = change(&mut here, PASSWORD, NEW, NEW).await;
    assert!(html.contains("The password was changed, and your other sessions have ended."));
    assert_ne!(here.cookies[SESSION], before.cookies[SESSION]);
    assert_ne!(here.get("/account").await.csrf(), old_form);
    assert!(is_signed_in(&mut here).await);
    for mut browser in [before, elsewhere.clone()] {
        assert!(!is_signed_in(&mut browser).await);
    }
    let refused = api.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (401, 1006));

    assert_eq!(
        elsewhere.log_in(PASSWORD, ORGANIZATION_KEY).await.status,
        401
    );
    assert_eq!(elsewhere.log_in(NEW, ORGANIZATION_KEY).await.status, 200);
    let html = here.get("/audit").await.html;
    assert!(html.contains("changed their own password"), "{html}");
}

#[tokio::test]
async fn what_cannot_be_a_new_password_is_refused_in_words_and_changes_nothing() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let address = EMAIL.to_uppercase();
    for (old, new, repeated, words) in [
        (
            PASSWORD,
            "elevenchars",
            "elevenchars",
            "The new password is too short",
        ),
        (
            PASSWORD,
            &address,
            &address,
            "The new password contains the e-mail address",
        ),
        (
            PASSWORD,
            PASSWORD,
            PASSWORD,
            "The new password is the old one",
        ),
        (PASSWORD, NEW, "something else", "was not repeated exactly"),
        (
            "not the password",
            NEW,
            NEW,
            "Your password is not right; nothing was changed.",
        ),
    ] {
        let html = change(&mut browser, old, new, repeated).await;
        assert!(html.contains(words), "{words}: {html}");
        assert!(!html.contains(NEW));
    }
    vault.person().await;
}

#[tokio::test]
async fn guessing_the_password_in_a_session_that_was_left_open_is_slowed_down() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    for _ in 0..5 {
        let html = change(&mut browser, "a guess of mine", NEW, NEW).await;
        assert!(html.contains("Your password is not right"), "{html}");
    }
    let html = change(&mut browser, PASSWORD, NEW, NEW).await;
    assert!(html.contains("Too many wrong sign-ins"), "{html}");
    vault.person().await;
}

#[tokio::test]
async fn every_session_is_listed_and_ended_singly() {
    let vault = TestVault::start().await;
    let (mut here, mut elsewhere) = (vault.signed_in().await, vault.signed_in().await);
    let request = vault.anyone().request(Method::POST, "auth/session");
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let agent = request.header("user-agent", "passportal-sync/9.9 <b>");
    let token: Value = agent
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let api = vault.with_token(token["results"]["access_token"].as_str().unwrap());

    let html = here.get("/account").await.html;
    assert!(html.contains("passportal-sync/9.9<"), "{html}");
    assert_eq!(html.matches("<td>127.0.0.1</td>").count(), 3, "{html}");
    assert_eq!(html.matches("This session<").count(), 1);
    let listed = sessions(&mut here).await;
    assert_eq!(listed.len(), 2);
    for id in &listed {
        let end = format!("/account/sessions/{id}/end");
        assert_eq!(here.post(&end, &[]).await.status, 403);
        let page = here.submit("/account", &end, &[]).await;
        assert!(
            page.html.contains("The session has ended."),
            "{}",
            page.html
        );
    }
    assert!(sessions(&mut here).await.is_empty());
    assert!(!is_signed_in(&mut elsewhere).await);
    let refused = api.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (401, 1006));
    assert!(is_signed_in(&mut here).await);
    let gone = format!("/account/sessions/{}/end", listed[0]);
    assert_eq!(here.submit("/account", &gone, &[]).await.status, 404);

    let lines: Vec<AuditLine> = vault.person().await.get("audit?what=signed%20out").await;
    let what: Vec<_> = lines.iter().map(|line| line.what.as_str()).collect();
    assert_eq!(what, ["signed out one of their sessions"; 2]);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session() {
    let vault = TestVault::start().await;
    let (mut here, mut elsewhere) = (vault.signed_in().await, vault.signed_in().await);
    let api = vault.person().await;
    let page = here.submit("/account", "/account/sessions/end", &[]).await;
    assert!(page.html.contains("name=\"organization_key\""));
    assert!(!is_signed_in(&mut here).await);
    assert!(!is_signed_in(&mut elsewhere).await);
    let refused = api.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (401, 1006));
}

#[tokio::test]
async fn each_sign_in_has_a_cookie_of_its_own_and_ends_the_session_that_the_browser_had() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    browser
        .cookies
        .insert(SESSION.to_owned(), "planted".to_owned());
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let first = browser.clone();
    assert_ne!(first.cookies[SESSION], "planted");
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_ne!(browser.cookies[SESSION], first.cookies[SESSION]);
    assert!(is_signed_in(&mut browser).await);
    assert!(!is_signed_in(&mut first.clone()).await);
}

#[tokio::test]
async fn whoever_runs_the_machine_gives_a_person_a_new_password_while_the_server_runs() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let api = vault.person().await;
    let file = vault.dir.path().join("new-password");
    std::fs::write(&file, NEW).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let reset = |email: &str| {
        Command::new(env!("CARGO_BIN_EXE_passportal-server"))
            .args(["people", "reset-password", "--email", email, "--data-dir"])
            .arg(vault.dir.path())
            .arg("--password-file")
            .arg(&file)
            .output()
            .unwrap()
    };
    let unknown = reset("nobody@msp.example");
    let told = String::from_utf8(unknown.stderr).unwrap();
    assert_eq!(unknown.status.code(), Some(1));
    assert!(
        told.contains("nobody in this vault has the e-mail address"),
        "{told}"
    );
    assert!(is_signed_in(&mut browser).await);

    let done = reset(EMAIL);
    assert!(done.status.success(), "{done:?}");
    let body = json!({ "email": EMAIL, "password": NEW });
    let anew: SessionToken = vault.anyone().post("auth/session", &body).await;
    let anew = vault.with_token(&anew.access_token);
    let listed: Vec<OwnSession> = anew.get("account/sessions").await;
    let left: Vec<_> = listed.iter().map(|it| (it.kind, it.current)).collect();
    assert_eq!(left, [(SessionKind::Api, true)]);
    assert!(!is_signed_in(&mut browser).await);
    let refused = api.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (401, 1006));
    assert_eq!(browser.log_in(PASSWORD, ORGANIZATION_KEY).await.status, 401);
    assert_eq!(browser.log_in(NEW, ORGANIZATION_KEY).await.status, 200);
    let html = browser.get("/audit?who=operator").await.html;
    assert!(html.contains("reset the password of a person"), "{html}");
}

#[tokio::test]
async fn a_vault_of_another_version_is_not_changed_under_its_server() {
    let vault = TestVault::start().await;
    let mut database = vault.database().await;
    let older = "DELETE FROM _sqlx_migrations
        WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)";
    sqlx::query(older).execute(&mut database).await.unwrap();
    let file = vault.dir.path().join("new-password");
    std::fs::write(&file, NEW).unwrap();
    #[cfg(unix)]
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_passportal-server"))
        .args(["people", "reset-password", "--email", EMAIL, "--data-dir"])
        .arg(vault.dir.path())
        .arg("--password-file")
        .arg(&file)
        .output()
        .unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(told.contains("is of another version"), "{told}");
    assert_eq!(
        vault.signed_in().await.get("/clients").await.status,
        200,
        "the password is the old one"
    );
}

#[tokio::test]
async fn the_api_changes_the_password_and_ends_sessions() {
    let vault = TestVault::start().await;
    let (api, other) = (vault.person().await, vault.person().await);
    let mut browser = vault.signed_in().await;
    let listed: Vec<OwnSession> = api.get("account/sessions").await;
    let kinds: Vec<_> = listed.iter().map(|it| (it.kind, it.current)).collect();
    assert_eq!(kinds[0], (SessionKind::Api, true));
    assert_eq!(
        kinds
            .iter()
            .filter(|it| **it == (SessionKind::Api, false))
            .count(),
        1
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|it| **it == (SessionKind::Dashboard, false))
            .count(),
        1
    );

    let change = |password: &str, new: &str| json!({ "password": password, "new_password": new });
    let path = "account/password";
    let refused = api.fails(Method::PUT, path, &change("a guess", NEW)).await;
    assert_eq!(refused, (401, 4001));
    let refused = api
        .fails(Method::PUT, path, &change(PASSWORD, "short"))
        .await;
    assert_eq!(refused, (422, 4022));
    let _: Value = api.put(path, &change(PASSWORD, NEW)).await;
    let listed: Vec<OwnSession> = api.get("account/sessions").await;
    let left: Vec<_> = listed.iter().map(|it| (it.kind, it.current)).collect();
    assert_eq!(left, [(SessionKind::Api, true)]);
    assert!(!is_signed_in(&mut browser).await);
    let refused = other.fails(Method::GET, "account", &json!({})).await;
    assert_eq!(refused, (401, 1006));

    browser.log_in(NEW, ORGANIZATION_KEY).await;
    let listed: Vec<OwnSession> = api.get("account/sessions").await;
    let dashboard = listed.iter().find(|it| it.kind == SessionKind::Dashboard);
    let id = dashboard.unwrap().id;
    let _: Value = api.delete(&format!("account/sessions/{id}")).await;
    assert!(!is_signed_in(&mut browser).await);
    let unknown = format!("account/sessions/{id}");
    let refused = api.fails(Method::DELETE, &unknown, &json!({})).await;
    assert_eq!(refused, (404, 4004));
    let _: Value = api.delete("account/sessions").await;
    let refused = api.fails(Method::GET, "account", &json!({})).await;
    assert_eq!(refused, (401, 1006));
}
