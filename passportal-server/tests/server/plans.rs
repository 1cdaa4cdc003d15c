//! Held plans: shown by the agent that leads, ruled on once by one person.

use std::time::{Duration, Instant};

use passportal_client::wire::{
    Client, Credential, Enrolled, HistoryEntry, Plan, PlanDetails, PlanRuling, PlanStanding,
    Ruling, SessionToken, ShownPlans,
};
use passportal_server::Server;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use uuid::Uuid;

use crate::support::{Caller, EMAIL, PASSWORD, TestClient, TestVault, config};

const BEA: &str = "bea@msp.example";

struct World {
    vault: TestVault,
    person: Caller,
    client: TestClient,
    enrolled: Enrolled,
    agent: Caller,
    anna: Uuid,
}

impl World {
    /// One agent that leads, and one credential.
    async fn new() -> Self {
        let vault = TestVault::start().await;
        let person = vault.person().await;
        let client = TestClient::create(&person, "Contoso").await;
        let anna = client.add(&person, "anna@contoso.com", "x").await;
        let enrolled = client.enrol(&person, "host-1").await;
        let agent = vault.with_token(&enrolled.token);
        lead(&agent, "running").await;
        Self {
            vault,
            person,
            client,
            enrolled,
            agent,
            anna,
        }
    }

    fn plan(&self, id: u128) -> Value {
        plan(id, &[self.write()])
    }

    fn write(&self) -> Value {
        write(self.anna)
    }

    async fn show(&self, plans: &[Value]) {
        let _: Value = self.agent.put("agent/plans", &shown(plans)).await;
    }

    async fn refused(&self, plans: &[Value]) -> (u16, u64) {
        let body = shown(plans);
        self.agent.fails(Method::PUT, "agent/plans", &body).await
    }

    async fn plans(&self) -> Vec<Plan> {
        self.person.get("plans").await
    }

    async fn read(&self, id: u128) -> PlanDetails {
        self.person.get(&format!("plans/{}", uuid(id))).await
    }

    async fn approve(&self, id: u128) -> Plan {
        let path = format!("plans/{}/approval", uuid(id));
        self.person.post(&path, &json!({})).await
    }

    /// What the vault answers to a word that comes too late.
    async fn too_late(&self, id: u128, word: &str) -> String {
        let path = format!("plans/{}/{word}", uuid(id));
        let answer = self.person.request(Method::POST, &path).send().await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 409);
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["code"], 4009);
        body["message"].as_str().unwrap().to_owned()
    }

    /// As the process that leads reads them.
    async fn rulings(&self) -> Vec<PlanRuling> {
        self.rulings_for(PROCESS).await
    }

    async fn rulings_for(&self, process: u128) -> Vec<PlanRuling> {
        let query = format!("instance={}", uuid(process));
        self.agent.changes(&query).await.rulings
    }

    async fn database(&self) -> SqliteConnection {
        let file = self.vault.dir.path().join("vault.db");
        let url = format!("sqlite://{}", file.display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    /// A second administrator.
    async fn bea(&self) -> Caller {
        sqlx::query(
            "INSERT INTO admins (id, email, password_hash, created)
             SELECT ?, ?, password_hash, created FROM admins",
        )
        .bind(Uuid::new_v4().to_string())
        .bind(BEA)
        .execute(&mut self.database().await)
        .await
        .unwrap();
        let body = json!({ "email": BEA, "password": PASSWORD });
        let session: SessionToken = self.vault.anyone().post("auth/session", &body).await;
        self.vault.with_token(&session.access_token)
    }

    async fn report(&self, outcome: &str) {
        let entry = json!({ "credential": self.anna, "at": jiff::Timestamp::now(), "version": 1,
            "outcome": outcome, "why": "because", "flags": {} });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry], "instance": uuid(PROCESS) });
        let _: Value = self.agent.post("agent/reports", &report).await;
    }

    async fn approvers(&self) -> Vec<Option<String>> {
        let path = format!("vault/credentials/{}/history", self.anna);
        let history: Vec<HistoryEntry> = self.person.get(&path).await;
        history.into_iter().map(|line| line.approved_by).collect()
    }
}

/// The process that leads.
const PROCESS: u128 = 0xA1;

async fn lead(agent: &Caller, state: &str) {
    lead_as(agent, PROCESS, state).await;
}

async fn lead_as(agent: &Caller, process: u128, state: &str) {
    let heartbeat = json!({ "version": "0.1.0", "host": "host", "state": state,
        "write_timeout_seconds": 0, "instance": uuid(process) });
    let _: Value = agent.post("agent/heartbeat", &heartbeat).await;
}

