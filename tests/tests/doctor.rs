//! The doctor names each fault of a set-up with its remedy, and disturbs nobody.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test should say where"
)]

use std::time::Duration;

use agent_bin::config::{Config, SignIn};
use agent_bin::doctor::{self, Checked, Examined};
use entra_sim::{AppChange, Fault, TenantChange, UserSpec, Verification};
use integration_tests::{AppCertificate, PERMISSIONS, World, WorldBuilder, eventually};
use jiff::SignedDuration;
use passportal_client::wire::SyncMode;
use serde_json::json;
use sync_engine::plan::Verification as SignInTest;

const FIRST: &str = "First-Passw0rd";
const ANNA: &str = "anna@contoso.com";

fn builder() -> WorldBuilder {
    World::builder().user(UserSpec::new(ANNA, FIRST))
}

async fn enrolled(builder: WorldBuilder) -> World {
    let world = builder.start().await.unwrap();
    world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap();
    world.enrol().await.unwrap();
    world
}

async fn examined(world: &World) -> Examined {
    examined_with(world, |_| {}).await
}

async fn examined_with(world: &World, spoil: impl FnOnce(&mut Config)) -> Examined {
    let mut config = world.config().unwrap();
    spoil(&mut config);
    let client = config.clients.first().unwrap().clone();
    doctor::examine(&config, &client).await
}

/// The fault of this check, and its remedy.
fn fault(examined: &Examined, name: &str) -> (String, String) {
    let mut checks = examined.checks.iter().filter(|check| check.name == name);
    let told = checks.find_map(|check| match &check.result {
        Checked::Fault { fault, remedy } => Some((fault.clone(), remedy.clone())),
        _ => None,
    });
    told.unwrap_or_else(|| panic!("no fault of {name}: {examined:#?}"))
}

/// The note of this check, and its remedy.
fn note(examined: &Examined, name: &str) -> Option<(String, String)> {
    let mut checks = examined.checks.iter().filter(|check| check.name == name);
    checks.find_map(|check| match &check.result {
        Checked::Note { note, remedy } => Some((note.clone(), remedy.clone())),
        _ => None,
    })
}

fn faults(examined: &Examined) -> Vec<&str> {
    let faults = examined.checks.iter().filter(|check| check.is_fault());
    faults.map(|check| check.name).collect()
}

#[track_caller]
fn assert_told((fault, remedy): &(String, String), what: &str, mend: &str) {
    assert!(fault.contains(what), "{fault}");
    assert!(remedy.contains(mend), "{remedy}");
}

fn roles(roles: &[&str]) -> AppChange {
    AppChange {
        roles: Some(roles.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    }
}

fn permissions(permissions: &[&str]) -> AppChange {
    AppChange {
        permissions: Some(permissions.iter().map(ToString::to_string).collect()),
        ..AppChange::default()
    }
}

#[tokio::test]
async fn a_good_set_up_has_no_fault_and_nothing_is_touched() {
    let world = enrolled(builder()).await;
    let examined = examined(&world).await;
    let fine = |check: &doctor::Check| matches!(check.result, Checked::Fine { .. });
    assert!(examined.checks.iter().all(fine), "{examined:#?}");
    let names: Vec<_> = examined.checks.iter().map(|check| check.name).collect();
    for name in [
        "enrolment",
        "vault",
        "sign-in",
        "clock",
        "permissions",
        "roles",
        "accounts",
        "sign-in test",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let counters = world.simulator.counters();
    assert_eq!((counters.sign_ins, counters.writes), (0, 0));
}

#[tokio::test]
async fn beside_a_running_service_it_answers_and_the_service_goes_on() {
    let world = enrolled(builder()).await;
    let agent = world.run_agent(Duration::from_mins(10)).await.unwrap();
    let ready = async || agent.get("/readyz").await.unwrap().0 == 200;
    eventually("the agent is ready", ready).await.unwrap();
    let sign_ins = world.simulator.counters().sign_ins;
    assert!(!examined(&world).await.has_fault());
    assert_eq!(world.simulator.counters().sign_ins, sign_ins);
    let anna = world.person.credentials(world.client.id).await.unwrap();
    world
        .type_password(anna[0].id, "Second-Passw0rd")
        .await
        .unwrap();
    eventually("the service still writes", async || {
        world.entra_has(ANNA, "Second-Passw0rd")
    })
    .await
    .unwrap();
    agent.stop().await.unwrap();
}

#[tokio::test]
async fn an_app_without_a_role() {
    let world = enrolled(builder()).await;
    world.change_app(roles(&["Directory Readers"])).unwrap();
    let examined = examined(&world).await;
    let told = fault(&examined, "roles");
    assert_told(&told, "no directory role", "User Administrator");
    let told = fault(&examined, "rights");
    assert_told(&told, ANNA, "User Administrator");
}

#[tokio::test]
async fn an_administrator_whom_the_agent_may_not_reset() {
    let boss = UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]);
    let world = enrolled(builder().user(boss)).await;
    let role = "Privileged Authentication Administrator";
    world
        .add("boss@contoso.com", FIRST, SyncMode::Enabled)
        .await
        .unwrap();
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["rights"]);
    assert_told(&fault(&found, "rights"), "boss@contoso.com", role);
    world.change_app(roles(&[role])).unwrap();
    assert!(!examined(&world).await.has_fault());
}

