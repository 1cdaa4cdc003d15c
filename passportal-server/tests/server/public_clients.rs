//! What public clients of Passportal's v2 API send, in the shapes that they have.
//!
//! One (a server of tools for assistants, in Python) signs in with JSON and a random content, and keeps the token until
//! its `expiry_time`, a Unix time, is near. Another (a migration script in PowerShell) sends a form and upper-case
//! headers. Both go by the user guide's pages "Generate an API Access Token" and "Documents".

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};

use crate::raw_http::exchange;
use crate::sign_in::Key;
use crate::support::{Caller, TestClient, TestVault, failure};

#[tokio::test]
async fn a_client_with_json_and_a_random_content_lists_the_clients() {
    let vault = vault_with_clients().await;
    let key = Key::create(&vault).await;
    let content = hex::encode(rand::random::<[u8; 16]>());
    let anyone = vault.anyone();
    let body = json!({ "scope": "docs_api", "content": content });
    let request = key.request(&anyone, &key.sign(&content)).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();

    assert_eq!(answer["success"], json!(true));
    let left = answer["expiry_time"].as_i64().unwrap() - Timestamp::now().as_second();
    assert!((3300..=3600).contains(&left), "{left} seconds");
    let token = answer["access_token"].as_str().unwrap();
    assert_eq!(pages(&vault.with_token(token), 2).await, CLIENTS);
}

#[tokio::test]
async fn a_client_with_a_form_and_upper_case_headers_lists_the_clients() {
    let vault = vault_with_clients().await;
    let key = Key::create(&vault).await;
    let content = "aB&&%+ é=9";
    let lower = key.sign(content);
    for hash in [lower.to_uppercase(), lower] {
        let answer = exchange(
            &vault.url,
            &[
                "POST /api/v2/auth/client_token HTTP/1.1",
                "Host: us-clover.example",
                "User-Agent: Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1",
                "Content-Type: application/x-www-form-urlencoded",
                &format!("X-KEY: {}", key.key),
                &format!("X-HASH: {hash}"),
            ],
            "content=aB%26%26%25%2B+%C3%A9%3D9&scope=docs_api",
        )
        .await;
        assert_eq!(answer.status(), 200, "{}", answer.body);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(pages(&vault.with_token(&token), 100).await, CLIENTS);
    }
}

#[tokio::test]
async fn pages_are_numbered_from_one_and_have_a_usual_size() {
    let vault = vault_with_clients().await;
    let program = program(&vault).await;
    for query in ["", "?pageNum=1", "?resultsPerPage=1000"] {
        let page: Vec<Value> = program.get(&format!("documents/clients{query}")).await;
        assert_eq!(page.len(), CLIENTS.len(), "{query}");
    }
    for query in ["pageNum=0", "pageNum=-1", "pageNum=x", "resultsPerPage=0"] {
        let path = format!("documents/clients?{query}");
        let request = program.request(reqwest::Method::GET, &path);
        let (status, code) = failure(request.send().await.unwrap()).await;
        assert!(matches!((status, code), (400 | 422, 4022)), "{query}");
    }
}

/// The token that ended is answered as the one that never was: sign in again.
#[tokio::test]
async fn a_token_that_expired_is_code_1006() {
    let vault = vault_with_clients().await;
    let program = program(&vault).await;
    assert_eq!(pages(&program, 100).await, CLIENTS);

    let file = vault.dir.path().join("vault.db");
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query(
        "UPDATE tokens SET expires = '2026-01-01T00:00:00.000000000Z' WHERE kind = 'client_token'",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let refused = program
        .fails(reqwest::Method::GET, "documents/clients", &json!({}))
        .await;
    assert_eq!(refused, (401, 1006));
}

const CLIENTS: [&str; 3] = ["Contoso", "Fabrikam", "Northwind MSP"];

async fn vault_with_clients() -> TestVault {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    for name in ["Contoso", "Fabrikam"] {
        TestClient::create(&person, name).await;
    }
    vault
}

async fn program(vault: &TestVault) -> Caller {
    let key = Key::create(vault).await;
    let anyone = vault.anyone();
    let body = json!({ "scope": "docs_api", "content": "x" });
    let request = key.request(&anyone, &key.sign("x")).json(&body);
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    vault.with_token(answer["access_token"].as_str().unwrap())
}

/// The names on all pages, read until one has no `results`.
async fn pages(program: &Caller, per_page: usize) -> Vec<String> {
    let mut names = Vec::new();
    for number in 1.. {
        let path = format!("documents/clients?resultsPerPage={per_page}&pageNum={number}");
        let request = program.request(reqwest::Method::GET, &path);
        let request = request.header("content-type", "application/json");
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["success"], json!(true), "{answer}");
        assert!(answer["apiRequestUid"].is_string(), "{answer}");
        let results = answer["results"].as_array().unwrap();
        if results.is_empty() {
            break;
        }
        let name = |client: &Value| client["name"].as_str().unwrap().to_owned();
        names.extend(results.iter().map(name));
    }
    names
}