fn shown(plans: &[Value]) -> Value {
    json!({ "plans": plans, "instance": uuid(PROCESS) })
}

fn uuid(id: u128) -> Uuid {
    Uuid::from_u128(id)
}

fn write(credential: Uuid) -> Value {
    json!({ "credential": credential, "user_name": "anna@contoso.com", "version": 1,
        "mode": "enabled", "why": "the password changed in the vault", "object": uuid(0xB),
        "stamp": "2025-01-01T00:00:00Z" })
}

fn plan(id: u128, writes: &[Value]) -> Value {
    json!({ "id": uuid(id), "at": "2025-01-01T00:00:00Z", "allowed": 3, "total": writes.len(),
        "writes": writes, "standing": { "state": "waiting" } })
}

fn with(mut plan: Value, field: &str, value: Value) -> Value {
    plan[field] = value;
    plan
}

fn said(state: &str) -> Value {
    json!({ "state": state, "by": "root", "at": jiff::Timestamp::now() })
}

#[tokio::test]
async fn a_shown_plan_waits_with_every_write() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;

    let plans = world.plans().await;
    assert_eq!(plans.len(), 1);
    assert!(plans[0].is_waiting());
    assert_eq!((plans[0].allowed, plans[0].total), (3, 1));
    assert_eq!(plans[0].client_name, "Contoso");
    let details = world.read(1).await;
    assert_eq!(details.plan, plans[0]);
    assert_eq!(json!(details.writes), json!([world.write()]));

    let path = format!("vault/clients/{}", world.client.id);
    let client: Client = world.person.get(&path).await;
    assert_eq!(client.waiting_writes, 1);
    let path = format!("plans?client={}", world.vault.made.company_vault);
    let elsewhere: Vec<Plan> = world.person.get(&path).await;
    assert!(elsewhere.is_empty());

    world.show(&[]).await;
    assert!(world.plans().await.is_empty());
    let client: Client = world
        .person
        .get(&format!("vault/clients/{}", world.client.id))
        .await;
    assert_eq!(client.waiting_writes, 0);
}

#[tokio::test]
async fn an_approval_wakes_the_long_poll_and_comes_with_every_answer() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let cursor = world.agent.changes("").await.cursor;
    let agent = world.agent.clone();
    let poll = tokio::spawn(async move {
        let changes = agent
            .changes(&format!(
                "cursor={cursor}&wait=60&instance={}",
                uuid(PROCESS)
            ))
            .await;
        (changes, Instant::now())
    });
    let approved = world.approve(1).await;
    let ruled = Instant::now();
    assert!(matches!(&approved.standing, PlanStanding::Approved(it) if it.by == EMAIL));
    assert_eq!(approved.heard, None);

    let (changes, answered) = poll.await.unwrap();
    assert!(answered.saturating_duration_since(ruled) < Duration::from_secs(10));
    let ruling = &changes.rulings[0];
    assert_eq!((ruling.plan, ruling.ruling), (uuid(1), Ruling::Approve));
    assert_eq!(ruling.by, EMAIL);
    assert!(world.read(1).await.plan.heard.is_some());
    let again = world
        .agent
        .changes(&format!("cursor={}", changes.cursor))
        .await;
    assert_eq!(again.rulings, changes.rulings);
}

#[tokio::test]
async fn a_word_about_a_plan_is_given_once_and_outlives_the_server() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let path = format!("plans/{}/rejection", uuid(1));
    let rejected: Plan = world.person.post(&path, &json!({})).await;
    assert!(matches!(rejected.standing, PlanStanding::Rejected(_)));
    let message = world.too_late(1, "approval").await;
    assert!(
        message.starts_with("ada@msp.example rejected this plan already"),
        "{message}"
    );
    world.too_late(1, "rejection").await;
    let changed = sqlx::query("UPDATE plans SET ruling = 'approve'")
        .execute(&mut world.database().await)
        .await;
    assert!(changed.unwrap_err().to_string().contains("never changes"));

    let audited: Vec<(String, String, String)> =
        sqlx::query_as("SELECT who, what, subject FROM audit WHERE what LIKE '%plan%'")
            .fetch_all(&mut world.database().await)
            .await
            .unwrap();
    let expected = (EMAIL, "rejected a plan of 1 writes", uuid(1).to_string());
    let expected = (expected.0.to_owned(), expected.1.to_owned(), expected.2);
    assert_eq!(audited, [expected]);

    let (token, before) = (world.enrolled.token.clone(), world.rulings().await);
    let dir = world.vault.stop().await;
    let server = Server::bind(config(dir.path())).await.unwrap();
    let url = server.url();
    let running = tokio::spawn(server.run(std::future::pending()));
    let agent = Caller::new(&url, Some(token));
    assert_eq!(agent.changes("").await.rulings, before);
    assert_eq!(before[0].ruling, Ruling::Reject);
    running.abort();
}

