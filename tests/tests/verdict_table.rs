//! A table of codes in a file replaces the built-in one: the same answer of Entra ID gets another verdict.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use std::path::Path;

use agent_bin::causes::chain;
use agent_bin::wiring::{self, WiringError};
use entra_sim::{Fault, UserSpec};
use integration_tests::World;
use passportal_client::wire::{FlagKind, Outcome, SyncMode};
use serde_json::json;
use sync_engine::Unwatched;
use sync_engine::ports::Wait;

const ANNA: &str = "anna@contoso.com";
const PASSWORD: &str = "First-Passw0rd";
/// A code that Microsoft has not given to anything.
const NEW_CODE: u32 = 4_711;

/// A table of one row, for the new code.
fn table(verdict: &str) -> String {
    format!(
        "source = \"a test\"\n\n[[code]]\ncode = {NEW_CODE}\nname = \"New\"\nverdict = {verdict}\ncounted = true\n"
    )
}

/// A world with an enrolled agent whose configuration names this table.
async fn enrolled(table: Option<&str>) -> World {
    let anna = UserSpec::new(ANNA, PASSWORD);
    let world = World::builder().user(anna).start().await.unwrap();
    world.enrol().await.unwrap();
    if let Some(table) = table {
        let path = world.folder().join("verdicts.toml");
        std::fs::write(&path, table).unwrap();
        configure(&world, &path);
    }
    world
}

fn configure(world: &World, table: &Path) {
    let there = std::fs::read_to_string(world.config_path()).unwrap();
    let table = table.display();
    let with = format!("{there}\n[verification]\nverdict_table = \"{table}\"\n");
    std::fs::write(world.config_path(), with).unwrap();
}

/// What the agent makes of a password whose test Entra ID answers with the new code.
async fn made_of_it(table: Option<&str>) -> (Outcome, bool) {
    let world = enrolled(table).await;
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    // The app's own token is there now, so the fault strikes the sign-in test.
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    world.simulator.add_fault(Fault {
        path_prefix: "/contoso.onmicrosoft.com/oauth2/v2.0/token".to_owned(),
        status: Some(400),
        count: 1,
        body: Some(json!({ "error": "invalid_grant", "error_codes": [NEW_CODE] })),
        ..Fault::default()
    });
    let mode = SyncMode::ReportMismatches;
    let id = world.add(ANNA, PASSWORD, mode).await.unwrap().id;
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    assert_eq!(world.simulator.counters().faults, 1);
    let seen = world.look(id).await.unwrap();
    let is_flagged = seen.flags.contains_key(&FlagKind::AdChange);
    (seen.last_result.unwrap().outcome, is_flagged)
}

#[tokio::test]
async fn a_code_gets_the_verdict_of_the_table_that_is_configured() {
    assert_eq!(made_of_it(None).await, (Outcome::Unknown, false));
    let right = table("\"match\"");
    assert_eq!(made_of_it(Some(&right)).await, (Outcome::Matched, false));
    let wrong = table("\"mismatch\"");
    assert_eq!(made_of_it(Some(&wrong)).await, (Outcome::Mismatched, true));
}

#[tokio::test]
async fn with_a_broken_table_the_agent_does_not_start_and_says_where_it_is_broken() {
    let world = enrolled(Some(&table("\"perhaps\""))).await;
    let Err(error) = wiring::open(&world.config().unwrap()).await else {
        panic!("it starts");
    };
    assert!(matches!(error, WiringError::Config(_)), "{error:?}");
    let told = chain(&error);
    assert!(told.contains("verification.verdict_table"), "{told}");
    assert!(
        told.contains("verdicts.toml:6: unknown variant `perhaps`"),
        "{told}"
    );
    assert!(error.hint().unwrap().contains("built-in table"));
    assert_eq!(world.simulator.counters().sign_ins, 0);
}
