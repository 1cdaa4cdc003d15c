//! Changing the organization key at its page: who guesses the old one, and who does not wait for the answer.

use std::time::Duration;

use passportal_client::wire::AuditLine;
use tokio::time::{sleep, timeout};

use crate::organization_key::{NEW, World, change, contoso, data_key, world};
use crate::support::ORGANIZATION_KEY;

/// With a session that was left open and its password, too.
#[tokio::test]
async fn guessing_the_old_key_is_slowed_down_and_audited() {
    let world = world().await;
    let mut browser = world.vault.signed_in().await;
    for _ in 0..5 {
        let page = change(&mut browser, "not the organization's key", NEW, NEW).await;
        assert!(page.html.contains("as it is now is not right"));
    }
    let page = change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    assert!(
        page.html.contains("Too many wrong sign-ins"),
        "{}",
        page.html
    );
    let wrapped = contoso(&world.person).await.key;
    assert!(data_key(ORGANIZATION_KEY, &wrapped).is_some());
    let lines: Vec<AuditLine> = world.person.get("audit?after=0").await;
    let what = "failed to change the organization key: wrong organization key";
    assert_eq!(lines.iter().filter(|it| it.what == what).count(), 5);
}

async fn is_changed(world: &World) -> bool {
    let wrapped = contoso(&world.person).await.key;
    data_key(NEW, &wrapped).is_some()
}

/// The browser goes while the change waits for the database, hence before anything of it is stored.
#[tokio::test]
async fn a_browser_that_does_not_wait_for_the_answer_does_not_stop_the_change() {
    let world = world().await;
    let mut browser = world.vault.signed_in().await;
    let mut database = world.vault.database().await;
    // How long it takes until the change waits is not known: the first patience may be too short.
    for patience in [1, 2, 4, 8] {
        let lock = sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut database);
        lock.await.unwrap();
        let change = change(&mut browser, ORGANIZATION_KEY, NEW, NEW);
        let answer = timeout(Duration::from_secs(patience), change).await;
        assert!(answer.is_err(), "nothing is stored while it is locked");
        let unlock = sqlx::raw_sql("ROLLBACK").execute(&mut database);
        unlock.await.unwrap();
        for _ in 0..50 {
            if is_changed(&world).await {
                assert_eq!(browser.get("/clients").await.status, 303);
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    panic!("the change stopped with the connection");
}
