//! `passportal setup` through a proxy, as a person runs it: options, the configuration that it leaves, and refusals.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

mod program;

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Output;

use agent_bin::config::{Config, Overrides};
use entra_sim::UserSpec;
use integration_tests::{
    ADMIN_EMAIL, ADMIN_PASSWORD, APP, APP_SECRET, CLIENT, ORGANIZATION_KEY, TENANT, TestProxy,
    VAULT_HOST, World,
};

use program::{complaint, passportal};

const USER: &str = "agent";
const PASSWORD: &str = "Proxy-Passw0rd";

/// A world behind a proxy: without it neither vault nor tenant has the name by which it is called.
async fn behind_a_proxy() -> (World, TestProxy) {
    let anna = UserSpec::new("anna@contoso.com", "First-Passw0rd");
    let world = World::builder().user(anna).tls().start().await.unwrap();
    let entra = address(&world.entra_url);
    let proxy = TestProxy::builder()
        .user(USER, PASSWORD)
        .way(VAULT_HOST, address(&world.vault_url))
        .way("login.microsoftonline.com", entra)
        .way("graph.microsoft.com", entra);
    let proxy = proxy.start().await.unwrap();
    (world, proxy)
}

fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("https://").parse().unwrap()
}

/// Runs setup with the proxy's options in addition to all the others.
async fn setup(world: &World, client: &str, proxy: &[(&str, &str)]) -> Output {
    let file = |name: &str, secret: &str| world.secret_file(name, secret).unwrap();
    let state = state_store::file_url(&world.folder().join("agent/state.db"));
    let vault = format!("https://{VAULT_HOST}");
    let app = APP.to_string();
    let text = [
        ("--base-url", vault.as_str()),
        ("--email", ADMIN_EMAIL),
        ("--client", client),
        ("--tenant", TENANT),
        ("--client-id", app.as_str()),
        ("--state-url", state.as_str()),
    ];
    let files = [
        ("--config", world.config_path()),
        ("--password-file", file("admin-password", ADMIN_PASSWORD)),
        (
            "--organization-key-file",
            file("organization-key", ORGANIZATION_KEY),
        ),
        ("--client-secret-file", file("app-secret", APP_SECRET)),
        ("--extra-ca", world.ca.as_ref().unwrap().ca.clone()),
    ];
    let mut arguments: Vec<OsString> = vec!["setup".into()];
    for (option, value) in text.iter().chain(proxy) {
        arguments.extend([option.into(), value.into()]);
    }
    for (option, path) in files {
        arguments.extend([option.into(), path.into()]);
    }
    passportal(arguments, &[]).await
}

fn password_file(world: &World, password: &str) -> PathBuf {
    world.secret_file("proxy-password", password).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn setup_goes_through_the_proxy_of_its_options_and_leaves_them_in_the_configuration() {
    let (world, proxy) = behind_a_proxy().await;
    let (url, file) = (proxy.url(), password_file(&world, PASSWORD));
    let options = [
        ("--proxy-url", url.as_str()),
        ("--proxy-username", USER),
        ("--proxy-password-file", file.to_str().unwrap()),
    ];
    let output = setup(&world, CLIENT, &options).await;
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let asked_for = proxy.asked_for();
    for host in [
        VAULT_HOST,
        "login.microsoftonline.com",
        "graph.microsoft.com",
    ] {
        assert!(asked_for.contains(&format!("{host}:443")), "{asked_for:?}");
    }
    let config = Config::load(&world.config_path(), [], Overrides::none()).unwrap();
    let written = config.proxy.unwrap();
    assert_eq!(written.url.as_str(), format!("{url}/"));
    let user = written.user.unwrap();
    assert_eq!((user.name.as_str(), user.password_file), (USER, file));
    let text = std::fs::read_to_string(world.config_path()).unwrap();
    assert!(!text.contains(PASSWORD), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_wants_another_password_is_named_and_nothing_is_left() {
    let (world, proxy) = behind_a_proxy().await;
    let (url, file) = (proxy.url(), password_file(&world, "Wrong-Passw0rd"));
    let options = [
        ("--proxy-url", url.as_str()),
        ("--proxy-username", USER),
        ("--proxy-password-file", file.to_str().unwrap()),
    ];
    let output = setup(&world, CLIENT, &options).await;
    assert_eq!(output.status.code(), Some(1));
    let told = complaint(&output);
    assert!(told.contains("proxy authorization required"), "{told}");
    assert!(!told.contains("Wrong-Passw0rd"), "{told}");
    assert!(!world.config_path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_proxy_holds_for_every_client_so_another_one_is_refused() {
    let (world, proxy) = behind_a_proxy().await;
    let (url, file) = (proxy.url(), password_file(&world, PASSWORD));
    let options = |url, user| {
        [
            ("--proxy-url", url),
            ("--proxy-username", user),
            ("--proxy-password-file", file.to_str().unwrap()),
        ]
    };
    let output = setup(&world, CLIENT, &options(&url, USER)).await;
    assert_eq!(output.status.code(), Some(0), "{}", complaint(&output));
    let before = std::fs::read_to_string(world.config_path()).unwrap();
    for (options, key) in [
        (options("http://other.example:3128", USER), "proxy.url"),
        (options(&url, "somebody"), "proxy.username"),
    ] {
        let output = setup(&world, "Fabrikam", &options).await;
        assert_eq!(output.status.code(), Some(1));
        let told = complaint(&output);
        assert!(
            told.contains(&format!("the configuration has {key} = ")),
            "{told}"
        );
        assert!(told.contains("it holds for every client"), "{told}");
    }
    // Without the options, or with the same, the proxy of the configuration is used.
    for options in [&options(&url, USER)[..], &[]] {
        let told = complaint(&setup(&world, "Fabrikam", options).await);
        assert!(
            told.contains("the vault has no client `Fabrikam`"),
            "{told}"
        );
    }
    assert_eq!(
        std::fs::read_to_string(world.config_path()).unwrap(),
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_in_the_proxy_s_address_is_refused_and_not_repeated() {
    let (world, proxy) = behind_a_proxy().await;
    let url = proxy.url().replace("http://", "http://agent:hunter2@");
    let output = setup(&world, CLIENT, &[("--proxy-url", &url)]).await;
    assert_eq!(output.status.code(), Some(1));
    let told = complaint(&output);
    assert!(
        told.contains("option --proxy-url: proxy.url: there is a user name"),
        "{told}"
    );
    assert!(told.contains("proxy.password_file"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}
