//! Another organization key: everything is sealed anew or nothing is, and whoever holds the old key opens nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use passportal_client::envelope::{DataKey, Field, OrganizationKey, Place};
use passportal_client::wire::{
    AuditLine, Client, Credential, SealedText, SecretAnswer, WrappedKey,
};
use passportal_client::{AgentApi, AgentIdentity, HttpConfig, PassportalVault, TokenKeeper};
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use sync_engine::model::{CredentialId, VaultVersion};
use sync_engine::ports::{Cause, CredentialVault as _, PasswordAnswer, VaultError, Wait};
use uuid::Uuid;

use crate::support::{
    Browser, Caller, ORGANIZATION_KEY, PASSWORD, Page, TestClient, TestVault, derive, serve,
};

pub(crate) const NEW: &str = "another four random words";
const ANNA: &str = "anna@contoso.com";
const TOTP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

pub(crate) struct World {
    pub(crate) vault: TestVault,
    pub(crate) person: Caller,
    agent: Caller,
    client: TestClient,
    anna: Uuid,
}

/// A client with an agent, and a credential with an earlier password and one-time codes.
pub(crate) async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, ANNA, "first").await;
    let path = format!("vault/credentials/{anna}");
    let new = client.new_password(anna, ANNA, 2, "second");
    let _: Credential = person.put(&format!("{path}/password"), &new).await;
    let enrolled = client.enrol(&person, "host-1").await;
    let agent = vault.with_token(&enrolled.token);
    let mut browser = vault.signed_in().await;
    let at = format!("/clients/{}/credentials/{anna}", client.id);
    let fields = [
        ("user_name", ANNA),
        ("credential_type", "Azure/Office365 User"),
        ("totp", TOTP),
        ("version", "2"),
    ];
    let edit = format!("{at}/edit");
    let saved = browser.submit(&edit, &edit, &fields).await;
    assert_eq!(saved.status, 200, "{}", saved.html);
    let stored: Credential = person.get(&path).await;
    assert!(stored.has_totp, "{}", saved.html);
    World {
        vault,
        person,
        agent,
        client,
        anna,
    }
}

pub(crate) async fn change(browser: &mut Browser, key: &str, new: &str, repeated: &str) -> Page {
    let fields = [
        ("password", PASSWORD),
        ("organization_key", key),
        ("new_key", new),
        ("repeated", repeated),
    ];
    let page = "/organization-key";
    browser.submit(page, page, &fields).await
}

pub(crate) async fn contoso(person: &Caller) -> Client {
    let clients: Vec<Client> = person.get("vault/clients").await;
    clients.into_iter().find(|it| it.name == "Contoso").unwrap()
}

/// The client's data key, which this organization key opens.
pub(crate) fn data_key(organization_key: &str, wrapped: &WrappedKey) -> Option<DataKey> {
    let kek = OrganizationKey::new(organization_key);
    let kek = kek.derive(&wrapped.parameters).unwrap();
    DataKey::unwrap(&kek, wrapped).ok()
}

/// Every sealed secret of the credential as it rests: column, version and text.
async fn sealed(world: &World) -> Vec<(String, i64, String)> {
    let file = world.vault.dir.path().join("vault.db");
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::query_as(
        "SELECT 'password', version, sealed FROM credentials WHERE id = ?1
         UNION ALL SELECT 'totp', totp_version, totp_sealed FROM credentials WHERE id = ?1
         UNION ALL SELECT 'password', version, sealed FROM password_history WHERE credential = ?1",
    )
    .bind(world.anna.to_string())
    .fetch_all(&mut database)
    .await
    .unwrap()
}

fn open(key: &DataKey, world: &World, secret: &(String, i64, String)) -> Option<String> {
    let field = if secret.0 == "totp" {
        Field::Totp
    } else {
        Field::Password
    };
    let place = Place {
        credential: world.anna,
        field,
        version: secret.1.unsigned_abs(),
        user_name: ANNA,
    };
    let opened = key.open(&place, &SealedText(secret.2.clone())).ok()?;
    Some(opened.expose().to_owned())
}

