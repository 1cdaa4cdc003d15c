//! Snoozed flags, clearing in bulk, and the question before passwords are overwritten.

use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{
    AuditLine, Client, Credential, FlaggedCredential, SnoozedFlag, SyncMode,
};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::{Browser, Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, serve};

const EARLY: &str = "2025-01-01T00:00:00Z";
const LATE: &str = "2025-02-01T00:00:00Z";

struct World {
    vault: TestVault,
    person: Caller,
    client: TestClient,
    agent: Caller,
    anna: Uuid,
    ben: Uuid,
}

impl World {
    /// Two accounts with mismatches.
    async fn new() -> Self {
        let vault = TestVault::start().await;
        let person = vault.person().await;
        let client = TestClient::create(&person, "Contoso").await;
        let anna = client.add(&person, "anna@contoso.com", "x").await;
        let ben = client.add(&person, "ben@contoso.com", "x").await;
        let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
        let world = Self {
            vault,
            person,
            client,
            agent,
            anna,
            ben,
        };
        world.report(world.anna, mismatch(EARLY)).await;
        world.report(world.ben, mismatch(EARLY)).await;
        world
    }

    async fn report(&self, credential: Uuid, flags: Value) {
        let entry = json!({ "credential": credential, "at": EARLY, "version": 1,
            "outcome": "mismatched", "why": "they differ", "flags": flags });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
        let _: Value = self.agent.post("agent/reports", &report).await;
    }

    async fn flagged(&self) -> Vec<String> {
        let flags: Vec<FlaggedCredential> = self.person.get("vault/flags").await;
        let mut names: Vec<_> = flags.into_iter().map(|flag| flag.user_name).collect();
        names.sort();
        names
    }

    async fn snoozed(&self) -> Vec<SnoozedFlag> {
        self.person.get("vault/snoozes").await
    }

    fn snooze_path(&self) -> String {
        format!("vault/credentials/{}/flags/ad_change/snooze", self.anna)
    }

    async fn snooze_anna(&self) -> Value {
        let until = Timestamp::now() + SignedDuration::from_hours(24);
        let new = json!({ "reason": "she is on holiday", "until": until });
        self.person.put(&self.snooze_path(), &new).await
    }

    async fn said(&self) -> Vec<String> {
        let lines: Vec<AuditLine> = self.person.get("audit?what=flag").await;
        lines.into_iter().map(|line| line.what).collect()
    }

    async fn signed_in(&self) -> Browser {
        let mut browser = self.vault.browser();
        browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
        browser
    }
}

fn mismatch(stamp: &str) -> Value {
    json!({ "ad_change": { "version": 1, "stamp": stamp, "why": "they differ" } })
}

fn both() -> [String; 2] {
    ["anna@contoso.com".to_owned(), "ben@contoso.com".to_owned()]
}

#[tokio::test]
async fn a_snoozed_flag_is_down_for_the_same_fact_and_up_for_another() {
    let world = World::new().await;
    assert_eq!(world.snooze_anna().await["stood"], json!(true));
    world.report(world.anna, mismatch(EARLY)).await;
    assert_eq!(world.flagged().await, ["ben@contoso.com"]);
    let snoozed = world.snoozed().await;
    assert_eq!(
        (snoozed.len(), snoozed[0].reason.as_str()),
        (1, "she is on holiday")
    );
    assert!(world.said().await[0].starts_with("snoozed the flag ad_change until "));
    world.report(world.anna, mismatch(LATE)).await;
    assert_eq!(world.flagged().await, both());
    assert!(world.snoozed().await.is_empty());
}

#[tokio::test]
async fn a_snooze_whose_fact_is_over_leaves_nothing_behind() {
    let world = World::new().await;
    world.snooze_anna().await;
    world.report(world.anna, json!({})).await;
    assert!(world.snoozed().await.is_empty());
    world.report(world.anna, mismatch(EARLY)).await;
    assert_eq!(
        world.flagged().await,
        both(),
        "the same fact once more is news"
    );
}

