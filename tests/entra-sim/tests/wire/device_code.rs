//! The device authorization grant: a code, a person elsewhere, and the client that polls.

use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{APP, Answer, PUBLIC_APP, RIGHT, SECRET, Sim, TENANT, claims_of, contoso};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE: &str = "https://graph.microsoft.com/.default openid offline_access";

async fn begin_with(sim: &Sim, app: &str) -> Answer {
    let url = format!("{}/{TENANT}/oauth2/v2.0/devicecode", sim.url);
    let form = [("client_id", app), ("scope", SCOPE)];
    Answer::of(sim.http.post(url).form(&form).send().await.unwrap()).await
}

async fn begin(sim: &Sim) -> (String, String) {
    let body = begin_with(sim, &PUBLIC_APP.to_string()).await.body;
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("user_code"), text("device_code"))
}

async fn poll_with(sim: &Sim, more: &[(&str, &str)]) -> Answer {
    let mut form = vec![("grant_type", GRANT)];
    form.extend(more);
    sim.token_request(TENANT, &form).await
}

async fn poll(sim: &Sim, device_code: &str) -> Answer {
    let app = PUBLIC_APP.to_string();
    poll_with(sim, &[("client_id", &app), ("device_code", device_code)]).await
}

fn refusal(answer: &Answer) -> (&str, u64) {
    let error = answer.body["error"].as_str().unwrap_or_default();
    (error, answer.body["error_codes"][0].as_u64().unwrap_or(0))
}

async fn approve(sim: &Sim, user_code: &str, body: Value) -> StatusCode {
    let path = format!("device-codes/{user_code}/approve");
    sim.control(Method::POST, &path, body).await.status
}

#[tokio::test]
async fn the_codes_come_with_microsofts_fields_and_a_page_that_is_here() {
    let sim = Sim::start();
    let answer = begin_with(&sim, &PUBLIC_APP.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let body = &answer.body;
    assert_eq!(
        (&body["expires_in"], &body["interval"]),
        (&json!(900), &json!(5))
    );
    let page = body["verification_uri"].as_str().unwrap();
    let code = body["user_code"].as_str().unwrap();
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains(page) && message.contains(code),
        "{message}"
    );
    assert!(body["device_code"].as_str().unwrap().len() > 64);
    let shown = sim.http.get(page).send().await.unwrap();
    assert!(shown.text().await.unwrap().contains("user_code"));
}

#[tokio::test]
async fn a_client_polls_until_a_person_approves_and_gets_tokens_once() {
    let sim = Sim::start();
    let (user_code, device_code) = begin(&sim).await;
    let early = poll(&sim, &device_code).await;
    assert_eq!(early.status, StatusCode::BAD_REQUEST);
    assert_eq!(refusal(&early), ("authorization_pending", 70_016));

    let lower = user_code.to_lowercase();
    let approval = json!({ "user": "boss@contoso.com" });
    assert_eq!(
        approve(&sim, &lower, approval).await,
        StatusCode::NO_CONTENT
    );
    let answer = poll(&sim, &device_code).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    for token in ["access_token", "refresh_token", "id_token"] {
        assert!(answer.body[token].is_string(), "{token}");
    }
    // The template id of Global Administrator.
    let claims = claims_of(&answer.body["access_token"]);
    assert_eq!(
        claims["wids"],
        json!(["62e90394-69f5-4237-9190-012177145e10"])
    );

    let again = poll(&sim, &device_code).await;
    assert_eq!(refusal(&again), ("invalid_grant", 54_005));
}

#[tokio::test]
async fn declined_expired_and_unknown_codes_are_told_apart() {
    let sim = Sim::start();
    let (user_code, declined) = begin(&sim).await;
    sim.simulator.decline_device(&user_code).unwrap();
    assert_eq!(
        refusal(&poll(&sim, &declined).await),
        ("authorization_declined", 65_004)
    );
    let (user_code, late) = begin(&sim).await;
    sim.simulator.advance(SignedDuration::from_secs(901));
    assert_eq!(refusal(&poll(&sim, &late).await), ("expired_token", 70_020));
    assert!(
        sim.simulator
            .approve_device(&user_code, "boss@contoso.com")
            .is_err()
    );
    let unknown = poll(&sim, "no-such-code").await;
    assert_eq!(refusal(&unknown), ("bad_verification_code", 70_018));
}

#[tokio::test]
async fn an_app_that_is_no_public_client_needs_its_secret_to_the_end() {
    let sim = Sim::start();
    let app = APP.to_string();
    let body = begin_with(&sim, &app).await.body;
    let code = |name: &str| body[name].as_str().unwrap();
    sim.simulator
        .approve_device(code("user_code"), "boss@contoso.com")
        .unwrap();
    let form = [
        ("client_id", app.as_str()),
        ("device_code", code("device_code")),
    ];
    let refused = poll_with(&sim, &form).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refusal(&refused), ("invalid_client", 7_000_218));
    let with_secret = [&form[..], &[("client_secret", SECRET)]].concat();
    assert_eq!(poll_with(&sim, &with_secret).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_code_belongs_to_the_client_that_asked_for_it() {
    let sim = Sim::start();
    let (user_code, device_code) = begin(&sim).await;
    sim.simulator
        .approve_device(&user_code, "boss@contoso.com")
        .unwrap();
    let app = APP.to_string();
    let foreign = [
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("device_code", device_code.as_str()),
    ];
    let answer = poll_with(&sim, &foreign).await;
    assert_eq!(refusal(&answer), ("bad_verification_code", 70_018));
}

#[tokio::test]
async fn the_page_asks_for_the_password_and_forgives_a_second_factor() {
    let sim = Sim::start();
    let (user_code, device_code) = begin(&sim).await;
    let page = format!("{}/devicelogin", sim.url);
    let post = async |user: &str, password: &str| {
        let form = [
            ("user_code", user_code.as_str()),
            ("user", user),
            ("password", password),
            ("answer", "approve"),
        ];
        sim.http
            .post(&page)
            .form(&form)
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(
        post("mfa@contoso.com", "wrong").await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(post("mfa@contoso.com", "").await, StatusCode::BAD_REQUEST);
    assert_eq!(sim.simulator.counters().failed_sign_ins, 2);
    assert_eq!(post("mfa@contoso.com", RIGHT).await, StatusCode::OK);
    assert_eq!(poll(&sim, &device_code).await.status, StatusCode::OK);
}

#[tokio::test]
async fn strangers_and_disabled_accounts_approve_nothing() {
    let mut tenant = contoso();
    tenant = tenant.user(entra_sim::UserSpec::new("off@contoso.com", RIGHT).disabled());
    let sim = Sim::of(tenant);
    let (user_code, device_code) = begin(&sim).await;
    for user in ["somebody@elsewhere.example", "off@contoso.com"] {
        let refused = approve(&sim, &user_code, json!({ "user": user })).await;
        assert_eq!(refused, StatusCode::FORBIDDEN, "{user}");
    }
    let waiting = sim.control(Method::GET, "device-codes", Value::Null).await;
    assert_eq!(waiting.body["user_codes"], json!([user_code]));
    let pending = poll(&sim, &device_code).await;
    assert_eq!(refusal(&pending), ("authorization_pending", 70_016));
}
