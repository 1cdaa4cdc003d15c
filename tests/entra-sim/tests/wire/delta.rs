//! Delta queries: first read, rounds, expiry.

use entra_sim::{AccountChange, UserSpec};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, NEW, RIGHT, Sim, TENANT, tenant_with_users};

const SELECT: &str = "$select=id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,lastPasswordChangeDateTime";

/// Reads to the end of the round: what it said, in how many pages, and its delta link.
async fn round(sim: &Sim, mut answer: Answer) -> (Vec<Value>, usize, Value) {
    let (mut objects, mut pages) = (Vec::new(), 1);
    while let Some(link) = answer.body.get("@odata.nextLink").cloned() {
        assert!(answer.body.get("@odata.deltaLink").is_none());
        objects.extend(answer.body["value"].as_array().unwrap().clone());
        answer = sim.follow(&link).await;
        pages += 1;
    }
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    objects.extend(answer.body["value"].as_array().unwrap().clone());
    (objects, pages, answer.body["@odata.deltaLink"].clone())
}

async fn first_round(sim: &Sim) -> (Vec<Value>, usize, Value) {
    let answer = sim.get(&format!("users/delta?{SELECT}")).await;
    round(sim, answer).await
}

async fn next_round(sim: &Sim, link: &Value) -> (Vec<Value>, Value) {
    let answer = sim.follow(link).await;
    let (objects, _, link) = round(sim, answer).await;
    (objects, link)
}

#[tokio::test]
async fn the_first_round_reads_every_account_in_pages_and_the_next_nothing() {
    let sim = Sim::of(tenant_with_users(450));
    let (objects, pages, link) = first_round(&sim).await;
    assert_eq!((objects.len(), pages), (450, 3));
    let (objects, _) = next_round(&sim, &link).await;
    assert!(objects.is_empty());
    assert_eq!(sim.simulator.counters().delta_reads, 4);
}

