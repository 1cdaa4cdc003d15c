//! The second factor: set up by its first code, asked for at each sign-in, taken once, and lost without locking anybody out.

use std::path::Path;
use std::process::{Command, Output};

use jiff::{SignedDuration, Timestamp};
use passportal_client::one_time_code::TotpSecret;
use passportal_client::wire::{
    AuditLine, BegunSecondFactor, OwnAccount, RecoveryCodes, SessionToken,
};
use passportal_server::Server;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::support::{
    Browser, Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, Page, TestVault, config, failure,
};

/// A person's authenticator app and recovery codes.
struct Factor {
    secret: String,
    recovery_codes: Vec<String>,
}

impl Factor {
    /// The code of this step, or of one after it. The server takes each once, and the next one early.
    fn code(&self, steps_later: i64) -> String {
        let at = Timestamp::now() + SignedDuration::from_secs(30 * steps_later);
        let code = TotpSecret::parse(&self.secret).unwrap().code(at).code;
        code.expose_secret().to_owned()
    }
}

fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = html.split_once(before).expect(html);
    rest.split_once(after).expect(html).0
}

fn recovery_codes(html: &str) -> Vec<String> {
    let list = between(html, "id=\"recovery-codes\"", "</ul>");
    let codes = list.split("<code>").skip(1);
    codes
        .map(|rest| rest.split_once('<').unwrap().0.to_owned())
        .collect()
}

/// Turns the second factor on, with the code of this step.
async fn set_up(browser: &mut Browser) -> Factor {
    let password = [("password", PASSWORD)];
    let begin = "/account/second-factor";
    let page = browser.submit("/account", begin, &password).await;
    let mut factor = Factor {
        secret: between(&page.html, "<code id=\"secret\">", "<").to_owned(),
        recovery_codes: Vec::new(),
    };
    let code = factor.code(0);
    let confirm = format!("{begin}/confirm");
    let page = browser.submit(begin, &confirm, &[("code", &code)]).await;
    assert!(
        page.html.contains("The second factor is on."),
        "{}",
        page.html
    );
    factor.recovery_codes = recovery_codes(&page.html);
    factor
}

/// The first step of signing in, and the page that it leads to.
async fn first_step(browser: &mut Browser) -> Page {
    let page = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert!(page.html.contains("One-time code"), "{}", page.html);
    page
}

async fn second_step(browser: &mut Browser, code: &str) -> Page {
    let fields = [("code", code)];
    browser.submit("/login/code", "/login/code", &fields).await
}

async fn api_sign_in(anyone: &Caller, code: Option<&str>) -> Result<Caller, (u16, u64)> {
    let mut body = json!({ "email": EMAIL, "password": PASSWORD });
    if let Some(code) = code {
        body["one_time_code"] = json!(code);
    }
    let request = anyone.request(Method::POST, "auth/session").json(&body);
    let response = request.send().await.unwrap();
    if response.status() != 200 {
        return Err(failure(response).await);
    }
    let body: Value = response.json().await.unwrap();
    let session: SessionToken = serde_json::from_value(body["results"].clone()).unwrap();
    let mut person = anyone.clone();
    person.set_token(&session.access_token);
    Ok(person)
}

fn program(arguments: &[&str], data_dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_passportal-server"))
        .args(arguments)
        .arg("--data-dir")
        .arg(data_dir)
        .output()
        .unwrap()
}

