//! `passportal doctor` as a person runs it: a program, its output, its exit status.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test should say where"
)]

mod program;

use std::ffi::OsString;
use std::process::Output;

use entra_sim::{AppChange, UserSpec};
use integration_tests::{TestProxy, World};
use passportal_client::wire::SyncMode;
use serde_json::Value;

use program::{complaint, passportal};

const ANNA: &str = "anna@contoso.com";
const FIRST: &str = "First-Passw0rd";

async fn enrolled() -> World {
    let anna = UserSpec::new(ANNA, FIRST);
    let world = World::builder().user(anna).start().await.unwrap();
    world.add(ANNA, FIRST, SyncMode::Enabled).await.unwrap();
    world.enrol().await.unwrap();
    world
}

async fn doctor(world: &World, options: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut arguments: Vec<OsString> = vec!["doctor".into(), "--config".into()];
    arguments.push(world.config_path().into());
    arguments.extend(options.iter().map(OsString::from));
    passportal(arguments, environment).await
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_set_up_ends_with_0_and_each_check_is_ok() {
    let world = enrolled().await;
    let output = doctor(&world, &[], &[]).await;
    let text = text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(
        text.starts_with("Contoso: contoso.onmicrosoft.com"),
        "{text}"
    );
    assert!(!text.contains("fault"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_ends_with_1_and_is_told_to_people_and_to_programs() {
    let world = enrolled().await;
    let change = AppChange {
        roles: Some(Vec::new()),
        ..AppChange::default()
    };
    world.change_app(change).unwrap();
    let output = doctor(&world, &[], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let shown = text(&output);
    assert!(shown.contains("no directory role"), "{shown}");
    assert!(shown.contains("→ assign the directory role"), "{shown}");
    let output = doctor(&world, &["--output", "json"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = json["clients"][0]["checks"].as_array().unwrap();
    let roles = checks.iter().find(|it| it["name"] == "roles").unwrap();
    assert_eq!(roles["is"], "fault");
    let remedy = roles["remedy"].as_str().unwrap();
    assert!(remedy.contains("User Administrator"), "{remedy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_client_is_refused_with_those_that_are_there() {
    let world = enrolled().await;
    let output = doctor(&world, &["--client", "Fabrikam"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = complaint(&output);
    assert!(told.contains("it has: Contoso"), "{told}");
}

/// What doctor says of the sign-in to Microsoft's own addresses where this proxy is on the way.
async fn sign_in_through(proxy: &str) -> (String, Value) {
    let world = enrolled().await;
    let written = std::fs::read_to_string(world.config_path()).unwrap();
    let own = |line: &&str| !line.starts_with("authority") && !line.starts_with("graph");
    let microsoft: Vec<&str> = written.lines().filter(own).collect();
    std::fs::write(world.config_path(), microsoft.join("\n")).unwrap();
    let environment = [("HTTPS_PROXY", proxy), ("NO_PROXY", "127.0.0.1")];
    let shown = text(&doctor(&world, &[], &environment).await);
    let output = doctor(&world, &["--output", "json"], &environment).await;
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = json["clients"][0]["checks"].as_array().unwrap();
    let sign_in = checks.iter().find(|it| it["name"] == "sign-in").unwrap();
    (shown, sign_in.clone())
}

/// The fault names the proxy and the host behind it, and the remedy is the proxy's.
#[track_caller]
fn assert_told((shown, sign_in): &(String, Value), proxy: &str, trouble: &str, remedy: &str) {
    assert_eq!(sign_in["is"], "fault", "{sign_in}");
    let fault = sign_in["fault"].as_str().unwrap();
    let expected =
        format!("the proxy `{proxy}` {trouble}, on the way to `login.microsoftonline.com`");
    assert!(fault.starts_with(&expected), "{fault}");
    assert_eq!(sign_in["remedy"], remedy);
    assert!(shown.contains(&format!("→ {remedy}")), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_a_user_is_told_and_nothing_goes_around_it() {
    let proxy = TestProxy::builder().user("agent", "Proxy-Passw0rd");
    let proxy = proxy.start().await.unwrap();
    let told = sign_in_through(&proxy.url()).await;
    let remedy = "set proxy.username and proxy.password_file to an account that the proxy accepts";
    let trouble = "wants a user name and password, or others than it was given";
    assert_told(&told, &proxy.name(), trouble, remedy);
    let asked_for = proxy.asked_for();
    assert!(!asked_for.is_empty());
    let sign_in = "login.microsoftonline.com:443";
    assert!(asked_for.iter().all(|it| it == sign_in), "{asked_for:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_lets_nobody_through_to_microsoft_is_told() {
    let proxy = TestProxy::builder().start().await.unwrap();
    let told = sign_in_through(&proxy.url()).await;
    let remedy =
        "let the proxy allow Microsoft's sign-in and Graph hosts on port 443; its log says more";
    assert_told(
        &told,
        &proxy.name(),
        "does not let the connection through",
        remedy,
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_there_is_told() {
    let told = sign_in_through("http://127.0.0.1:9").await;
    let remedy = "check proxy.url or HTTPS_PROXY, and that the proxy runs; a host that needs none belongs into NO_PROXY";
    assert_told(&told, "127.0.0.1:9", "cannot be reached", remedy);
}
