//! JSON batching.

use entra_sim::Fault;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, NEW, Sim, profile};

async fn batch(sim: &Sim, requests: Vec<Value>) -> Answer {
    let request = sim
        .graph(Method::POST, "$batch")
        .await
        .json(&json!({ "requests": requests }));
    Answer::of(request.send().await.unwrap()).await
}

fn write(id: &str, user: &str, password: &str) -> Value {
    json!({
        "id": id,
        "method": "PATCH",
        "url": format!("/users/{user}"),
        "headers": { "Content-Type": "application/json" },
        "body": profile(password),
    })
}

fn read(id: usize) -> Value {
    json!({ "id": id.to_string(), "method": "GET", "url": "/users/anna@contoso.com?$select=id" })
}

fn item<'a>(answer: &'a Answer, id: &str) -> &'a Value {
    let responses = answer.body["responses"].as_array().expect("responses");
    responses
        .iter()
        .find(|response| response["id"] == id)
        .expect("an answer to each item")
}

#[tokio::test]
async fn every_item_has_its_own_status_headers_and_body() {
    let sim = Sim::start();
    let requests = vec![
        write("good", "anna@contoso.com", NEW),
        write("weak", "mfa@contoso.com", "short"),
        read(3),
        json!({ "id": "wrong", "method": "GET", "url": "/nothing" }),
    ];
    let answer = batch(&sim, requests).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(item(&answer, "good")["status"], 204);
    assert!(item(&answer, "good").get("body").is_none());
    assert_eq!(item(&answer, "weak")["status"], 400);
    assert_eq!(
        item(&answer, "weak")["body"]["error"]["code"],
        "Request_BadRequest"
    );
    assert_eq!(
        item(&answer, "3")["headers"]["Content-Type"],
        "application/json"
    );
    assert!(item(&answer, "3")["body"]["id"].is_string());
    assert_eq!(item(&answer, "wrong")["status"], 400);
    assert_eq!((sim.writes(), sim.simulator.counters().batches), (1, 1));
}

#[tokio::test]
async fn more_than_twenty_items_are_refused_as_a_whole() {
    let sim = Sim::start();
    assert_eq!(
        batch(&sim, (0..20).map(read).collect()).await.status,
        StatusCode::OK
    );
    let reads = sim.simulator.counters().reads;
    assert_eq!(
        batch(&sim, (0..21).map(read).collect()).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(sim.simulator.counters().reads, reads);
}

#[tokio::test]
async fn one_item_can_be_throttled_alone() {
    let sim = Sim::start();
    let throttle = Fault {
        path_prefix: "/v1.0/users/mfa".to_owned(),
        status: Some(429),
        count: 1,
        retry_after: Some(3),
        ..Fault::default()
    };
    sim.simulator.add_fault(throttle);
    let requests = vec![
        write("1", "anna@contoso.com", NEW),
        write("2", "mfa@contoso.com", NEW),
    ];
    let answer = batch(&sim, requests).await;
    assert_eq!(item(&answer, "1")["status"], 204);
    assert_eq!(item(&answer, "2")["status"], 429);
    assert_eq!(item(&answer, "2")["headers"]["Retry-After"], "3");
}

#[tokio::test]
async fn an_item_whose_dependency_failed_is_not_run() {
    let sim = Sim::start();
    let mut second = write("2", "anna@contoso.com", NEW);
    second["dependsOn"] = json!(["1"]);
    let answer = batch(&sim, vec![write("1", "nobody@contoso.com", NEW), second]).await;
    assert_eq!(item(&answer, "2")["status"], 424);
    assert_eq!(sim.writes(), 0);
}
