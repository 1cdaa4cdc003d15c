//! What both kinds of state do alike: restarts, several clients, two processes, damage.

use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use state_store::{OpenError, StateDatabase};
use sync_engine::model::{CredentialMemory, Memory, ReportId};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{StateStore, StoreError};
use uuid::Uuid;

use crate::samples::{
    ALICE, BOB, client_memory, credential, entry, full_memory, held_plan, report,
};
use crate::server::{self, TestDatabase};

/// A state of one kind, which can be opened again and meddled with.
pub(crate) enum TestState {
    File(tempfile::TempDir),
    Server(TestDatabase),
}

impl TestState {
    pub(crate) fn file() -> Self {
        Self::File(tempfile::tempdir().unwrap())
    }

    pub(crate) async fn server() -> Option<Self> {
        Some(Self::Server(server::database().await?))
    }

    pub(crate) async fn try_open(&self) -> Result<StateDatabase, OpenError> {
        match self {
            Self::File(folder) => {
                let path = folder.path().join("state.db");
                StateDatabase::open(&state_store::file_url(&path)).await
            }
            Self::Server(server) => server.open().await,
        }
    }

    pub(crate) async fn open(&self) -> StateDatabase {
        self.try_open().await.unwrap()
    }

    /// Does something to it behind the agent's back.
    pub(crate) async fn run(&self, sql: &str) {
        match self {
            Self::File(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new();
                let options = options.filename(folder.path().join("state.db"));
                let mut hand = options.connect().await.unwrap();
                let query = sqlx::raw_sql(AssertSqlSafe(sql));
                query.execute(&mut hand).await.unwrap();
                hand.close().await.unwrap();
            }
            Self::Server(server) => server.run(sql).await,
        }
    }

    /// From now on rows like this fail, as on a full disk.
    pub(crate) async fn refuse(&self, table: &str, condition: &str) {
        let statement = match self {
            Self::File(_) => format!(
                "CREATE TRIGGER broken BEFORE INSERT ON {table} WHEN {condition}
                 BEGIN SELECT RAISE(ABORT, 'no space left on device'); END"
            ),
            Self::Server(_) => format!(
                "CREATE OR REPLACE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN
                    RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full';
                 END $$;
                 CREATE TRIGGER broken BEFORE INSERT ON {table}
                    FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION broken()"
            ),
        };
        self.run(&statement).await;
    }

    /// The opposite of [`refuse`](Self::refuse).
    pub(crate) async fn mend(&self, table: &str) {
        let statement = match self {
            Self::File(_) => "DROP TRIGGER broken".to_owned(),
            Self::Server(_) => format!("DROP TRIGGER broken ON {table}"),
        };
        self.run(&statement).await;
    }
}

/// Expands to a test of each claim for each kind of state.
#[macro_export]
macro_rules! of_both_kinds {
    ($($claim:ident),+ $(,)?) => {
        mod in_a_file {
            use $crate::kinds::TestState;
            $(
                #[tokio::test]
                async fn $claim() {
                    super::$claim(TestState::file()).await;
                }
            )+
        }

        mod on_a_server {
            use $crate::kinds::TestState;
            $(
                #[tokio::test]
                async fn $claim() {
                    let Some(state) = TestState::server().await else {
                        return;
                    };
                    super::$claim(state).await;
                }
            )+
        }
    };
}

of_both_kinds![
    everything_survives_a_restart,
    one_client_never_sees_or_changes_what_belongs_to_another,
    clients_that_write_at_once_lose_nothing_and_keep_their_order,
    the_journal_is_read_by_order_of_writing_also_when_the_clock_went_back,
    a_second_opening_is_refused_with_the_pid_until_the_first_is_closed,
    a_store_keeps_the_state_locked_also_without_its_database,
    of_a_batch_that_fails_half_way_nothing_is_kept,
    a_row_that_is_not_understood_is_not_readable,
    a_table_that_is_gone_is_not_readable_also_for_a_writer,
    the_journal_refuses_to_be_rewritten_or_shortened,
    a_state_of_a_newer_version_is_refused,
];