#[tokio::test]
async fn every_secret_is_sealed_anew_and_the_old_key_opens_nothing() {
    let world = world().await;
    let mut browser = world.vault.signed_in().await;
    let old_sealed = sealed(&world).await;
    let page = change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    assert!(
        page.html
            .contains("3 secret(s) of 2 client(s) are encrypted anew."),
        "{}",
        page.html
    );
    assert!(page.html.contains("host-1"));

    let wrapped = contoso(&world.person).await.key;
    assert!(data_key(ORGANIZATION_KEY, &wrapped).is_none());
    let key = data_key(NEW, &wrapped).unwrap();
    let new_sealed = sealed(&world).await;
    let mut clear: Vec<_> = new_sealed
        .iter()
        .map(|it| open(&key, &world, it).unwrap())
        .collect();
    clear.sort();
    assert_eq!(clear, [TOTP, "first", "second"]);
    for (old, new) in old_sealed.iter().zip(&new_sealed) {
        assert_ne!(old.2, new.2);
        assert!(open(&world.client.key, &world, old).is_some());
        assert!(open(&world.client.key, &world, new).is_none());
    }
    let stored: Credential = world
        .person
        .get(&format!("vault/credentials/{}", world.anna))
        .await;
    assert_eq!(stored.version, 2, "no password has changed");

    assert_eq!(
        browser.get("/clients").await.status,
        303,
        "the session held the old key"
    );
    let refused = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_eq!(refused.status, 401);
    assert_eq!(browser.log_in(PASSWORD, NEW).await.status, 200);
    let at = format!("/clients/{}/credentials/{}", world.client.id, world.anna);
    let shown = browser.submit(&at, &format!("{at}/reveal"), &[]).await;
    assert!(
        shown.html.contains("for=\"reveal\">second</output>"),
        "{}",
        shown.html
    );
    let lines: Vec<AuditLine> = world
        .person
        .get("audit?what=changed%20the%20organization")
        .await;
    assert_eq!(
        lines[0].what,
        "changed the organization key: 3 secret(s) of 2 client(s) are sealed anew"
    );
}

#[tokio::test]
async fn nothing_of_the_old_sealing_stays_in_the_files() {
    let world = world().await;
    let wrapped = contoso(&world.person).await.key.sealed;
    let old: Vec<String> = sealed(&world).await.into_iter().map(|it| it.2).collect();
    let mut browser = world.vault.signed_in().await;
    change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    let dir = world.vault.stop().await;
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for needle in old.iter().chain([&wrapped.0]) {
            let needle = needle.as_bytes();
            assert!(!bytes.windows(needle.len()).any(|it| it == needle));
        }
    }
}

#[tokio::test]
async fn agents_learn_of_it_and_get_the_new_data_key_wrapped() {
    let world = world().await;
    let before = world.agent.changes("").await;
    assert_eq!(before.client.key_id, Some(world.client.key.id()));
    let mut browser = world.vault.signed_in().await;
    let long_poll = {
        let (agent, cursor) = (world.agent.clone(), before.cursor.clone());
        tokio::spawn(async move { agent.changes(&format!("cursor={cursor}&wait=60")).await })
    };
    change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    let news = long_poll.await.unwrap();
    assert_eq!(news.epoch, before.epoch, "nothing is first contact");
    assert!(news.credentials.is_empty(), "no password has changed");
    let wrapped: WrappedKey = world.agent.get("agent/key").await;
    assert_eq!(news.client.key_id, Some(wrapped.key_id));
    assert_ne!(wrapped.key_id, world.client.key.id());
    let path = format!("agent/credentials/{}/secret?version=2", world.anna);
    let answer: SecretAnswer = world.agent.get(&path).await;
    let key = data_key(NEW, &wrapped).unwrap();
    let secret = ("password".to_owned(), 2, answer.sealed.0);
    assert_eq!(open(&key, &world, &secret).as_deref(), Some("second"));
    let refused = world
        .person
        .fails(Method::GET, "agent/key", &json!({}))
        .await;
    assert_eq!(refused, (403, 4003));
}

#[tokio::test]
async fn what_was_sealed_with_the_old_keys_is_no_longer_taken() {
    let world = world().await;
    let old = contoso(&world.person).await;
    let mut browser = world.vault.signed_in().await;
    change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    let late = world.client.new_password(world.anna, ANNA, 3, "late");
    let path = format!("vault/credentials/{}/password", world.anna);
    let refused = world.person.fails(Method::PUT, &path, &late).await;
    assert_eq!(refused, (422, 4022));
    let id = Uuid::new_v4();
    let key = DataKey::generate(old.key.parameters.organization, id);
    let client = json!({ "id": id, "name": "Late", "sync": "none", "default_mode": "off",
        "key": key.wrap(&derive(&old), &old.key.parameters) });
    let refused = world
        .person
        .fails(Method::POST, "vault/clients", &client)
        .await;
    assert_eq!(refused, (422, 4022));
}

