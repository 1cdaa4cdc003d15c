//! The state on a server: who is let in, what is told, and what never happens without the lock.

use std::env;
use std::fs;

use secrecy::SecretString;
use sqlx::Connection;
use state_store::{Access, OpenError};
use sync_engine::model::CredentialMemory;
use sync_engine::ports::{StateStore, StoreError};

use crate::samples::{ALICE, BOB, client_memory, credential, entry, full_memory};
use crate::server;

/// A database, or the end of a test that is skipped.
macro_rules! database {
    () => {
        match server::database().await {
            Some(server) => server,
            None => return,
        }
    };
}

fn refused(answer: &Result<(), StoreError>) -> bool {
    matches!(answer, Err(StoreError::NotWritable(_)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let texts: Vec<_> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

#[tokio::test]
async fn a_second_agent_is_told_who_has_the_database() {
    let server = database!();
    let _first = server.open().await.unwrap();

    let error = server.open().await.unwrap_err();

    let told = error.to_string();
    let pid = std::process::id();
    let database = format!("the state database {} at ", server.name());
    assert!(told.starts_with(&database), "{told}");
    for part in [
        format!("(passportal-agent on testhost, pid {pid}, "),
        "connected from 127.0.0.1".to_owned(),
        "server process ".to_owned(),
    ] {
        assert!(told.contains(&part), "{told}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_as_such_and_not_repeated() {
    let server = database!();
    let access = Access {
        password: Some(SecretString::from("hunter2")),
        ..Access::default()
    };

    let error = server.open_with(&server.url(), &access).await.unwrap_err();

    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    assert!(error.hint().contains("state.password_file"));
    let told = format!("{} {error:?} {access:?}", chain(&error));
    assert!(!told.contains("hunter2"), "{told}");
}

#[tokio::test]
async fn a_missing_password_is_told_like_a_wrong_one() {
    let server = database!();
    let answer = server.open_with(&server.url(), &Access::default()).await;
    assert!(
        matches!(answer, Err(OpenError::Refused { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_database_that_does_not_exist_is_told_as_such() {
    let server = database!();
    let url = server.url().replace(server.name(), "nowhere");
    let answer = server.open_with(&url, &server.access()).await;
    assert!(
        matches!(answer, Err(OpenError::NoDatabase { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_told_as_such() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("postgres://agent@127.0.0.1:{port}/state");

    let answer = state_store::StateDatabase::open(&url).await;

    assert!(
        matches!(answer, Err(OpenError::Unreachable { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_character_is_refused() {
    let server = database!();
    let options = "ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";
    let latin = server.beside(options).await;

    let error = latin.open().await.unwrap_err();

    assert!(matches!(error, OpenError::NotOpened { .. }), "{error:?}");
    assert!(chain(&error).contains("LATIN1"), "{}", chain(&error));
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_not_writable() {
    let server = database!();
    let read_only = format!(
        "ALTER DATABASE {} SET default_transaction_read_only = on",
        server.name()
    );
    server.at_the_server(&read_only).await;

    let error = server.open().await.unwrap_err();

    assert!(matches!(error, OpenError::NotWritable { .. }), "{error:?}");
    assert!(error.hint().contains("primary"), "{}", error.hint());
}

#[tokio::test]
async fn every_commit_is_on_a_disk_before_it_returns_whatever_the_database_says() {
    let server = database!();
    for (setting, in_force) in [
        ("off", "on"),
        ("local", "on"),
        ("remote_apply", "remote_apply"),
    ] {
        let name = server.name();
        let set = format!("ALTER DATABASE {name} SET synchronous_commit = {setting}");
        server.at_the_server(&set).await;
        let database = server.open().await.unwrap();
        // The agent's own session tells.
        server
            .run(
                "CREATE TABLE IF NOT EXISTS told (setting TEXT);
                 CREATE OR REPLACE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN
                    INSERT INTO told VALUES (current_setting('synchronous_commit'));
                    RETURN NEW;
                 END $$;
                 CREATE OR REPLACE TRIGGER tell BEFORE INSERT ON journal
                    FOR EACH ROW EXECUTE FUNCTION tell()",
            )
            .await;
        let store = database.client(ALICE);
        store.record(&[entry(1, 10)], &[]).await.unwrap();
        database.close().await;
        let mut hand = server.hand().await;
        let told: String = sqlx::query_scalar("DELETE FROM told RETURNING setting")
            .fetch_one(&mut hand)
            .await
            .unwrap();
        assert_eq!(told, in_force);
    }
}

#[tokio::test]
async fn what_others_wrote_in_the_meantime_must_be_read_before_the_next_write() {
    let server = database!();
    let first = server.open().await.unwrap();
    let (alice, bob) = (first.client(ALICE), first.client(BOB));
    alice.save_credentials(&[full_memory(1)]).await.unwrap();
    server.end_sessions().await;
    let second = server.open().await.unwrap();
    let changed = CredentialMemory::new(credential(1));
    second
        .client(ALICE)
        .save_credentials(std::slice::from_ref(&changed))
        .await
        .unwrap();

    // As long as the second has it, the first neither reads nor writes.
    assert!(refused(&alice.save_client(&client_memory()).await));
    let read = alice.load().await;
    assert!(matches!(read, Err(StoreError::NotReadable(_))), "{read:?}");
    second.close().await;

    // Then it may, each client once it knows what stands there now.
    assert!(refused(&alice.save_credentials(&[full_memory(1)]).await));
    let memory = alice.load().await.unwrap();
    assert_eq!(memory.credentials.get(&credential(1)), Some(&changed));
    alice.save_credentials(&[full_memory(1)]).await.unwrap();
    assert!(refused(&bob.save_client(&client_memory()).await));
    bob.load().await.unwrap();
    bob.save_client(&client_memory()).await.unwrap();
}

#[tokio::test]
async fn whoever_left_in_good_order_leaves_its_id_to_the_next_and_nobody_else_does() {
    let server = database!();
    let first = server.open().await.unwrap();
    let id = first.instance().unwrap();
    server.end_sessions().await;
    first.client(ALICE).load().await.unwrap();
    assert_eq!(first.instance(), Some(id));
    first.close().await;
    let second = server.open().await.unwrap();
    assert_eq!(second.instance(), Some(id));

    // The second may live on somewhere: its session only ended.
    server.end_sessions().await;
    let third = server.open().await.unwrap();

    let third_id = third.instance().unwrap();
    assert_ne!(third_id, id);
    third.close().await;
    second.client(ALICE).load().await.unwrap();
    assert_eq!(second.instance(), Some(id));
    drop(second);
    server.end_sessions().await;
    let fourth = server.open().await.unwrap().instance().unwrap();
    assert!(![id, third_id].contains(&fourth));
}

#[tokio::test]
async fn a_session_that_was_lost_without_a_successor_goes_on() {
    let server = database!();
    let store = server.open().await.unwrap().client(ALICE);
    store.save_credentials(&[full_memory(1)]).await.unwrap();
    for _ in 0..3 {
        server.end_sessions().await;
        store.record(&[entry(1, 10)], &[]).await.unwrap();
    }
    assert_eq!(store.journal(None, 10).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_takeover_within_the_session_is_noticed_before_anything_is_written() {
    let server = database!();
    let store = server.open().await.unwrap().client(ALICE);
    store.record(&[entry(1, 10)], &[]).await.unwrap();
    // As another agent does behind a pooler, which gives both the same session.
    server.run("UPDATE owner SET agent = 'another'").await;

    let answer = store.record(&[entry(1, 20)], &[]).await;

    assert!(refused(&answer), "{answer:?}");
    assert_eq!(store.journal(None, 10).await.unwrap(), [entry(1, 10)]);
    assert!(refused(&store.record(&[entry(1, 20)], &[]).await));
    store.load().await.unwrap();
    store.record(&[entry(1, 30)], &[]).await.unwrap();
    let journal = store.journal(None, 10).await.unwrap();
    assert_eq!(journal, [entry(1, 30), entry(1, 10)]);
}

#[tokio::test]
async fn a_session_without_the_lock_writes_nothing() {
    let server = database!();
    let store = server.open().await.unwrap().client(ALICE);
    // As a pooler does that resets sessions.
    server
        .run(
            "CREATE FUNCTION unlock() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                PERFORM pg_advisory_unlock_all();
                RETURN NEW;
             END $$;
             CREATE TRIGGER unlock BEFORE INSERT ON client_memory
                FOR EACH ROW EXECUTE FUNCTION unlock()",
        )
        .await;
    store.save_client(&client_memory()).await.unwrap();

    let answer = store.record(&[entry(1, 10)], &[]).await;

    assert!(refused(&answer), "{answer:?}");
    let error = answer.unwrap_err();
    assert!(chain(&error).contains("pooler"), "{}", chain(&error));
    assert!(store.journal(None, 10).await.unwrap().is_empty());
    store.record(&[entry(1, 20)], &[]).await.unwrap();
}

#[tokio::test]
async fn a_write_that_nobody_waits_for_any_more_leaves_nothing_and_the_next_one_succeeds() {
    let server = database!();
    let store = server.open().await.unwrap().client(ALICE);
    let mut hand = server.hand().await;
    let mut other = hand.begin().await.unwrap();
    let lock = sqlx::query("LOCK TABLE credential_memory IN ACCESS EXCLUSIVE MODE");
    lock.execute(&mut *other).await.unwrap();
    let writer = tokio::spawn({
        let store = store.clone();
        async move { store.record(&[entry(1, 10)], &[full_memory(1)]).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let waiting: i64 = sqlx::query_scalar(waits)
            .fetch_one(&mut *other)
            .await
            .unwrap();
        if waiting > 0 || writer.is_finished() {
            break;
        }
        // pg_stat_activity shows one moment to a whole transaction.
        sqlx::query("SELECT pg_stat_clear_snapshot()")
            .execute(&mut *other)
            .await
            .unwrap();
    }
    writer.abort();
    assert!(writer.await.unwrap_err().is_cancelled());
    other.rollback().await.unwrap();

    store
        .record(&[entry(2, 20)], &[full_memory(2)])
        .await
        .unwrap();

    assert_eq!(store.journal(None, 10).await.unwrap(), [entry(2, 20)]);
    let memory = store.load().await.unwrap();
    assert_eq!(memory.credentials.len(), 1);
}

#[tokio::test]
async fn a_server_proves_who_it_is_by_an_authority_that_is_known() {
    let server = database!();
    let Ok(authority) = env::var("TEST_POSTGRES_OF_PASSPORTAL_CA") else {
        let in_ci = env::var("CI").is_ok_and(|value| value == "true");
        assert!(!in_ci, "TEST_POSTGRES_OF_PASSPORTAL_CA is not set");
        return;
    };
    // Its certificate is for localhost.
    let by_name = server.url().replace("127.0.0.1", "localhost");
    let trusting = Access {
        extra_ca: Some(fs::read(authority).unwrap()),
        ..server.access()
    };
    let open = async |url: &str, mode: &str, access: &Access| {
        let answer = server
            .open_with(&format!("{url}?sslmode={mode}"), access)
            .await;
        match answer {
            Ok(database) => {
                let mut hand = server.hand().await;
                let encrypted: bool = sqlx::query_scalar(
                    "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE datname = current_database() AND application_name LIKE 'passportal%'",
                )
                .fetch_one(&mut hand)
                .await
                .unwrap();
                database.close().await;
                Ok(encrypted)
            }
            Err(error) => Err(error),
        }
    };

    assert!(open(&by_name, "verify-full", &trusting).await.unwrap());
    assert!(open(&server.url(), "verify-ca", &trusting).await.unwrap());
    assert!(
        open(&server.url(), "require", &server.access())
            .await
            .unwrap()
    );
    assert!(
        open(&server.url(), "prefer", &server.access())
            .await
            .unwrap()
    );
    assert!(!open(&server.url(), "disable", &trusting).await.unwrap());
    for (url, mode, access) in [
        (&by_name, "verify-full", &server.access()),
        (&by_name, "verify-ca", &server.access()),
        (&server.url(), "verify-full", &trusting),
    ] {
        let answer = open(url, mode, access).await;
        assert!(
            matches!(answer, Err(OpenError::Unreachable { .. })),
            "{mode}: {answer:?}"
        );
    }
}
