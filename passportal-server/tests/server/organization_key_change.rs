//! Changing the organization key at its page: who guesses the old one.

use passportal_client::wire::AuditLine;

use crate::organization_key::{NEW, change, contoso, data_key, world};
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
