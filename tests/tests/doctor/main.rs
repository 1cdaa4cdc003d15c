//! The doctor names each fault of a set-up with its remedy, and disturbs nobody.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test should say where"
)]

mod credential;
mod rights;
mod tenant;

use std::time::Duration;

use agent_bin::config::Config;
use agent_bin::doctor::{self, Checked, Examined};
use entra_sim::{AppChange, UserSpec};
use integration_tests::{World, WorldBuilder, eventually};
use jiff::SignedDuration;
use passportal_client::wire::SyncMode;

const FIRST: &str = "First-Passw0rd";
const ANNA: &str = "anna@contoso.com";

fn builder() -> WorldBuilder {
    World::builder().user(UserSpec::new(ANNA, FIRST))
}

async fn enrolled(builder: WorldBuilder) -> World {
    let world = builder.start().await.unwrap();
    world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap();
    world.enrol().await.unwrap();
    world
}

async fn examined(world: &World) -> Examined {
    examined_with(world, |_| {}).await
}

async fn examined_with(world: &World, spoil: impl FnOnce(&mut Config)) -> Examined {
    let mut config = world.config().unwrap();
    spoil(&mut config);
    let client = config.clients.first().unwrap().clone();
    doctor::examine(&config, &client).await
}

/// The fault of this check, and its remedy.
fn fault(examined: &Examined, name: &str) -> (String, String) {
    let mut checks = examined.checks.iter().filter(|check| check.name == name);
    let told = checks.find_map(|check| match &check.result {
        Checked::Fault { fault, remedy } => Some((fault.clone(), remedy.clone())),
        _ => None,
    });
    told.unwrap_or_else(|| panic!("no fault of {name}: {examined:#?}"))
}

/// The note of this check, and its remedy.
fn note(examined: &Examined, name: &str) -> Option<(String, String)> {
    let mut checks = examined.checks.iter().filter(|check| check.name == name);
    checks.find_map(|check| match &check.result {
        Checked::Note { note, remedy } => Some((note.clone(), remedy.clone())),
        _ => None,
    })
}

fn faults(examined: &Examined) -> Vec<&str> {
    let faults = examined.checks.iter().filter(|check| check.is_fault());
    faults.map(|check| check.name).collect()
}

#[track_caller]
fn assert_told((fault, remedy): &(String, String), what: &str, mend: &str) {
    assert!(fault.contains(what), "{fault}");
    assert!(remedy.contains(mend), "{remedy}");
}

fn permissions(permissions: &[&str]) -> AppChange {
    AppChange {
        permissions: Some(permissions.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    }
}

#[tokio::test]
async fn a_good_set_up_has_no_fault_and_nothing_is_touched() {
    let world = enrolled(builder()).await;
    let examined = examined(&world).await;
    let fine = |check: &doctor::Check| matches!(check.result, Checked::Fine { .. });
    assert!(examined.checks.iter().all(fine), "{examined:#?}");
    let names: Vec<_> = examined.checks.iter().map(|check| check.name).collect();
    for name in [
        "enrolment",
        "vault",
        "sign-in",
        "clock",
        "permissions",
        "roles",
        "accounts",
        "sign-in test",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let counters = world.simulator.counters();
    assert_eq!((counters.sign_ins, counters.writes), (0, 0));
}

#[tokio::test]
async fn beside_a_running_service_it_answers_and_the_service_goes_on() {
    let world = enrolled(builder()).await;
    let agent = world.run_agent(Duration::from_mins(10)).await.unwrap();
    let ready = async || agent.get("/readyz").await.unwrap().0 == 200;
    eventually("the agent is ready", ready).await.unwrap();
    let sign_ins = world.simulator.counters().sign_ins;
    assert!(!examined(&world).await.has_fault());
    assert_eq!(world.simulator.counters().sign_ins, sign_ins);
    let anna = world.person.credentials(world.client.id).await.unwrap();
    world
        .type_password(anna[0].id, "Second-Passw0rd")
        .await
        .unwrap();
    eventually("the service still writes", async || {
        world.entra_has(ANNA, "Second-Passw0rd")
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn a_broken_table_of_sign_in_codes_is_told_with_its_line_and_the_rest_is_looked_at() {
    let world = enrolled(builder()).await;
    let path = world.folder().join("verdicts.toml");
    std::fs::write(&path, "source = \"nobody\"\ncodes = []\n").unwrap();
    let found = examined_with(&world, |config| {
        config.verification.verdict_table = Some(path);
    });
    let found = found.await;
    assert_eq!(faults(&found), ["configuration"]);
    let told = fault(&found, "configuration");
    assert_told(
        &told,
        "verdicts.toml:2: unknown field `codes`",
        "built-in table",
    );
    assert!(found.checks.iter().any(|check| check.name == "sign-in"));
}

#[tokio::test]
async fn a_clock_that_is_off_by_an_hour() {
    let world = enrolled(builder()).await;
    world.simulator.advance(SignedDuration::from_hours(1));
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["clock"]);
    assert_told(&fault(&found, "clock"), "slow by about 1 h", "NTP");
}

#[tokio::test]
async fn a_vault_and_a_tenant_that_cannot_be_reached() {
    let world = enrolled(builder()).await;
    let found = examined_with(&world, |config| {
        config.passportal.base_url = "http://127.0.0.1:9/".parse().unwrap();
        config.clients[0].microsoft.authority = Some("http://127.0.0.1:9/".parse().unwrap());
    })
    .await;
    assert_eq!(faults(&found), ["vault", "sign-in"]);
    let told = fault(&found, "sign-in");
    assert_told(&told, "`127.0.0.1` cannot be reached", "proxy");
}

#[tokio::test]
async fn a_client_that_is_not_enrolled_and_a_secret_that_is_not_there() {
    let world = enrolled(builder()).await;
    let found = examined_with(&world, |config| {
        config.clients[0].name = "Fabrikam".to_owned();
        config.clients[0].microsoft.client_secret_file = Some("/nowhere/secret".into());
    })
    .await;
    assert_eq!(faults(&found), ["enrolment", "credentials of the app"]);
    let told = fault(&found, "enrolment");
    assert_told(&told, "Fabrikam", "passportal setup");
}