#[tokio::test]
async fn a_snooze_that_a_person_ends_raises_the_flag_as_it_was() {
    let world = World::new().await;
    world.snooze_anna().await;
    let ended: Value = world.person.delete(&world.snooze_path()).await;
    assert_eq!(ended["was_snoozed"], json!(true));
    assert_eq!(world.flagged().await, both());
    assert_eq!(
        world.said().await[0],
        "ended the snooze of the flag ad_change, which stands again"
    );
    let ended: Value = world.person.delete(&world.snooze_path()).await;
    assert_eq!(ended["was_snoozed"], json!(false));
}

#[tokio::test]
async fn a_snooze_whose_time_is_over_ends_by_itself() {
    let world = World::new().await;
    world.snooze_anna().await;
    let token = world.person.token().to_owned();
    let dir = world.vault.stop().await;
    let file = format!("sqlite://{}", dir.path().join("vault.db").display());
    let mut database = SqliteConnection::connect(&file).await.unwrap();
    sqlx::query("UPDATE flag_snoozes SET until = '2025-01-01T00:00:00.000000000Z'")
        .execute(&mut database)
        .await
        .unwrap();
    database.close().await.unwrap();
    let url = serve(dir.path()).await;
    let person = Caller::new(&url, Some(token));
    let flags: Vec<FlaggedCredential> = person.get("vault/flags").await;
    assert_eq!(flags.len(), 2);
    let lines: Vec<AuditLine> = person.get("audit?who=vault&limit=1").await;
    assert!(
        lines[0].what.starts_with("ended the snooze"),
        "{}",
        lines[0].what
    );
}

#[tokio::test]
async fn a_snooze_needs_a_reason_and_an_end_within_a_year() {
    let world = World::new().await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let far = Timestamp::now() + SignedDuration::from_hours(24 * 400);
    for new in [
        json!({ "reason": "  ", "until": tomorrow }),
        json!({ "reason": "x".repeat(501), "until": tomorrow }),
        json!({ "reason": "x", "until": EARLY }),
        json!({ "reason": "x", "until": far }),
    ] {
        let refused = world
            .person
            .fails(Method::PUT, &world.snooze_path(), &new)
            .await;
        assert_eq!(refused, (422, 4022), "{new}");
    }
    assert_eq!(world.flagged().await, both());
    let new = json!({ "reason": "x", "until": tomorrow });
    let refused = world
        .agent
        .fails(Method::PUT, &world.snooze_path(), &new)
        .await;
    assert_eq!(refused, (403, 4003));
}

#[tokio::test]
async fn flags_are_cleared_and_snoozed_several_at_once_on_the_page() {
    let world = World::new().await;
    let mut browser = world.signed_in().await;
    let field = |credential: Uuid| format!("flag.{credential}.ad_change");
    let (anna, ben) = (field(world.anna), field(world.ben));

    let nothing = browser
        .submit("/flags", "/flags/selected", &[("do", "clear")])
        .await;
    assert!(nothing.html.contains("No flag is selected."));
    let chosen = [(anna.as_str(), "on"), (ben.as_str(), "on")];
    let asked = [&chosen[..], &[("do", "snooze")]].concat();
    let asked = browser.submit("/flags", "/flags/selected", &asked).await;
    assert!(asked.html.contains("Snooze flags") && asked.html.contains("ben@contoso.com"));

    let wrong = [
        &chosen[..],
        &[("reason", "a \"move\""), ("until", "2020-01-01")],
    ]
    .concat();
    let refused = browser.submit("/flags", "/flags/snooze", &wrong).await;
    assert_eq!(refused.status, 422);
    assert!(
        refused
            .html
            .contains("A snooze ends in the future, within a year.")
    );
    assert!(
        refused.html.contains("value=\"a &#34;move&#34;\"")
            && refused.html.contains("value=\"2020-01-01\"")
    );
    assert_eq!(world.flagged().await, both());

    let tomorrow = (Timestamp::now() + SignedDuration::from_hours(24))
        .strftime("%Y-%m-%d")
        .to_string();
    let right = [
        &chosen[..],
        &[("reason", "a move"), ("until", tomorrow.as_str())],
    ]
    .concat();
    let snoozed = browser.submit("/flags", "/flags/snooze", &right).await;
    assert!(
        snoozed.html.contains("Snoozed: 2 flags, until the end of"),
        "{}",
        snoozed.html
    );
    assert!(snoozed.html.contains("<td class=\"why\">a move</td>"));
    let ended = browser
        .submit("/flags", "/flags/unsnooze", &[(anna.as_str(), "on")])
        .await;
    assert!(ended.html.contains("The snooze has ended."));
    assert_eq!(world.flagged().await, ["anna@contoso.com"]);

    browser
        .submit("/flags", "/flags/unsnooze", &[(ben.as_str(), "on")])
        .await;
    let one = [(anna.as_str(), "on"), ("do", "clear")];
    let cleared = browser.submit("/flags", "/flags/selected", &one).await;
    assert!(cleared.html.contains("Cleared: 1 flag."));
    assert_eq!(world.flagged().await, ["ben@contoso.com"]);
    let other = [("do", "clear_all"), ("kind", "held")];
    browser.submit("/flags", "/flags/selected", &other).await;
    assert_eq!(world.flagged().await, ["ben@contoso.com"]);
    browser
        .submit(
            "/flags",
            "/flags/selected",
            &[("do", "clear_all"), ("kind", "")],
        )
        .await;
    assert!(world.flagged().await.is_empty());
    let foreign = [("csrf", "x"), ("do", "clear_all")];
    assert_eq!(browser.post("/flags/selected", &foreign).await.status, 403);
}

