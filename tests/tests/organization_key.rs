//! The organization key is changed while an agent works: it stops without a word to anybody's account, and goes on with the new
//! data key where it was.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use agent_bin::advice;
use agent_bin::control::{AgentTold, AgentWant, ClientTurn, Place, Service};
use agent_bin::new_organization_key::{self, DataKeyNow, NewKeyError};
use entra_sim::UserSpec;
use integration_tests::{
    ADMIN_EMAIL, ADMIN_PASSWORD, CLIENT, ORGANIZATION_KEY, RunningAgent, World, eventually,
};
use passportal_client::envelope::{self, DataKey, Field, OrganizationKey};
use passportal_client::wire::{FlagQuery, NewPassword, SyncMode};
use sync_engine::model::Password;
use uuid::Uuid;

const ANNA: &str = "anna@contoso.com";
const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
const NEW: &str = "another organization key";

/// A browser without JavaScript: cookies, and forms with the text that they carry.
struct Browser {
    url: String,
    http: reqwest::Client,
    cookies: Vec<String>,
}

impl Browser {
    fn of(world: &World) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy();
        Self {
            url: world.vault_url.clone(),
            http: http.build().unwrap(),
            cookies: Vec::new(),
        }
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> String {
        let request = request.header("cookie", self.cookies.join("; "));
        let answer = request.send().await.unwrap();
        for set in answer.headers().get_all("set-cookie") {
            let cookie = set.to_str().unwrap().split(';').next().unwrap();
            let name = cookie.split('=').next().unwrap();
            self.cookies.retain(|it| !it.starts_with(name));
            self.cookies.push(cookie.to_owned());
        }
        answer.text().await.unwrap()
    }

    async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> String {
        let address = format!("{}{path}", self.url);
        let html = self.send(self.http.get(&address)).await;
        let (_, rest) = html.split_once("name=\"csrf\" value=\"").unwrap();
        let csrf = rest.split('"').next().unwrap();
        let fields = [&[("csrf", csrf)], fields].concat();
        let request = self.http.post(&address).form(&fields);
        self.send(request).await
    }
}

async fn change_organization_key(world: &World) {
    let mut browser = Browser::of(world);
    let sign_in = [
        ("email", ADMIN_EMAIL),
        ("password", ADMIN_PASSWORD),
        ("organization_key", ORGANIZATION_KEY),
    ];
    browser.submit("/login", &sign_in).await;
    let change = [
        ("password", ADMIN_PASSWORD),
        ("organization_key", ORGANIZATION_KEY),
        ("new_key", NEW),
        ("repeated", NEW),
    ];
    let html = browser.submit("/organization-key", &change).await;
    assert!(html.contains("The organization key was changed"), "{html}");
}

/// A person types a password, sealed with what the new organization key opens.
async fn type_password(world: &World, id: Uuid, password: &str) {
    let wrapped = world.person.client(world.client.id).await.unwrap().key;
    let kek = OrganizationKey::new(NEW).derive(&wrapped.parameters);
    let key = DataKey::unwrap(&kek.unwrap(), &wrapped).unwrap();
    let place = envelope::Place {
        credential: id,
        field: Field::Password,
        version: 2,
        user_name: ANNA,
    };
    let new = NewPassword {
        version: 2,
        sealed: key.seal(&place, &Password::new(password)),
        user_name: None,
    };
    world.person.set_password(id, &new).await.unwrap();
}

async fn is_ready(agent: &RunningAgent) -> bool {
    agent.get("/readyz").await.unwrap().0 == 200
}

/// Cycles of the agent that failed.
async fn failed_cycles(agent: &RunningAgent) -> u64 {
    let metrics = agent.get("/metrics").await.unwrap().1;
    let is_meant = |line: &&str| line.contains("cycles_total{") && line.contains("\"failed\"");
    let count = metrics.lines().find(is_meant);
    let count = count.and_then(|line| line.rsplit(' ').next());
    count.map_or(0, |count| count.parse().unwrap())
}

async fn give(world: &World, key: &str) -> Result<DataKeyNow, NewKeyError> {
    let config = world.config().unwrap();
    let client = config.clients.first().unwrap();
    new_organization_key::run(&config, client, &key.into()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_stops_until_it_has_the_new_data_key_and_then_goes_on_where_it_was() {
    let anna = UserSpec::new(ANNA, FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    let anna = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap().id;
    world.enrol().await.unwrap();
    let agent = world.run_agent_of_file().await.unwrap();
    let ready = async || is_ready(&agent).await;
    eventually("the agent is ready", ready).await.unwrap();

    change_organization_key(&world).await;
    type_password(&world, anna, SECOND).await;
    let stopped = async || failed_cycles(&agent).await > 0;
    eventually("the agent notices", stopped).await.unwrap();
    assert_eq!(world.writes(), 0);
    let flags = world.person.flags(&FlagQuery::default()).await.unwrap();
    assert!(flags.is_empty(), "no account is blamed: {flags:?}");

    let wrong = give(&world, ORGANIZATION_KEY).await.unwrap_err();
    assert!(matches!(wrong, NewKeyError::OrganizationKey(_)));
    assert!(advice::is_not_authorised(&wrong));
    assert_eq!(give(&world, NEW).await.unwrap(), DataKeyNow::New);
    assert_eq!(give(&world, NEW).await.unwrap(), DataKeyNow::AsBefore);
    let place = Place::of(&world.config().unwrap()).unwrap();
    let service = Service::find(place).await.unwrap().unwrap();
    let AgentTold::Reloaded(reloaded) = service.ask_agent(AgentWant::Reload).await.unwrap() else {
        panic!("not reloaded");
    };
    let turns: Vec<_> = reloaded
        .clients
        .iter()
        .map(|it| (it.client.as_str(), &it.turn))
        .collect();
    assert_eq!(turns, [(CLIENT, &ClientTurn::Changed)]);

    let written = async || world.entra_has(ANNA, SECOND);
    eventually("the second is in Entra ID", written)
        .await
        .unwrap();
    eventually("the agent is ready", ready).await.unwrap();
    assert_eq!(world.writes(), 1);
    agent.stop().await.unwrap();
}
