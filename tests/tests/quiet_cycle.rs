//! What a cycle costs when nothing changed.

use entra_sim::UserSpec;
use integration_tests::{WireTap, World};
use passportal_client::wire::SyncMode;
use sync_engine::Unwatched;
use sync_engine::ports::Wait;

#[tokio::test(flavor = "multi_thread")]
async fn a_cycle_without_news_makes_three_requests_however_many_credentials_there_are() {
    const ACCOUNTS: usize = 300;
    let name = |n| format!("user{n}@contoso.com");
    let password = |n| format!("Password-{n}");
    let users = (0..ACCOUNTS).map(|n| UserSpec::new(&name(n), &password(n)));
    let mut world = World::builder().users(users).start().await.unwrap();
    for n in 0..ACCOUNTS {
        world
            .add(&name(n), &password(n), SyncMode::Enabled)
            .await
            .unwrap();
    }
    let vault = WireTap::before(&world.vault_url).await.unwrap();
    world.vault_url = vault.url();
    world.enrol().await.unwrap();
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    assert_eq!(world.writes(), 0);

    let before = vault.requests() + world.simulator.counters().requests;
    let report = engine.cycle(Wait::No, &Unwatched).await.unwrap();
    let requests = vault.requests() + world.simulator.counters().requests - before;
    assert_eq!(report.rows.len(), ACCOUNTS);
    assert!(requests <= 3, "{requests} requests");
}
