//! The agent acts for an administrator: writes, restarts, and the end of the sign-in.

use std::time::Duration;

use agent_bin::advice;
use agent_bin::causes::chain;
use agent_bin::doctor::{self, Checked};
use agent_bin::sign_in_anew;
use agent_bin::wiring::{Agents, ClientAgent};
use entra_sim::UserSpec;
use integration_tests::{TENANT, World, eventually};
use passportal_client::wire::{FlagKind, SyncMode};
use secrecy::ExposeSecret;
use sync_engine::Unwatched;
use sync_engine::plan::{NewOwnPassword, OwnAccount};
use sync_engine::ports::{Directory as _, Wait};

use crate::office::{
    ADMIN, ANNA, FIRST, answering, approves, builder, config, enrolled, kept, sealed_file,
};

const SECOND: &str = "Second-Passw0rd";

async fn agent(world: &World) -> (Agents, ClientAgent) {
    let mut agents = world.agents().await.unwrap();
    let agent = agents.clients.remove(0);
    (agents, agent)
}

#[tokio::test]
async fn a_password_of_the_vault_is_set_on_behalf_of_the_administrator() {
    let world = enrolled(builder()).await;
    let id = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap().id;
    let agent = world.run_agent(Duration::from_secs(1)).await.unwrap();
    world.type_password(id, SECOND).await.unwrap();
    eventually("the password is set", async || {
        world.entra_has(ANNA, SECOND)
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn the_administrators_own_password_waits_for_a_person() {
    let world = enrolled(builder()).await;
    let own = world.add(ADMIN, FIRST, SyncMode::Enabled).await.unwrap().id;
    let (_agents, agent) = agent(&world).await;
    let expected = OwnAccount {
        user_name: sync_engine::model::UserPrincipalName::new(ADMIN),
        object: Some(kept(&world).object),
        new_password: NewOwnPassword::EndsSignIn,
    };
    assert_eq!(agent.policy.own_account, Some(expected));
    let mut engine = agent.engine();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    world.type_password(own, SECOND).await.unwrap();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    assert_eq!(world.writes(), 0);
    let flags = world.look(own).await.unwrap().flags;
    assert!(flags.contains_key(&FlagKind::Held), "{flags:?}");
}

#[tokio::test]
async fn each_start_goes_on_with_the_refresh_token_of_the_last_one() {
    let world = enrolled(builder()).await;
    let mut seen = vec![kept(&world).refresh_token.expose_secret().to_owned()];
    for _ in 0..3 {
        let (agents, agent) = agent(&world).await;
        agent.preflight().await.unwrap();
        agents.close().await;
        let now = kept(&world).refresh_token.expose_secret().to_owned();
        assert!(!seen.contains(&now), "it was rotated");
        assert!(world.simulator.refresh_tokens().contains(&now));
        seen.push(now);
    }
}

#[tokio::test]
async fn a_reset_ends_the_sign_in_with_a_remedy_and_a_new_one_is_picked_up_without_a_restart() {
    let world = enrolled(builder()).await;
    let (_agents, agent) = agent(&world).await;
    agent.preflight().await.unwrap();
    world.simulator.set_password(TENANT, ADMIN, SECOND).unwrap();
    let error = agent.directory.domains().await.unwrap_err();
    let line = chain(&error);
    assert!(line.contains("its password was changed or reset"), "{line}");
    assert!(line.contains("AADSTS50173"), "{line}");
    let hint = advice::hint(&error).unwrap();
    assert!(hint.contains("`passportal sign-in CLIENT`"), "{hint}");

    let (config, client) = config(&world);
    let found = doctor::examine(&config, &client).await;
    let told = found.checks.iter().find(|check| check.name == "sign-in");
    match &told.unwrap().result {
        Checked::Fault { fault, remedy } => {
            assert!(fault.contains("AADSTS50173"), "{fault}");
            assert!(remedy.contains("passportal sign-in"), "{remedy}");
        }
        other => panic!("{other:?}"),
    }

    let show = answering(&world, approves);
    let done = sign_in_anew::run(&config, &client, &show).await.unwrap();
    assert!(!done.is_another);
    agent.directory.domains().await.unwrap();
}

#[tokio::test]
async fn another_administrator_may_take_over() {
    let boss = UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]);
    let world = enrolled(builder().user(boss)).await;
    let (config, client) = config(&world);
    let show = answering(&world, |simulator, code| {
        simulator.approve_device(code, "boss@contoso.com").unwrap();
    });
    let done = sign_in_anew::run(&config, &client, &show).await.unwrap();
    assert!(done.is_another);
    assert_eq!(kept(&world).user_name.as_str(), "boss@contoso.com");
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_kept_is_used_on() {
    let world = enrolled(builder()).await;
    let (_agents, agent) = agent(&world).await;
    // Nothing can be kept in the place of a folder.
    let path = sealed_file(&world);
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    agent.preflight().await.unwrap();
}

#[tokio::test]
async fn a_missing_or_damaged_sign_in_is_told_with_what_to_do() {
    let world = enrolled(builder()).await;
    let path = sealed_file(&world);
    for damage in [true, false] {
        if damage {
            std::fs::write(&path, "nonsense").unwrap();
        } else {
            std::fs::remove_file(&path).unwrap();
        }
        let Err(error) = world.agents().await else {
            panic!("the agent was put together");
        };
        let hint = advice::hint(error.as_ref()).unwrap();
        assert!(hint.contains("passportal sign-in"), "{error:#}: {hint}");
        let (config, client) = config(&world);
        let found = doctor::examine(&config, &client).await;
        assert!(found.has_fault());
    }
    // Signing in anew mends both.
    let (config, client) = config(&world);
    let show = answering(&world, approves);
    sign_in_anew::run(&config, &client, &show).await.unwrap();
    world.agents().await.unwrap();
}

#[tokio::test]
async fn nobody_signs_in_for_a_client_whose_agent_is_an_app() {
    let world = World::builder().start().await.unwrap();
    world.enrol().await.unwrap();
    let (config, client) = config(&world);
    let show = answering(&world, |_, _| panic!("no code is asked for"));
    let error = sign_in_anew::run(&config, &client, &show)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("client-secret"), "{error}");
}
