//! Refresh tokens: rotation, what they are bound to, and what revokes them.

use entra_sim::{AccountChange, UserSpec};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{
    APP, Answer, NEW, PUBLIC_APP, RIGHT, SECRET, Sim, TENANT, claims_of, contoso,
};

const SCOPE: &str = "https://graph.microsoft.com/.default openid offline_access";
const USER: &str = "anna@contoso.com";

async fn sign_in_for(sim: &Sim, scope: &str) -> Answer {
    let form = [
        ("grant_type", "password"),
        ("client_id", &PUBLIC_APP.to_string()),
        ("scope", scope),
        ("username", USER),
        ("password", RIGHT),
    ];
    sim.token_request(TENANT, &form).await
}

async fn sign_in(sim: &Sim) -> String {
    token(&sign_in_for(sim, SCOPE).await)
}

fn token(answer: &Answer) -> String {
    let token = answer.body["refresh_token"].as_str();
    token.expect("a refresh token").to_owned()
}

async fn refresh(sim: &Sim, token: &str, more: &[(&str, &str)]) -> Answer {
    let app = PUBLIC_APP.to_string();
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("client_id", app.as_str()),
        ("scope", SCOPE),
        ("refresh_token", token),
    ];
    form.retain(|(name, _)| more.iter().all(|(changed, _)| changed != name));
    form.extend(more);
    sim.token_request(TENANT, &form).await
}

async fn code(sim: &Sim, token: &str) -> Option<u64> {
    refresh(sim, token, &[]).await.body["error_codes"][0].as_u64()
}

#[tokio::test]
async fn there_is_one_only_for_offline_access() {
    let sim = Sim::start();
    let answer = sign_in_for(&sim, "openid").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.get("refresh_token").is_none());
    let answer = refresh(&sim, &sign_in(&sim).await, &[("scope", "openid")]).await;
    assert!(answer.body.get("refresh_token").is_none());
}

#[tokio::test]
async fn each_use_gives_a_new_one_and_the_old_one_lives_on() {
    let sim = Sim::start();
    let first = sign_in(&sim).await;
    let answer = refresh(&sim, &first, &[]).await;
    let second = token(&answer);
    assert_ne!(first, second);
    assert_eq!(
        claims_of(&answer.body["access_token"])["azp"],
        json!(PUBLIC_APP)
    );
    assert_eq!(code(&sim, &first).await, None);
    assert_eq!(code(&sim, &second).await, None);
}

#[tokio::test]
async fn it_is_bound_to_its_client_and_must_be_one() {
    let sim = Sim::start();
    let own = sign_in(&sim).await;
    let app = APP.to_string();
    let foreign = [("client_id", app.as_str()), ("client_secret", SECRET)];
    let answer = refresh(&sim, &own, &foreign).await;
    assert_eq!(answer.body["error_codes"][0], 70_000);
    assert_eq!(code(&sim, "no-token").await, Some(9_002_313));
}

#[tokio::test]
async fn a_new_password_revokes_the_whole_family_with_the_documented_answer() {
    let sim = Sim::start();
    let first = sign_in(&sim).await;
    let second = token(&refresh(&sim, &first, &[]).await);
    assert_eq!(
        sim.set_password(USER, NEW).await.status,
        StatusCode::NO_CONTENT
    );
    for token in [&first, &second] {
        let answer = refresh(&sim, token, &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert_eq!(answer.body["error"], "invalid_grant");
        assert_eq!(answer.body["suberror"], "bad_token");
        assert_eq!(answer.body["error_codes"], json!([50_173]));
    }
}

#[tokio::test]
async fn whatever_happens_to_the_user_is_told_by_its_code() {
    let sim = Sim::of(contoso().user(UserSpec::new("ben@contoso.com", RIGHT)));
    let token = sign_in(&sim).await;
    let enable = |enabled| AccountChange {
        account_enabled: Some(enabled),
        ..AccountChange::default()
    };
    sim.simulator
        .change_user(TENANT, USER, enable(false))
        .unwrap();
    assert_eq!(code(&sim, &token).await, Some(50_057));
    sim.simulator
        .change_user(TENANT, USER, enable(true))
        .unwrap();
    assert_eq!(code(&sim, &token).await, None);
    let path = format!("tenants/{TENANT}/users/{USER}/revoke-sign-ins");
    sim.control(Method::POST, &path, Value::Null).await;
    assert_eq!(code(&sim, &token).await, Some(50_173));
    sim.simulator.remove_user(TENANT, USER).unwrap();
    assert_eq!(code(&sim, &token).await, Some(50_034));
}

#[tokio::test]
async fn ninety_days_without_use_end_it_and_each_use_begins_them_anew() {
    let sim = Sim::start();
    let first = sign_in(&sim).await;
    sim.simulator.advance(SignedDuration::from_hours(24 * 89));
    let second = token(&refresh(&sim, &first, &[]).await);
    sim.simulator.advance(SignedDuration::from_hours(24 * 2));
    assert_eq!(code(&sim, &first).await, Some(700_082));
    assert_eq!(code(&sim, &second).await, None);
}

#[tokio::test]
async fn graph_tells_a_client_that_understands_challenges_at_once_that_a_sign_in_was_revoked() {
    let sim = Sim::start();
    let capable = r#"{"access_token":{"xms_cc":{"values":["cp1"]}}}"#;
    let refresh_token = sign_in(&sim).await;
    let capable = refresh(&sim, &refresh_token, &[("claims", capable)]).await;
    let plain = refresh(&sim, &refresh_token, &[]).await;
    sim.simulator.set_password(TENANT, USER, NEW).unwrap();
    let read = async |answer: &Answer| {
        let url = format!("{}/v1.0/users", sim.url);
        let token = answer.body["access_token"].as_str().unwrap();
        Answer::of(sim.http.get(url).bearer_auth(token).send().await.unwrap()).await
    };
    let challenged = read(&capable).await;
    assert_eq!(challenged.status, StatusCode::UNAUTHORIZED);
    assert!(
        challenged
            .header("www-authenticate")
            .contains("insufficient_claims")
    );
    // Without a permission it is refused, but for another reason.
    assert_eq!(read(&plain).await.status, StatusCode::FORBIDDEN);
}