async fn everything_survives_a_restart(state: TestState) {
    let database = state.open().await;
    let store = database.client(ALICE);
    store.save_client(&client_memory()).await.unwrap();
    let (first, second) = (entry(1, 10), entry(1, 20));
    store
        .record(&[first.clone(), second.clone()], &[full_memory(1)])
        .await
        .unwrap();
    store.keep_report(&report(9, "first")).await.unwrap();
    store.keep_report(&report(3, "second")).await.unwrap();
    store.keep_plan(&held_plan(1)).await.unwrap();
    database.close().await;

    let store = state.open().await.client(ALICE);

    let remembered = Memory {
        client: client_memory(),
        credentials: [(credential(1), full_memory(1))].into(),
        plans: [(held_plan(1).id, held_plan(1))].into(),
    };
    assert_eq!(store.load().await.unwrap(), remembered);
    assert_eq!(store.journal(None, 10).await.unwrap(), [second, first]);
    assert_eq!(
        store.kept_reports().await.unwrap(),
        [report(9, "first"), report(3, "second")]
    );
}

async fn one_client_never_sees_or_changes_what_belongs_to_another(state: TestState) {
    let database = state.open().await;
    let (alice, bob) = (database.client(ALICE), database.client(BOB));
    alice.save_client(&client_memory()).await.unwrap();
    alice
        .record(&[entry(1, 10)], &[full_memory(1)])
        .await
        .unwrap();
    alice.keep_report(&report(1, "alice")).await.unwrap();
    alice.keep_plan(&held_plan(1)).await.unwrap();

    assert_eq!(bob.load().await.unwrap(), Memory::default());
    let of_credential = bob.journal(Some(credential(1)), 10).await.unwrap();
    assert!(of_credential.is_empty());
    assert!(bob.journal(None, 10).await.unwrap().is_empty());
    assert!(bob.kept_reports().await.unwrap().is_empty());

    let other_plan = HeldPlan {
        allowed: 7,
        ..held_plan(1)
    };
    bob.save_credentials(&[CredentialMemory::new(credential(1))])
        .await
        .unwrap();
    bob.keep_report(&report(1, "bob")).await.unwrap();
    bob.drop_report(ReportId(Uuid::from_u128(1))).await.unwrap();
    bob.keep_plan(&other_plan).await.unwrap();
    bob.drop_plan(other_plan.id).await.unwrap();

    let kept = alice.load().await.unwrap();
    assert_eq!(kept.credentials.get(&credential(1)), Some(&full_memory(1)));
    assert_eq!(kept.plans.get(&held_plan(1).id), Some(&held_plan(1)));
    assert_eq!(alice.kept_reports().await.unwrap(), [report(1, "alice")]);
}

async fn clients_that_write_at_once_lose_nothing_and_keep_their_order(state: TestState) {
    const WRITES: u32 = 25;
    let database = state.open().await;
    let writers = [ALICE, BOB].map(|client| {
        let store = database.client(client);
        tokio::spawn(async move {
            for number in 0..WRITES {
                let memory = full_memory(u128::from(number));
                store
                    .record(&[entry(1, number.into())], &[memory])
                    .await
                    .unwrap();
            }
        })
    });
    for writer in writers {
        writer.await.unwrap();
    }

    for client in [ALICE, BOB] {
        let store = database.client(client);
        let journal = store.journal(None, 100).await.unwrap();
        let newest_first: Vec<_> = (0..WRITES).rev().map(|n| entry(1, n.into())).collect();
        assert_eq!(journal, newest_first);
        let memory = store.load().await.unwrap();
        assert_eq!(memory.credentials.len(), WRITES as usize);
    }
}

async fn the_journal_is_read_by_order_of_writing_also_when_the_clock_went_back(state: TestState) {
    let store = state.open().await.client(ALICE);
    store.record(&[entry(1, 30)], &[]).await.unwrap();
    store
        .record(&[entry(2, 20), entry(1, 10)], &[])
        .await
        .unwrap();

    let newest = store.journal(None, 2).await.unwrap();
    assert_eq!(newest, [entry(1, 10), entry(2, 20)]);
    let of_one = store.journal(Some(credential(1)), 10).await.unwrap();
    assert_eq!(of_one, [entry(1, 10), entry(1, 30)]);
}