#[tokio::test]
async fn it_is_set_up_by_its_first_code_and_asked_for_from_then_on() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let begin = "/account/second-factor";
    let refused = browser
        .submit("/account", begin, &[("password", "a guess")])
        .await;
    assert!(
        refused.html.contains("Your password is not right"),
        "{}",
        refused.html
    );

    let password = [("password", PASSWORD)];
    let page = browser.submit("/account", begin, &password).await;
    assert!(page.html.contains("<svg") && !page.html.contains("<?xml"));
    let first = between(&page.html, "<code id=\"secret\">", "<").to_owned();
    let confirm = format!("{begin}/confirm");
    for wrong in ["", "000000", "abcd-efgh-ijkl-mnop"] {
        let page = browser.submit(begin, &confirm, &[("code", wrong)]).await;
        assert!(
            page.html.contains("The code is not the app&#39;s"),
            "{}",
            page.html
        );
        assert!(
            page.html.contains(&first),
            "the secret stays while it waits"
        );
    }
    vault.person().await;

    let before = browser.clone();
    let factor = set_up(&mut browser).await;
    assert_ne!(factor.secret, first, "begun anew, it is another one");
    assert_eq!(factor.recovery_codes.len(), 10);
    assert_ne!(
        browser.cookies["passportal_session"],
        before.cookies["passportal_session"]
    );
    let account = browser.get("/account").await.html;
    assert!(account.contains("10 recovery codes are left."), "{account}");
    assert!(!account.contains(&factor.secret) && !account.contains(&factor.recovery_codes[0]));
    assert_eq!(
        browser.get(begin).await.location.as_deref(),
        Some("/account")
    );

    let mut other = vault.browser();
    first_step(&mut other).await;
    assert_eq!(other.get("/clients").await.status, 303, "not signed in yet");
    let wrong = second_step(&mut other, "000000").await;
    assert_eq!(wrong.status, 401);
    assert!(
        wrong
            .html
            .contains("The one-time code is wrong or was used before")
    );
    let home = second_step(&mut other, &factor.code(1)).await;
    assert_eq!(home.status, 200, "{}", home.html);
    let code = factor.recovery_codes[0].as_str();
    let person = api_sign_in(&vault.anyone(), Some(code)).await.unwrap();
    let lines: Vec<AuditLine> = person.get("audit").await;
    let what: Vec<_> = lines.iter().map(|line| line.what.as_str()).collect();
    for words in [
        "began to set up their second factor",
        "turned their second factor on",
        "failed to sign in: wrong one-time code",
        "signed in to the dashboard with a one-time code",
    ] {
        assert!(what.contains(&words), "{words}: {what:?}");
    }
}

#[tokio::test]
async fn a_first_step_is_needed_for_the_second_and_only_its_own_form_is_taken() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let mut browser = vault.browser();
    let away = browser.get("/login/code").await;
    assert_eq!(away.location.as_deref(), Some("/login"));
    let code = factor.code(1);
    let away = browser.post("/login/code", &[("code", &code)]).await;
    assert_eq!(away.location.as_deref(), Some("/login"));
    first_step(&mut browser).await;
    let foreign = browser.post("/login/code", &[("code", &code)]).await;
    assert_eq!(foreign.status, 403);
    let home = second_step(&mut browser, &code).await;
    assert_eq!(home.status, 200);
    let over = browser.get("/login/code").await;
    assert_eq!(over.location.as_deref(), Some("/login"));
}

#[tokio::test]
async fn the_api_says_that_a_code_is_needed_and_takes_it() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let anyone = vault.anyone();
    assert_eq!(api_sign_in(&anyone, None).await.err(), Some((401, 4002)));
    assert_eq!(
        api_sign_in(&anyone, Some("")).await.err(),
        Some((401, 4001))
    );
    assert_eq!(
        api_sign_in(&anyone, Some("000000")).await.err(),
        Some((401, 4001))
    );
    let wrong = json!({ "email": EMAIL, "password": "a guess" });
    let refused = anyone.fails(Method::POST, "auth/session", &wrong).await;
    assert_eq!(
        refused,
        (401, 4001),
        "whoever has no password learns nothing"
    );
    let spaced = factor.code(1);
    let spaced = format!("{} {}", &spaced[..3], &spaced[3..]);
    let person = api_sign_in(&anyone, Some(&spaced)).await.unwrap();
    let _: Value = person.get("vault/clients").await;
}

#[tokio::test]
async fn a_code_is_taken_once_also_after_a_restart() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let anyone = vault.anyone();
    let used = factor.code(0);
    assert_eq!(
        api_sign_in(&anyone, Some(&used)).await.err(),
        Some((401, 4001))
    );
    let code = factor.code(1);
    api_sign_in(&anyone, Some(&code)).await.unwrap();
    assert_eq!(
        api_sign_in(&anyone, Some(&code)).await.err(),
        Some((401, 4001))
    );

    let dir = vault.stop().await;
    let server = Server::bind(config(dir.path())).await.unwrap();
    let anyone = Caller::new(&server.url(), None);
    tokio::spawn(server.run(std::future::pending()));
    assert_eq!(
        api_sign_in(&anyone, Some(&code)).await.err(),
        Some((401, 4001))
    );
    let recovery = factor.recovery_codes[0].as_str();
    api_sign_in(&anyone, Some(recovery)).await.unwrap();
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
async fn turning_it_off_asks_for_password_and_code() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let factor = set_up(&mut browser).await;
    let off = "/account/second-factor/off";
    let code = factor.code(1);
    for (password, code) in [
        (PASSWORD, ""),
        (PASSWORD, "000000"),
        ("a guess", code.as_str()),
    ] {
        let proof = [("password", password), ("code", code)];
        let page = browser.submit("/account", off, &proof).await;
        assert!(
            page.html.contains("class=\"message refused\""),
            "{}",
            page.html
        );
        assert_eq!(
            api_sign_in(&vault.anyone(), None).await.err(),
            Some((401, 4002))
        );
    }
    let begin = [("password", PASSWORD)];
    let page = browser
        .submit("/account", "/account/second-factor", &begin)
        .await;
    assert!(
        page.html.contains("The second factor is on already"),
        "{}",
        page.html
    );

    let before = browser.clone();
    let proof = [("password", PASSWORD), ("code", code.as_str())];
    let page = browser.submit("/account", off, &proof).await;
    assert!(
        page.html.contains("The second factor is off."),
        "{}",
        page.html
    );
    assert_ne!(
        browser.cookies["passportal_session"],
        before.cookies["passportal_session"]
    );
    vault.person().await;
    vault.signed_in().await;
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

    browser.http = crate::support::http_from([127, 0, 0, 2]);
    let home = second_step(&mut browser, &factor.recovery_codes[0]).await;
    assert_eq!(home.status, 200, "{}", home.html);
}

