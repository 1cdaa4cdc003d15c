//! The state file as the agent meets it: restarts, two processes, damage, missing permissions.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use state_store::{OpenError, SqliteStore, StateDatabase};
use sync_engine::model::*;
use sync_engine::plan::{Action, Decision, Rule, Target};
use sync_engine::ports::{HeldPlan, StateStore, StoreError};
use uuid::Uuid;

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const ALICE: ClientId = ClientId(Uuid::from_u128(0xa));
const BOB: ClientId = ClientId(Uuid::from_u128(0xb));

fn credential(n: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(n))
}

/// A memory with something of every shape: ids, times, lists, maps, enums with and without data.
fn full_memory(n: u128) -> CredentialMemory {
    let object = ObjectId(Uuid::from_u128(1_000 + n));
    let stamp = Some(Stamp(at(1_700_000_000)));
    let version = VaultVersion(7);
    let mut memory = CredentialMemory::new(credential(n));
    memory.object = Some(object);
    memory.baseline = Some(Baseline {
        version,
        mode: SyncMode::Enabled,
    });
    memory.agreed = Some(Agreed { version, stamp });
    memory.attempts = vec![SignInAttempt {
        id: AttemptId(Uuid::from_u128(5)),
        object,
        version,
        stamp,
        at: at(1_700_000_005),
        state: AttemptState::Open,
    }];
    memory.paused_until = Some(at(1_700_009_000));
    memory.refused = Some(Refused {
        version,
        reason: BlockedReason::Policy(PolicyRefusal::Classes),
        at: at(1_700_000_030),
    });
    memory.raised = BTreeMap::from([(
        FlagKind::AdChange,
        FlagFact {
            version,
            stamp,
            why: "changed in Entra ID".to_owned(),
        },
    )]);
    memory
}

fn client_memory() -> ClientMemory {
    ClientMemory {
        epoch: Some(VaultEpoch(Uuid::from_u128(9))),
        locked_answers: vec![at(1)],
        verification_paused_until: Some(at(2)),
        writes: vec![at(3), at(4)],
    }
}

fn entry(n: u128, second: i64) -> JournalEntry {
    JournalEntry {
        at: at(second),
        cycle: CycleId(Uuid::from_u128(77)),
        credential: credential(n),
        object: ObjectId(Uuid::from_u128(1_000 + n)),
        version: VaultVersion(7),
        stamp: None,
        step: StepKind::Push,
        phase: Phase::Intent,
        why: "the password changed in the vault".to_owned(),
    }
}

fn report(n: u128, why: &str) -> Report {
    Report {
        id: ReportId(Uuid::from_u128(n)),
        entries: vec![ReportEntry {
            credential: credential(1),
            at: at(5),
            version: VaultVersion(7),
            outcome: Outcome::Held(HeldReason::Unverifiable(UnknownReason::NotPermitted)),
            why: why.to_owned(),
            flags: BTreeMap::new(),
        }],
    }
}

fn held_plan(n: u128) -> HeldPlan {
    HeldPlan {
        id: PlanId(Uuid::from_u128(n)),
        at: at(6),
        writes: vec![Decision {
            credential: credential(1),
            user_name: UserPrincipalName::new("anna@contoso.com"),
            mode: SyncMode::Enabled,
            version: VaultVersion(7),
            rule: Rule::VaultChanged,
            action: Action::Push(Target {
                object: ObjectId(Uuid::from_u128(1_001)),
                stamp: None,
            }),
            flags: BTreeMap::new(),
        }],
    }
}

async fn in_memory() -> SqliteStore {
    StateDatabase::in_memory().await.unwrap().client(ALICE)
}

