//! What only shows inside: the file's pages and modes, and a disk that is full in earnest.

use std::sync::Arc;
use std::time::Duration;

use sqlx::SqlitePool;
use sync_engine::model::{
    ClientId, CredentialId, CredentialMemory, CycleId, JournalEntry, ObjectId, Phase, StepKind,
    SyncMode, VaultVersion,
};
use sync_engine::plan::Policy;
use sync_engine::ports::{StateStore, StoreError, Wait};
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock};
use sync_engine::{Engine, EngineError, Ports, Unwatched};
use uuid::Uuid;

use super::{StateFile, StateFileTables};
use crate::ClientStore;

fn store(file: &StateFile) -> ClientStore {
    ClientStore::new(StateFileTables::new(file, ClientId(Uuid::from_u128(1))))
}

async fn on_disk() -> (tempfile::TempDir, StateFile) {
    let folder = tempfile::tempdir().unwrap();
    let file = StateFile::open(&folder.path().join("state.db")).await;
    (folder, file.unwrap())
}

fn memories(range: std::ops::Range<u128>) -> Vec<CredentialMemory> {
    range
        .map(|n| CredentialMemory::new(CredentialId(Uuid::from_u128(n))))
        .collect()
}

/// The least that a journal entry can be.
fn entry() -> JournalEntry {
    JournalEntry {
        at: jiff::Timestamp::UNIX_EPOCH,
        cycle: CycleId(Uuid::nil()),
        credential: CredentialId(Uuid::nil()),
        object: ObjectId(Uuid::nil()),
        version: VaultVersion(0),
        stamp: None,
        step: StepKind::Push,
        phase: Phase::Intent,
        why: String::new(),
        by: None,
    }
}

async fn run(file: &StateFile, sql: &'static str) {
    sqlx::query(sql).execute(&file.pool).await.unwrap();
}

/// From here on the file cannot grow by a single page, and its last one is filled up.
async fn fill(file: &StateFile, store: &ClientStore) {
    run(file, "PRAGMA max_page_count = 1").await;
    while store.record(&[entry()], &[]).await.is_ok() {}
}

async fn empty(file: &StateFile) {
    run(file, "PRAGMA max_page_count = 1000000").await;
}

#[tokio::test]
async fn on_a_full_disk_nothing_of_a_batch_is_kept_and_the_error_says_not_writable() {
    let (_folder, file) = on_disk().await;
    let store = store(&file);
    store.save_credentials(&memories(0..1)).await.unwrap();
    run(&file, "PRAGMA max_page_count = 30").await;

    let answer = store.save_credentials(&memories(1..5_000)).await;

    assert!(
        matches!(answer, Err(StoreError::NotWritable(_))),
        "{answer:?}"
    );
    assert_eq!(store.load().await.unwrap().credentials.len(), 1);
    empty(&file).await;
    store.save_credentials(&memories(1..5_000)).await.unwrap();
    assert_eq!(store.load().await.unwrap().credentials.len(), 5_000);
}

#[tokio::test]
async fn over_a_full_disk_the_engine_touches_nothing_until_there_is_room_again() {
    let (_folder, file) = on_disk().await;
    let store = store(&file);
    let clock = Arc::new(ManualClock::at("2026-01-05T08:00:00Z".parse().unwrap()));
    let vault = Arc::new(FakeVault::new("Contoso"));
    let directory = Arc::new(FakeDirectory::new("contoso.com", clock.clone()));
    let account = directory.add("anna@contoso.com", "Winter-2025!");
    let anna = vault.add("anna@contoso.com", "Winter-2025!", SyncMode::Enabled);
    let ports = Ports {
        vault: vault.clone(),
        directory: directory.clone(),
        store: Arc::new(store.clone()),
        clock: clock.clone(),
    };
    let mut engine = Engine::new(ports, Policy::default());
    clock.advance(Duration::from_hours(1));
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    fill(&file, &store).await;
    vault.set_password(anna, "Spring-2026!");
    let touched = (directory.writes(), directory.sign_ins());

    for _ in 0..3 {
        clock.advance(Duration::from_mins(10));
        let error = engine.cycle(Wait::No, &Unwatched).await.unwrap_err();
        assert!(matches!(error, EngineError::Store(_)), "{error:?}");
    }
    assert_eq!((directory.writes(), directory.sign_ins()), touched);

    empty(&file).await;
    for _ in 0..3 {
        clock.advance(Duration::from_mins(10));
        engine.cycle(Wait::No, &Unwatched).await.unwrap();
    }
    assert!(directory.has_password(account, "Spring-2026!"));
    assert_eq!(directory.writes(), touched.0 + 1);
}

#[tokio::test]
async fn while_a_foreign_program_writes_the_file_it_is_not_writable() {
    let (folder, file) = on_disk().await;
    let store = store(&file);
    let url = format!("sqlite://{}", folder.path().join("state.db").display());
    let foreign = SqlitePool::connect(&url).await.unwrap();
    let _transaction = foreign.begin_with("BEGIN IMMEDIATE").await.unwrap();
    run(&file, "PRAGMA busy_timeout = 0").await;

    let answer = store.save_credentials(&memories(0..1)).await;

    assert!(
        matches!(answer, Err(StoreError::NotWritable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn every_commit_is_on_the_disk_before_it_returns() {
    let (_folder, file) = on_disk().await;
    let journal_mode: String = sqlx::query_scalar("PRAGMA journal_mode")
        .fetch_one(&file.pool)
        .await
        .unwrap();
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous")
        .fetch_one(&file.pool)
        .await
        .unwrap();
    // 2 is FULL: every commit reaches the disk before it returns.
    assert_eq!((journal_mode.as_str(), synchronous), ("wal", 2));
}
