//! The OpenAPI document describes what every call may answer.

use serde_json::{Value, json};

use crate::support::{TestVault, plain_http};

#[tokio::test]
async fn every_call_describes_its_usual_failures() {
    let document = document(&TestVault::start().await).await;
    for (path, method, statuses) in [
        ("/api/v2/vault/clients", "get", "200 401 403"),
        (
            "/api/v2/vault/clients",
            "post",
            "200 400 401 403 413 415 422",
        ),
        ("/api/v2/vault/clients/{id}", "get", "200 401 403 404"),
        ("/api/v2/vault/search", "get", "200 400 401 403 422"),
        (
            "/api/v2/auth/client_token",
            "post",
            "200 400 401 413 415 422 429",
        ),
        ("/api/documentation/v2/swagger", "get", "200"),
    ] {
        let responses = document["paths"][path][method]["responses"].as_object();
        let described: Vec<&str> = responses.unwrap().keys().map(String::as_str).collect();
        assert_eq!(described.join(" "), statuses, "{method} {path}");
    }
}

#[tokio::test]
async fn failures_have_the_documented_shape() {
    let document = document(&TestVault::start().await).await;
    let failure = json!({ "$ref": "#/components/schemas/Failure" });
    let mut seen = 0;
    for path in document["paths"].as_object().unwrap().values() {
        for operation in path.as_object().unwrap().values() {
            let responses = operation["responses"].as_object().unwrap();
            for (status, response) in responses.iter().filter(|(status, _)| *status != "200") {
                let schema = &response["content"]["application/json"]["schema"];
                assert_eq!(*schema, failure, "{status}");
                seen += 1;
            }
        }
    }
    assert!(seen > 100, "{seen}");
    assert!(document["components"]["schemas"]["Failure"].is_object());
}

async fn document(vault: &TestVault) -> Value {
    let url = format!("{}/api/documentation/v2/swagger", vault.url);
    let answer = plain_http().get(url).send().await.unwrap();
    answer.json().await.unwrap()
}
