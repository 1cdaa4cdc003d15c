//! The documented v2 API.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::Sha256;
use uuid::Uuid;
use wiremock::matchers::{header as has_header, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{CANARY, body, config, failure, header, requests, secret, success};
use crate::wire::{ClientPage, ClientToken, DocumentsClient, code};
use crate::{ApiClient, ApiError, ApiKey, BodyFormat};

const SIGN_IN: &str = "/api/v2/auth/client_token";

fn key() -> ApiKey {
    ApiKey::new("key id", secret(CANARY))
}

fn token(text: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "success": true, "access_token": text, "refresh_token": "refresh", "expiry_time": 1_634_808_171,
    }))
}

async fn mount_sign_in(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(path(SIGN_IN))
        .respond_with(answer)
        .mount(server)
        .await;
}

fn page(length: u128) -> ClientPage {
    let client = |number| DocumentsClient {
        id: Uuid::from_u128(number),
        name: format!("Client {number}"),
    };
    (0..length).map(client).collect()
}

async fn mount_page(server: &MockServer, number: &str, token: &str, length: u128) {
    Mock::given(method("GET"))
        .and(path("/api/v2/documents/clients"))
        .and(query_param("resultsPerPage", "100"))
        .and(query_param("pageNum", number))
        .and(has_header("x-access-token", token))
        .respond_with(success(page(length)))
        .mount(server)
        .await;
}

fn signature(content: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(CANARY.as_bytes()).unwrap();
    mac.update(content.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn assert_signed(request: &Request, content: &str) {
    assert_eq!(header(request, "x-key"), "key id");
    assert_eq!(header(request, "x-hash"), signature(content));
}

#[tokio::test]
async fn the_sign_in_is_signed_whether_json_or_form() {
    let server = MockServer::start().await;
    mount_sign_in(&server, token("one")).await;
    for format in [BodyFormat::Json, BodyFormat::Form] {
        let client = ApiClient::sign_in(&config(&server), key(), format)
            .await
            .unwrap();
        assert!(!format!("{client:?}").contains(CANARY));
    }
    let requests = requests(&server).await;
    let json = body(&requests[0]);
    assert_eq!(json["scope"], "docs_api");
    assert_signed(&requests[0], json["content"].as_str().unwrap());

    let form: Vec<(String, String)> = url::form_urlencoded::parse(&requests[1].body)
        .into_owned()
        .collect();
    assert_eq!(form[0], ("scope".into(), "docs_api".into()));
    assert_signed(&requests[1], &form[1].1);
    assert_ne!(json["content"], form[1].1, "no signature is sent twice");
}

#[test]
fn the_end_of_a_token_is_a_number_or_a_string() {
    for written in [json!(1_634_808_171), json!("1634808171")] {
        let answer = json!({
            "success": true, "access_token": "a", "refresh_token": "r", "expiry_time": written,
        });
        let read: ClientToken = serde_json::from_value(answer).unwrap();
        assert_eq!(read.expiry_time, 1_634_808_171);
    }
}

#[tokio::test]
async fn pages_are_read_until_a_short_one() {
    let server = MockServer::start().await;
    mount_sign_in(&server, token("one")).await;
    mount_page(&server, "1", "one", 100).await;
    mount_page(&server, "2", "one", 3).await;
    let client = ApiClient::sign_in(&config(&server), key(), BodyFormat::Json)
        .await
        .unwrap();
    assert_eq!(client.clients().await.unwrap().len(), 103);
    assert_eq!(requests(&server).await.len(), 3);
}

#[tokio::test]
async fn a_token_that_ended_is_replaced_once() {
    let server = MockServer::start().await;
    Mock::given(path(SIGN_IN))
        .respond_with(token("ended"))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    mount_sign_in(&server, token("new")).await;
    Mock::given(has_header("x-access-token", "ended"))
        .respond_with(failure(401, code::BAD_TOKEN))
        .mount(&server)
        .await;
    mount_page(&server, "1", "new", 2).await;
    let client = ApiClient::sign_in(&config(&server), key(), BodyFormat::Json)
        .await
        .unwrap();
    assert_eq!(client.clients().await.unwrap().len(), 2);
    assert_eq!(client.clients().await.unwrap().len(), 2);
    let sign_ins = requests(&server).await;
    let sign_ins = sign_ins.iter().filter(|r| r.url.path() == SIGN_IN);
    assert_eq!(sign_ins.count(), 2);
}

#[tokio::test]
async fn a_server_that_refuses_every_token_does_not_keep_us() {
    let server = MockServer::start().await;
    mount_sign_in(&server, token("any")).await;
    Mock::given(method("GET"))
        .respond_with(failure(401, code::BAD_TOKEN))
        .mount(&server)
        .await;
    let client = ApiClient::sign_in(&config(&server), key(), BodyFormat::Json)
        .await
        .unwrap();
    assert!(client.clients().await.unwrap_err().is_bad_token());
    assert_eq!(requests(&server).await.len(), 4);
}

#[tokio::test]
async fn a_wrong_key_is_not_authorised_and_tried_once() {
    let server = MockServer::start().await;
    mount_sign_in(&server, failure(401, code::KEY_VERIFICATION_FAILED)).await;
    let error = ApiClient::sign_in(&config(&server), key(), BodyFormat::Json)
        .await
        .unwrap_err();
    assert!(matches!(error, ApiError::NotAuthorised { code: 1000, .. }));
    assert_eq!(requests(&server).await.len(), 1);
}
