//! A person's sign-in, from rotation to its end, against the simulated tenant.

use std::sync::Arc;

use entra_sim::{AccountChange, Fault};
use jiff::SignedDuration;
use secrecy::ExposeSecret;
use serde_json::json;
use sync_engine::model::{Password, ResetRole};
use sync_engine::ports::{Directory as _, SetPassword};

use crate::test_world::{ADMIN, Memory, PUBLIC, TENANT, World};
use crate::{Finding, GraphError, SignInEnd};

fn ended(error: &GraphError) -> Option<SignInEnd> {
    match error {
        GraphError::SignInEnded { end, .. } => Some(*end),
        _ => None,
    }
}

#[tokio::test]
async fn an_administrator_reads_writes_and_knows_its_own_roles() {
    let world = World::start();
    let directory = world.directory(world.sign_in().await, &Arc::default());
    let preflight = directory.preflight().await.unwrap();
    assert_eq!(preflight.findings, []);
    let admin = world.simulator.user_id(TENANT, ADMIN).unwrap();
    assert_eq!(preflight.identity.object.map(|it| it.0), Some(admin));
    let roles = preflight.identity.roles.unwrap();
    assert!(roles.contains("User Administrator"), "{roles:?}");

    let anna = world.simulator.user_id(TENANT, "anna@contoso.com").unwrap();
    let password = Password::new("Brand-New-Passw0rd");
    let written = directory
        .set_password(sync_engine::model::ObjectId(anna), &password)
        .await;
    assert!(
        matches!(written, SetPassword::Accepted { .. }),
        "{written:?}"
    );
}

#[tokio::test]
async fn an_account_without_a_role_is_found_powerless() {
    let world = World::start();
    let change = AccountChange {
        roles: Some(Vec::new()),
        ..AccountChange::default()
    };
    world.simulator.change_user(TENANT, ADMIN, change).unwrap();
    let directory = world.directory(world.sign_in().await, &Arc::default());
    let standing = directory.standing().await.unwrap();
    assert_eq!(standing.findings, [Finding::NoRole]);
    assert_eq!(
        standing.rights.everybody,
        Some(ResetRole::UserAdministrator)
    );
}

#[tokio::test]
async fn each_new_refresh_token_is_kept_and_the_next_sign_in_uses_it() {
    let world = World::start();
    let memory = Arc::new(Memory::default());
    let first = world.sign_in().await;
    let directory = world.directory(first.clone(), &memory);
    directory.preflight().await.unwrap();
    let second = memory.last().unwrap();
    assert_ne!(second, first.expose_secret());

    // A day later the access token is over, and after 89 more days only a token that was rotated lives.
    for days in [1, 89] {
        world
            .simulator
            .advance(SignedDuration::from_hours(24 * days));
        directory.read_any_account().await.unwrap();
    }
    assert_eq!(memory.kept.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_not_lost() {
    let world = World::start();
    let memory = Arc::new(Memory::default());
    *memory.is_full.lock().unwrap() = true;
    let directory = world.directory(world.sign_in().await, &memory);
    directory.read_any_account().await.unwrap();
    *memory.is_full.lock().unwrap() = false;
    // Past the life of the first refresh token, but not of the second, which stands in memory only.
    for days in [60, 60] {
        world
            .simulator
            .advance(SignedDuration::from_hours(24 * days));
        directory.read_any_account().await.unwrap();
    }
    assert_eq!(memory.kept.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_reset_of_the_administrator_ends_the_sign_in_at_once_until_it_signs_in_again() {
    let world = World::start();
    let memory = Arc::new(Memory::default());
    let directory = world.directory(world.sign_in().await, &memory);
    directory.preflight().await.unwrap();
    world
        .simulator
        .set_password(TENANT, ADMIN, "Other-Passw0rd")
        .unwrap();
    let error = directory.read_any_account().await.unwrap_err();
    assert_eq!(ended(&error), Some(SignInEnd::Revoked), "{error}");
    assert!(error.to_string().contains("AADSTS50173"), "{error}");
    assert!(error.hint().unwrap().contains("passportal sign-in"));

    // Another process signs in and keeps what is left of it.
    let anew = world.sign_in().await;
    memory
        .kept
        .lock()
        .unwrap()
        .push(anew.expose_secret().to_owned());
    directory.read_any_account().await.unwrap();
}

#[tokio::test]
async fn whatever_else_ends_it_is_told_apart() {
    let world = World::start();
    let disable = AccountChange {
        account_enabled: Some(false),
        ..AccountChange::default()
    };
    let idle = world.directory(world.sign_in().await, &Arc::default());
    world.simulator.advance(SignedDuration::from_hours(24 * 91));
    let error = idle.read_any_account().await.unwrap_err();
    assert_eq!(ended(&error), Some(SignInEnd::Idle), "{error}");

    let disabled = world.directory(world.sign_in().await, &Arc::default());
    world.simulator.change_user(TENANT, ADMIN, disable).unwrap();
    let error = disabled.read_any_account().await.unwrap_err();
    assert_eq!(ended(&error), Some(SignInEnd::Disabled), "{error}");

    world.simulator.remove_user(TENANT, ADMIN).unwrap();
    let error = disabled.read_any_account().await.unwrap_err();
    assert_eq!(ended(&error), Some(SignInEnd::Deleted), "{error}");
}

#[tokio::test]
async fn a_demand_for_a_person_is_told_and_what_passes_is_not_an_end() {
    let world = World::start();
    let directory = world.directory(world.sign_in().await, &Arc::default());
    let refusal = |status, code: u32| Fault {
        path_prefix: format!("/{TENANT}/oauth2/v2.0/token"),
        status: Some(status),
        count: 1,
        body: Some(json!({ "error": "interaction_required", "error_codes": [code] })),
        ..Fault::default()
    };
    world.simulator.add_fault(refusal(400, 50_076));
    let error = directory.read_any_account().await.unwrap_err();
    assert_eq!(ended(&error), Some(SignInEnd::Interaction), "{error}");
    world.simulator.add_fault(refusal(503, 90_033));
    let preflight = directory.check_consent().await.unwrap_err();
    assert!(matches!(preflight, GraphError::Service(_)), "{preflight}");
    directory.read_any_account().await.unwrap();
}

#[tokio::test]
async fn a_claims_challenge_is_answered_with_the_refresh_token() {
    let world = World::start();
    let memory = Arc::new(Memory::default());
    let directory = world.directory(world.sign_in().await, &memory);
    directory.read_any_account().await.unwrap();
    let demand = json!({ "access_token": { "acrs": { "essential": true, "value": "c1" } } });
    let demand = demand.as_object().cloned();
    world.simulator.demand_claims(TENANT, demand).unwrap();
    directory.read_any_account().await.unwrap();
    assert_eq!(memory.kept.lock().unwrap().len(), 2);
}

#[test]
fn nothing_of_a_signed_in_person_is_in_its_debug_text() {
    let person = crate::SignedInPerson {
        refresh_token: "canary-refresh-token".into(),
        keeper: Arc::new(Memory::default()),
        password: None,
    };
    let connection = crate::Connection::new(
        sync_engine::model::TenantId(TENANT.to_owned()),
        PUBLIC.to_string(),
    );
    let config = crate::TenantConfig::at(connection, person);
    assert!(!format!("{config:?}").contains("canary"));
}