#[tokio::test]
async fn an_app_with_the_wrong_permission() {
    let world = enrolled(builder()).await;
    world
        .change_app(permissions(&["User.ReadWrite.All", "Domain.Read.All"]))
        .unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    let write = "User-PasswordProfile.ReadWrite.All";
    assert_told(&fault(&examined, "permissions"), write, write);
    let notes = examined
        .checks
        .iter()
        .filter(|check| check.name == "rights");
    assert_eq!(
        notes.count(),
        2,
        "roles and groups cannot be read: {examined:#?}"
    );
}

#[tokio::test]
async fn an_app_that_may_not_read_accounts() {
    let world = enrolled(builder()).await;
    world.change_app(permissions(&PERMISSIONS[1..])).unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    assert_told(
        &fault(&examined, "permissions"),
        "User.Read.All",
        "admin consent",
    );
}

#[tokio::test]
async fn an_app_to_which_nobody_consented() {
    let world = enrolled(builder()).await;
    world.change_app(permissions(&[])).unwrap();
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["permissions"]);
    assert_told(
        &fault(&examined, "permissions"),
        "nobody consented",
        "consent",
    );
}

/// The token endpoint refuses with this code from now on.
fn refuse_tokens(world: &World, code: u32) {
    world.simulator.add_fault(Fault {
        path_prefix: "/contoso.onmicrosoft.com/oauth2/v2.0/token".to_owned(),
        status: Some(401),
        count: 100,
        body: Some(json!({ "error": "invalid_client", "error_codes": [code] })),
        ..Fault::default()
    });
}

#[tokio::test]
async fn an_expired_secret() {
    let world = enrolled(builder()).await;
    refuse_tokens(&world, 7_000_222);
    let examined = examined(&world).await;
    assert_eq!(faults(&examined), ["sign-in"]);
    assert_told(
        &fault(&examined, "sign-in"),
        "has expired",
        "new client secret",
    );
}

#[tokio::test]
async fn a_wrong_secret_is_told_apart_from_an_expired_one() {
    let world = enrolled(builder()).await;
    world
        .change_app(AppChange {
            secret: Some("another".into()),
            ..AppChange::default()
        })
        .unwrap();
    let told = fault(&examined(&world).await, "sign-in");
    assert_told(&told, "is wrong", "secret's value");
}

/// What is found where the agent signs in with this certificate.
async fn examined_with_certificate(world: &World, certificate: &AppCertificate) -> Examined {
    let file = world.secret_file("app.pem", &certificate.file).unwrap();
    let certificate = |config: &mut Config| {
        let microsoft = &mut config.clients[0].microsoft;
        microsoft.sign_in = SignIn::Certificate;
        microsoft.certificate = Some(file);
    };
    examined_with(world, certificate).await
}

/// A world whose app has this certificate.
async fn enrolled_with(certificate: &AppCertificate) -> World {
    enrolled(builder().app(|app| app.certificate(&certificate.pem))).await
}