#[tokio::test]
async fn before_first_contact_there_is_nothing() {
    let store = in_memory().await;
    assert_eq!(store.load().await.unwrap(), Memory::default());
    assert_eq!(store.held_plan().await.unwrap(), None);
    assert!(store.kept_reports().await.unwrap().is_empty());
    assert!(store.journal(None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder.path().join("state.db"));
    let database = StateDatabase::open(&url).await.unwrap();
    let store = database.client(ALICE);
    store.save_client(&client_memory()).await.unwrap();
    store
        .record(&[entry(1, 10)], &[full_memory(1)])
        .await
        .unwrap();
    store.keep_report(&report(1, "first")).await.unwrap();
    store.hold_plan(Some(&held_plan(1))).await.unwrap();
    database.close().await;

    let store = StateDatabase::open(&url).await.unwrap().client(ALICE);

    let memory = store.load().await.unwrap();
    assert_eq!(memory.client, client_memory());
    assert_eq!(
        memory.credentials,
        BTreeMap::from([(credential(1), full_memory(1))])
    );
    assert_eq!(store.journal(None, 10).await.unwrap(), [entry(1, 10)]);
    assert_eq!(store.kept_reports().await.unwrap(), [report(1, "first")]);
    assert_eq!(store.held_plan().await.unwrap(), Some(held_plan(1)));
}

#[tokio::test]
async fn saving_replaces_only_what_is_given() {
    let store = in_memory().await;
    store
        .save_credentials(&[full_memory(1), full_memory(2)])
        .await
        .unwrap();

    store
        .save_credentials(&[CredentialMemory::new(credential(2))])
        .await
        .unwrap();

    let memory = store.load().await.unwrap();
    assert_eq!(memory.credentials[&credential(1)], full_memory(1));
    assert_eq!(
        memory.credentials[&credential(2)],
        CredentialMemory::new(credential(2))
    );
}

#[tokio::test]
async fn one_client_never_sees_or_changes_what_belongs_to_another() {
    let database = StateDatabase::in_memory().await.unwrap();
    let (alice, bob) = (database.client(ALICE), database.client(BOB));
    alice.save_client(&client_memory()).await.unwrap();
    alice
        .record(&[entry(1, 10)], &[full_memory(1)])
        .await
        .unwrap();
    alice.keep_report(&report(1, "alice")).await.unwrap();
    alice.hold_plan(Some(&held_plan(1))).await.unwrap();

    assert_eq!(bob.load().await.unwrap(), Memory::default());
    assert!(
        bob.journal(Some(credential(1)), 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(bob.kept_reports().await.unwrap().is_empty());
    assert_eq!(bob.held_plan().await.unwrap(), None);

    bob.save_credentials(&[CredentialMemory::new(credential(1))])
        .await
        .unwrap();
    bob.drop_report(ReportId(Uuid::from_u128(1))).await.unwrap();
    bob.hold_plan(None).await.unwrap();
    assert_eq!(
        alice.load().await.unwrap().credentials[&credential(1)],
        full_memory(1)
    );
    assert_eq!(alice.kept_reports().await.unwrap(), [report(1, "alice")]);
    assert_eq!(alice.held_plan().await.unwrap(), Some(held_plan(1)));
}

#[tokio::test]
async fn the_journal_is_read_newest_first_by_order_of_writing() {
    let store = in_memory().await;
    // The clock went backwards between them.
    store.record(&[entry(1, 30)], &[]).await.unwrap();
    store
        .record(&[entry(2, 20), entry(1, 10)], &[])
        .await
        .unwrap();

    assert_eq!(
        store.journal(None, 2).await.unwrap(),
        [entry(1, 10), entry(2, 20)]
    );
    assert_eq!(
        store.journal(Some(credential(1)), 10).await.unwrap(),
        [entry(1, 10), entry(1, 30)]
    );
}

#[tokio::test]
async fn reports_are_kept_in_order_replaced_by_id_and_dropped_once() {
    let store = in_memory().await;
    // The ids are not in order of keeping.
    store.keep_report(&report(9, "first")).await.unwrap();
    store.keep_report(&report(3, "second")).await.unwrap();
    store.keep_report(&report(9, "first again")).await.unwrap();
    assert_eq!(
        store.kept_reports().await.unwrap(),
        [report(9, "first again"), report(3, "second")]
    );

    store
        .drop_report(ReportId(Uuid::from_u128(9)))
        .await
        .unwrap();
    store
        .drop_report(ReportId(Uuid::from_u128(9)))
        .await
        .unwrap();

    assert_eq!(store.kept_reports().await.unwrap(), [report(3, "second")]);
}

#[tokio::test]
async fn a_held_plan_is_replaced_and_removed() {
    let store = in_memory().await;
    store.hold_plan(Some(&held_plan(1))).await.unwrap();
    store.hold_plan(Some(&held_plan(2))).await.unwrap();
    assert_eq!(store.held_plan().await.unwrap(), Some(held_plan(2)));

    store.hold_plan(None).await.unwrap();

    assert_eq!(store.held_plan().await.unwrap(), None);
}

#[tokio::test]
async fn five_thousand_credentials_come_back_whole() {
    let store = in_memory().await;
    let memories: Vec<_> = (0..5_000).map(full_memory).collect();

    store.save_credentials(&memories).await.unwrap();

    let loaded = store.load().await.unwrap().credentials;
    assert!(loaded.into_values().eq(memories));
}

#[tokio::test]
async fn a_second_opening_is_refused_with_the_pid_until_the_first_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let first = StateDatabase::open(&url(&path)).await.unwrap();
    let store = first.client(ALICE);

    // Spelt differently, it is still the same file.
    let detour = folder
        .path()
        .join("..")
        .join(folder.path().file_name().unwrap());
    let error = StateDatabase::open(&url(&detour.join("state.db")))
        .await
        .unwrap_err();

    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let pid = std::process::id();
    assert!(
        error
            .to_string()
            .ends_with(&format!("in use by another process (pid {pid})"))
    );

    first.close().await;
    StateDatabase::open(&url(&path)).await.unwrap();
    let late = store.save_client(&client_memory()).await;
    assert!(matches!(late, Err(StoreError::NotWritable(_))), "{late:?}");
}

#[tokio::test]
async fn a_store_keeps_the_file_locked_also_without_its_database() {
    let folder = tempfile::tempdir().unwrap();
    let url = url(&folder.path().join("state.db"));
    let store = StateDatabase::open(&url).await.unwrap().client(ALICE);

    assert!(matches!(
        StateDatabase::open(&url).await,
        Err(OpenError::InUse { .. })
    ));
    store.save_client(&client_memory()).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_corrupt_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let garbage = "not a database ".repeat(1_000);
    fs::write(&path, &garbage).unwrap();

    let error = StateDatabase::open(&url(&path)).await.unwrap_err();

    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), garbage);
}