async fn a_second_opening_is_refused_with_the_pid_until_the_first_is_closed(state: TestState) {
    let first = state.open().await;
    let store = first.client(ALICE);

    let error = state.try_open().await.unwrap_err();

    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let pid = format!("pid {}", std::process::id());
    assert!(error.to_string().contains(&pid), "{error}");
    assert!(!error.hint().is_empty());
    store.save_client(&client_memory()).await.unwrap();

    first.close().await;
    let _second = state.open().await;
    let late = store.save_client(&client_memory()).await;
    assert!(matches!(late, Err(StoreError::NotWritable(_))), "{late:?}");
    let late = store.load().await;
    assert!(matches!(late, Err(StoreError::NotReadable(_))), "{late:?}");
}

async fn a_store_keeps_the_state_locked_also_without_its_database(state: TestState) {
    let store = state.open().await.client(ALICE);

    let second = state.try_open().await;

    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    store.save_client(&client_memory()).await.unwrap();
}

async fn of_a_batch_that_fails_half_way_nothing_is_kept(state: TestState) {
    let store = state.open().await.client(ALICE);
    store
        .record(&[entry(1, 10)], &[full_memory(1)])
        .await
        .unwrap();
    let condition = format!("NEW.credential_id = '{}'", credential(3));
    state.refuse("credential_memory", &condition).await;
    let before = store.load().await.unwrap();

    let memories = [2, 1, 3, 4].map(|n| CredentialMemory::new(credential(n)));
    let answer = store.record(&[entry(2, 20)], &memories).await;

    assert!(
        matches!(answer, Err(StoreError::NotWritable(_))),
        "{answer:?}"
    );
    assert_eq!(store.load().await.unwrap(), before);
    assert_eq!(store.journal(None, 10).await.unwrap(), [entry(1, 10)]);

    state.mend("credential_memory").await;
    store.record(&[entry(2, 20)], &memories).await.unwrap();
    assert_eq!(store.load().await.unwrap().credentials.len(), 4);
    assert_eq!(store.journal(None, 10).await.unwrap().len(), 2);
}

async fn a_row_that_is_not_understood_is_not_readable(state: TestState) {
    let store = state.open().await.client(ALICE);
    store.save_client(&client_memory()).await.unwrap();
    state.run("UPDATE client_memory SET memory = '{}'").await;

    let answer = store.load().await;

    assert!(
        matches!(answer, Err(StoreError::NotReadable(_))),
        "{answer:?}"
    );
}

async fn a_table_that_is_gone_is_not_readable_also_for_a_writer(state: TestState) {
    let store = state.open().await.client(ALICE);
    state.run("DROP TABLE held_plans").await;

    let answer = store.load().await;

    assert!(
        matches!(answer, Err(StoreError::NotReadable(_))),
        "{answer:?}"
    );
    store.keep_plan(&held_plan(1)).await.unwrap_err();
}

async fn the_journal_refuses_to_be_rewritten_or_shortened(state: TestState) {
    let store = state.open().await.client(ALICE);
    store.record(&[entry(1, 10)], &[]).await.unwrap();

    for change in ["UPDATE journal SET entry = ''", "DELETE FROM journal"] {
        let error = match &state {
            TestState::Server(server) => {
                let mut hand = server.hand().await;
                sqlx::query(change).execute(&mut hand).await.unwrap_err()
            }
            TestState::File(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new();
                let options = options.filename(folder.path().join("state.db"));
                let mut hand = options.connect().await.unwrap();
                sqlx::query(change).execute(&mut hand).await.unwrap_err()
            }
        };
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(store.journal(None, 10).await.unwrap(), [entry(1, 10)]);
}

async fn a_state_of_a_newer_version_is_refused(state: TestState) {
    state.open().await.close().await;
    let checksum = match state {
        TestState::File(_) => "x'00'",
        TestState::Server(_) => r"'\x00'",
    };
    state
        .run(&format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, {checksum}, 0)"
        ))
        .await;

    let error = state.try_open().await.unwrap_err();

    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
}
