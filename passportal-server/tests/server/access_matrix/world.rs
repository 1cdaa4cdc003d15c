//! A vault with two clients, and one caller: the first client is their own.

use passportal_client::wire::{Client, Enrolled, InvitationLink, SessionToken};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::callers::{Access, SetUpSync, Who};
use super::requests::{Body, Recipe};
use crate::sign_in::Key;
use crate::support::{
    Browser, Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, plain_http,
};

const BEA: &str = "bea@msp.example";

/// The ids of one client and of what belongs to it.
#[derive(Clone)]
pub(super) struct Ids {
    client: Uuid,
    credential: Uuid,
    plans: [Uuid; 4],
    agents: [Uuid; 2],
    /// Somebody else, and invitations: they belong to no client.
    person: Uuid,
    invitations: [Uuid; 2],
    /// The stored password as it is, and the client's wrapped data key.
    sealed: String,
    wrapped: String,
}

pub(super) struct World {
    vault: TestVault,
    own: Ids,
    foreign: Ids,
    made_up: Ids,
    token: Option<String>,
    is_person: bool,
    browser: Browser,
    http: reqwest::Client,
    csrf: String,
}

impl World {
    pub(super) async fn new(who: Who) -> Self {
        let vault = TestVault::start().await;
        let admin = vault.person().await;
        let (own, agent) = client(&vault, &admin, "Contoso").await;
        let (foreign, _) = client(&vault, &admin, "Fabrikam").await;
        let made_up = made_up(&foreign);
        let mut world = Self {
            browser: vault.browser(),
            http: plain_http(),
            vault,
            own,
            foreign,
            made_up,
            token: None,
            is_person: matches!(who, Who::Person(..)),
            csrf: String::new(),
        };
        match who {
            Who::Nobody => {}
            Who::Agent => world.token = Some(agent.token().to_owned()),
            Who::ApiKey => world.token = Some(api_token(&world.vault).await),
            Who::Person(role, access, set_up_sync) => {
                world
                    .add_bea(&admin, role.name(), access, set_up_sync)
                    .await;
                world.sign_in().await;
            }
        }
        world
    }

    async fn add_bea(&self, admin: &Caller, role: &str, access: Access, set_up_sync: SetUpSync) {
        let id = add_person(&self.vault, BEA, role).await;
        let access = match access {
            Access::All => json!("all"),
            Access::Assigned => json!({ "assigned": [self.own.client] }),
        };
        let patch = json!({ "access": access, "set_up_sync": set_up_sync == SetUpSync::With });
        let _: Value = admin.patch(&format!("vault/people/{id}"), &patch).await;
    }

    /// A person signs in once more: what is to come ends the session.
    pub(super) async fn sign_in_again(&mut self) {
        if self.is_person {
            self.sign_in().await;
        }
    }

    async fn sign_in(&mut self) {
        let body = json!({ "email": BEA, "password": PASSWORD });
        let session: SessionToken = self.vault.anyone().post("auth/session", &body).await;
        self.token = Some(session.access_token);
        let fields = [
            ("email", BEA),
            ("password", PASSWORD),
            ("organization_key", ORGANIZATION_KEY),
        ];
        let home = self.browser.submit("/login", "/login", &fields).await;
        self.csrf = home.csrf();
    }

    /// Own ids, another client's and made-up ones, and another client's below one's own; once where the request has none.
    pub(super) fn each_ids(&self, recipe: &Recipe) -> Vec<Ids> {
        let mut ids = vec![self.own.clone()];
        if recipe.has_ids() {
            ids.extend([self.foreign.clone(), self.made_up.clone()]);
        }
        if recipe.nests() {
            ids.push(Ids {
                client: self.own.client,
                ..self.foreign.clone()
            });
        }
        ids
    }

    /// The status of the answer, or `login` where it leads there.
    pub(super) async fn ask(&mut self, recipe: &Recipe, ids: &Ids) -> String {
        let url = format!("{}{}", self.vault.url, ids.fill(&recipe.path));
        let request = self.http.request(recipe.method.clone(), url);
        let request = match &self.token {
            Some(token) => request.header("x-access-token", token),
            None => request,
        };
        let request = self.with_body(request, &recipe.body, ids);
        let answer = self.browser.send(request).await;
        match answer.location.as_deref() {
            Some("/login") => "login".to_owned(),
            _ => answer.status.to_string(),
        }
    }

    fn with_body(&self, request: RequestBuilder, body: &Body, ids: &Ids) -> RequestBuilder {
        match body {
            Body::Empty => request,
            Body::Json(text) => request
                .header("content-type", "application/json")
                .body(ids.fill(text)),
            Body::Form(text) => request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("csrf={}&{}", self.csrf, ids.fill(text))),
            Body::File(text) => request
                .header("content-type", "multipart/form-data; boundary=edge")
                .body(format!(
                    "--edge\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n\
                     --edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\
                     {text}\r\n--edge--\r\n",
                    self.csrf
                )),
        }
    }
}

