//! The real engine over a real memory: while it cannot remember, nothing reaches the directory.

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection;
use state_store::{ClientStore, StateDatabase};
use sync_engine::model::{CredentialId, ObjectId, SyncMode};
use sync_engine::plan::Policy;
use sync_engine::ports::Wait;
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock};
use sync_engine::{Engine, EngineError, Ports, Unwatched};

use crate::kinds::TestState;
use crate::samples::ALICE;
use crate::server;

const OLD: &str = "Winter-2025!";
const NEW: &str = "Spring-2026!";
const NEWER: &str = "Summer-2026!";

struct World {
    clock: Arc<ManualClock>,
    vault: Arc<FakeVault>,
    directory: Arc<FakeDirectory>,
    engine: Engine,
    credential: CredentialId,
    account: ObjectId,
}

impl World {
    /// Anna's passwords agree, and the memory knows.
    async fn in_step(store: ClientStore) -> Self {
        let clock = Arc::new(ManualClock::at("2026-01-05T08:00:00Z".parse().unwrap()));
        let vault = Arc::new(FakeVault::new("Contoso"));
        let directory = Arc::new(FakeDirectory::new("contoso.com", clock.clone()));
        let account = directory.add("anna@contoso.com", OLD);
        let credential = vault.add("anna@contoso.com", OLD, SyncMode::Enabled);
        let mut world = Self {
            engine: engine(&clock, &vault, &directory, store),
            clock,
            vault,
            directory,
            credential,
            account,
        };
        world.clock.advance(Duration::from_hours(1));
        world.cycle().await.unwrap();
        world
    }

    /// The agent is started again.
    fn restart(&mut self, store: ClientStore) {
        self.engine = engine(&self.clock, &self.vault, &self.directory, store);
    }

    async fn cycle(&mut self) -> Result<(), EngineError> {
        self.clock.advance(Duration::from_mins(10));
        self.engine.cycle(Wait::No, &Unwatched).await.map(drop)
    }

    /// Every cycle fails because of the memory, and what the directory sees stays as it is.
    async fn nothing_is_touched(&mut self) {
        let before = (self.directory.writes(), self.directory.sign_ins());
        for _ in 0..3 {
            let error = self.cycle().await.unwrap_err();
            assert!(matches!(error, EngineError::Store(_)), "{error:?}");
        }
        let after = (self.directory.writes(), self.directory.sign_ins());
        assert_eq!(after, before);
    }

    async fn is_pushed_once(&mut self, password: &str) {
        let before = self.directory.writes();
        for _ in 0..3 {
            self.cycle().await.unwrap();
        }
        assert!(self.directory.has_password(self.account, password));
        assert_eq!(self.directory.writes(), before + 1);
    }
}

fn engine(
    clock: &Arc<ManualClock>,
    vault: &Arc<FakeVault>,
    directory: &Arc<FakeDirectory>,
    store: ClientStore,
) -> Engine {
    let ports = Ports {
        vault: vault.clone(),
        directory: directory.clone(),
        store: Arc::new(store),
        clock: clock.clone(),
    };
    Engine::new(ports, Policy::default())
}

crate::of_both_kinds![
    while_intents_cannot_be_written_nothing_is_touched,
    while_memories_cannot_be_written_nothing_is_touched,
    an_agent_that_starts_over_a_full_disk_touches_nothing,
    a_restart_over_the_same_state_writes_nothing,
];

async fn while_intents_cannot_be_written_nothing_is_touched(state: TestState) {
    without("journal", state).await;
}

async fn while_memories_cannot_be_written_nothing_is_touched(state: TestState) {
    without("credential_memory", state).await;
}

async fn without(table: &str, state: TestState) {
    let database = state.open().await;
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    state.refuse(table, "TRUE").await;

    world.nothing_is_touched().await;

    state.mend(table).await;
    world.is_pushed_once(NEW).await;
}

async fn an_agent_that_starts_over_a_full_disk_touches_nothing(state: TestState) {
    let database = state.open().await;
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    state.refuse("journal", "TRUE").await;
    database.close().await;

    let database = state.open().await;
    world.restart(database.client(ALICE));
    world.nothing_is_touched().await;

    state.mend("journal").await;
    world.is_pushed_once(NEW).await;
}

async fn a_restart_over_the_same_state_writes_nothing(state: TestState) {
    let database = state.open().await;
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    world.is_pushed_once(NEW).await;
    database.close().await;
    let touched = (world.directory.writes(), world.directory.sign_ins());

    let database: StateDatabase = state.open().await;
    world.restart(database.client(ALICE));
    for _ in 0..3 {
        world.cycle().await.unwrap();
    }

    assert_eq!(
        (world.directory.writes(), world.directory.sign_ins()),
        touched
    );
}

#[tokio::test]
async fn a_session_that_ended_between_two_cycles_is_made_anew() {
    let Some(server) = server::database().await else {
        return;
    };
    let database = server.open().await.unwrap();
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    server.end_sessions().await;
    world.is_pushed_once(NEW).await;
}

#[tokio::test]
async fn while_somebody_else_has_the_lock_nothing_is_touched() {
    let Some(server) = server::database().await else {
        return;
    };
    let database = server.open().await.unwrap();
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    let mut other = server.hand().await;
    let take = sqlx::raw_sql("SELECT pg_advisory_lock(1885434739, 1886351988)");
    server.end_sessions().await;
    take.execute(&mut other).await.unwrap();

    let error = world.cycle().await.unwrap_err();
    assert!(matches!(error, EngineError::Store(_)), "{error:?}");
    assert_eq!(world.directory.writes(), 0);

    other.close().await.unwrap();
    world.is_pushed_once(NEW).await;
}

#[tokio::test]
async fn an_agent_that_another_one_replaced_for_a_while_reads_everything_anew() {
    let Some(server) = server::database().await else {
        return;
    };
    let database = server.open().await.unwrap();
    let mut world = World::in_step(database.client(ALICE)).await;
    server.end_sessions().await;
    // The other agent sees a change and pushes it.
    let others = server.open().await.unwrap();
    let first = std::mem::replace(
        &mut world.engine,
        engine(
            &world.clock,
            &world.vault,
            &world.directory,
            others.client(ALICE),
        ),
    );
    world.vault.set_password(world.credential, NEW);
    world.is_pushed_once(NEW).await;
    others.close().await;

    world.engine = first;
    world.vault.set_password(world.credential, NEWER);
    let before = world.directory.writes();
    // What it remembers is of another time: at the latest the first write says so.
    let _ = world.cycle().await;
    assert!(world.directory.writes() <= before + 1);
    for _ in 0..3 {
        world.cycle().await.unwrap();
    }
    assert!(world.directory.has_password(world.account, NEWER));
    assert_eq!(world.directory.writes(), before + 1);
}

#[tokio::test]
async fn while_the_server_only_reads_nothing_is_touched() {
    let Some(server) = server::database().await else {
        return;
    };
    let database = server.open().await.unwrap();
    let mut world = World::in_step(database.client(ALICE)).await;
    world.vault.set_password(world.credential, NEW);
    let name = server.name();
    let read_only = format!("ALTER DATABASE {name} SET default_transaction_read_only = on");
    server.at_the_server(&read_only).await;
    server.end_sessions().await;

    world.nothing_is_touched().await;

    let again = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    server.at_the_server(&again).await;
    world.is_pushed_once(NEW).await;
}