#[tokio::test]
async fn both_spellings_of_the_function_and_a_preferred_page_size_work() {
    let sim = Sim::of(tenant_with_users(30));
    let request = sim
        .graph(Method::GET, &format!("users/delta()?{SELECT}"))
        .await;
    let answer = Answer::of(
        request
            .header("prefer", "odata.maxpagesize=20")
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(answer.body["value"].as_array().unwrap().len(), 20);
    assert!(answer.body["@odata.nextLink"].is_string());
}

#[tokio::test]
async fn a_property_that_was_never_set_is_left_out() {
    let sim = Sim::start();
    let (objects, ..) = first_round(&sim).await;
    let of = |name: &str| {
        objects
            .iter()
            .find(|user| user["userPrincipalName"] == name)
            .unwrap()
    };
    assert!(
        of("anna@contoso.com")
            .get("onPremisesSyncEnabled")
            .is_none()
    );
    assert_eq!(of("synced@contoso.com")["onPremisesSyncEnabled"], true);
}

#[tokio::test]
async fn a_round_tells_changed_created_and_removed_accounts_with_the_selected_properties() {
    let sim = Sim::start();
    let (_, _, link) = first_round(&sim).await;
    let before = sim.simulator.now();
    sim.simulator
        .set_password(TENANT, "anna@contoso.com", NEW)
        .unwrap();
    sim.simulator
        .add_user(TENANT, UserSpec::new("new@contoso.com", RIGHT))
        .unwrap();
    let gone = sim.simulator.user_id(TENANT, "mfa@contoso.com").unwrap();
    sim.simulator
        .remove_user(TENANT, "mfa@contoso.com")
        .unwrap();
    let (objects, link) = next_round(&sim, &link).await;
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["userPrincipalName"], "anna@contoso.com");
    let stamp: jiff::Timestamp = objects[0]["lastPasswordChangeDateTime"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(stamp.as_second() >= before.as_second());
    assert_eq!(objects[1]["userPrincipalName"], "new@contoso.com");
    assert_eq!(objects[2]["id"], gone.to_string());
    assert_eq!(objects[2]["@removed"]["reason"], "changed");
    assert!(next_round(&sim, &link).await.0.is_empty());
}

#[tokio::test]
async fn a_change_of_an_unselected_property_is_not_told() {
    let sim = Sim::start();
    let (_, _, link) = first_round(&sim).await;
    let change = AccountChange {
        display_name: Some("Anna B.".to_owned()),
        ..AccountChange::default()
    };
    sim.simulator
        .change_user(TENANT, "anna@contoso.com", change)
        .unwrap();
    assert!(next_round(&sim, &link).await.0.is_empty());
    let change = AccountChange {
        account_enabled: Some(false),
        ..AccountChange::default()
    };
    sim.simulator
        .change_user(TENANT, "anna@contoso.com", change)
        .unwrap();
    assert_eq!(next_round(&sim, &link).await.0[0]["accountEnabled"], false);
}

#[tokio::test]
async fn an_account_that_changes_while_a_round_is_read_is_not_missed() {
    let sim = Sim::of(tenant_with_users(250));
    let first = sim.get(&format!("users/delta?{SELECT}")).await;
    sim.simulator
        .set_password(TENANT, "user00000@contoso.com", NEW)
        .unwrap();
    let (objects, ..) = round(&sim, first).await;
    let seen = objects
        .iter()
        .filter(|user| user["userPrincipalName"] == "user00000@contoso.com");
    let stamps: Vec<_> = seen
        .map(|user| user["lastPasswordChangeDateTime"].as_str().unwrap())
        .collect();
    assert_eq!(stamps.len(), 2);
    assert_ne!(stamps[1], "2025-01-01T00:00:00Z");
}

#[tokio::test]
async fn latest_begins_at_the_end() {
    let sim = Sim::start();
    let answer = sim
        .get(&format!("users/delta?{SELECT}&$deltatoken=latest"))
        .await;
    assert!(answer.names().is_empty());
    let link = answer.body["@odata.deltaLink"].clone();
    sim.simulator
        .set_password(TENANT, "anna@contoso.com", NEW)
        .unwrap();
    assert_eq!(next_round(&sim, &link).await.0.len(), 1);
}

#[tokio::test]
async fn a_password_change_appears_only_when_it_has_replicated() {
    let mut tenant = crate::support::contoso();
    tenant.replication_lag = SignedDuration::from_secs(20);
    let sim = Sim::of(tenant);
    let (_, _, link) = first_round(&sim).await;
    sim.simulator
        .set_password(TENANT, "anna@contoso.com", NEW)
        .unwrap();
    let (objects, link) = next_round(&sim, &link).await;
    assert!(objects.is_empty());
    sim.simulator.advance(SignedDuration::from_secs(20));
    assert_eq!(next_round(&sim, &link).await.0.len(), 1);
}

async fn expect_gone(sim: &Sim, link: &Value) {
    let answer = sim.follow(link).await;
    assert_eq!(answer.status, StatusCode::GONE);
    assert_eq!(answer.graph_code(), "syncStateNotFound");
    let restart = answer.header("location").to_owned();
    assert_eq!(
        restart,
        format!("{}/v1.0/users/delta?$deltatoken=", sim.url)
    );
    assert_eq!(sim.follow(&restart.into()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_expired_forgotten_or_foreign_link_is_gone_and_says_where_to_begin() {
    let sim = Sim::start();
    let (_, _, link) = first_round(&sim).await;
    sim.simulator.expire_delta_links(TENANT).unwrap();
    expect_gone(&sim, &link).await;

    let (_, _, link) = first_round(&sim).await;
    sim.simulator.advance(SignedDuration::from_hours(24 * 7));
    expect_gone(&sim, &link).await;

    let other = Sim::start();
    let (_, _, foreign) = first_round(&other).await;
    let token = foreign
        .as_str()
        .unwrap()
        .split_once("deltatoken=")
        .unwrap()
        .1
        .to_owned();
    expect_gone(
        &sim,
        &format!("{}/v1.0/users/delta?$deltatoken={token}", sim.url).into(),
    )
    .await;
    expect_gone(
        &sim,
        &format!("{}/v1.0/users/delta?$deltatoken=nonsense", sim.url).into(),
    )
    .await;
}
