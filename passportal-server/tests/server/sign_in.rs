//! Signing in, the documented API, and how errors are answered.

use hmac::{Hmac, KeyInit as _, Mac as _};
use passportal_client::wire::{ClientToken, DocumentsClient};
use passportal_server::create_api_key;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Caller, EMAIL, PASSWORD, TestClient, TestVault, failure, plain_http};

#[tokio::test]
async fn a_person_signs_in_and_out() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let _: Value = person.get("vault/clients").await;

    let _: Value = person.delete("auth/session").await;
    let refused = person.fails(Method::GET, "vault/clients", &json!({})).await;
    assert_eq!(refused, (401, 1006));
}

#[tokio::test]
async fn a_one_time_code_that_nobody_set_up_is_refused_in_words() {
    let vault = TestVault::start().await;
    for code in ["123456", ""] {
        let body = json!({ "email": EMAIL, "password": PASSWORD, "one_time_code": code });
        let anyone = vault.anyone();
        let request = anyone.request(Method::POST, "auth/session").json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = answer.json().await.unwrap();
        assert_eq!((status, &told["code"]), (422, &json!(4022)));
        let message = told["message"].as_str().unwrap();
        assert!(message.contains("no one-time code is set up"), "{message}");
    }
    vault.person().await;
}

#[tokio::test]
async fn wrong_passwords_are_refused_and_then_slowed_down() {
    let vault = TestVault::start().await;
    let anyone = vault.anyone();
    let wrong = json!({ "email": EMAIL, "password": "something else" });
    for _ in 0..5 {
        let refused = anyone.fails(Method::POST, "auth/session", &wrong).await;
        assert_eq!(refused, (401, 4001));
    }
    let right = json!({ "email": EMAIL, "password": PASSWORD });
    let refused = anyone.fails(Method::POST, "auth/session", &right).await;
    assert_eq!(refused, (429, 4029));
    let other = json!({ "email": "nobody@msp.example", "password": "x" });
    let refused = anyone.fails(Method::POST, "auth/session", &other).await;
    assert_eq!(refused, (401, 4001));
}

pub(crate) struct Key {
    pub(crate) key: String,
    secret: String,
}

