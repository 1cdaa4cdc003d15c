//! The adapter's whole dialogue with Entra ID and Graph.
//!
//! By itself each test has a simulator of its own. `tests/adapter/run` lets the same suite speak to one
//! that other hands stand before: a proxy that holds every message against Microsoft's contract, or
//! Microsoft's own host names in a network of their own. `PASSPORTAL_ADAPTER` says which: `default-endpoints`, or
//! the addresses of authority and Graph with a comma between; `PASSPORTAL_ADAPTER_CA` the authority that it trusts.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use std::path::Path;

use entra_sim::{Scenario, Simulator};
use jiff::{SignedDuration, Timestamp};
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use sync_engine::model::{
    AccountAccess, BlockedReason, DirectoryChanges, DomainKind, Extent, Mastered, ObjectId,
    Password, TenantId, UserPrincipalName, Verdict,
};
use sync_engine::ports::{Directory, SetPassword};

const TENANT: &str = "contoso.onmicrosoft.com";
const APP: (&str, &str) = (
    "5c0ffee0-0000-4000-8000-0000000000a1",
    "fixture-Adapter~Secret.1",
);
const READER: (&str, &str) = (
    "5c0ffee0-0000-4000-8000-0000000000a2",
    "fixture-Adapter~Secret.2",
);

/// The tenant, as this app sees it.
fn directory_of((app, secret): (&str, &str)) -> EntraDirectory {
    let mut config = TenantConfig::new(
        TenantId(TENANT.to_owned()),
        app,
        AppCredential::ClientSecret(secret.into()),
    );
    config.connection.endpoints = endpoints();
    let ca = std::env::var_os("PASSPORTAL_ADAPTER_CA");
    config.connection.extra_ca = ca.map(|path| std::fs::read(path).unwrap());
    EntraDirectory::new(config).unwrap()
}

fn directory() -> EntraDirectory {
    directory_of(APP)
}

fn endpoints() -> Endpoints {
    let global = Endpoints::of(Cloud::Global);
    let (authority, graph) = match std::env::var("PASSPORTAL_ADAPTER") {
        Ok(named) if named == "default-endpoints" => return global,
        Ok(named) => {
            let (authority, graph) = named.split_once(',').unwrap();
            (authority.to_owned(), graph.to_owned())
        }
        Err(_) => {
            let base = simulator();
            (base.clone(), base)
        }
    };
    global
        .with_authority(authority.parse().unwrap())
        .with_graph(graph.parse().unwrap())
}

fn simulator() -> String {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/adapter/tenant.toml");
    let scenario = Scenario::load(&scenario).unwrap();
    let simulator = Simulator::new(scenario, SignedDuration::ZERO);
    let listening = entra_sim::bind(simulator, ([127, 0, 0, 1], 0).into(), None).unwrap();
    let url = listening.url();
    tokio::spawn(listening.run(std::future::pending()));
    url
}

fn find<'a>(all: &'a DirectoryChanges, name: &str) -> &'a sync_engine::model::Account {
    let wanted = UserPrincipalName::new(name);
    let mut accounts = all.accounts.iter();
    let found = accounts.find(|account| account.user_name == wanted);
    found.unwrap_or_else(|| panic!("{name} is not in the directory"))
}

async fn verdict(directory: &EntraDirectory, name: &str, password: &str) -> Verdict {
    let (name, password) = (UserPrincipalName::new(name), Password::new(password));
    directory.verify(&name, &password).await.verdict
}

async fn set(directory: &EntraDirectory, name: &str, password: &str) -> SetPassword {
    let all = directory.changes(None).await.unwrap();
    let id = find(&all, name).id;
    directory.set_password(id, &Password::new(password)).await
}

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
async fn a_password_that_was_set_signs_in_and_the_old_one_does_not() {
    let directory = directory();
    let written = set(&directory, "anna@contoso.com", "Anna-fixture-2").await;
    assert!(matches!(written, SetPassword::Accepted(_)), "{written:?}");
    let new = verdict(&directory, "anna@contoso.com", "Anna-fixture-2").await;
    assert_eq!(new, Verdict::Match);
    let old = verdict(&directory, "anna@contoso.com", "Anna-fixture-1").await;
    assert_eq!(old, Verdict::Mismatch);
    let factor = verdict(&directory, "mia@contoso.com", "Mia-fixture-1").await;
    assert_eq!(factor, Verdict::Match);
}

#[tokio::test]
async fn each_refusal_of_a_write_is_told_apart() {
    let directory = directory();
    let refused = |why| SetPassword::Refused(why);
    let weak = set(&directory, "mia@contoso.com", "contoso-Contoso-1").await;
    assert_eq!(weak, refused(BlockedReason::Rejected));
    let hybrid = set(&directory, "hybrid@contoso.com", "Hybrid-fixture-2").await;
    assert_eq!(hybrid, refused(BlockedReason::OnPremises));
    let global = set(&directory, "global@contoso.com", "Global-fixture-2").await;
    assert_eq!(global, refused(BlockedReason::NotAllowed));
    let nobody = ObjectId(uuid::Uuid::from_u128(0xDEAD));
    let gone = directory
        .set_password(nobody, &Password::new("Nobody-fixture-1"))
        .await;
    assert_eq!(gone, SetPassword::Gone);
    assert_eq!(directory.account(nobody).await.unwrap(), None);
}

#[tokio::test]
async fn an_app_without_the_permission_may_read_and_not_write() {
    let reader = directory_of(READER);
    let refused = set(&reader, "off@contoso.com", "Off-fixture-2").await;
    assert_eq!(refused, SetPassword::Refused(BlockedReason::NotAllowed));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_at_the_sign_in() {
    let stranger = directory_of((APP.0, "wrong~Secret"));
    let error = stranger.domains().await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("secret"), "{cause}");
}
