//! The state file: damage, missing permissions, other names for it.

use std::fs;

use state_store::{OpenError, StateDatabase, file_url as url};
use sync_engine::ports::{StateStore, StoreError};

#[cfg(unix)]
use crate::samples::client_memory;
use crate::samples::{ALICE, full_memory};

#[tokio::test]
async fn a_file_that_is_spelt_differently_is_still_the_same_file() {
    let folder = tempfile::tempdir().unwrap();
    let _first = StateDatabase::open(&url(&folder.path().join("state.db")))
        .await
        .unwrap();
    let name = folder.path().file_name().unwrap();
    let detour = folder.path().join("..").join(name);

    let error = StateDatabase::open(&url(&detour.join("state.db")))
        .await
        .unwrap_err();

    let pid = std::process::id();
    let ending = format!("in use by another process (pid {pid})");
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    assert!(error.to_string().ends_with(&ending), "{error}");
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
async fn a_file_or_lock_that_was_removed_is_not_written_any_more() {
    for removed in ["state.db", "state.db.lock"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let first = StateDatabase::open(&url(&path)).await.unwrap();
        let store = first.client(ALICE);
        store.save_client(&client_memory()).await.unwrap();
        fs::remove_file(folder.path().join(removed)).unwrap();
        let gone = store.save_client(&client_memory()).await;
        assert!(matches!(gone, Err(StoreError::NotWritable(_))), "{gone:?}");

        fs::write(folder.path().join(removed), "").unwrap();
        let replaced = store.save_client(&client_memory()).await;

        assert!(
            matches!(replaced, Err(StoreError::NotWritable(_))),
            "{replaced:?}"
        );
    }
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

    let bits = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
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
