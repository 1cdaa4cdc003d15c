//! Whose password the agent may reset, from the tenant's roles to the flag that a person sees.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use entra_sim::{AppChange, GroupSpec, UserSpec};
use integration_tests::{World, WorldBuilder};
use passportal_client::wire::{FlagKind, SyncMode};
use sync_engine::Unwatched;
use sync_engine::model::{BlockedReason, Outcome, ResetRole};
use sync_engine::ports::Wait;

const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
const MISSING: Outcome = Outcome::Blocked(BlockedReason::RoleMissing(
    ResetRole::PrivilegedAuthenticationAdministrator,
));

/// An administrator, a member of a role-assignable group, and a user.
fn builder() -> WorldBuilder {
    World::builder()
        .user(UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]))
        .user(UserSpec::new("member@contoso.com", FIRST))
        .user(UserSpec::new("owner@contoso.com", FIRST))
        .user(UserSpec::new("user@contoso.com", FIRST))
        .user(UserSpec::new("helper@contoso.com", FIRST).roles(&["Helpdesk Administrator"]))
        .group(
            GroupSpec::new("Tier 0")
                .member("member@contoso.com")
                .owner("owner@contoso.com"),
        )
}

fn give(world: &World, roles: &[&str]) {
    let roles = roles.iter().map(ToString::to_string).collect();
    let change = AppChange {
        roles: Some(roles),
        ..AppChange::default()
    };
    world.change_app(change).unwrap();
}

const NAMES: [&str; 5] = ["boss", "member", "owner", "user", "helper"];

async fn in_step(builder: WorldBuilder, mode: SyncMode) -> World {
    let world = builder.start().await.unwrap();
    for name in NAMES {
        let name = format!("{name}@contoso.com");
        world.add(&name, FIRST, mode).await.unwrap();
    }
    world.enrol().await.unwrap();
    world
}

async fn type_all(world: &World, password: &str) {
    for it in world.person.credentials(world.client.id).await.unwrap() {
        world.type_password(it.id, password).await.unwrap();
    }
}

#[tokio::test]
async fn administrators_beyond_the_agent_s_role_are_flagged_and_never_tried() {
    let world = in_step(builder(), SyncMode::Enabled).await;
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    type_all(&world, SECOND).await;
    let tests = world.simulator.counters().sign_ins;
    let report = engine.cycle(Wait::No, &Unwatched).await.unwrap();
    for row in &report.rows {
        let name = row.user_name.as_str();
        let beyond = ["boss", "member", "owner"]
            .iter()
            .any(|it| name.starts_with(it));
        assert_eq!(row.outcome == MISSING, beyond, "{row:?}");
        assert_eq!(world.entra_has(name, SECOND), !beyond, "{name}");
    }
    assert_eq!(world.writes(), 2);
    assert_eq!(world.simulator.counters().sign_ins, tests);
    let all = world.person.credentials(world.client.id).await.unwrap();
    let mut all = all.iter();
    let boss = all.find(|it| it.user_name.starts_with("boss")).unwrap();
    let flag = &boss.flags[&FlagKind::Blocked];
    let role = "Privileged Authentication Administrator";
    assert!(flag.why.contains(role), "{}", flag.why);
}

#[tokio::test]
async fn with_the_role_they_are_written_and_without_it_no_more() {
    let world = in_step(builder(), SyncMode::Enabled).await;
    give(&world, &["Privileged Authentication Administrator"]);
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    type_all(&world, SECOND).await;
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    assert_eq!(world.writes(), 5);
    // The agent's token still lists the old role.
    give(&world, &["User Administrator"]);
    type_all(&world, "Third-Passw0rd").await;
    let mut engine = agents.clients[0].engine();
    let report = engine.cycle(Wait::No, &Unwatched).await.unwrap();
    let missing = report.rows.iter().filter(|row| row.outcome == MISSING);
    assert_eq!(missing.count(), 3);
    assert_eq!(world.writes(), 7);
}

#[tokio::test]
async fn in_report_mismatches_they_are_checked_like_everybody() {
    let world = in_step(builder(), SyncMode::ReportMismatches).await;
    type_all(&world, SECOND).await;
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    let report = engine.cycle(Wait::No, &Unwatched).await.unwrap();
    for row in &report.rows {
        let kinds: Vec<_> = row.flags.keys().copied().collect();
        assert_eq!(kinds, [sync_engine::model::FlagKind::AdChange], "{row:?}");
    }
    assert_eq!(report.rows.len(), NAMES.len());
    assert_eq!(world.writes(), 0);
}