#[tokio::test]
async fn an_expired_certificate_is_told_with_its_end_and_nothing_is_sent() {
    let certificate = AppCertificate::ending_in(-1).unwrap();
    let world = enrolled_with(&certificate).await;
    let before = world.simulator.counters().requests;
    let found = examined_with_certificate(&world, &certificate).await;
    assert_eq!(faults(&found), ["certificate"]);
    let expired = format!("expired at {}", certificate.not_after);
    let told = fault(&found, "certificate");
    assert_told(&told, &expired, "make a new certificate");
    assert!(told.1.contains("upload it to the app registration"));
    assert_eq!(world.simulator.counters().requests, before);
}

#[tokio::test]
async fn a_broken_table_of_sign_in_codes_is_told_with_its_line_and_the_rest_is_looked_at() {
    let world = enrolled(builder()).await;
    let path = world.folder().join("verdicts.toml");
    std::fs::write(&path, "source = \"nobody\"\ncodes = []\n").unwrap();
    let found = examined_with(&world, |config| {
        config.verification.verdict_table = Some(path);
    });
    let found = found.await;
    assert_eq!(faults(&found), ["configuration"]);
    let told = fault(&found, "configuration");
    assert_told(
        &told,
        "verdicts.toml:2: unknown field `codes`",
        "built-in table",
    );
    assert!(found.checks.iter().any(|check| check.name == "sign-in"));
}

#[tokio::test]
async fn a_certificate_that_ends_within_thirty_days_is_a_note_with_its_end() {
    let soon = AppCertificate::ending_in(10).unwrap();
    let found = examined_with_certificate(&enrolled_with(&soon).await, &soon).await;
    assert!(!found.has_fault(), "{found:#?}");
    let (ends, remedy) = note(&found, "certificate").unwrap();
    assert!(ends.contains(&format!("at {}", soon.not_after)), "{ends}");
    assert!(remedy.contains("beside the old one"), "{remedy}");
    let late = AppCertificate::ending_in(40).unwrap();
    let found = examined_with_certificate(&enrolled_with(&late).await, &late).await;
    assert!(!found.has_fault(), "{found:#?}");
    assert_eq!(note(&found, "certificate"), None);
}

#[tokio::test]
async fn a_certificate_that_the_app_does_not_have_is_told_with_where_to_upload_it() {
    let (own, other) = (
        AppCertificate::new().unwrap(),
        AppCertificate::other().unwrap(),
    );
    let world = enrolled_with(&other).await;
    let found = examined_with_certificate(&world, &own).await;
    assert_eq!(faults(&found), ["sign-in"]);
    assert_told(
        &fault(&found, "sign-in"),
        "AADSTS700027",
        "Certificates & secrets",
    );
}

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
async fn a_clock_that_is_off_by_an_hour() {
    let world = enrolled(builder()).await;
    world.simulator.advance(SignedDuration::from_hours(1));
    let found = examined(&world).await;
    assert_eq!(faults(&found), ["clock"]);
    assert_told(&fault(&found, "clock"), "slow by about 1 h", "NTP");
}

#[tokio::test]
async fn a_vault_and_a_tenant_that_cannot_be_reached() {
    let world = enrolled(builder()).await;
    let found = examined_with(&world, |config| {
        config.passportal.base_url = "http://127.0.0.1:9/".parse().unwrap();
        config.clients[0].microsoft.authority = Some("http://127.0.0.1:9/".parse().unwrap());
    })
    .await;
    assert_eq!(faults(&found), ["vault", "sign-in"]);
    let told = fault(&found, "sign-in");
    assert_told(&told, "`127.0.0.1` cannot be reached", "proxy");
}

#[tokio::test]
async fn a_client_that_is_not_enrolled_and_a_secret_that_is_not_there() {
    let world = enrolled(builder()).await;
    let found = examined_with(&world, |config| {
        config.clients[0].name = "Fabrikam".to_owned();
        config.clients[0].microsoft.client_secret_file = Some("/nowhere/secret".into());
    })
    .await;
    assert_eq!(faults(&found), ["enrolment", "credentials of the app"]);
    let told = fault(&found, "enrolment");
    assert_told(&told, "Fabrikam", "passportal setup");
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
async fn in_report_mismatches_no_role_is_needed_for_an_administrator() {
    let boss = UserSpec::new("boss@contoso.com", FIRST).roles(&["Global Administrator"]);
    let world = enrolled(builder().user(boss)).await;
    let mode = SyncMode::ReportMismatches;
    world.add("boss@contoso.com", FIRST, mode).await.unwrap();
    assert!(!examined(&world).await.has_fault());
}