#[tokio::test]
async fn no_secret_of_it_rests_in_clear() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let dir = vault.stop().await;
    let bytes = std::fs::read(dir.path().join("vault.db")).unwrap();
    let holds = |needle: &str| {
        bytes
            .windows(needle.len())
            .any(|it| it == needle.as_bytes())
    };
    assert!(holds("turned their second factor on"));
    let secret = factor.secret.replace(' ', "");
    assert!(!holds(&secret));
    for code in &factor.recovery_codes {
        assert!(!holds(code) && !holds(&code.replace('-', "")));
    }
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
            told.contains("second factors of 1 people are off"),
            more.is_some(),
            "{told}"
        );
        let server = Server::bind(config(&dir)).await.unwrap();
        let anyone = Caller::new(&server.url(), None);
        tokio::spawn(server.run(std::future::pending()));
        api_sign_in(&anyone, code).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_key_that_does_not_fit_lets_nobody_in_without_the_second_factor() {
    let vault = TestVault::start().await;
    let factor = set_up(&mut vault.signed_in().await).await;
    let dir = vault.stop().await;
    std::fs::write(dir.path().join("server.key"), "00".repeat(32)).unwrap();
    let server = Server::bind(config(dir.path())).await.unwrap();
    let anyone = Caller::new(&server.url(), None);
    tokio::spawn(server.run(std::future::pending()));
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

#[tokio::test]
async fn it_is_set_up_and_removed_over_the_api() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let path = "account/second-factor";
    let confirmation = format!("{path}/confirmation");
    let wrong = json!({ "password": "a guess" });
    let refused = person.fails(Method::POST, path, &wrong).await;
    assert_eq!(refused, (401, 4001));
    let code = json!({ "one_time_code": "000000" });
    let refused = person.fails(Method::POST, &confirmation, &code).await;
    assert_eq!(refused, (422, 4022), "none waits");

    let begun: BegunSecondFactor = person.post(path, &json!({ "password": PASSWORD })).await;
    let app = TotpSecret::parse(&begun.address).unwrap();
    let shown = app.code(Timestamp::now()).code;
    let refused = person.fails(Method::POST, &confirmation, &code).await;
    assert_eq!(refused, (422, 4022));
    let code = json!({ "one_time_code": shown.expose_secret() });
    let codes: RecoveryCodes = person.post(&confirmation, &code).await;
    let account: OwnAccount = person.get("account").await;
    assert!(account.second_factor_since.is_some());
    assert_eq!(account.recovery_codes_left, 10);

    let proof = |code: &str| json!({ "password": PASSWORD, "one_time_code": code });
    let again = proof(&codes.recovery_codes[0]);
    let renewed: RecoveryCodes = person.post("account/recovery-codes", &again).await;
    let removal = format!("{path}/removal");
    let without = json!({ "password": PASSWORD });
    let refused = person.fails(Method::POST, &removal, &without).await;
    assert_eq!(refused, (401, 4002));
    let refused = person.fails(Method::POST, &removal, &again).await;
    assert_eq!(refused, (401, 4001), "the old codes are void");
    let right = proof(&renewed.recovery_codes[0]);
    let _: Value = person.post(&removal, &right).await;
    let refused = person.fails(Method::POST, &removal, &without).await;
    assert_eq!(refused, (422, 4022), "it is off already");
    vault.person().await;
}
