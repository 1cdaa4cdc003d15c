//! Conversations with a scripted server on loopback.

mod agent;
mod http;
mod person;
mod plans;
mod sign_in;
mod tls;
mod vault;

use secrecy::SecretString;
use serde_json::{Value, json};
use uuid::Uuid;
use wiremock::{MockServer, ResponseTemplate};

use crate::HttpConfig;

pub(crate) const CANARY: &str = "Canary-8fa1!";

pub(crate) fn config(server: &MockServer) -> HttpConfig {
    HttpConfig::new(&server.uri()).unwrap()
}

pub(crate) fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

pub(crate) fn success(results: impl serde::Serialize) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "success": true,
        "apiRequestUid": Uuid::from_u128(42),
        "results": results,
        "a field of a later version": 1,
    }))
}

pub(crate) fn failure(status: u16, code: u32) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({
        "success": false,
        "message": "the server's words",
        "code": code,
        "status": status,
    }))
}

pub(crate) async fn requests(server: &MockServer) -> Vec<wiremock::Request> {
    server.received_requests().await.unwrap()
}

pub(crate) fn body(request: &wiremock::Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

pub(crate) fn header<'a>(request: &'a wiremock::Request, name: &str) -> &'a str {
    request.headers.get(name).unwrap().to_str().unwrap()
}
