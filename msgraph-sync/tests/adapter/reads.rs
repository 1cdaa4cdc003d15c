//! Accounts, domains, and what the tenant says about itself.

use jiff::{SignedDuration, Timestamp};
use msgraph_sync::SecurityDefaults;
use sync_engine::model::{AccountAccess, DomainKind, Extent, Mastered, Password};
use sync_engine::ports::{Directory, SetPassword};

use crate::world::{directory, find, nobody};

#[tokio::test]
async fn the_domains_are_told_apart() {
    let domains = directory().domains().await.unwrap();
    assert_eq!(domains.get("contoso.com"), Some(&DomainKind::Managed));
    let federated = domains.get("federated.example");
    assert_eq!(federated, Some(&DomainKind::Federated));
}

#[tokio::test]
async fn everything_is_read_at_first_and_then_what_changed() {
    let directory = directory();
    let all = directory.changes(None).await.unwrap();
    assert_eq!(all.extent, Extent::Full);
    assert_eq!(
        find(&all, "off@contoso.com").access,
        AccountAccess::Disabled
    );
    let hybrid = find(&all, "hybrid@contoso.com");
    assert_eq!(hybrid.mastered, Mastered::OnPremises);
    let bert = find(&all, "bert@contoso.com").clone();
    let before = Timestamp::now() - SignedDuration::from_secs(5);
    let password = Password::new("Bert-fixture-2");
    let written = directory.set_password(bert.id, &password).await;
    assert!(matches!(written, SetPassword::Accepted(_)), "{written:?}");
    let changes = directory.changes(Some(&all.link)).await.unwrap();
    assert_eq!(changes.extent, Extent::Changes);
    let moved = find(&changes, "bert@contoso.com");
    assert_eq!(moved.id, bert.id);
    assert!(moved.stamp > bert.stamp);
    assert!(moved.stamp.unwrap().0 >= before);
    let one = directory.account(bert.id).await.unwrap().unwrap();
    assert_eq!(one.stamp, moved.stamp);
}

#[tokio::test]
async fn one_account_is_read_as_it_is_in_the_full_reading() {
    let directory = directory();
    let all = directory.changes(None).await.unwrap();
    for name in ["off@contoso.com", "hybrid@contoso.com"] {
        let account = find(&all, name);
        let alone = directory.account(account.id).await.unwrap();
        assert_eq!(alone.as_ref(), Some(account));
    }
    assert_eq!(directory.account(nobody()).await.unwrap(), None);
}

#[tokio::test]
async fn the_tenant_tells_its_name_and_that_security_defaults_are_off() {
    let directory = directory();
    let organization = directory.organization().await.unwrap();
    let tenant = "5c0ffee0-0000-4000-8000-000000000001";
    assert_eq!(organization.id.to_string(), tenant);
    assert_eq!(organization.name, "contoso");
    assert_eq!(organization.licence, None);
    let defaults = directory.security_defaults().await.unwrap();
    assert_eq!(defaults, SecurityDefaults::Off);
}