impl Ids {
    fn fill(&self, text: &str) -> String {
        let new = Uuid::new_v4().to_string();
        let tomorrow = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
        let wrapped = self.wrapped.replace(&self.client.to_string(), &new);
        let mut text = text
            .replace("{wrapped}", &wrapped)
            .replace("{new}", &new)
            .replace("{client}", &self.client.to_string())
            .replace("{credential}", &self.credential.to_string())
            .replace("{person}", &self.person.to_string())
            .replace("{sealed}", &self.sealed)
            .replace("{tomorrow}", &tomorrow.to_string())
            .replace("{day}", &tomorrow.strftime("%Y-%m-%d").to_string());
        for (place, plan) in self.plans.iter().enumerate() {
            text = text.replace(&format!("{{plan_{place}}}"), &plan.to_string());
        }
        for (place, agent) in self.agents.iter().enumerate() {
            text = text.replace(&format!("{{agent_{place}}}"), &agent.to_string());
        }
        for (place, invitation) in self.invitations.iter().enumerate() {
            text = text.replace(&format!("{{invitation_{place}}}"), &invitation.to_string());
        }
        text
    }
}

/// A client with a credential, four plans that wait, the agent that shows them, and two that only are there.
async fn client(vault: &TestVault, admin: &Caller, name: &str) -> (Ids, Caller) {
    let client = TestClient::create(admin, name).await;
    let user_name = "anna@contoso.com";
    let credential = client.add(admin, user_name, "x").await;
    let agent = vault.with_token(&client.enrol(admin, "host-0").await.token);
    let plans = [0; 4].map(|_: u8| Uuid::new_v4());
    show(&agent, &plans, credential).await;
    let first: Enrolled = client.enrol(admin, "host-1").await;
    let second: Enrolled = client.enrol(admin, "host-2").await;
    let secrets: Value = admin
        .post(
            &format!("vault/credentials/{credential}/secrets"),
            &json!({}),
        )
        .await;
    let stored: Client = admin.get(&format!("vault/clients/{}", client.id)).await;
    let ids = Ids {
        client: client.id,
        credential,
        plans,
        agents: [first.agent, second.agent],
        person: add_person(vault, &format!("{name}@msp.example"), "technician").await,
        invitations: [invite(admin).await, invite(admin).await],
        sealed: secrets["sealed"].as_str().unwrap().to_owned(),
        wrapped: serde_json::to_string(&stored.key).unwrap(),
    };
    (ids, agent)
}

async fn show(agent: &Caller, plans: &[Uuid], credential: Uuid) {
    let instance = Uuid::from_u128(1);
    let heartbeat = json!({ "version": "0.1.0", "host": "host-0", "state": "running",
        "write_timeout_seconds": 0, "instance": instance });
    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
    let plan = |id: &Uuid| {
        json!({ "id": id, "at": "2025-01-01T00:00:00Z", "allowed": 3, "total": 1,
            "standing": { "state": "waiting" }, "writes": [{ "credential": credential,
            "user_name": "anna@contoso.com", "version": 1, "mode": "enabled", "why": "because",
            "object": Uuid::from_u128(0xB) }] })
    };
    let plans: Vec<Value> = plans.iter().map(plan).collect();
    let shown = json!({ "plans": plans, "instance": instance });
    let _: Value = agent.put("agent/plans", &shown).await;
}

/// Ids that nothing has.
fn made_up(like: &Ids) -> Ids {
    Ids {
        client: Uuid::new_v4(),
        credential: Uuid::new_v4(),
        plans: like.plans.map(|_| Uuid::new_v4()),
        agents: like.agents.map(|_| Uuid::new_v4()),
        person: Uuid::new_v4(),
        invitations: like.invitations.map(|_| Uuid::new_v4()),
        ..like.clone()
    }
}

/// Somebody with the first person's password: choosing one takes long, and is not what this is about.
async fn add_person(vault: &TestVault, email: &str, role: &str) -> Uuid {
    let id = Uuid::new_v4();
    sqlx::query(
        "INSERT INTO admins (id, email, password_hash, created, role)
         SELECT ?, ?, password_hash, created, ? FROM admins LIMIT 1",
    )
    .bind(id.to_string())
    .bind(email)
    .bind(role)
    .execute(&mut vault.database().await)
    .await
    .unwrap();
    id
}

async fn invite(admin: &Caller) -> Uuid {
    let email = format!("{}@msp.example", Uuid::new_v4());
    let new = json!({ "email": email, "role": "technician" });
    let made: InvitationLink = admin.post("vault/people/invitations", &new).await;
    made.invitation.id
}

async fn api_token(vault: &TestVault) -> String {
    let key = Key::create(vault).await;
    let request = key.request(&vault.anyone(), &key.sign("x"));
    let body = json!({ "scope": "docs_api", "content": "x" });
    let answer: Value = request
        .json(&body)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}
