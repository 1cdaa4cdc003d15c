//! A password that is searched for everywhere it must not be.

use std::time::Duration;

use entra_sim::UserSpec;
use integration_tests::{
    APP_SECRET, Captured, ORGANIZATION_KEY, WireTap, World, eventually, files_with,
};
use passportal_client::wire::SyncMode;

const CANARY: &str = "Canary-8fa1c0de-Passw0rd";
const NEXT_CANARY: &str = "Canary-77ab12ef-Passw0rd";

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_found_in_no_file_log_or_figure_nor_between_agent_and_vault() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_writer(move || writer.clone())
        .init();
    let users = [
        UserSpec::new("anna@contoso.com", "First-Passw0rd"),
        UserSpec::new("bert@contoso.com", "First-Passw0rd"),
    ];
    let mut world = World::builder().users(users).start().await.unwrap();
    let tap = WireTap::before(&world.vault_url).await.unwrap();
    world.vault_url = tap.url();
    let anna = world
        .add("anna@contoso.com", CANARY, SyncMode::Enabled)
        .await
        .unwrap()
        .id;
    world
        .add("bert@contoso.com", CANARY, SyncMode::ReportMismatches)
        .await
        .unwrap();
    world.enrol().await.unwrap();
    let agent = world.run_agent(Duration::from_secs(1)).await.unwrap();
    eventually("the first canary is set", async || {
        world.entra_has("anna@contoso.com", CANARY)
    })
    .await
    .unwrap();
    world.type_password(anna, NEXT_CANARY).await.unwrap();
    eventually("the second canary is set", async || {
        world.entra_has("anna@contoso.com", NEXT_CANARY)
    })
    .await
    .unwrap();
    let metrics = agent.get("/metrics").await.unwrap().1;
    agent.stop().await.unwrap();

    let words = [CANARY, NEXT_CANARY, "Canary-"];
    let found = files_with(world.folder(), &words).unwrap();
    assert!(found.is_empty(), "{found:?}");
    let log = log.text();
    assert!(log.contains("cycle"), "the log was captured");
    assert!(tap.heard_text("anna@contoso.com"), "the wire was captured");
    for word in [CANARY, NEXT_CANARY, "Canary-", ORGANIZATION_KEY, APP_SECRET] {
        assert!(!log.contains(word), "{word} in the log");
        assert!(!metrics.contains(word), "{word} in the metrics");
        assert!(!tap.heard_text(word), "{word} between agent and vault");
    }
}
