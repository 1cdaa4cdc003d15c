//! The agent as it runs: long poll, endpoints, a clean end, TLS.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::time::Duration;

use entra_sim::UserSpec;
use integration_tests::{TENANT, World, eventually};
use jiff::SignedDuration;
use passportal_client::wire::{FlagKind, SyncMode};

const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
/// So long that only the long poll can bring a vault change in time.
const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_secs(1);

async fn world_with_anna() -> World {
    let anna = UserSpec::new("anna@contoso.com", FIRST);
    World::builder().user(anna).start().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_change_arrives_by_long_poll() {
    let world = world_with_anna().await;
    let id = world
        .add("anna@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap()
        .id;
    world.enrol().await.unwrap();
    let agent = world.run_agent(LONG).await.unwrap();
    eventually("the agent is ready", async || {
        agent.get("/readyz").await.unwrap().0 == 200
    })
    .await
    .unwrap();
    world.type_password(id, SECOND).await.unwrap();
    eventually("the new password is in Entra ID", async || {
        world.entra_has("anna@contoso.com", SECOND)
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_change_is_flagged_and_unflagged_by_itself() {
    let world = world_with_anna().await;
    let id = world
        .add("anna@contoso.com", FIRST, SyncMode::ReportMismatches)
        .await
        .unwrap()
        .id;
    world.enrol().await.unwrap();
    let agent = world.run_agent(SHORT).await.unwrap();
    eventually("the agent is ready", async || {
        agent.get("/readyz").await.unwrap().0 == 200
    })
    .await
    .unwrap();
    let flagged = async || {
        world
            .look(id)
            .await
            .unwrap()
            .flags
            .contains_key(&FlagKind::AdChange)
    };
    world
        .simulator
        .set_password(TENANT, "anna@contoso.com", SECOND)
        .unwrap();
    eventually("the mismatch is flagged", flagged)
        .await
        .unwrap();
    // Entra ID's stamps have seconds: what happens within one of them looks like one change.
    world.simulator.advance(SignedDuration::from_secs(2));
    world
        .simulator
        .set_password(TENANT, "anna@contoso.com", FIRST)
        .unwrap();
    eventually("the flag is gone", async || !flagged().await)
        .await
        .unwrap();
    let metrics = agent.get("/metrics").await.unwrap().1;
    assert!(metrics.contains("passportal_agent_"), "{metrics}");
    assert!(!metrics.contains("anna"), "no name in metrics");
    assert_eq!(world.writes(), 0);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_is_free_at_once_after_a_clean_end() {
    let world = world_with_anna().await;
    world
        .add("anna@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    world.enrol().await.unwrap();
    for _ in 0..2 {
        let agent = world.run_agent(LONG).await.unwrap();
        eventually("the agent is ready", async || {
            agent.get("/readyz").await.unwrap().0 == 200
        })
        .await
        .unwrap();
        agent.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_path_works_over_tls_with_an_authority_of_one_s_own() {
    let anna = UserSpec::new("anna@contoso.com", FIRST);
    let world = World::builder().user(anna).tls().start().await.unwrap();
    assert!(world.vault_url.starts_with("https://") && world.entra_url.starts_with("https://"));
    world
        .add("anna@contoso.com", SECOND, SyncMode::Enabled)
        .await
        .unwrap();
    world.enrol().await.unwrap();
    let agent = world.run_agent(LONG).await.unwrap();
    eventually("the password is set", async || {
        world.entra_has("anna@contoso.com", SECOND)
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn an_agent_with_another_client_s_state_file_open_is_refused() {
    let world = world_with_anna().await;
    world.enrol().await.unwrap();
    let _first = world.agents().await.unwrap();
    let error = agent_bin::wiring::open(&world.config().unwrap())
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
    assert!(error.hint().is_some());
}
