//! The local socket of a running service: people ask, a mass change waits for their word, and nothing else passes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test should say where"
)]

use std::time::Duration;

use agent_bin::control::{
    self, AskError, ClientAnswer, Fault, Hand, Place, Reach, Recall, Request, Said, Service, Told,
    Want,
};
use agent_bin::outbound::Outbound;
use agent_bin::secrets::SecretFiles;
use agent_bin::wiring::{self, ClientAgent};
use async_trait::async_trait;
use entra_sim::UserSpec;
use integration_tests::{CLIENT, RunningAgent, TENANT, World, eventually};
use jiff::SignedDuration;
use passportal_client::AgentApi;
use passportal_client::wire::{AgentState, Heartbeat, SyncMode};
use sync_engine::model::{Outcome, PlanId, StepKind, UserPrincipalName};
use sync_engine::plan::{HeldPlan, PlanRuling, PlanStanding, Rule, Ruling};
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Footing, Unwatched};
use uuid::Uuid;

const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
const THIRD: &str = "Third-Passw0rd";
/// So long that nothing happens between two cycles, but by long poll.
const LONG: Duration = Duration::from_mins(10);
/// More than the breaker lets pass within an hour.
const MANY: u32 = 12;

async fn ready(world: &World) -> RunningAgent {
    let agent = world.run_agent(LONG).await.unwrap();
    eventually("the agent is ready", async || {
        agent.get("/readyz").await.unwrap().0 == 200
    })
    .await
    .unwrap();
    agent
}

async fn service(world: &World) -> Service {
    let place = Place::of(&world.config().unwrap()).unwrap();
    Service::find(place).await.unwrap().unwrap()
}

async fn ask(service: &Service, want: Want) -> Result<Told, Fault> {
    let client = Some(CLIENT.to_lowercase());
    let mut answers = service.ask(Request { client, want }).await.unwrap();
    assert_eq!(answers.len(), 1);
    let ClientAnswer { client, said, .. } = answers.pop().unwrap();
    assert_eq!(client, CLIENT);
    match said {
        Said::Told(told) => Ok(*told),
        Said::Failed(fault) => Err(fault),
    }
}

async fn cycle(service: &Service, want: Want) -> CycleReport {
    match ask(service, want).await.unwrap() {
        Told::Cycle(report) => report,
        other => panic!("no cycle: {other:?}"),
    }
}

async fn plans(service: &Service) -> Vec<HeldPlan> {
    match ask(service, Want::Plans).await.unwrap() {
        Told::Plans(plans) => plans,
        other => panic!("no plans: {other:?}"),
    }
}

async fn rule(service: &Service, plan: PlanId, ruling: Ruling) -> Result<HeldPlan, Fault> {
    match ask(service, Want::Rule { plan, ruling }).await? {
        Told::Ruled(plan) => Ok(plan),
        other => panic!("not ruled: {other:?}"),
    }
}

fn name(n: u32) -> String {
    format!("user{n:02}@contoso.com")
}

/// A client whose accounts all have another password than the vault.
async fn world_with_a_mass_change() -> (World, Vec<Uuid>) {
    let users = (0..MANY).map(|n| UserSpec::new(&name(n), FIRST));
    let world = World::builder().users(users).start().await.unwrap();
    let mut ids = Vec::new();
    for n in 0..MANY {
        let added = world.add(&name(n), SECOND, SyncMode::Enabled).await;
        ids.push(added.unwrap().id);
    }
    world.enrol().await.unwrap();
    (world, ids)
}

