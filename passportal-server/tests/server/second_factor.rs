//! The second factor: set up by its first code, asked for at each sign-in, and each code is taken once.

use jiff::{SignedDuration, Timestamp};
use passportal_client::one_time_code::TotpSecret;
use passportal_client::wire::{AuditLine, BegunSecondFactor, OwnAccount, RecoveryCodes};
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::factor::{Factor, api_sign_in, between, first_step, second_step, set_up};
use crate::support::{Caller, EMAIL, PASSWORD, TestVault, serve};

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
    let anyone = Caller::new(&serve(dir.path()).await, None);
    assert_eq!(
        api_sign_in(&anyone, Some(&code)).await.err(),
        Some((401, 4001))
    );
    let recovery = factor.recovery_codes[0].as_str();
    api_sign_in(&anyone, Some(recovery)).await.unwrap();
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

#[tokio::test]
async fn a_secret_that_nobody_confirmed_for_long_is_void() {
    let vault = TestVault::start().await;
    let mut browser = vault.signed_in().await;
    let begin = "/account/second-factor";
    let password = [("password", PASSWORD)];
    let page = browser.submit("/account", begin, &password).await;
    let secret = between(&page.html, "<code id=\"secret\">", "<").to_owned();
    let factor = Factor {
        secret,
        recovery_codes: Vec::new(),
    };
    let url = format!("sqlite://{}", vault.dir.path().join("vault.db").display());
    let mut database = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let before = Timestamp::now() - SignedDuration::from_mins(15);
    sqlx::query("UPDATE second_factors SET begun = ?")
        .bind(format!("{before:.9}"))
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(
        browser.get(begin).await.location.as_deref(),
        Some("/account")
    );
    let (confirm, code) = (format!("{begin}/confirm"), factor.code(0));
    let page = browser
        .submit("/account", &confirm, &[("code", &code)])
        .await;
    assert!(
        !page.html.contains("The second factor is on."),
        "{}",
        page.html
    );
    vault.person().await;
}
