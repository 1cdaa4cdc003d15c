//! A second factor that is lost locks nobody out, and lets nobody in.

use std::path::Path;
use std::process::{Command, Output};

use passportal_client::wire::AuditLine;
use sqlx::Connection as _;

use crate::factor::{api_sign_in, first_step, recovery_codes, second_step, set_up};
use crate::support::{Caller, EMAIL, PASSWORD, TestVault, http_from, serve};

fn program(arguments: &[&str], data_dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_passportal-server"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

#[tokio::test]
async fn a_recovery_code_works_once_and_new_ones_make_the_old_void() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let factor = set_up(&mut browser).await;
    let mut other = vault.browser();
    first_step(&mut other).await;
    let code = factor.recovery_codes[0].to_uppercase().replace('-', " ");
    assert_eq!(second_step(&mut other, &code).await.status, 200);
    first_step(&mut other).await;
    assert_eq!(second_step(&mut other, &code).await.status, 401);
    let account = browser.get("/account").await.html;
    assert!(account.contains("9 recovery codes are left."), "{account}");

    let renew = "/account/recovery-codes";
    let without = [("password", PASSWORD)];
    let page = browser.submit("/account", renew, &without).await;
    assert!(
        page.html.contains("A one-time code is needed"),
        "{}",
        page.html
    );
    let proof = [
        ("password", PASSWORD),
        ("code", factor.recovery_codes[1].as_str()),
    ];
    let page = browser.submit("/account", renew, &proof).await;
    let renewed = recovery_codes(&page.html);
    assert_eq!(renewed.len(), 10);
    let anyone = vault.anyone();
    let old = api_sign_in(&anyone, Some(&factor.recovery_codes[2])).await;
    assert_eq!(old.err(), Some((401, 4001)));
    api_sign_in(&anyone, Some(&renewed[0])).await.unwrap();
}

#[tokio::test]
async fn wrong_codes_are_slowed_down_and_a_recovery_code_still_lets_the_owner_in_elsewhere() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let mut browser = vault.browser();
    first_step(&mut browser).await;
    for _ in 0..5 {
        assert_eq!(second_step(&mut browser, "000000").await.status, 401);
    }
    let refused = second_step(&mut browser, &factor.code(1)).await;
    assert_eq!(refused.status, 429);
    assert!(refused.html.contains("Too many wrong sign-ins"));
    first_step(&mut browser).await;
    let refused = second_step(&mut browser, &factor.code(1)).await;
    assert_eq!(refused.status, 429, "a new first step does not begin anew");

    browser.http = http_from([127, 0, 0, 2]);
    let home = second_step(&mut browser, &factor.recovery_codes[0]).await;
    assert_eq!(home.status, 200, "{}", home.html);
}

#[tokio::test]
async fn whoever_runs_the_machine_turns_a_lost_one_off_while_the_server_runs() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let reset = ["people", "reset-second-factor", "--email", EMAIL];
    let none = program(&reset, vault.dir.path());
    assert!(String::from_utf8_lossy(&none.stderr).contains("has no second factor"));
    set_up(&mut browser).await;

    let done = program(&reset, vault.dir.path());
    assert!(done.status.success(), "{done:?}");
    assert_eq!(
        browser.get("/clients").await.status,
        303,
        "the sessions end"
    );
    let person = vault.person().await;
    let lines: Vec<AuditLine> = person.get("audit?who=operator").await;
    let line = lines
        .iter()
        .find(|it| it.what == "turned off the second factor of a person");
    assert_eq!(line.map(|it| it.subject.as_str()), Some(EMAIL));
}

#[tokio::test]
async fn a_restored_vault_asks_for_it_with_the_same_server_key_and_not_with_a_new_one() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("monday");
    let to = file.to_str().unwrap();
    let made = program(
        &["backup", "--with-server-key", "--to", to],
        vault.dir.path(),
    );
    assert!(made.status.success(), "{made:?}");

    let other = TestVault::start().await;
    let other_key = other.dir.path().join("server.key");
    let wrong = [
        "restore",
        "--from",
        to,
        "--server-key",
        other_key.to_str().unwrap(),
    ];
    let refused = program(&wrong, &elsewhere.path().join("wrong"));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("does not fit this backup"));

    for (more, code) in [
        (None, Some(factor.recovery_codes[0].as_str())),
        (Some("--new-server-key"), None),
    ] {
        let dir = elsewhere.path().join(more.unwrap_or("same"));
        let arguments: Vec<&str> = ["restore", "--from", to].into_iter().chain(more).collect();
        let restored = program(&arguments, &dir);
        assert!(restored.status.success(), "{restored:?}");
        let told = String::from_utf8(restored.stdout).unwrap();
        assert_eq!(
            told.contains("1 second factors are off"),
            more.is_some(),
            "{told}"
        );
        let anyone = Caller::new(&serve(&dir).await, None);
        api_sign_in(&anyone, code).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_key_that_does_not_fit_lets_nobody_in_without_the_second_factor() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let dir = vault.stop().await;
    std::fs::write(dir.path().join("server.key"), "00".repeat(32)).unwrap();
    let anyone = Caller::new(&serve(dir.path()).await, None);
    assert_eq!(api_sign_in(&anyone, None).await.err(), Some((401, 4002)));
    let refused = api_sign_in(&anyone, Some(&factor.code(1))).await;
    assert_eq!(refused.err(), Some((500, 5000)));
    let recovery = factor.recovery_codes[0].as_str();
    api_sign_in(&anyone, Some(recovery)).await.unwrap();

    let url = format!("sqlite://{}", dir.path().join("vault.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let used: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE used IS NOT NULL")
            .fetch_one(&mut database)
            .await
            .unwrap();
    assert_eq!(used, 1);
}
