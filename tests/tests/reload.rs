//! A running agent goes by another configuration: what works goes on, and a mistake changes nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test should say where"
)]

use agent_bin::control::{
    AgentTold, AgentWant, AskError, ClientTurn, Place, Reloaded, Request, Service, Want,
};
use agent_bin::secrets::SecretFiles;
use entra_sim::UserSpec;
use integration_tests::{CLIENT, RunningAgent, World, eventually};
use passportal_client::wire::SyncMode;
use uuid::Uuid;

const ANNA: &str = "anna@contoso.com";
const FIRST: &str = "First-Passw0rd";
const SECOND: &str = "Second-Passw0rd";
const THIRD: &str = "Third-Passw0rd";

async fn world_with_anna() -> (World, Uuid) {
    let anna = UserSpec::new(ANNA, FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    let added = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap();
    world.enrol().await.unwrap();
    (world, added.id)
}

async fn ready(agent: &RunningAgent) {
    eventually("the agent is ready", async || {
        agent.get("/readyz").await.unwrap().0 == 200
    })
    .await
    .unwrap();
}

fn written(world: &World) -> String {
    std::fs::read_to_string(world.config_path()).unwrap()
}

async fn service(world: &World) -> Service {
    let place = Place::of(&world.config().unwrap()).unwrap();
    Service::find(place).await.unwrap().unwrap()
}

/// Changes the file, and has it read anew.
async fn reload(world: &World, text: &str) -> Result<Reloaded, AskError> {
    let service = service(world).await;
    std::fs::write(world.config_path(), text).unwrap();
    match service.ask_agent(AgentWant::Reload).await? {
        AgentTold::Reloaded(reloaded) => Ok(reloaded),
        told @ AgentTold::LogsNow => panic!("not reloaded: {told:?}"),
    }
}

fn turns(reloaded: &Reloaded) -> Vec<(&str, &ClientTurn)> {
    let clients = reloaded.clients.iter();
    clients.map(|it| (it.client.as_str(), &it.turn)).collect()
}

/// Another client, which nobody has enrolled on this machine.
fn with_fabrikam(text: &str) -> String {
    let (_, client) = text.split_once("[[client]]").unwrap();
    let fabrikam = client.replace(CLIENT, "Fabrikam");
    format!("{text}\n[[client]]{fabrikam}")
}

fn with_interval(text: &str) -> String {
    assert!(!text.contains("[sync]"), "{text}");
    format!("{text}\n[sync]\ninterval = \"10m\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_changed_goes_on_by_the_new_configuration_and_nothing_is_written_twice() {
    let (world, anna) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;
    world.type_password(anna, SECOND).await.unwrap();
    eventually("the second is in Entra ID", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();

    let text = written(&world);
    let reloaded = reload(&world, &text).await.unwrap();
    assert_eq!(turns(&reloaded), [(CLIENT, &ClientTurn::Unchanged)]);
    let reloaded = reload(&world, &with_interval(&text)).await.unwrap();
    assert_eq!(turns(&reloaded), [(CLIENT, &ClientTurn::Changed)]);
    assert!(reloaded.needs_restart.is_empty(), "{reloaded:?}");

    // The new schedule has the lease at once, and hears of changes.
    world.type_password(anna, THIRD).await.unwrap();
    eventually("the third is in Entra ID", async || {
        world.entra_has(ANNA, THIRD)
    })
    .await
    .unwrap();
    assert_eq!(world.writes(), 2);
    ready(&agent).await;
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_configuration_changes_nothing_and_is_told() {
    let (world, anna) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;

    let text = written(&world);
    let broken = with_interval(&text).replace("10m", "soon");
    let error = reload(&world, &broken).await.unwrap_err();
    assert!(error.to_string().contains("sync.interval"), "{error}");
    assert!(error.hint().is_some(), "{error:?}");

    world.type_password(anna, SECOND).await.unwrap();
    eventually("the agent still works", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();
    let metrics = agent.get("/metrics").await.unwrap().1;
    let counted = "passportal_agent_configuration_reloads_total{result=\"failed\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_change_while_it_runs_is_said_and_the_rest_is_taken() {
    let (world, _) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;
    let text = with_interval(&written(&world)).replace("127.0.0.1:0", "127.0.0.1:1");
    let reloaded = reload(&world, &text).await.unwrap();
    assert_eq!(reloaded.needs_restart, ["listen.address"]);
    assert_eq!(turns(&reloaded), [(CLIENT, &ClientTurn::Changed)]);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_not_enrolled_is_told_and_the_others_run_until_it_is_gone() {
    let (world, anna) = world_with_anna().await;
    let text = written(&world);
    std::fs::write(world.config_path(), with_fabrikam(&text)).unwrap();
    let agent = world.run_agent_of_file().await.unwrap();
    world.type_password(anna, SECOND).await.unwrap();
    eventually("the other client is in step", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();
    let (status, why) = agent.get("/readyz").await.unwrap();
    assert_eq!(status, 503);
    assert!(why.contains("Fabrikam: not served: client `Fabrikam` is not enrolled"));
    let metrics = agent.get("/metrics").await.unwrap().1;
    assert!(metrics.contains("passportal_agent_clients_not_started 1"));

    let reloaded = reload(&world, &text).await.unwrap();
    assert_eq!(turns(&reloaded), [(CLIENT, &ClientTurn::Unchanged)]);
    ready(&agent).await;
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_added_and_removed_and_one_that_cannot_be_made_anew_goes_on_as_before() {
    let (world, anna) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;
    let text = written(&world);

    let reloaded = reload(&world, &text.replace("app-secret", "no-such-file"))
        .await
        .unwrap();
    let [(_, ClientTurn::GoesOnAsBefore(fault))] = turns(&reloaded)[..] else {
        panic!("{reloaded:?}");
    };
    assert!(fault.to_string().contains("no-such-file"), "{fault}");
    let metrics = agent.get("/metrics").await.unwrap().1;
    assert!(metrics.contains("passportal_agent_clients_as_before 1"));
    world.type_password(anna, SECOND).await.unwrap();
    eventually("it goes on", async || world.entra_has(ANNA, SECOND))
        .await
        .unwrap();

    let only_fabrikam = text.replace(CLIENT, "Fabrikam");
    let reloaded = reload(&world, &only_fabrikam).await.unwrap();
    let [
        (CLIENT, ClientTurn::Removed),
        ("Fabrikam", ClientTurn::NotStarted(_)),
    ] = turns(&reloaded)[..]
    else {
        panic!("{reloaded:?}");
    };
    world.type_password(anna, THIRD).await.unwrap();

    let reloaded = reload(&world, &text).await.unwrap();
    let [(CLIENT, ClientTurn::Added)] = turns(&reloaded)[..] else {
        panic!("{reloaded:?}");
    };
    eventually("it is served again", async || world.entra_has(ANNA, THIRD))
        .await
        .unwrap();
    assert_eq!(world.writes(), 2);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_called_otherwise_and_cannot_be_made_anew_is_not_lost() {
    let (world, _) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;
    let text = written(&world);
    let id = world.client.id.to_string();
    let by_id = text.replace(&format!("name = \"{CLIENT}\""), &format!("name = \"{id}\""));
    assert_ne!(by_id, text);

    let broken = by_id.replace("app-secret", "no-such-file");
    let reloaded = reload(&world, &broken).await.unwrap();
    let [(_, ClientTurn::GoesOnAsBefore(_))] = turns(&reloaded)[..] else {
        panic!("{reloaded:?}");
    };
    ready(&agent).await;
    let want = Request {
        client: Some(id.clone()),
        want: Want::Status,
    };
    let answers = service(&world).await.ask(want).await.unwrap();
    assert_eq!(answers.len(), 1);

    let reloaded = reload(&world, &by_id).await.unwrap();
    assert_eq!(turns(&reloaded), [(id.as_str(), &ClientTurn::Changed)]);
    agent.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_enrolment_cannot_be_read_goes_on_whatever_it_is_called() {
    let (world, _) = world_with_anna().await;
    let agent = world.run_agent_of_file().await.unwrap();
    ready(&agent).await;
    let text = written(&world);
    let id = world.client.id.to_string();
    let called = |name: &str| {
        text.replace(
            &format!("name = \"{CLIENT}\""),
            &format!("name = \"{name}\""),
        )
    };
    let secrets = SecretFiles::beside(&world.config().unwrap().state.url);
    let enrolment = secrets.folder().join(format!("{id}.enrolment.json"));
    let whole = std::fs::read(&enrolment).unwrap();
    std::fs::write(&enrolment, "half of i").unwrap();
    for name in [id.as_str(), CLIENT] {
        let reloaded = reload(&world, &called(name)).await.unwrap();
        let [(named, ClientTurn::GoesOnAsBefore(fault))] = turns(&reloaded)[..] else {
            panic!("{reloaded:?}");
        };
        assert_eq!(named, name);
        assert!(fault.to_string().contains("damaged"), "{fault}");
    }
    std::fs::write(&enrolment, whole).unwrap();
    let reloaded = reload(&world, &text).await.unwrap();
    assert_eq!(turns(&reloaded), [(CLIENT, &ClientTurn::Unchanged)]);
    agent.stop().await.unwrap();
}
