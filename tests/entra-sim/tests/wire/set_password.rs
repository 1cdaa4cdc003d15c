//! `PATCH /users/{id}`: what is written, what is refused, and what a lost answer leaves behind.

use entra_sim::{Fault, When};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, NEW, READER, RIGHT, Sim, TENANT, contoso, profile};

#[tokio::test]
async fn a_password_is_set_by_id_with_a_new_stamp_in_whole_seconds() {
    let sim = Sim::start();
    let id = sim.simulator.user_id(TENANT, "anna@contoso.com").unwrap();
    let before = sim.simulator.now().as_second();
    let answer = sim.set_password(&id.to_string(), NEW).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert!(answer.body.is_null());
    assert!(
        sim.simulator
            .password_matches(TENANT, "anna@contoso.com", NEW)
            .unwrap()
    );
    let read = sim
        .get(&format!("users/{id}?$select=lastPasswordChangeDateTime"))
        .await;
    let text = read.body["lastPasswordChangeDateTime"].as_str().unwrap();
    assert_eq!(text.len(), "2026-08-01T10:00:00Z".len());
    assert!((before..=before + 5).contains(&text.parse::<jiff::Timestamp>().unwrap().as_second()));
    assert_eq!(
        sim.simulator.counters().tenants[TENANT].users["anna@contoso.com"].writes,
        1
    );
}

#[tokio::test]
async fn quotes_backslashes_and_spaces_arrive_unaltered() {
    let sim = Sim::start();
    let password = r#"It's "a\b" 1 {%+&}"#;
    assert_eq!(
        sim.set_password("anna@contoso.com", password).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.sign_in("anna@contoso.com", password).await, None);
}

#[tokio::test]
async fn a_forced_change_makes_the_new_password_expired() {
    let sim = Sim::start();
    let body =
        json!({ "passwordProfile": { "password": NEW, "forceChangePasswordNextSignIn": true } });
    assert_eq!(
        sim.patch("anna@contoso.com", body).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.sign_in("anna@contoso.com", NEW).await, Some(50_055));
}

#[tokio::test]
async fn each_refused_write_has_its_status_and_code_and_changes_nothing() {
    let mut tenant = contoso();
    tenant.banned_words = vec!["contoso".to_owned()];
    let sim = Sim::of(tenant);
    let stamp = json!({ "lastPasswordChangeDateTime": "2026-01-01T00:00:00Z" });
    let cases = [
        (
            "anna@contoso.com",
            profile("short"),
            400,
            "Request_BadRequest",
        ),
        (
            "anna@contoso.com",
            profile("My-Contoso-2026"),
            400,
            "Request_BadRequest",
        ),
        (
            "anna@contoso.com",
            profile(" Edge-Passw0rd"),
            400,
            "Request_BadRequest",
        ),
        ("anna@contoso.com", stamp, 400, "Request_BadRequest"),
        (
            "anna@contoso.com",
            json!({ "noSuchThing": 1 }),
            400,
            "Request_BadRequest",
        ),
        (
            "anna@contoso.com",
            json!({ "displayName": "Anna" }),
            501,
            "NotSimulated",
        ),
        (
            "synced@contoso.com",
            profile(NEW),
            400,
            "Request_BadRequest",
        ),
        (
            "boss@contoso.com",
            profile(NEW),
            403,
            "Authorization_RequestDenied",
        ),
        (
            "nobody@contoso.com",
            profile(NEW),
            404,
            "Request_ResourceNotFound",
        ),
    ];
    for (user, body, status, code) in cases {
        let answer = sim.patch(user, body.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.graph_code()),
            (status, code),
            "{user} {body}"
        );
    }
    assert_eq!(sim.writes(), 0);
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, None);
}

#[tokio::test]
async fn an_application_without_the_permission_is_refused() {
    let sim = Sim::start();
    let url = format!("{}/v1.0/users/anna@contoso.com", sim.url);
    let request = sim
        .http
        .patch(url)
        .bearer_auth(sim.token_of(READER).await)
        .json(&profile(NEW));
    assert_eq!(
        Answer::of(request.send().await.unwrap()).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn the_permission_without_a_directory_role_is_not_enough() {
    let mut tenant = contoso();
    for app in &mut tenant.apps {
        app.roles.clear();
    }
    let sim = Sim::of(tenant);
    assert_eq!(
        sim.set_password("anna@contoso.com", NEW).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let sim = Sim::start();
    let request = sim.graph(Method::PATCH, "users/anna@contoso.com").await;
    let request = request
        .header("content-type", "application/json")
        .body("{\"passwordProfile\":");
    assert_eq!(
        Answer::of(request.send().await.unwrap()).await.graph_code(),
        "BadRequest"
    );
}

#[tokio::test]
async fn a_throttled_write_does_nothing_and_says_when_to_come_back() {
    let sim = Sim::start();
    let throttle = Fault {
        path_prefix: "/v1.0/users/".to_owned(),
        status: Some(429),
        count: 1,
        retry_after: Some(7),
        ..Fault::default()
    };
    sim.simulator.add_fault(throttle);
    let answer = sim.set_password("anna@contoso.com", NEW).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(answer.graph_code(), "TooManyRequests");
    assert_eq!(sim.writes(), 0);
    assert_eq!(
        sim.set_password("anna@contoso.com", NEW).await.status,
        StatusCode::NO_CONTENT
    );
}

#[tokio::test]
async fn a_connection_can_be_lost_before_or_after_the_effect() {
    let sim = Sim::start();
    for (when, written) in [(When::Before, 0), (When::After, 1)] {
        let fault = Fault {
            path_prefix: "/v1.0/users/".to_owned(),
            count: 1,
            when,
            ..Fault::default()
        };
        sim.simulator.add_fault(fault);
        let request = sim
            .graph(Method::PATCH, "users/anna@contoso.com")
            .await
            .json(&profile(NEW));
        let error = request.send().await.expect_err("the connection is dropped");
        assert!(error.is_request(), "{error:?}");
        assert_eq!(sim.writes(), written, "{when:?}");
    }
    assert_eq!(sim.simulator.counters().faults, 2);
}
