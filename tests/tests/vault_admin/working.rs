//! The agent acts for the vault's administrator: writes, its own new password, and the end of the sign-in.

use std::time::Duration;

use agent_bin::advice;
use agent_bin::causes::chain;
use agent_bin::doctor;
use agent_bin::wiring::{Agents, ClientAgent};
use integration_tests::{TENANT, World};
use passportal_client::wire::SyncMode;
use sync_engine::Unwatched;
use sync_engine::model::{AttemptState, ObjectId};
use sync_engine::plan::{NewOwnPassword, OwnAccount};
use sync_engine::ports::{CredentialVault as _, Directory as _, Wait};

use crate::office::{ADMIN, ANNA, FIRST, SECOND, builder, config, enrolled, kept, sign_in_anew};

/// Longer than a new password may take to reach every replica, and than the agent remembers a refusal.
const A_WHILE: Duration = Duration::from_mins(3);

async fn agent(world: &World) -> (Agents, ClientAgent) {
    let mut agents = world.agents().await.unwrap();
    let agent = agents.clients.remove(0);
    (agents, agent)
}

/// Time passes for the agent's pauses; nothing else waits for it.
async fn pass(duration: Duration) {
    tokio::time::pause();
    tokio::time::advance(duration).await;
    tokio::time::resume();
}

async fn failure(agent: &ClientAgent) -> (String, String) {
    let error = agent.directory.domains().await.unwrap_err();
    let hint = advice::hint(&error).unwrap_or_default();
    (chain(&error), hint)
}

#[tokio::test]
async fn its_own_password_goes_last_and_is_used_from_then_on() {
    let world = enrolled(builder()).await;
    let anna = world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap().id;
    let own = world.person.credentials(world.client.id).await.unwrap();
    let own = own.iter().find(|it| it.user_name == ADMIN).unwrap().id;
    let (_agents, agent) = agent(&world).await;
    let expected = OwnAccount {
        user_name: kept(&world).user_name,
        object: Some(kept(&world).object),
        new_password: NewOwnPassword::IsUsed,
    };
    assert_eq!(agent.policy.own_account, Some(expected));
    let mut engine = agent.engine();
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
    world.type_password(own, SECOND).await.unwrap();
    world.type_password(anna, SECOND).await.unwrap();
    // The write of its own password is the last one, and revokes what it signed in with: the cycle ends there.
    let error = engine.cycle(Wait::No, &Unwatched).await.unwrap_err();
    let line = chain(&error);
    assert!(line.contains("may still be on its way"), "{line}");
    assert!(world.entra_has(ADMIN, SECOND) && world.entra_has(ANNA, SECOND));

    let sign_ins = world.simulator.counters().sign_ins;
    failure(&agent).await;
    assert_eq!(world.simulator.counters().sign_ins, sign_ins);
    pass(A_WHILE).await;
    agent.directory.domains().await.unwrap();
    assert_eq!(world.simulator.counters().sign_ins, sign_ins + 1);
    assert_eq!(world.simulator.counters().failed_sign_ins, 0);
    engine.cycle(Wait::No, &Unwatched).await.unwrap();
}

#[tokio::test]
async fn a_password_that_others_changed_is_tried_once_and_then_a_person_is_needed() {
    let world = enrolled(builder()).await;
    let own = world.person.credentials(world.client.id).await.unwrap()[0].id;
    let (_agents, agent) = agent(&world).await;
    agent.directory.domains().await.unwrap();
    world.simulator.set_password(TENANT, ADMIN, SECOND).unwrap();
    failure(&agent).await;
    pass(A_WHILE).await;
    let (line, hint) = failure(&agent).await;
    assert!(
        line.contains("it is not the account's password (AADSTS50126)"),
        "{line}"
    );
    assert!(hint.contains("passportal sign-in CLIENT"), "{hint}");
    for _ in 0..3 {
        pass(A_WHILE).await;
        let (line, hint) = failure(&agent).await;
        assert!(line.contains("did not sign in at"), "{line}");
        assert!(hint.contains("passportal sign-in CLIENT"), "{hint}");
    }
    assert_eq!(world.simulator.counters().failed_sign_ins, 1);

    // It stands in the vault, for the engine of any agent.
    let told = agent.vault.administrators().await.unwrap().remove(0);
    let counted = told.attempts.iter().filter(|it| it.state.counts());
    let counted: Vec<_> = counted.map(|it| (it.object, it.state)).collect();
    assert_eq!(counted, [(ObjectId::NOT_KNOWN, AttemptState::Failed)]);

    // A person stores the right one and has it sent; the agent goes on without a restart.
    world.type_password(own, SECOND).await.unwrap();
    let done = sign_in_anew(&world).await.unwrap();
    assert!(!done.is_another);
    agent.directory.domains().await.unwrap();
    assert_eq!(world.simulator.counters().failed_sign_ins, 1);
}

#[tokio::test]
async fn a_failure_of_the_agents_own_sign_in_counts_in_the_engines_budget() {
    let world = enrolled(builder()).await;
    let own = world.person.credentials(world.client.id).await.unwrap()[0].clone();
    let (_agents, agent) = agent(&world).await;
    // A sign-in that failed in the vault's books, as the agent notes its own.
    let before = agent.vault.changes(None, Wait::No).await.unwrap();
    let credential = before.credentials.iter().find(|it| it.id.0 == own.id);
    let notice = sync_engine::model::AttemptNotice {
        credential: credential.unwrap().id,
        attempt: sync_engine::model::SignInAttempt {
            id: sync_engine::model::AttemptId(uuid::Uuid::new_v4()),
            object: ObjectId::NOT_KNOWN,
            version: credential.unwrap().version,
            stamp: None,
            at: jiff::Timestamp::now(),
            state: AttemptState::Failed,
        },
    };
    agent.vault.note_attempts(&[notice]).await.unwrap();
    let sign_ins = world.simulator.counters().sign_ins;
    agent.engine().cycle(Wait::No, &Unwatched).await.unwrap();
    let tested = world.simulator.counters().sign_ins - sign_ins;
    assert_eq!(tested, 0, "this password was tried at this stamp");
}

#[tokio::test]
async fn doctor_sends_no_password() {
    let world = enrolled(builder()).await;
    world.simulator.set_password(TENANT, ADMIN, SECOND).unwrap();
    let sign_ins = world.simulator.counters().sign_ins;
    let (config, client) = config(&world);
    let found = doctor::examine(&config, &client).await;
    assert!(found.has_fault());
    assert_eq!(world.simulator.counters().sign_ins, sign_ins);
}

#[tokio::test]
async fn another_administrator_of_the_vault_may_take_over() {
    use crate::office::BOSS;
    let world = enrolled(builder()).await;
    let own = world.person.credentials(world.client.id).await.unwrap()[0].id;
    world
        .switch(own, passportal_client::wire::Standing::Disabled)
        .await
        .unwrap();
    world.add_administrator(BOSS, FIRST).await.unwrap();
    let done = sign_in_anew(&world).await.unwrap();
    assert!(done.is_another);
    assert_eq!(kept(&world).user_name.as_str(), BOSS);
}