#[tokio::test]
async fn a_client_is_not_enabled_before_a_person_saw_what_would_be_overwritten() {
    let world = World::new().await;
    let at = format!("/clients/{}", world.client.id);
    let to = format!("{at}/settings");
    let mut browser = world.signed_in().await;
    let settings = |mode| {
        [
            ("sync", "entra_id"),
            ("default_mode", mode),
            ("mute", "unmuted"),
        ]
    };
    browser
        .submit(&at, &to, &settings("report_mismatches"))
        .await;
    // What is snoozed or cleared differs all the same.
    world.snooze_anna().await;

    let asked = browser.submit(&at, &to, &settings("enabled")).await;
    assert!(
        asked
            .html
            .contains("2 passwords in Entra ID would be overwritten"),
        "{}",
        asked.html
    );
    assert!(asked.html.contains("anna@contoso.com") && asked.html.contains("ben@contoso.com"));
    assert_eq!(mode(&world).await, SyncMode::ReportMismatches);

    let confirmed = [&settings("enabled")[..], &[("overwrite", "yes")]].concat();
    let saved = browser.submit(&at, &to, &confirmed).await;
    assert!(saved.html.contains("The settings were saved."));
    assert_eq!(mode(&world).await, SyncMode::Enabled);
}

async fn mode(world: &World) -> SyncMode {
    let client: Client = world
        .person
        .get(&format!("vault/clients/{}", world.client.id))
        .await;
    client.default_mode
}

#[tokio::test]
async fn a_credential_is_not_enabled_before_a_person_saw_what_would_be_overwritten() {
    let world = World::new().await;
    let at = format!("/clients/{}/credentials/{}", world.client.id, world.anna);
    let to = format!("{at}/mode");
    let own = async || {
        let anna: Credential = world
            .person
            .get(&format!("vault/credentials/{}", world.anna))
            .await;
        anna.own_mode
    };
    let mut browser = world.signed_in().await;
    browser
        .submit(&at, &to, &[("mode", "report_mismatches")])
        .await;
    for choice in ["enabled", "inherit"] {
        let asked = browser.submit(&at, &to, &[("mode", choice)]).await;
        assert!(
            asked
                .html
                .contains("1 password in Entra ID would be overwritten"),
            "{}",
            asked.html
        );
        assert_eq!(own().await, Some(SyncMode::ReportMismatches));
    }
    browser
        .submit(&at, &to, &[("mode", "enabled"), ("overwrite", "yes")])
        .await;
    assert_eq!(own().await, Some(SyncMode::Enabled));
}
