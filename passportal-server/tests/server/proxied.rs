//! Behind a proxy that has the certificate.

use passportal_client::wire::AuditLine;
use passportal_server::Server;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Caller, EMAIL, PASSWORD, TestVault, config, run};

const CALLER: &str = "203.0.113.9";

/// Signs in as a caller of a proxy would, and says which address the audit trail has.
async fn address_of_a_sign_in(trusted: &[&str]) -> String {
    let dir = TestVault::start().await.stop().await;
    let server = Server::bind(config(dir.path())).await.unwrap();
    let server = server.behind(trusted.iter().map(|net| net.parse().unwrap()).collect());
    let url = run(server);
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let request = Caller::new(&url, None).request(Method::POST, "auth/session");
    let request = request.header("x-forwarded-for", format!("10.9.9.9, {CALLER}"));
    let answer: Value = request
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let token = answer["results"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let lines: Vec<AuditLine> = Caller::new(&url, Some(token))
        .get("audit?what=signed")
        .await;
    lines[0].address.clone().unwrap()
}

#[tokio::test]
async fn the_audit_trail_knows_the_caller_of_a_trusted_proxy_and_believes_no_other() {
    assert_eq!(address_of_a_sign_in(&["127.0.0.0/8"]).await, CALLER);
    assert_eq!(address_of_a_sign_in(&[]).await, "127.0.0.1");
    assert_eq!(address_of_a_sign_in(&["10.0.0.0/8"]).await, "127.0.0.1");
}

#[tokio::test]
async fn known_by_https_cookies_never_travel_in_clear() {
    for (public, secure) in [("https://vault.example", true), ("http://localhost", false)] {
        let dir = TestVault::start().await.stop().await;
        let server = Server::bind(config(dir.path())).await.unwrap();
        let server = server.known_as(Some(public.parse().unwrap()));
        let url = server.url();
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        tokio::spawn(server.run(std::future::pending()));
        let page = TestVault::browser_of(&url).get("/login").await;
        assert_eq!(
            page.set_cookie.contains("Secure"),
            secure,
            "{}",
            page.set_cookie
        );
    }
}