#[tokio::test]
async fn of_two_persons_at_once_one_rules() {
    let world = World::new().await;
    let bea = world.bea().await;
    let plans: Vec<_> = (0..8).map(|id| world.plan(id)).collect();
    world.show(&plans).await;
    for id in 0..8 {
        let approval = format!("plans/{}/approval", uuid(id));
        let rejection = format!("plans/{}/rejection", uuid(id));
        let (ada, bea) = tokio::join!(
            world.person.request(Method::POST, &approval).send(),
            bea.request(Method::POST, &rejection).send(),
        );
        let (ada, bea) = (ada.unwrap().status(), bea.unwrap().status());
        let winner = match (ada.as_u16(), bea.as_u16()) {
            (200, 409) => EMAIL,
            (409, 200) => BEA,
            other => panic!("{other:?}"),
        };
        let rulings = world.rulings().await;
        let ruling = rulings.iter().find(|it| it.plan == uuid(id)).unwrap();
        assert_eq!(ruling.by, winner);
        assert_eq!(ruling.ruling == Ruling::Approve, winner == EMAIL);
    }
}

#[tokio::test]
async fn a_replaced_plan_is_expired() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    world.show(&[world.plan(2)]).await;
    let message = world.too_late(1, "approval").await;
    let expected = format!(
        "the plan expired: the world has moved on since it was made; the plan {} waits now",
        uuid(2)
    );
    assert_eq!(message, expected);
    let expired = world.read(1).await;
    assert!(expired.plan.ended.is_some() && expired.writes.is_empty());
    assert_eq!(world.plans().await.len(), 1);
    assert!(world.rulings().await.is_empty());

    world.show(&[]).await;
    let message = world.too_late(2, "rejection").await;
    assert!(message.ends_with("no plan of this client waits now"));
    let unknown = format!("plans/{}/approval", uuid(3));
    let answer = world.person.fails(Method::POST, &unknown, &json!({})).await;
    assert_eq!(answer, (404, 4004));

    world.show(&[world.plan(1)]).await;
    assert_eq!(world.read(1).await.writes.len(), 1, "an agent came back");
    world.approve(1).await;
}

#[tokio::test]
async fn an_id_stands_for_the_same_writes_for_ever() {
    let world = World::new().await;
    let shown = world.plan(1);
    world.show(std::slice::from_ref(&shown)).await;
    for other in [
        plan(1, &[with(world.write(), "version", json!(2))]),
        plan(1, &[]),
        with(shown.clone(), "total", json!(2)),
    ] {
        assert_eq!(world.refused(&[other]).await, (422, 4022));
    }
    assert_eq!(world.read(1).await.writes[0].version, 1);
    // As an agent of another version words it.
    let reworded = with(world.write(), "why", json!("somebody typed a new one"));
    world.show(&[plan(1, &[reworded])]).await;
    assert_eq!(json!(world.read(1).await.writes), json!([world.write()]));
    world
        .show(&[with(shown, "standing", said("approved"))])
        .await;
}

#[tokio::test]
async fn only_the_process_that_leads_shows_plans() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let other = world.client.enrol(&world.person, "host-2").await;
    let other = world.vault.with_token(&other.token);
    let none = shown(&[]);
    let refused = other.fails(Method::PUT, "agent/plans", &none).await;
    assert_eq!(refused, (409, 4009));
    let copy = json!({ "plans": [], "instance": uuid(7) });
    let refused = world.agent.fails(Method::PUT, "agent/plans", &copy).await;
    assert_eq!(refused, (409, 4009), "a copy of the agent");
    assert_eq!(world.plans().await.len(), 1);

    lead(&world.agent, "stopping").await;
    lead(&other, "running").await;
    assert_eq!(world.refused(&[]).await, (409, 4009));
    let _: Value = other.put("agent/plans", &none).await;
    assert!(world.plans().await.is_empty());
}

#[tokio::test]
async fn what_a_revoked_agent_showed_waits_no_more() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let path = format!("agent/enrolments/{}", world.enrolled.agent);
    let _: Value = world.person.delete(&path).await;
    assert!(world.plans().await.is_empty());
    world.too_late(1, "approval").await;
    assert_eq!(world.refused(&[]).await, (401, 1006));
}

