//! The service's own audit log as evidence: each write of the agent is one entry of the agent's app, and a foreign reset is
//! somebody else's.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use entra_sim::{AppSpec, UserSpec};
use integration_tests::{APP, TENANT, World};
use passportal_client::wire::SyncMode;
use serde_json::Value;
use sync_engine::ports::Wait;
use sync_engine::{Engine, Unwatched};
use uuid::{Uuid, uuid};

const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
const NAMES: [&str; 3] = ["anna@contoso.com", "ben@contoso.com", "eva@contoso.com"];
const AUDITOR: Uuid = uuid!("00000000-0000-0000-0000-00000000a0d1");
const AUDITOR_SECRET: &str = "Auditor~Secret~0123456789";

/// A reset as the audit log tells it: who did it, and to whom.
#[derive(Debug, PartialEq, Eq)]
struct Reset {
    /// The application's id; none where a user did it.
    app: Option<String>,
    target: String,
}

impl Reset {
    fn of(entry: &Value) -> Self {
        assert_eq!(entry["result"], "success");
        let app = entry["initiatedBy"]["app"]["appId"].as_str();
        assert_ne!(app.is_some(), entry["initiatedBy"]["user"].is_object());
        let target = &entry["targetResources"][0]["userPrincipalName"];
        Self {
            app: app.map(str::to_owned),
            target: target.as_str().unwrap().to_owned(),
        }
    }

    fn by_the_agent(target: &str) -> Self {
        Self {
            app: Some(APP.to_string()),
            target: target.to_owned(),
        }
    }
}

/// A world in which somebody may read the audit log.
async fn audited() -> World {
    let auditor = AppSpec::confidential(AUDITOR, AUDITOR_SECRET)
        .permissions(&["AuditLog.Read.All", "Directory.Read.All"]);
    let users = NAMES.map(|name| UserSpec::new(name, FIRST));
    let builder = World::builder().users(users).further_app(auditor);
    builder.start().await.unwrap()
}

/// Every reset so far, the oldest first, read by an app that is not the agent's.
async fn resets(world: &World) -> Vec<Reset> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &AUDITOR.to_string()),
        ("client_secret", AUDITOR_SECRET),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", world.entra_url);
    let token = http.post(url).form(&form).send().await.unwrap();
    let token: Value = token.json().await.unwrap();
    let url = format!("{}/v1.0/auditLogs/directoryAudits", world.entra_url);
    let answer = http
        .get(url)
        .query(&[("$filter", "activityDisplayName eq 'Reset user password'")])
        .bearer_auth(token["access_token"].as_str().unwrap());
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    let entries = answer["value"].as_array().unwrap();
    entries.iter().rev().map(Reset::of).collect()
}

async fn cycle(engine: &mut Engine) {
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
}

#[tokio::test]
async fn each_write_is_one_entry_of_the_agents_app_and_a_foreign_reset_is_anothers() {
    let world = audited().await;
    let mut ids = Vec::new();
    for name in NAMES {
        ids.push(world.add(name, FIRST, SyncMode::Enabled).await.unwrap().id);
    }
    world.enrol().await.unwrap();
    let agents = world.agents().await.unwrap();
    let mut engine = agents.clients[0].engine();
    cycle(&mut engine).await;
    assert_eq!(resets(&world).await, [], "both sides agreed already");

    let [anna, others @ ..] = NAMES;
    world.simulator.set_password(TENANT, anna, SECOND).unwrap();
    cycle(&mut engine).await;
    let foreign = Reset {
        app: None,
        target: anna.to_owned(),
    };
    let told = resets(&world).await;
    assert_eq!(told, [foreign, Reset::by_the_agent(anna)]);
    assert_eq!(world.writes(), 1);

    for id in ids.into_iter().skip(1) {
        world.type_password(id, SECOND).await.unwrap();
    }
    cycle(&mut engine).await;
    let mut together = resets(&world).await.split_off(2);
    together.sort_by(|one, other| one.target.cmp(&other.target));
    assert_eq!(together, others.map(Reset::by_the_agent));
    assert_eq!(world.writes(), 3);

    cycle(&mut engine).await;
    assert_eq!(resets(&world).await.len(), 4, "nothing is left to do");
}