/// The plan that waits, once the first cycle has held it.
async fn waiting(service: &Service) -> HeldPlan {
    let mut plans = plans(service).await;
    assert_eq!(plans.len(), 1, "{plans:?}");
    let plan = plans.pop().unwrap();
    assert!(plan.is_waiting());
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_tells_and_runs_a_cycle_at_once() {
    let anna = UserSpec::new("anna@contoso.com", FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    let added = world.add("anna@contoso.com", FIRST, SyncMode::ReportMismatches);
    added.await.unwrap();
    world.enrol().await.unwrap();
    let agent = ready(&world).await;
    let service = service(&world).await;

    let Told::Status(status) = ask(&service, Want::Status).await.unwrap() else {
        panic!("no status")
    };
    assert_eq!(status.vault, Reach::Reachable { credentials: 1 });
    let Recall::Remembered(memory) = status.memory else {
        panic!("no memory")
    };
    assert_eq!((memory.credentials, memory.held_plan), (1, None));
    let cycles = status.cycles.unwrap();
    assert!(cycles.last_good.is_some() && !cycles.overdue);
    assert_eq!(cycles.failed, None);

    // Only a cycle would notice this within the long interval.
    world
        .simulator
        .set_password(TENANT, "anna@contoso.com", SECOND)
        .unwrap();
    let preview = cycle(&service, Want::Preview).await;
    assert_eq!(preview.footing, Footing::Preview);
    assert_eq!(preview.rows.len(), 1);
    assert_eq!(preview.rows[0].done, None);
    let report = cycle(&service, Want::Sync).await;
    assert_eq!(report.footing, Footing::Leader);
    assert_eq!(report.rows[0].done, Some(StepKind::Verify));
    assert_eq!(report.rows[0].outcome, Outcome::Mismatched);
    assert_eq!(world.writes(), 0);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approved_plan_lets_exactly_its_writes_pass_and_the_journal_names_the_person() {
    let (world, _) = world_with_a_mass_change().await;
    let agent = ready(&world).await;
    let service = service(&world).await;

    let plan = waiting(&service).await;
    assert_eq!((plan.writes.len(), world.writes()), (MANY as usize, 0));
    assert!(plan.writes.iter().all(|it| it.rule == Rule::KnownMismatch));

    let approved = rule(&service, plan.id, Ruling::Approve).await.unwrap();
    let PlanStanding::Approved(said) = &approved.standing else {
        panic!("{:?}", approved.standing)
    };
    assert!(said.by.starts_with("local user "), "{}", said.by);
    eventually("every account has the vault's password", async || {
        (0..MANY).all(|n| world.entra_has(&name(n), SECOND))
    })
    .await
    .unwrap();
    eventually("the plan is over", async || {
        plans(&service).await.is_empty()
    })
    .await
    .unwrap();
    assert_eq!(world.writes(), u64::from(MANY));

    agent.stop().await.unwrap();
    let agents = world.agents().await.unwrap();
    let store = &agents.clients[0].ports.store;
    let journal = store.journal(None, 200).await.unwrap();
    let pushes = journal.iter().filter(|entry| entry.by.is_some());
    let by: Vec<_> = pushes.map(|entry| entry.by.clone()).collect();
    assert!(by.contains(&Some(said.by.clone())), "{by:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_stands_by_takes_no_word_and_names_the_one_that_leads() {
    let (world, _) = world_with_a_mass_change().await;
    let agents = world.agents().await.unwrap();
    let client = &agents.clients[0];
    let held = client.engine().cycle(Wait::No, &Unwatched).await.unwrap();
    let plan = held.waiting.unwrap();
    client.farewell().await;
    agents.close().await;
    lead_elsewhere(&world, "west").await;

    let agent = ready(&world).await;
    let service = service(&world).await;
    assert!(waiting(&service).await.id == plan);
    let fault = rule(&service, plan, Ruling::Approve).await.unwrap_err();
    assert!(fault.to_string().contains("stands by"), "{fault}");
    let hint = fault.hint().unwrap();
    assert!(
        hint.contains("dashboard") && hint.contains("west"),
        "{hint}"
    );
    assert!(waiting(&service).await.is_waiting());
    agent.stop().await.unwrap();
}

/// Another process with the agent's token takes the lease.
async fn lead_elsewhere(world: &World, host: &str) {
    let config = world.config().unwrap();
    let secrets = SecretFiles::beside(&config.state.url);
    let enrolment = secrets.load_enrolment(CLIENT).unwrap().unwrap();
    let http =
        wiring::vault_http(config.passportal.base_url.as_str(), &Outbound::default()).unwrap();
    let heartbeat = Heartbeat {
        version: "0.1.0".to_owned(),
        host: host.to_owned(),
        state: AgentState::Running,
        write_timeout_seconds: 0,
        interval_seconds: None,
        instance: Some(Uuid::from_u128(7)),
    };
    let api = AgentApi::new(&http, enrolment.token).unwrap();
    api.heartbeat(&heartbeat).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_plan_writes_nothing_and_cannot_be_approved_afterwards() {
    let (world, _) = world_with_a_mass_change().await;
    let agent = ready(&world).await;
    let service = service(&world).await;

    let plan = waiting(&service).await;
    rule(&service, plan.id, Ruling::Reject).await.unwrap();
    cycle(&service, Want::Sync).await;
    let told = plans(&service).await;
    assert!(matches!(told[0].standing, PlanStanding::Rejected(_)));
    let fault = rule(&service, plan.id, Ruling::Approve).await.unwrap_err();
    assert!(fault.to_string().contains("already"), "{fault}");
    assert_eq!(world.writes(), 0);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_hears_nothing_of_what_people_said() {
    let (world, _) = world_with_a_mass_change().await;
    let agents = world.agents().await.unwrap();
    let client = &agents.clients[0];
    let mut engine = client.engine();
    let held = engine.cycle(Wait::No, &Unwatched).await.unwrap();
    let plan = held.waiting.unwrap().0;
    let heard = async || world.person.plan(plan).await.unwrap().plan.heard;
    let approve = passportal_client::wire::Ruling::Approve;
    world.person.rule(plan, approve).await.unwrap();

    let account = UserPrincipalName::new(name(0));
    for want in [Want::Status, Want::Preview, Want::Explain { account }] {
        control::answer(client, &want, "ada", &Idle).await.unwrap();
        assert_eq!(heard().await, None, "{want:?}");
    }
    engine.await_change(Duration::from_secs(30)).await.unwrap();
    assert!(heard().await.is_some());
    agents.close().await;
}

/// A hand that nobody should need.
struct Idle;

#[async_trait]
impl Hand for Idle {
    async fn sync(&self, _: &ClientAgent) -> Result<CycleReport, Fault> {
        panic!("a dry run has a cycle run")
    }

    async fn rule(&self, _: &ClientAgent, _: PlanRuling) -> Result<HeldPlan, Fault> {
        panic!("a dry run rules")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_expires_when_the_world_has_moved_and_the_new_one_is_named() {
    let (world, ids) = world_with_a_mass_change().await;
    let agent = ready(&world).await;
    let service = service(&world).await;

    let old = waiting(&service).await.id;
    world.type_password(ids[0], THIRD).await.unwrap();
    // One password that somebody just typed is no mass change; the plan was made for another world.
    eventually("the newest password is in Entra ID", async || {
        world.entra_has(&name(0), THIRD)
    })
    .await
    .unwrap();
    let plan = waiting(&service).await;
    let now = plan.id;
    assert_ne!(now, old);
    assert_eq!(plan.writes.len() + 1, MANY as usize);
    let fault = rule(&service, old, Ruling::Approve).await.unwrap_err();
    let hint = fault.hint().unwrap();
    assert!(hint.contains(&format!("plan {now} waits now")), "{hint}");
    assert_eq!(world.writes(), 1);

    rule(&service, now, Ruling::Approve).await.unwrap();
    eventually("the others are in Entra ID, too", async || {
        (1..MANY).all(|n| world.entra_has(&name(n), SECOND))
    })
    .await
    .unwrap();
    assert_eq!(world.writes(), u64::from(MANY));
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_cycle_hangs_still_tells_its_status_and_its_plans() {
    let (world, _) = world_with_a_mass_change().await;
    world.simulator.add_fault(entra_sim::Fault {
        path_prefix: "/v1.0".to_owned(),
        method: Some("GET".to_owned()),
        delay: Some(SignedDuration::from_mins(5)),
        count: 100,
        ..entra_sim::Fault::default()
    });
    let agent = world.run_agent(LONG).await.unwrap();
    eventually("the cycle hangs", async || {
        world.simulator.counters().faults > 0
    })
    .await
    .unwrap();
    let service = service(&world).await;
    assert!(plans(&service).await.is_empty());
    let Told::Status(status) = ask(&service, Want::Status).await.unwrap() else {
        panic!("no status")
    };
    assert!(matches!(status.vault, Reach::Reachable { credentials: 12 }));
    assert_eq!(agent.get("/readyz").await.unwrap().0, 503);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_and_an_unknown_account_are_told() {
    let anna = UserSpec::new("anna@contoso.com", FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    let added = world.add("anna@contoso.com", FIRST, SyncMode::Enabled);
    added.await.unwrap();
    world.enrol().await.unwrap();
    let agent = ready(&world).await;
    let service = service(&world).await;

    let client = Some("Fabrikam".to_owned());
    let want = Want::Status;
    let refused = service.ask(Request { client, want }).await.unwrap_err();
    let AskError::Refused(fault) = refused else {
        panic!("{refused}")
    };
    assert!(fault.hint().unwrap().contains(CLIENT), "{fault}");

    let explain = async |account: &str| {
        let account = UserPrincipalName::new(account);
        match ask(&service, Want::Explain { account }).await.unwrap() {
            Told::Explained(explanations) => explanations,
            other => panic!("no explanation: {other:?}"),
        }
    };
    assert!(explain("nobody@contoso.com").await.is_empty());
    let about = explain("Anna@Contoso.com").await;
    assert_eq!(about.len(), 1);
    assert!(about[0].to_string().contains("anna@contoso.com"));
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_is_refused_and_the_first_goes_on() {
    let anna = UserSpec::new("anna@contoso.com", FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    world.enrol().await.unwrap();
    let agent = ready(&world).await;
    let error = world.run_agent(LONG).await.err().unwrap();
    assert!(error.to_string().contains("in use"), "{error}");
    ask(&service(&world).await, Want::Status).await.unwrap();
    agent.stop().await.unwrap();
    let place = Place::of(&world.config().unwrap()).unwrap();
    assert!(Service::find(place).await.unwrap().is_none());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_answered_with_an_error() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let anna = UserSpec::new("anna@contoso.com", FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    world.enrol().await.unwrap();
    let agent = ready(&world).await;
    let place = Place::of(&world.config().unwrap()).unwrap();
    let say = async |line: &str| {
        let mut stream = tokio::net::UnixStream::connect(place.path()).await.unwrap();
        stream.write_all(line.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    };
    for line in ["hello\n", "{\"version\":1,\"want\":\"password\"}\n"] {
        let answer = say(line).await;
        assert!(
            answer.contains("refused") && answer.ends_with('\n'),
            "{answer}"
        );
    }
    assert!(
        say("{\"version\":9,\"want\":\"status\"}\n")
            .await
            .contains("version 1")
    );
    // Too long, and cut off: the connection ends, and the service goes on.
    assert_eq!(say(&"x".repeat(20_000)).await, "");
    ask(&service(&world).await, Want::Status).await.unwrap();
    agent.stop().await.unwrap();
}