#[tokio::test]
async fn only_the_organizations_people_rule() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let stranger = TestVault::start().await.person().await;
    let stranger = world.vault.with_token(stranger.token());
    let paths = [
        (Method::GET, "plans".to_owned()),
        (Method::GET, format!("plans/{}", uuid(1))),
        (Method::POST, format!("plans/{}/approval", uuid(1))),
        (Method::POST, format!("plans/{}/rejection", uuid(1))),
    ];
    for (method, path) in paths {
        for (caller, expected) in [
            (&world.agent, (403, 4003)),
            (&stranger, (401, 1006)),
            (&world.vault.anyone(), (401, 1006)),
        ] {
            let answer = caller.fails(method.clone(), &path, &json!({})).await;
            assert_eq!(answer, expected, "{method} {path}");
        }
    }
    let body = shown(&[]);
    let refused = world.person.fails(Method::PUT, "agent/plans", &body).await;
    assert_eq!(refused, (403, 4003));
    assert!(world.plans().await[0].is_waiting());
}

#[tokio::test]
async fn an_agent_has_no_part_in_another_clients_plans() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    let fabrikam = TestClient::create(&world.person, "Fabrikam").await;
    let theirs = fabrikam.add(&world.person, "bob@fabrikam.com", "x").await;
    let other = fabrikam.enrol(&world.person, "host-2").await;
    let other = world.vault.with_token(&other.token);
    lead(&other, "running").await;
    for foreign in [world.plan(1), plan(2, &[write(world.anna)])] {
        let body = shown(&[foreign]);
        let refused = other.fails(Method::PUT, "agent/plans", &body).await;
        assert_eq!(refused, (422, 4022));
    }
    let body = shown(&[plan(2, &[write(theirs)])]);
    let _: Value = other.put("agent/plans", &body).await;
    assert_eq!(world.plans().await.len(), 2);
    world.approve(1).await;
    assert!(other.changes("").await.rulings.is_empty());
    assert_eq!(world.rulings().await.len(), 1);
}

#[tokio::test]
async fn what_is_not_a_set_of_plans_is_refused() {
    let world = World::new().await;
    let many: Vec<_> = (0..=20).map(|id| plan(id, &[])).collect();
    assert_eq!(world.refused(&many).await, (422, 4022));
    world.show(&many[..ShownPlans::PLANS_MOST]).await;
    let long = with(world.write(), "user_name", json!("x".repeat(501)));
    let nobody = write(Uuid::new_v4());
    for refused in [
        vec![world.plan(1), world.plan(1)],
        vec![with(world.plan(30), "total", json!(0))],
        vec![plan(30, &[long])],
        vec![plan(30, &[nobody])],
    ] {
        assert_eq!(world.refused(&refused).await, (422, 4022), "{refused:?}");
    }
    assert_eq!(world.plans().await.len(), 20, "all or nothing");
}

#[tokio::test]
async fn a_mass_change_of_thousands_is_shown_whole() {
    let world = World::new().await;
    let count = 20_000;
    let writes = vec![world.write(); count];
    let body = shown(&[plan(1, &writes)]);
    assert!(
        body.to_string().len() > 4 * 1024 * 1024,
        "more than other calls may"
    );
    let _: Value = world.agent.put("agent/plans", &body).await;
    let details = world.read(1).await;
    assert_eq!(details.writes.len(), count);
    assert_eq!(details.plan.total, count as u64);
}

#[tokio::test]
async fn what_was_said_at_the_agent_is_shown_and_final() {
    let world = World::new().await;
    let approved = with(world.plan(1), "standing", said("approved"));
    world.show(&[approved]).await;
    let plan = world.read(1).await.plan;
    assert!(matches!(&plan.standing, PlanStanding::Approved(it) if it.by == "root (at the agent)"));
    assert!(plan.heard.is_some());
    let message = world.too_late(1, "rejection").await;
    assert!(message.starts_with("root (at the agent) approved this plan already"));
    assert!(world.rulings().await.is_empty(), "the agent knows");
    world.report("pushed").await;
    world.show(&[]).await;
    assert_eq!(world.read(1).await.writes.len(), 1, "kept for the record");
    let root = "root (at the agent)".to_owned();
    assert_eq!(world.approvers().await, [Some(root)]);
}

