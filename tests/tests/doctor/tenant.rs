//! A tenant that is not the client's, does not have its accounts, or lets no password be tested.

use entra_sim::{TenantChange, UserSpec, Verification};
use integration_tests::PERMISSIONS;
use passportal_client::wire::SyncMode;
use sync_engine::plan::Verification as SignInTest;

use crate::{
    FIRST, assert_told, builder, enrolled, examined, examined_with, fault, faults, note,
    permissions,
};

#[tokio::test]
async fn a_tenant_that_does_not_exist_or_does_not_have_the_app() {
    let world = enrolled(builder()).await;
    let missing = examined_with(&world, |config| {
        config.clients[0].microsoft.tenant.0 = "fabrikam.onmicrosoft.com".to_owned();
    })
    .await;
    let told = fault(&missing, "sign-in");
    assert_told(
        &told,
        "no tenant `fabrikam.onmicrosoft.com`",
        "verified domain",
    );
    let stranger = examined_with(&world, |config| {
        config.clients[0].microsoft.client_id = Some(uuid::Uuid::from_u128(0xBAD).to_string());
    })
    .await;
    let told = fault(&stranger, "sign-in");
    assert_told(&told, "has no app", "app registration is in this tenant");
}

#[tokio::test]
async fn a_tenant_that_is_another_client_s() {
    let world = builder().start().await.unwrap();
    world
        .add("anna@fabrikam.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    world.enrol().await.unwrap();
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["tenant"]);
    assert_told(
        &fault(&found, "tenant"),
        "contoso.com",
        "client.microsoft.tenant",
    );
}

#[tokio::test]
async fn a_federated_domain() {
    let fred = UserSpec::new("fred@federated.example", FIRST);
    let world = enrolled(builder().user(fred)).await;
    world
        .add("fred@federated.example", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["domains"]);
    let told = fault(&found, "domains");
    assert_told(&told, "federated.example is federated", "identity provider");
}

#[tokio::test]
async fn an_account_that_the_tenant_does_not_have_is_a_note() {
    let world = enrolled(builder()).await;
    world
        .add("gone@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let found = examined(&world).await;
    assert!(!found.has_fault(), "{found:#?}");
    let (note, _) = note(&found, "accounts").unwrap();
    assert!(note.contains("gone@contoso.com"), "{note}");
}

#[tokio::test]
async fn security_defaults_make_the_sign_in_test_impossible() {
    let world = enrolled(builder()).await;
    let on = TenantChange {
        verification: Some(Verification::SecurityDefaults),
        ..TenantChange::default()
    };
    world
        .simulator
        .change_tenant(integration_tests::TENANT, on)
        .unwrap();
    let by_code = examined(&world).await;
    assert_eq!(faults(&by_code), ["sign-in test"]);
    let told = fault(&by_code, "sign-in test");
    assert_told(
        &told,
        "security defaults are on",
        "turn security defaults off",
    );
    assert!(told.0.contains("AADSTS530035"), "{}", told.0);
    let with_policy: Vec<&str> = PERMISSIONS.into_iter().chain(["Policy.Read.All"]).collect();
    world.change_app(permissions(&with_policy)).unwrap();
    let by_policy = fault(&examined(&world).await, "sign-in test");
    assert_told(
        &by_policy,
        "security defaults are on",
        "turn security defaults off",
    );
    assert!(!by_policy.0.contains("AADSTS"), "{}", by_policy.0);
}

#[tokio::test]
async fn an_app_of_the_sign_in_test_that_is_no_public_client() {
    let off = Verification::PublicClientDisabled;
    let world = enrolled(builder().verification(off)).await;
    let told = fault(&examined(&world).await, "sign-in test");
    assert_told(&told, "AADSTS7000218", "Allow public client flows");
}

#[tokio::test]
async fn a_sign_in_test_that_is_switched_off_is_no_fault() {
    let off = Verification::SecurityDefaults;
    let world = enrolled(builder().verification(off)).await;
    let found = examined_with(&world, |config| {
        config.verification.test = SignInTest::SwitchedOff;
    })
    .await;
    assert!(!found.has_fault(), "{found:#?}");
}
