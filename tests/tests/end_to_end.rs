//! One password, the whole way: vault, envelope, agent, engine, Graph, and back to the vault.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use entra_sim::{UserSpec, Verification};
use integration_tests::{TENANT, World};
use passportal_client::wire::{CredentialPatch, FlagKind, Outcome, SyncMode};
use sync_engine::ports::Wait;
use sync_engine::{Engine, Unwatched};

const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";

async fn cycle(engine: &mut Engine) -> sync_engine::CycleReport {
    engine.cycle(Wait::No, &Unwatched).await.unwrap()
}

async fn enrolled(world: &World) -> (agent_bin::wiring::Agents, Engine) {
    world.enrol().await.unwrap();
    let agents = world.agents().await.unwrap();
    let engine = agents.clients[0].engine();
    (agents, engine)
}

fn anna() -> UserSpec {
    UserSpec::new("anna@contoso.com", FIRST)
}

#[tokio::test]
async fn a_password_changed_in_the_vault_is_set_in_entra_id_and_reported_back() {
    let world = World::builder().user(anna()).start().await.unwrap();
    let id = world
        .add("anna@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap()
        .id;
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    assert_eq!(world.writes(), 0, "the password was there already");
    let seen = world.look(id).await.unwrap().last_result.unwrap();
    assert_eq!(seen.outcome, Outcome::Matched);

    world.type_password(id, SECOND).await.unwrap();
    cycle(&mut engine).await;
    assert!(world.entra_has("anna@contoso.com", SECOND));
    assert_eq!(world.writes(), 1);
    let seen = world.look(id).await.unwrap().last_result.unwrap();
    assert_eq!((seen.outcome, seen.version), (Outcome::Pushed, 2));
}

#[tokio::test]
async fn a_foreign_change_is_flagged_and_the_flag_clears_when_both_agree() {
    let world = World::builder().user(anna()).start().await.unwrap();
    let id = world
        .add("anna@contoso.com", FIRST, SyncMode::ReportMismatches)
        .await
        .unwrap()
        .id;
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    assert!(world.look(id).await.unwrap().flags.is_empty());

    world
        .simulator
        .set_password(TENANT, "anna@contoso.com", SECOND)
        .unwrap();
    cycle(&mut engine).await;
    let flags = world.look(id).await.unwrap().flags;
    assert_eq!(flags.keys().collect::<Vec<_>>(), [&FlagKind::AdChange]);
    let client = world.person.client(world.client.id).await.unwrap();
    assert_eq!(client.flags.get(&FlagKind::AdChange), Some(&1));

    world.type_password(id, SECOND).await.unwrap();
    cycle(&mut engine).await;
    assert!(world.look(id).await.unwrap().flags.is_empty());
    assert_eq!(world.writes(), 0, "report mismatches writes nothing");
}

#[tokio::test]
async fn a_foreign_change_under_enabled_is_overwritten() {
    let world = World::builder().user(anna()).start().await.unwrap();
    world
        .add("anna@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    world
        .simulator
        .set_password(TENANT, "anna@contoso.com", SECOND)
        .unwrap();
    cycle(&mut engine).await;
    assert!(world.entra_has("anna@contoso.com", FIRST));
    assert_eq!(world.writes(), 1);
}

#[tokio::test]
async fn restarting_the_agent_or_losing_its_state_writes_nothing() {
    let world = World::builder().user(anna()).start().await.unwrap();
    world
        .add("anna@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let (agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    drop(engine);
    agents.close().await;

    let agents = world.agents().await.unwrap();
    cycle(&mut agents.clients[0].engine()).await;
    // A state that is lost is another instance: without this it would wait for the end of the lease.
    agents.clients[0].farewell().await;
    agents.close().await;
    assert_eq!(world.writes(), 0);
    let sign_ins = world.simulator.counters().sign_ins;

    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        let _ = std::fs::remove_file(world.folder().join("agent").join(file));
    }
    let agents = world.agents().await.unwrap();
    cycle(&mut agents.clients[0].engine()).await;
    assert_eq!(world.writes(), 0);
    assert_eq!(
        world.simulator.counters().sign_ins,
        sign_ins + 1,
        "it looked before it leapt"
    );
}

#[tokio::test]
async fn a_lost_state_is_held_where_the_sign_in_test_is_impossible() {
    let world = World::builder()
        .user(anna())
        .verification(Verification::PublicClientDisabled)
        .start()
        .await
        .unwrap();
    let id = world
        .add("anna@contoso.com", SECOND, SyncMode::Enabled)
        .await
        .unwrap()
        .id;
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    assert_eq!(world.writes(), 0);
    let flags = world.look(id).await.unwrap().flags;
    assert_eq!(flags.keys().collect::<Vec<_>>(), [&FlagKind::Held]);

    world.type_password(id, "Third-Passw0rd").await.unwrap();
    cycle(&mut engine).await;
    assert!(
        world.entra_has("anna@contoso.com", "Third-Passw0rd"),
        "a change in the vault is pushed"
    );
    assert_eq!(world.writes(), 1);
    assert!(world.look(id).await.unwrap().flags.is_empty());
}

#[tokio::test]
async fn a_person_s_confirmation_pushes_what_was_held_once() {
    let world = World::builder()
        .user(anna())
        .verification(Verification::PublicClientDisabled)
        .start()
        .await
        .unwrap();
    let id = world
        .add("anna@contoso.com", SECOND, SyncMode::Enabled)
        .await
        .unwrap()
        .id;
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    let patch = CredentialPatch {
        confirm_version: Some(1),
        ..CredentialPatch::default()
    };
    world.person.patch_credential(id, &patch).await.unwrap();
    cycle(&mut engine).await;
    cycle(&mut engine).await;
    assert!(world.entra_has("anna@contoso.com", SECOND));
    assert_eq!(world.writes(), 1);
}

#[tokio::test]
async fn awkward_passwords_are_carried_exactly() {
    let awkward = [
        r#"Quote"s'and\back\\slash1"#,
        "Inner  two spaces 1",
        "<script>&amp;A1</script>",
        "A1%00%0a+plus%2520",
        "{\"json\":\"A1\"}",
    ];
    let users = (0..awkward.len()).map(|n| UserSpec::new(&format!("user{n}@contoso.com"), FIRST));
    let world = World::builder().users(users).start().await.unwrap();
    for (n, password) in awkward.iter().enumerate() {
        let name = format!("user{n}@contoso.com");
        world.add(&name, password, SyncMode::Enabled).await.unwrap();
    }
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    for (n, password) in awkward.iter().enumerate() {
        assert!(
            world.entra_has(&format!("user{n}@contoso.com"), password),
            "{password}"
        );
    }
}

#[tokio::test]
async fn a_password_that_entra_id_cannot_take_is_blocked_and_not_altered() {
    let bad = ["Emoji-\u{1F600}-Passw0rd", "Trailing-Space-1 ", "short-1"];
    let name = |n| format!("user{n}@contoso.com");
    let users = (0..bad.len()).map(|n| UserSpec::new(&name(n), FIRST));
    let world = World::builder().users(users).start().await.unwrap();
    let mut ids = Vec::new();
    for (n, password) in bad.iter().enumerate() {
        ids.push(
            world
                .add(&name(n), password, SyncMode::Enabled)
                .await
                .unwrap()
                .id,
        );
    }
    let (_agents, mut engine) = enrolled(&world).await;
    cycle(&mut engine).await;
    for id in &ids {
        let patch = CredentialPatch {
            confirm_version: Some(1),
            ..CredentialPatch::default()
        };
        world.person.patch_credential(*id, &patch).await.unwrap();
    }
    cycle(&mut engine).await;
    for (n, id) in ids.into_iter().enumerate() {
        let flags = world.look(id).await.unwrap().flags;
        assert!(
            flags.contains_key(&FlagKind::Blocked),
            "{}: {flags:?}",
            bad[n]
        );
        assert!(world.entra_has(&name(n), FIRST));
    }
    assert_eq!(world.writes(), 0);
}
