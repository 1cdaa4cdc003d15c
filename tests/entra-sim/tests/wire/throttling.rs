//! Throttling by itself: limits of one application in one tenant.

use std::num::NonZeroU32;

use entra_sim::{TenantSpec, Throttling, UserSpec};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{APP, Answer, NEW, READER, RIGHT, Sim, contoso, profile};

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap()
}

fn throttled() -> TenantSpec {
    contoso().throttling(Throttling::scaled(NonZeroU32::MIN).writes(number(5)))
}

async fn write(sim: &Sim) -> Answer {
    sim.set_password("anna@contoso.com", NEW).await
}

#[tokio::test]
async fn one_write_too_many_is_refused_with_everything_that_graph_says() {
    let sim = Sim::of(throttled());
    for _ in 0..5 {
        assert_eq!(write(&sim).await.status, StatusCode::NO_CONTENT);
    }
    let refused = write(&sim).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.graph_code(), "TooManyRequests");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((140..=150).contains(&wait), "{wait}");
    let scope = refused.header("x-ms-throttle-scope");
    assert!(
        scope.starts_with(&format!("Tenant_Application/Write/{APP}/")),
        "{scope}"
    );
    assert_eq!(
        refused.header("x-ms-throttle-information"),
        "WriteLimitExceeded"
    );
    assert_eq!(sim.writes(), 5);
    assert_eq!(sim.simulator.counters().throttled, 1);
}

#[tokio::test]
async fn reads_and_other_applications_go_on_and_the_window_ends() {
    let sim = Sim::of(throttled());
    for _ in 0..6 {
        write(&sim).await;
    }
    assert_eq!(sim.get("users").await.status, StatusCode::OK);
    let url = format!("{}/v1.0/users", sim.url);
    let other = sim.http.get(url).bearer_auth(sim.token_of(READER).await);
    assert_eq!(other.send().await.unwrap().status(), StatusCode::OK);
    sim.simulator.advance(SignedDuration::from_secs(150));
    assert_eq!(write(&sim).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn from_four_fifths_on_answers_say_how_much_is_used() {
    let sim = Sim::of(throttled());
    for _ in 0..4 {
        assert_eq!(
            write(&sim).await.header("x-ms-throttle-limit-percentage"),
            ""
        );
    }
    let last = write(&sim).await;
    assert_eq!(last.header("x-ms-throttle-limit-percentage"), "1.000");
    assert_eq!(last.header("x-ms-resource-unit"), "1");
}

#[tokio::test]
async fn a_read_says_what_it_costs_and_resource_units_run_out() {
    let units = Throttling {
        resource_units: Some(number(5)),
        ..Throttling::scaled(NonZeroU32::MIN)
    };
    let sim = Sim::of(contoso().throttling(units));
    assert_eq!(sim.get("users").await.header("x-ms-resource-unit"), "2");
    let cheap = sim.get("users?$select=id").await;
    assert_eq!(cheap.header("x-ms-resource-unit"), "1");
    assert_eq!(sim.get("users").await.status, StatusCode::OK);
    let refused = sim.get("users").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        refused.header("x-ms-throttle-information"),
        "ResourceUnitLimitExceeded"
    );
}

#[tokio::test]
async fn each_item_of_a_batch_is_throttled_on_its_own() {
    let users = (0..8).map(|n| UserSpec::new(&format!("user{n}@contoso.com"), RIGHT));
    let sim = Sim::of(users.fold(throttled(), TenantSpec::user));
    let item = |n: usize| {
        json!({
            "id": n.to_string(),
            "method": "PATCH",
            "url": format!("/users/user{n}@contoso.com"),
            "headers": { "Content-Type": "application/json" },
            "body": profile(NEW),
        })
    };
    let requests: Vec<_> = (0..8).map(item).collect();
    let batch = sim.graph(Method::POST, "$batch").await;
    let sent = batch.json(&json!({ "requests": requests })).send().await;
    let answer = Answer::of(sent.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let responses = answer.body["responses"].as_array().unwrap();
    let with = |status: u16| {
        responses
            .iter()
            .filter(move |item| item["status"] == status)
    };
    assert_eq!(with(204).count(), 5);
    assert_eq!(with(429).count(), 3);
    assert!(with(429).all(|item| item["headers"]["Retry-After"].is_string()));
}

#[tokio::test]
async fn a_tenant_without_limits_never_throttles() {
    let sim = Sim::start();
    for _ in 0..20 {
        let answer = write(&sim).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        assert_eq!(answer.header("x-ms-resource-unit"), "");
    }
}
