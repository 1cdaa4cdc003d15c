//! A refresh token that is searched for everywhere it must not be.

use std::time::Duration;

use agent_bin::sign_in_anew;
use integration_tests::{Captured, TENANT, eventually, files_with};
use passportal_client::wire::SyncMode;

use crate::office::{ADMIN, ANNA, FIRST, answering, approves, builder, config, enrolled};

const SECOND: &str = "Second-Passw0rd";

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_found_in_no_file_log_or_figure() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_env_filter("trace")
        .with_writer(move || writer.clone())
        .init();
    let world = enrolled(builder()).await;
    let id = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap().id;
    let agent = world.run_agent(Duration::from_secs(1)).await.unwrap();
    world.type_password(id, SECOND).await.unwrap();
    eventually("the password is set", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();
    // A sign-in that ends, and another one.
    world.simulator.set_password(TENANT, ADMIN, SECOND).unwrap();
    let (config, client) = config(&world);
    let show = answering(&world, approves);
    sign_in_anew::run(&config, &client, &show).await.unwrap();
    let metrics = agent.get("/metrics").await.unwrap().1;
    agent.stop().await.unwrap();

    let tokens = world.simulator.refresh_tokens();
    assert!(tokens.len() > 3, "{}", tokens.len());
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let found = files_with(world.folder(), &words).unwrap();
    assert!(found.is_empty(), "{found:?}");
    let log = log.text();
    assert!(log.contains("cycle"), "the log was captured");
    for word in words {
        assert!(!log.contains(word), "a refresh token in the log");
        assert!(!metrics.contains(word), "a refresh token in the metrics");
    }
}