#[tokio::test]
async fn damage_behind_the_header_is_an_error_and_never_an_empty_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let database = StateDatabase::open(&url(&path)).await.unwrap();
    let memories: Vec<_> = (0..500).map(full_memory).collect();
    database
        .client(ALICE)
        .save_credentials(&memories)
        .await
        .unwrap();
    database.close().await;
    let mut bytes = fs::read(&path).unwrap();
    // The schema stands in the first page; everything behind it is overwritten.
    let page = 4_096;
    bytes[page..].fill(0x5a);
    fs::write(&path, bytes).unwrap();

    match StateDatabase::open(&url(&path)).await {
        Err(error) => assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}"),
        Ok(database) => {
            let answer = database.client(ALICE).load().await;
            assert!(
                matches!(answer, Err(StoreError::NotReadable(_))),
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_read_only_file_is_refused_also_for_root() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    StateDatabase::open(&url(&path))
        .await
        .unwrap()
        .close()
        .await;
    let mut permissions = fs::metadata(&path).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(&path, permissions).unwrap();

    let error = StateDatabase::open(&url(&path)).await.unwrap_err();

    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(!error.hint().is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_not_writable() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();

    let error = StateDatabase::open(&url(&folder.path().join("file/state.db")))
        .await
        .unwrap_err();

    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    use sqlx::{ConnectOptions, Connection};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    StateDatabase::open(&url(&path))
        .await
        .unwrap()
        .close()
        .await;
    let mut newer = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(&path)
        .connect()
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'from the future', TRUE, x'00', 0)",
    )
    .execute(&mut newer)
    .await
    .unwrap();
    newer.close().await.unwrap();

    let error = StateDatabase::open(&url(&path)).await.unwrap_err();

    assert!(matches!(error, OpenError::NewerSchema { .. }), "{error:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("made");
    let database = StateDatabase::open(&url(&made.join("state.db")))
        .await
        .unwrap();
    database
        .client(ALICE)
        .save_client(&client_memory())
        .await
        .unwrap();

    let bits = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(bits(&made), 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&made).unwrap() {
        let file = file.unwrap();
        assert_eq!(bits(&file.path()), 0o600, "{}", file.path().display());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["state.db", "state.db-shm", "state.db-wal", "state.db.lock"]
    );
}
