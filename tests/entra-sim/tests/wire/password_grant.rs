//! The sign-in test: the password grant over the wire.

use entra_sim::{TenantChange, Verification};
use jiff::SignedDuration;
use reqwest::StatusCode;

use crate::support::{APP, NEW, RIGHT, SECRET, Sim, TENANT, password_form};

#[tokio::test]
async fn the_right_password_gets_a_token_and_an_id_token() {
    let sim = Sim::start();
    let answer = sim
        .token_request(TENANT, &password_form("ANNA@contoso.com", RIGHT))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.body["token_type"], "Bearer");
    assert!(answer.body["access_token"].is_string());
    assert!(answer.body["id_token"].is_string());
}

#[tokio::test]
async fn the_users_tenant_is_found_over_organizations_but_not_over_common() {
    let sim = Sim::start();
    let form = password_form("anna@contoso.com", RIGHT);
    assert_eq!(
        sim.token_request("organizations", &form).await.status,
        StatusCode::OK
    );
    assert_eq!(
        sim.token_request("common", &form).await.body["error_codes"][0],
        9_001_023
    );
}

#[tokio::test]
async fn wrong_unknown_and_interrupted_sign_ins_are_told_apart() {
    let sim = Sim::start();
    assert_eq!(sim.sign_in("anna@contoso.com", "wrong").await, Some(50_126));
    assert_eq!(sim.sign_in("nobody@contoso.com", RIGHT).await, Some(50_034));
    assert_eq!(sim.sign_in("mfa@contoso.com", RIGHT).await, Some(50_076));
    assert_eq!(
        sim.sign_in("fred@federated.example", RIGHT).await,
        Some(50_126)
    );
}

#[tokio::test]
async fn an_interrupt_says_what_kind_it_is() {
    let sim = Sim::start();
    let answer = sim
        .token_request(TENANT, &password_form("mfa@contoso.com", RIGHT))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.body["error"], "invalid_grant");
    assert_eq!(answer.body["suberror"], "basic_action");
}

#[tokio::test]
async fn ten_wrong_passwords_lock_the_account_for_a_minute_whatever_the_password() {
    let sim = Sim::start();
    for attempt in 0..10 {
        assert_eq!(
            sim.sign_in("anna@contoso.com", &format!("wrong {attempt}"))
                .await,
            Some(50_126)
        );
    }
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, Some(50_053));
    assert_eq!(sim.simulator.counters().failed_sign_ins, 10);
    sim.simulator.advance(SignedDuration::from_secs(61));
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, None);
}

#[tokio::test]
async fn the_same_wrong_password_never_locks() {
    let sim = Sim::start();
    for _ in 0..30 {
        assert_eq!(sim.sign_in("anna@contoso.com", "stale").await, Some(50_126));
    }
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, None);
}

#[tokio::test]
async fn a_confidential_client_needs_its_secret() {
    let sim = Sim::start();
    let app = APP.to_string();
    let mut form = password_form("anna@contoso.com", RIGHT).to_vec();
    form[1] = ("client_id", &app);
    assert_eq!(
        sim.token_request(TENANT, &form).await.body["error_codes"][0],
        7_000_218
    );
    form.push(("client_secret", SECRET));
    assert_eq!(
        sim.token_request(TENANT, &form).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_tenant_that_forbids_the_test_answers_before_the_password_and_counts_nothing() {
    let sim = Sim::start();
    for (verification, code) in [
        (Verification::PublicClientDisabled, 7_000_218),
        (Verification::SecurityDefaults, 530_035),
    ] {
        let change = TenantChange {
            verification: Some(verification),
            ..TenantChange::default()
        };
        sim.simulator.change_tenant(TENANT, change).unwrap();
        assert_eq!(sim.sign_in("anna@contoso.com", "wrong").await, Some(code));
    }
    assert_eq!(sim.simulator.counters().sign_ins, 0);
}

#[tokio::test]
async fn during_replication_the_old_password_still_signs_in() {
    let mut tenant = crate::support::contoso();
    tenant.replication_lag = SignedDuration::from_secs(20);
    let sim = Sim::of(tenant);
    assert_eq!(
        sim.set_password("anna@contoso.com", NEW).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, None);
    assert_eq!(sim.sign_in("anna@contoso.com", NEW).await, Some(50_126));
    sim.simulator.advance(SignedDuration::from_secs(20));
    assert_eq!(sim.sign_in("anna@contoso.com", NEW).await, None);
    assert_eq!(sim.sign_in("anna@contoso.com", RIGHT).await, Some(50_126));
}
