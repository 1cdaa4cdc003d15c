//! Setup with the vault's administrator: whom it takes, how often it tries, and what it leaves.

use agent_bin::causes::chain;
use agent_bin::config::SignIn;
use agent_bin::setup::{self, SetupError, SetupRequest};
use entra_sim::{AccountChange, Behaviour};
use integration_tests::{TENANT, World};
use passportal_client::wire::Standing;
use secrecy::ExposeSecret;
use sync_engine::model::UserPrincipalName;

use crate::office::{ADMIN, ANNA, BOSS, FIRST, SECOND, builder, enrol, kept, request};

/// Setup does not go along, and nothing is left of it on this machine.
async fn refused(world: &World, request: SetupRequest) -> (String, String, SetupError) {
    let error = setup::run(request).await.unwrap_err();
    assert!(!world.config_path().exists(), "no configuration is left");
    let secrets = world.folder().join("agent").join("secrets");
    let left = std::fs::read_dir(secrets).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no secret is left");
    let hint = error.hint().unwrap();
    (chain(&error), hint, error)
}

#[tokio::test]
async fn the_vaults_administrator_signs_in_once_and_is_kept_sealed() {
    let world = builder().start().await.unwrap();
    world.add_administrator(ADMIN, FIRST).await.unwrap();
    let done = enrol(&world).await.unwrap();
    assert_eq!(done.preflight.findings, []);
    let client = world.config().unwrap().clients[0].clone();
    assert_eq!(client.microsoft.sign_in, SignIn::VaultAdmin);
    let administrator = kept(&world);
    assert_eq!(administrator.user_name.as_str(), ADMIN);
    let id = world.simulator.user_id(TENANT, ADMIN).unwrap();
    assert_eq!(administrator.object.0, id);
    let token = administrator.refresh_token.expose_secret().to_owned();
    assert!(world.simulator.refresh_tokens().contains(&token));
    assert_eq!(world.simulator.counters().sign_ins, 1);
}

#[tokio::test]
async fn a_wrong_password_counts_for_everybody_and_setup_cannot_lock_the_account() {
    let world = builder().start().await.unwrap();
    world
        .add_administrator(ADMIN, "Wrong-Passw0rd")
        .await
        .unwrap();
    for _ in 0..2 {
        let (line, hint, error) = refused(&world, request(&world)).await;
        assert!(
            line.contains("it is not the account's password (AADSTS50126)"),
            "{line}"
        );
        assert!(hint.contains("right password in the vault"), "{hint}");
        assert!(error.is_not_authorised());
    }
    // The budget of the day is spent: a third try is not sent.
    let (line, hint, _) = refused(&world, request(&world)).await;
    assert!(line.contains("its password is not sent"), "{line}");
    assert!(line.contains("sign-ins of this day are spent"), "{line}");
    assert!(hint.contains("in the vault"), "{hint}");
    assert_eq!(world.simulator.counters().failed_sign_ins, 2);
}

#[tokio::test]
async fn none_several_and_one_that_is_switched_off_are_told_apart() {
    let world = builder().start().await.unwrap();
    let (line, hint, _) = refused(&world, request(&world)).await;
    assert!(
        line.contains("has no active credential of type `Azure/Office365 Admin`"),
        "{line}"
    );
    assert!(hint.contains("add one in the vault"), "{hint}");

    world.add_administrator(ADMIN, FIRST).await.unwrap();
    let boss = world.add_administrator(BOSS, FIRST).await.unwrap();
    let (line, hint, _) = refused(&world, request(&world)).await;
    assert!(line.contains(&format!("{ADMIN}, {BOSS}")), "{line}");
    assert!(hint.contains("`administrator`"), "{hint}");

    let named = |name: &str| {
        let mut request = request(&world);
        let name = Some(UserPrincipalName::new(name));
        request.client.microsoft.administrator = name.clone();
        request.config.clients[0].microsoft.administrator = name;
        request
    };
    world.switch(boss.id, Standing::Disabled).await.unwrap();
    let (line, _, _) = refused(&world, named(BOSS)).await;
    assert!(line.contains("for boss@contoso.com"), "{line}");
    world.switch(boss.id, Standing::Active).await.unwrap();
    setup::run(named(BOSS)).await.unwrap();
    assert_eq!(kept(&world).user_name.as_str(), BOSS);
    assert_eq!(
        world.simulator.counters().sign_ins,
        1,
        "nobody was tried in vain"
    );
}

#[tokio::test]
async fn an_account_that_may_reset_nobody_is_refused() {
    let world = builder().start().await.unwrap();
    world.add_administrator(ANNA, FIRST).await.unwrap();
    let (line, _, error) = refused(&world, request(&world)).await;
    assert!(matches!(error, SetupError::Powerless { .. }), "{line}");
}

#[tokio::test]
async fn a_second_factor_is_named_and_counts_for_nothing() {
    let world = builder().start().await.unwrap();
    world.add_administrator(ADMIN, FIRST).await.unwrap();
    let change = AccountChange {
        behaviour: Some(Behaviour::Mfa),
        ..AccountChange::default()
    };
    world.simulator.change_user(TENANT, ADMIN, change).unwrap();
    for _ in 0..3 {
        let (line, hint, _) = refused(&world, request(&world)).await;
        assert!(line.contains("AADSTS50076"), "{line}");
        assert!(hint.contains("device-code"), "{hint}");
    }
}

#[tokio::test]
async fn a_password_that_was_corrected_in_the_vault_enrols() {
    let world = builder().start().await.unwrap();
    let admin = world.add_administrator(ADMIN, SECOND).await.unwrap();
    refused(&world, request(&world)).await;
    world.type_password(admin.id, FIRST).await.unwrap();
    enrol(&world).await.unwrap();
}