impl Key {
    pub(crate) async fn create(vault: &TestVault) -> Self {
        let file = vault.dir.path().join("api-key.json");
        create_api_key(vault.dir.path(), &file).await.unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        Self {
            key: read["key"].as_str().unwrap().to_owned(),
            secret: read["secret"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) fn sign(&self, content: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(content.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    }

    pub(crate) fn request(&self, caller: &Caller, hash: &str) -> reqwest::RequestBuilder {
        caller
            .request(Method::POST, "auth/client_token")
            .header("x-key", &self.key)
            .header("x-hash", hash)
    }
}

#[tokio::test]
async fn a_program_signs_in_with_json_or_a_form_and_pages_through_the_clients() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    for name in ["Contoso", "Fabrikam"] {
        TestClient::create(&person, name).await;
    }
    let key = Key::create(&vault).await;
    let anyone = vault.anyone();
    let body = [("scope", "docs_api"), ("content", "any text")];
    let hash = key.sign("any text");

    let form = key
        .request(&anyone, &hash)
        .form(&body)
        .send()
        .await
        .unwrap();
    let form: ClientToken = form.json().await.unwrap();
    assert!(form.success);
    let json = key
        .request(&anyone, &hash)
        .json(&json!({ "scope": "docs_api", "content": "any text" }))
        .send()
        .await
        .unwrap();
    let token: ClientToken = json.json().await.unwrap();

    let program = vault.with_token(&token.access_token);
    let pages = "documents/clients?resultsPerPage=2&pageNum=";
    let first: Vec<DocumentsClient> = program.get(&format!("{pages}1")).await;
    let second: Vec<DocumentsClient> = program.get(&format!("{pages}2")).await;
    let names: Vec<&str> = first
        .iter()
        .chain(&second)
        .map(|client| client.name.as_str())
        .collect();
    assert_eq!(names, ["Contoso", "Fabrikam", "Northwind MSP"]);

    let refused = program
        .fails(Method::GET, "vault/clients", &json!({}))
        .await;
    assert_eq!(refused, (403, 4003));
    let refresh = vault.with_token(&token.refresh_token);
    let refused = refresh
        .fails(Method::GET, &format!("{pages}1"), &json!({}))
        .await;
    assert_eq!(refused, (403, 4003));
}

#[tokio::test]
async fn a_wrong_signature_or_key_is_code_1000() {
    let vault = TestVault::start().await;
    let key = Key::create(&vault).await;
    let anyone = vault.anyone();
    let body = json!({ "scope": "docs_api", "content": "any text" });

    let wrong = key.sign("another text");
    let refused = key
        .request(&anyone, &wrong)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(failure(refused).await, (401, 1000));
    let unknown = Key {
        key: "unknown".to_owned(),
        secret: key.secret,
    };
    let hash = unknown.sign("any text");
    let refused = unknown
        .request(&anyone, &hash)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(failure(refused).await, (401, 1000));
    let refused = anyone.fails(Method::POST, "auth/client_token", &body).await;
    assert_eq!(refused, (401, 1000));
}

#[tokio::test]
async fn every_error_has_the_same_shape() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let anyone = vault.anyone();
    let nothing = json!({});

    assert_eq!(
        anyone.fails(Method::GET, "nowhere", &nothing).await,
        (404, 4004)
    );
    assert_eq!(
        anyone.fails(Method::GET, "vault/nowhere", &nothing).await,
        (404, 4004)
    );
    assert_eq!(
        anyone.fails(Method::PUT, "auth/session", &nothing).await,
        (405, 3000)
    );
    assert_eq!(
        person
            .fails(Method::DELETE, "vault/clients", &nothing)
            .await,
        (405, 3000)
    );
    assert_eq!(
        person.fails(Method::GET, "vault/clients/x", &nothing).await,
        (404, 4004)
    );
    assert_eq!(
        anyone.fails(Method::GET, "vault/clients", &nothing).await,
        (401, 1006)
    );
    assert_eq!(
        person
            .fails(Method::GET, "vault/flags?kind=x", &nothing)
            .await,
        (400, 4022)
    );
    let bad = person
        .request(Method::POST, "vault/clients")
        .body("{")
        .header("content-type", "application/json");
    assert_eq!(failure(bad.send().await.unwrap()).await, (400, 4022));
}

#[tokio::test]
async fn people_read_the_same_description_and_every_link_of_it_leads_somewhere() {
    let vault = TestVault::start().await;
    let url = format!("{}/api/documentation/v2", vault.url);
    let page = plain_http().get(&url).send().await.unwrap();
    let page = page.text().await.unwrap();
    let document = plain_http().get(format!("{url}/swagger")).send().await;
    let document: Value = document.unwrap().json().await.unwrap();
    for path in document["paths"].as_object().unwrap().keys() {
        assert!(page.contains(&format!("<code>{path}</code>")), "{path}");
    }
    let links: Vec<&str> = page.split("href=\"#").skip(1).collect();
    assert!(links.len() > 100);
    for link in links {
        let id = link.split('"').next().unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let vault = TestVault::start().await;
    let url = format!("{}/api/documentation/v2/swagger", vault.url);
    let document: Value = plain_http()
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();

    let paths = document["paths"].as_object().unwrap();
    let mut operations: Vec<String> = Vec::new();
    for (path, methods) in paths {
        operations.extend(
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(|method| format!("{method} {path}")),
        );
    }
    operations.sort();
    assert_eq!(operations, OPERATIONS);
    assert!(document["components"]["schemas"]["ChangedCredential"].is_object());
}

const OPERATIONS: [&str; 62] = [
    "delete /api/v2/account/sessions",
    "delete /api/v2/account/sessions/{id}",
    "delete /api/v2/agent/enrolments/{agent}",
    "delete /api/v2/auth/session",
    "delete /api/v2/vault/credentials/{id}/flags/{kind}",
    "delete /api/v2/vault/credentials/{id}/flags/{kind}/snooze",
    "delete /api/v2/vault/notice-channels/{id}",
    "delete /api/v2/vault/people/invitations/{invitation}",
    "get /api/documentation/v2/swagger",
    "get /api/v2/account",
    "get /api/v2/account/sessions",
    "get /api/v2/agent/changes",
    "get /api/v2/agent/credentials/{id}/secret",
    "get /api/v2/agent/key",
    "get /api/v2/audit",
    "get /api/v2/audit/verification",
    "get /api/v2/documents/clients",
    "get /api/v2/plans",
    "get /api/v2/plans/{id}",
    "get /api/v2/reports/{report}",
    "get /api/v2/vault/clients",
    "get /api/v2/vault/clients/{id}",
    "get /api/v2/vault/clients/{id}/credentials",
    "get /api/v2/vault/clients/{id}/folders",
    "get /api/v2/vault/credential-types",
    "get /api/v2/vault/credentials/{id}",
    "get /api/v2/vault/credentials/{id}/history",
    "get /api/v2/vault/credentials/{id}/versions",
    "get /api/v2/vault/flags",
    "get /api/v2/vault/notice-channels",
    "get /api/v2/vault/people",
    "get /api/v2/vault/people/invitations",
    "get /api/v2/vault/search",
    "get /api/v2/vault/snoozes",
    "patch /api/v2/vault/clients/{id}",
    "patch /api/v2/vault/credentials/{id}",
    "patch /api/v2/vault/people/{id}",
    "post /api/v2/account/recovery-codes",
    "post /api/v2/account/second-factor",
    "post /api/v2/account/second-factor/confirmation",
    "post /api/v2/account/second-factor/removal",
    "post /api/v2/agent/attempts",
    "post /api/v2/agent/enrolments",
    "post /api/v2/agent/heartbeat",
    "post /api/v2/agent/reports",
    "post /api/v2/agent/token",
    "post /api/v2/auth/client_token",
    "post /api/v2/auth/session",
    "post /api/v2/plans/{id}/approval",
    "post /api/v2/plans/{id}/rejection",
    "post /api/v2/vault/clients",
    "post /api/v2/vault/clients/{id}/credentials",
    "post /api/v2/vault/credentials/{id}/secrets",
    "post /api/v2/vault/imports",
    "post /api/v2/vault/notice-channels",
    "post /api/v2/vault/notice-channels/{id}/test",
    "post /api/v2/vault/people/invitations",
    "put /api/v2/account/password",
    "put /api/v2/agent/plans",
    "put /api/v2/vault/credentials/{id}/flags/{kind}/snooze",
    "put /api/v2/vault/credentials/{id}/password",
    "put /api/v2/vault/notice-channels/{id}",
];
