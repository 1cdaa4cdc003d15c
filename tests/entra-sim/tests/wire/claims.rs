//! Signed tokens and the published keys, claims requests, and claims challenges on order.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::Sha256;
use rsa::signature::Verifier;
use rsa::{BoxedUint, PublicKey};
use serde_json::{Value, json};

use crate::support::{APP, Answer, DEFAULT_SCOPE, SECRET, Sim, TENANT, password_form};

const CAPABLE: &str = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;

fn decoded(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

async fn key_set(sim: &Sim) -> Value {
    let url = format!("{}/{TENANT}/discovery/v2.0/keys", sim.url);
    sim.http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

/// Verifies a token with the published key that its header names.
async fn verified(sim: &Sim, token: &str) -> bool {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decoded(header)).unwrap();
    assert_eq!(header["alg"], "RS256");
    let set = key_set(sim).await;
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let number = |name: &str| {
        let bytes = decoded(key[name].as_str().unwrap());
        BoxedUint::from_be_slice_vartime(&bytes)
    };
    let key = PublicKey::new(number("n"), number("e")).unwrap();
    let signature = Signature::try_from(decoded(signature).as_slice()).unwrap();
    VerifyingKey::<Sha256>::new(key)
        .verify(signed.as_bytes(), &signature)
        .is_ok()
}

async fn token_with(sim: &Sim, claims: &str) -> Answer {
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &APP.to_string()),
        ("client_secret", SECRET),
        ("scope", DEFAULT_SCOPE),
        ("claims", claims),
    ];
    sim.token_request(TENANT, &form).await
}

async fn domains(sim: &Sim, answer: &Answer) -> Answer {
    let token = answer.body["access_token"].as_str().unwrap();
    let request = sim.http.get(format!("{}/v1.0/domains", sim.url));
    Answer::of(request.bearer_auth(token).send().await.unwrap()).await
}

#[tokio::test]
async fn access_and_id_tokens_are_verified_by_the_published_key() {
    let sim = Sim::start();
    let token = sim.token().await;
    assert!(verified(&sim, &token).await);
    let form = password_form("anna@contoso.com", crate::support::RIGHT);
    let answer = sim.token_request(TENANT, &form).await;
    for name in ["id_token", "access_token"] {
        assert!(verified(&sim, answer.body[name].as_str().unwrap()).await);
    }
    let (_, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = token.split_once('.').unwrap();
    assert!(!verified(&sim, &format!("{header}.e30.{signature}")).await);
}

#[tokio::test]
async fn a_capability_is_in_the_token_and_nonsense_is_refused() {
    let sim = Sim::start();
    let claims = |answer: &Answer| -> Value {
        let token = answer.body["access_token"].as_str().unwrap();
        serde_json::from_slice(&decoded(token.split('.').nth(1).unwrap())).unwrap()
    };
    let capable = token_with(&sim, CAPABLE).await;
    assert_eq!(claims(&capable)["xms_cc"], json!(["cp1"]));
    let plain = token_with(&sim, "{}").await;
    assert!(claims(&plain).get("xms_cc").is_none());
    for nonsense in ["nonsense", "[]"] {
        let refused = token_with(&sim, nonsense).await;
        assert_eq!(refused.body["error_codes"][0], 90_023);
    }
}

#[tokio::test]
async fn a_challenge_on_order_is_met_by_its_own_claims_only() {
    let sim = Sim::start();
    let before = token_with(&sim, CAPABLE).await;
    let incapable = token_with(&sim, "{}").await;
    assert_eq!(domains(&sim, &before).await.status, StatusCode::OK);
    let demand = json!({ "access_token": { "nbf": { "essential": true, "value": "1772323200" } } });
    let path = format!("tenants/{TENANT}/challenge");
    let ordered = sim
        .control(Method::POST, &path, json!({ "claims": demand }))
        .await;
    assert_eq!(ordered.status, StatusCode::NO_CONTENT);

    let challenged = domains(&sim, &before).await;
    assert_eq!(challenged.status, StatusCode::UNAUTHORIZED);
    assert_eq!(challenged.graph_code(), "InvalidAuthenticationToken");
    let (_, claims) = challenged
        .header("www-authenticate")
        .split_once(", error=\"insufficient_claims\", claims=\"")
        .unwrap();
    let claims = STANDARD.decode(claims.trim_end_matches('"')).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&claims).unwrap(), demand);
    let plain = domains(&sim, &incapable).await;
    assert_eq!(plain.status, StatusCode::UNAUTHORIZED);
    assert!(!plain.header("www-authenticate").contains("claims="));

    let mut asked = demand.clone();
    asked["access_token"]["xms_cc"] = json!({ "values": ["cp1"] });
    let other = CAPABLE.replace("{\"xms", "{\"nbf\":{\"value\":\"1\"},\"xms");
    let another = token_with(&sim, &other).await;
    assert_eq!(
        domains(&sim, &another).await.status,
        StatusCode::UNAUTHORIZED
    );
    let met = token_with(&sim, &asked.to_string()).await;
    assert_eq!(domains(&sim, &met).await.status, StatusCode::OK);

    sim.control(Method::DELETE, &path, Value::Null).await;
    assert_eq!(domains(&sim, &before).await.status, StatusCode::OK);
}

#[tokio::test]
async fn in_a_batch_each_item_is_challenged_and_the_batch_itself_is_answered() {
    let sim = Sim::start();
    let token = token_with(&sim, CAPABLE).await;
    let demand = json!({ "access_token": { "nbf": { "essential": true, "value": "1772323200" } } });
    let path = format!("tenants/{TENANT}/challenge");
    sim.control(Method::POST, &path, json!({ "claims": demand }))
        .await;
    let items = ["1", "2"].map(|id| json!({ "id": id, "method": "GET", "url": "/domains" }));
    let batch = sim
        .http
        .post(format!("{}/v1.0/$batch", sim.url))
        .bearer_auth(token.body["access_token"].as_str().unwrap())
        .json(&json!({ "requests": items }));
    let answer = Answer::of(batch.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    for item in answer.body["responses"].as_array().unwrap() {
        assert_eq!(item["status"], 401);
        let challenge = item["headers"]["Www-Authenticate"].as_str().unwrap();
        assert!(challenge.contains("insufficient_claims"), "{challenge}");
    }
}
