//! `passportal doctor` as a person runs it: a program, its output, its exit status.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed test should say where"
)]

use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use entra_sim::{AppChange, UserSpec};
use integration_tests::World;
use passportal_client::wire::SyncMode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

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
    let mut command = Command::new(env!("CARGO_BIN_EXE_passportal"));
    // Whoever runs the tests may have such variables for other programs.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PASSPORTAL_") {
            command.env_remove(name);
        }
    }
    command
        .args(["doctor", "--config"])
        .arg(world.config_path())
        .args(options)
        .envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
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
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("it has: Contoso"), "{told}");
}

/// A proxy on loopback that lets nobody pass: its address, and the requests that it saw.
async fn refusing_proxy() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let requests = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let head = String::from_utf8_lossy(&request[..length]);
            let first = head.lines().next().unwrap_or_default().to_owned();
            requests.lock().unwrap().push(first);
            let refusal =
                b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n";
            let _ = stream.write_all(refusal).await;
        }
    });
    (address, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_refuses_is_told_and_nothing_goes_around_it() {
    let world = enrolled().await;
    let written = std::fs::read_to_string(world.config_path()).unwrap();
    let own = |line: &&str| !line.starts_with("authority") && !line.starts_with("graph");
    let microsoft: Vec<&str> = written.lines().filter(own).collect();
    std::fs::write(world.config_path(), microsoft.join("\n")).unwrap();
    let (proxy, seen) = refusing_proxy().await;
    let environment = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1")];
    let output = doctor(&world, &["--output", "json"], &environment).await;
    assert_eq!(output.status.code(), Some(1));
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    let checks = json["clients"][0]["checks"].as_array().unwrap();
    let sign_in = checks.iter().find(|it| it["name"] == "sign-in").unwrap();
    assert_eq!(sign_in["is"], "fault", "{sign_in}");
    let told = format!("{} {}", sign_in["fault"], sign_in["remedy"]);
    assert!(told.contains("login.microsoftonline.com"), "{told}");
    assert!(told.contains("proxy"), "{told}");
    let seen = seen.lock().unwrap();
    assert!(!seen.is_empty());
    let connect = "CONNECT login.microsoftonline.com:443 HTTP/1.1";
    assert!(seen.iter().all(|first| first == connect), "{seen:?}");
}