#[tokio::test]
async fn what_is_refused_or_does_not_open_changes_nothing() {
    let world = world().await;
    let before = sealed(&world).await;
    let mut browser = world.vault.signed_in().await;
    for (key, new, repeated, words) in [
        (ORGANIZATION_KEY, "short", "short", "too short"),
        (
            ORGANIZATION_KEY,
            NEW,
            "something else",
            "was not repeated exactly",
        ),
        (
            ORGANIZATION_KEY,
            ORGANIZATION_KEY,
            ORGANIZATION_KEY,
            "is the old one",
        ),
        (
            "not the organization's key",
            NEW,
            NEW,
            "as it is now is not right",
        ),
    ] {
        let page = change(&mut browser, key, new, repeated).await;
        assert!(page.html.contains(words), "{words}: {}", page.html);
        assert!(!page.html.contains(NEW));
    }

    let file = world.vault.dir.path().join("vault.db");
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let spoil =
        "UPDATE credentials SET sealed = (SELECT sealed FROM password_history) WHERE id = ?";
    sqlx::query(spoil)
        .bind(world.anna.to_string())
        .execute(&mut database)
        .await
        .unwrap();
    let spoiled = sealed(&world).await;
    let page = change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    assert!(
        page.html
            .contains("A secret of anna@contoso.com does not open"),
        "{}",
        page.html
    );
    assert_eq!(sealed(&world).await, spoiled);
    assert_eq!(spoiled[1..], before[1..]);
    let wrapped = contoso(&world.person).await.key;
    assert!(data_key(ORGANIZATION_KEY, &wrapped).is_some());
    assert_eq!(browser.get("/clients").await.status, 200);

    // An earlier version that does not open is nobody's to put right.
    let new = world.client.new_password(world.anna, ANNA, 3, "third");
    let path = format!("vault/credentials/{}/password", world.anna);
    let _: Value = world.person.put(&path, &new).await;
    let page = change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    assert!(
        page.html.contains("3 secret(s) of 2 client(s)"),
        "{}",
        page.html
    );
    assert!(
        page.html
            .contains("1 earlier version(s) of passwords could not be opened")
    );
}

#[tokio::test]
async fn a_change_that_fails_at_its_last_step_leaves_the_old_key_valid_also_after_a_restart() {
    let world = world().await;
    let file = world.vault.dir.path().join("vault.db");
    let url = format!("sqlite://{}", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    // The last thing that is written fails: everything before it was written by then.
    sqlx::raw_sql(
        "CREATE TRIGGER the_end BEFORE UPDATE OF key_parameters ON organization
         BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let before = sealed(&world).await;
    let mut browser = world.vault.signed_in().await;
    let page = change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    assert_eq!(page.status, 500);
    assert_eq!(sealed(&world).await, before);
    let token = world.person.token().to_owned();
    let dir = world.vault.stop().await;
    let person = Caller::new(&serve(dir.path()).await, Some(token));
    let wrapped = contoso(&person).await.key;
    assert!(data_key(ORGANIZATION_KEY, &wrapped).is_some());
}

struct Forgetful;

#[async_trait]
impl TokenKeeper for Forgetful {
    async fn keep(&self, _: &SecretString) -> Result<(), Cause> {
        Ok(())
    }
}

/// The agent's own vault port, with this data key.
fn port(world: &World, key: DataKey) -> PassportalVault {
    let http = HttpConfig::new(&world.vault.url).unwrap();
    let api = AgentApi::new(&http, world.agent.token().into()).unwrap();
    let identity = AgentIdentity {
        host: "host-1".to_owned(),
        version: "0.1.0".to_owned(),
        write_timeout: Duration::from_secs(30),
        interval: Duration::from_secs(45),
        instance: Uuid::new_v4(),
    };
    PassportalVault::new(api, key, identity, Arc::new(Forgetful))
}

#[tokio::test]
async fn an_agent_with_the_old_data_key_reads_nothing_and_goes_on_where_it_was_with_the_new_one() {
    let world = world().await;
    let agent = port(&world, world.client.key.clone());
    let before = agent.changes(None, Wait::No).await.unwrap();
    let mut browser = world.vault.signed_in().await;
    change(&mut browser, ORGANIZATION_KEY, NEW, NEW).await;
    for since in [None, Some(&before.cursor)] {
        let refused = agent.changes(since, Wait::No).await;
        assert!(matches!(refused, Err(VaultError::Sealed(_))), "{refused:?}");
    }
    assert!(agent.unreadable().is_empty());

    let wrapped: WrappedKey = world.agent.get("agent/key").await;
    let agent = port(&world, data_key(NEW, &wrapped).unwrap());
    let news = agent.changes(Some(&before.cursor), Wait::No).await.unwrap();
    assert!(news.credentials.is_empty());
    let (anna, version) = (CredentialId(world.anna), VaultVersion(2));
    let answer = agent.password(anna, version).await.unwrap();
    let PasswordAnswer::Current(password) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(password.expose(), "second");
}