#[tokio::test]
async fn a_word_that_came_second_at_the_agent_is_not_in_force() {
    let world = World::new().await;
    world.show(&[world.plan(1), world.plan(2)]).await;
    world.approve(1).await;
    world.approve(2).await;
    let first = with(world.plan(1), "standing", said("rejected"));
    let same = with(world.plan(2), "standing", said("approved"));
    world.show(&[first, same]).await;
    let standing = world.read(1).await.plan.standing;
    assert!(
        matches!(&standing, PlanStanding::Rejected(it) if it.by == "root (at the agent)"),
        "{standing:?}"
    );
    let standing = world.read(2).await.plan.standing;
    assert!(
        matches!(&standing, PlanStanding::Approved(it) if it.by == EMAIL),
        "{standing:?}"
    );
}

#[tokio::test]
async fn a_word_that_the_agent_never_heard_is_told_apart() {
    let world = World::new().await;
    world.show(&[world.plan(1), world.plan(2)]).await;
    world.approve(1).await;
    world.show(&[world.plan(2)]).await;
    assert!(world.rulings().await.is_empty());
    let late = world.read(1).await.plan;
    assert!(late.ended.is_some() && late.heard.is_none());

    world.approve(2).await;
    world.rulings().await;
    world.show(&[]).await;
    let heard = world.read(2).await.plan;
    assert!(heard.ended.is_some() && heard.heard.is_some());
}

#[tokio::test]
async fn only_the_process_that_leads_hears_what_people_said() {
    let world = World::new().await;
    world.show(&[world.plan(1)]).await;
    world.approve(1).await;
    let heard = async || world.read(1).await.plan.heard;

    assert_eq!(world.agent.changes("").await.rulings.len(), 1, "a dry run");
    assert_eq!(heard().await, None);
    assert_eq!(world.rulings_for(7).await.len(), 1, "a copy that stands by");
    assert_eq!(heard().await, None);
    sqlx::query("UPDATE leases SET until = '2025-01-01T00:00:00Z'")
        .execute(&mut world.database().await)
        .await
        .unwrap();
    assert_eq!(world.rulings().await.len(), 1, "its lease is over");
    assert_eq!(heard().await, None);

    lead(&world.agent, "running").await;
    world.rulings().await;
    assert!(heard().await.is_some());
}

#[tokio::test]
async fn the_history_names_who_approved_a_write() {
    let world = World::new().await;
    world.report("held").await;
    world.show(&[world.plan(1)]).await;
    world.approve(1).await;
    world.rulings().await;
    world.report("unsettled").await;
    world.show(&[]).await;
    world.report("pushed").await;
    world.report("mismatched").await;
    world.report("pushed").await;
    let ada = || Some(EMAIL.to_owned());
    // The latest first: nobody approved the second push.
    let expected = [None, None, ada(), ada(), None];
    assert_eq!(world.approvers().await, expected);
}

#[tokio::test]
async fn a_rejected_or_unheard_plan_approves_nothing() {
    let world = World::new().await;
    world.show(&[world.plan(1), world.plan(2)]).await;
    world.approve(1).await;
    let path = format!("plans/{}/rejection", uuid(2));
    let _: Plan = world.person.post(&path, &json!({})).await;
    world.report("pushed").await;
    assert_eq!(world.approvers().await, [None]);
}

#[tokio::test]
async fn the_vault_knows_who_typed_when_and_who_confirmed() {
    let world = World::new().await;
    let bea = world.bea().await;
    let path = format!("vault/credentials/{}", world.anna);
    let first = world.agent.changes("").await.credentials.remove(0);
    assert_eq!(first.changed_by.as_deref(), Some(EMAIL));

    let new = world
        .client
        .new_password(world.anna, "anna@contoso.com", 2, "y");
    let _: Credential = bea.put(&format!("{path}/password"), &new).await;
    let confirm = json!({ "confirm_version": 2 });
    let _: Credential = world.person.patch(&path, &confirm).await;
    let changed = world.agent.changes("").await.credentials.remove(0);
    assert_eq!(changed.changed_by.as_deref(), Some(BEA));
    assert!(first.changed.unwrap() < changed.changed.unwrap());
    assert_eq!(changed.confirmed.unwrap().by.as_deref(), Some(EMAIL));
    let shown: Credential = world.person.get(&path).await;
    assert_eq!(shown.changed_by.as_deref(), Some(BEA));

    let entry = json!({ "credential": world.anna, "at": jiff::Timestamp::now(), "version": 2,
        "outcome": "pushed", "why": "because", "flags": {} });
    let report = json!({ "id": Uuid::new_v4(), "entries": [entry], "instance": uuid(PROCESS) });
    let _: Value = world.agent.post("agent/reports", &report).await;
    assert_eq!(world.approvers().await, [Some(EMAIL.to_owned())]);
}
