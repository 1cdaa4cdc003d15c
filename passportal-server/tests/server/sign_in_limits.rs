//! Guessing is slowed down, and whoever signed in before is not refused because others guess.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, TestVault, failure, http_from};

fn from(vault: &TestVault, address: [u8; 4]) -> Caller {
    let mut caller = vault.anyone();
    caller.http = http_from(address);
    caller
}

async fn guess(caller: &Caller, email: &str) -> StatusCode {
    let body = json!({ "email": email, "password": "a guess" });
    let request = caller.request(Method::POST, "auth/session").json(&body);
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn a_thousand_wrong_guesses_from_elsewhere_do_not_refuse_the_owner() {
    let vault = TestVault::start().await;
    let mut tested = 0;
    for host in 2..12 {
        let stranger = from(&vault, [127, 0, 0, host]);
        for _ in 0..100 {
            tested += usize::from(guess(&stranger, EMAIL).await == StatusCode::UNAUTHORIZED);
        }
    }
    assert_eq!(tested, 50, "five from each address");
    vault.person().await;
    vault.signed_in().await;
}

#[tokio::test]
async fn a_browser_that_was_signed_in_before_is_not_refused_because_of_guesses_at_its_address() {
    let vault = TestVault::start().await;
    let mut known = vault.signed_in().await;
    known.submit("/", "/logout", &[]).await;
    for _ in 0..5 {
        let status = guess(&vault.anyone(), EMAIL).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let mut unknown = vault.browser();
    let refused = unknown.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_eq!(refused.status, 429);
    assert!(refused.html.contains("Too many wrong sign-ins"));
    assert_eq!(known.log_in(PASSWORD, ORGANIZATION_KEY).await.status, 200);

    known.submit("/", "/logout", &[]).await;
    for _ in 0..5 {
        assert_eq!(known.log_in("a guess", ORGANIZATION_KEY).await.status, 401);
    }
    assert_eq!(known.log_in(PASSWORD, ORGANIZATION_KEY).await.status, 429);
}

#[tokio::test]
async fn an_address_that_tries_many_accounts_is_refused_but_for_whoever_signed_in_from_it() {
    let vault = TestVault::start().await;
    vault.person().await;
    let anyone = vault.anyone();
    for number in 0..50 {
        let status = guess(&anyone, &format!("name-{number}@msp.example")).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    let body = json!({ "email": "one.more@msp.example", "password": "a guess" });
    let request = anyone.request(Method::POST, "auth/session").json(&body);
    assert_eq!(failure(request.send().await.unwrap()).await, (429, 4029));
    vault.person().await;
    let elsewhere = from(&vault, [127, 0, 0, 2]);
    let status = guess(&elsewhere, "one.more@msp.example").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
