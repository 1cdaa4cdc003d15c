//! What the configuration accepts, which layer wins, and how a mistake is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

const FULL: &str = r#"
[passportal]
region = "ca"

[[client]]
name = "Contoso"

[client.microsoft]
tenant = "contoso.onmicrosoft.com"
cloud = "us-gov-l4"
sign_in = "client-secret"
client_id = "11111111-1111-1111-1111-111111111111"
verification_client_id = "22222222-2222-2222-2222-222222222222"
client_secret_file = "/run/secret"
authority = "https://login.example.com"
graph = "http://127.0.0.1:4000"

[[client]]
name = "Fabrikam"

[client.microsoft]
tenant = "fabrikam.com"
client_id = "33333333-3333-3333-3333-333333333333"
certificate = "/etc/app.pfx"
certificate_password_file = "/run/app-password"

[[client]]
name = "Northwind"

[client.microsoft]
tenant = "northwind.com"
sign_in = "federated"
client_id = "44444444-4444-4444-4444-444444444444"
federated_token_file = "/var/run/secrets/token"

[sync]
interval = "30s"
full_read = "12h"
breaker_percent = 15
breaker_minimum = 5

[verification]
enabled = false
recheck = "3d"
max_failed_per_day = 1
verdict_table = "/etc/verdicts.toml"

[state]
url = "sqlite:///tmp/state.db"
password_file = "/run/db"

[listen]
address = "127.0.0.1:0"

[tls]
extra_ca = "/etc/ca.pem"

[proxy]
url = "socks5h://proxy.example:1080"
username = "agent"
password_file = "/run/proxy"
"#;

const SMALL: &str = r#"[passportal]
region = "us"

[[client]]
name = "Contoso"
microsoft = { tenant = "contoso.com", client_id = "app", certificate = "app.pem" }
"#;

struct File {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    File {
        _folder: folder,
        path,
    }
}

fn load(text: &str) -> Result<Config, ConfigError> {
    Config::load(&file(text).path, [], Overrides::none())
}

fn load_with(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(&file(text).path, variables, Overrides::none())
}

/// The error as a person sees it, from the file's name on.
fn told(answer: Result<Config, ConfigError>) -> String {
    let error = answer.unwrap_err();
    assert!(!error.hint().is_empty(), "{error}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text}");
    match text.rsplit_once("/config.toml") {
        Some((_, rest)) => format!("config.toml{rest}"),
        None => text,
    }
}

#[test]
fn every_documented_key_is_taken() {
    let config = load(FULL).unwrap();
    assert_eq!(
        config.passportal.base_url.as_str(),
        "https://ca-clover.passportalmsp.com/"
    );
    let contoso = &config.clients[0];
    assert_eq!(contoso.name, "Contoso");
    assert_eq!(contoso.microsoft.tenant.0, "contoso.onmicrosoft.com");
    assert_eq!(contoso.microsoft.cloud, Cloud::UsGovL4);
    assert_eq!(contoso.microsoft.sign_in, SignIn::ClientSecret);
    assert_eq!(
        contoso.microsoft.client_secret_file.as_deref(),
        Some(Path::new("/run/secret"))
    );
    assert_eq!(
        contoso.microsoft.graph.as_ref().unwrap().as_str(),
        "http://127.0.0.1:4000/"
    );
    let fabrikam = &config.clients[1].microsoft;
    assert_eq!(fabrikam.sign_in, SignIn::Certificate);
    assert_eq!(
        fabrikam.certificate_password_file.as_deref(),
        Some(Path::new("/run/app-password"))
    );
    let northwind = &config.clients[2].microsoft;
    assert_eq!(northwind.sign_in, SignIn::Federated);
    assert_eq!(
        northwind.federated_token_file.as_deref(),
        Some(Path::new("/var/run/secrets/token"))
    );
    assert_eq!(config.sync.interval, Duration::from_secs(30));
    assert_eq!(config.sync.full_read, Duration::from_hours(12));
    assert_eq!(config.verification.recheck, Duration::from_hours(72));
    assert_eq!(
        config.verification.verdict_table.as_deref(),
        Some(Path::new("/etc/verdicts.toml"))
    );
    assert_eq!(config.state.url, "sqlite:///tmp/state.db");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(
        config.tls.extra_ca.as_deref(),
        Some(Path::new("/etc/ca.pem"))
    );
    let proxy = config.proxy.unwrap();
    assert_eq!(proxy.url.as_str(), "socks5h://proxy.example:1080");
    let user = proxy.user.unwrap();
    assert_eq!(
        (user.name.as_str(), user.password_file),
        ("agent", "/run/proxy".into())
    );
}

#[test]
fn a_proxy_s_password_stands_in_a_file_and_nowhere_else() {
    for (keys, problem) in [
        (
            "url = \"http://anna:canary@proxy.example\"",
            "proxy.url: there is a user name or password in it",
        ),
        (
            "url = \"ftp://proxy.example\"",
            "proxy.url: not the address of a proxy",
        ),
        (
            "url = \"http://proxy.example/path\"",
            "proxy.url: there is more than an address in it",
        ),
        (
            "url = \"http://proxy.example\"\nusername = \"anna\"",
            "proxy.password_file: missing",
        ),
        (
            "url = \"http://proxy.example\"\npassword_file = \"/run/x\"",
            "proxy.username: missing",
        ),
        (
            "username = \"anna\"\npassword_file = \"/run/x\"",
            "proxy.url: missing",
        ),
        ("password = \"canary\"", "proxy.password: unknown key"),
    ] {
        let error = load(&format!("{SMALL}\n[proxy]\n{keys}\n")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(problem), "{keys}: {text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn what_is_not_set_has_its_documented_default() {
    let config = load(SMALL).unwrap();
    assert_eq!(config.sync.interval, Duration::from_secs(45));
    assert_eq!(config.sync.full_read, Duration::from_hours(24));
    assert_eq!(
        (config.sync.breaker_percent, config.sync.breaker_minimum),
        (20, 10)
    );
    assert_eq!(config.verification.test, Verification::Allowed);
    assert_eq!(config.verification.recheck, Duration::from_hours(168));
    assert_eq!(config.verification.max_failed_per_day, 2);
    assert_eq!(config.state.url, DEFAULT_STATE);
    assert_eq!(config.listen.to_string(), "127.0.0.1:9464");
    assert_eq!(config.clients[0].microsoft.cloud, Cloud::Global);
}

#[test]
fn base_url_wins_over_region() {
    let config = load_with(
        SMALL,
        &[(
            "PASSPORTAL_PASSPORTAL__BASE_URL",
            "https://vault.example.com",
        )],
    );
    assert_eq!(
        config.unwrap().passportal.base_url.as_str(),
        "https://vault.example.com/"
    );
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_file() {
    let file = file(&format!(
        "{SMALL}\n[sync]\ninterval = '1m'\nfull_read = '2h'\nbreaker_percent = 1"
    ));
    let variables = [
        ("PASSPORTAL_SYNC__FULL_READ", "3h"),
        ("PASSPORTAL_SYNC__BREAKER_PERCENT", "2"),
        ("PATH", "/bin"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let overrides = Overrides::none().set("--breaker-percent", "sync.breaker_percent", "3");

    let config = Config::load(&file.path, variables, overrides).unwrap();

    assert_eq!(config.sync.interval, Duration::from_mins(1));
    assert_eq!(config.sync.full_read, Duration::from_hours(3));
    assert_eq!(config.sync.breaker_percent, 3);
}

#[test]
fn variables_reach_into_clients_and_add_more_of_them() {
    let config = load_with(
        SMALL,
        &[
            ("PASSPORTAL_CLIENT__1__MICROSOFT__CLIENT_ID", "12345678"),
            ("PASSPORTAL_CLIENT__1__MICROSOFT__SIGN_IN", "client-secret"),
            ("PASSPORTAL_CLIENT__1__MICROSOFT__TENANT", "fabrikam.com"),
            ("PASSPORTAL_CLIENT__1__NAME", "Fabrikam"),
            ("PASSPORTAL_CLIENT__0__MICROSOFT__TENANT", "other.com"),
            ("PASSPORTAL_VERIFICATION__ENABLED", "false"),
        ],
    )
    .unwrap();
    assert_eq!(config.clients[0].microsoft.tenant.0, "other.com");
    assert_eq!(
        config.clients[0].microsoft.client_id.as_deref(),
        Some("app")
    );
    assert_eq!(config.clients[1].name, "Fabrikam");
    // A number where text is wanted stays text.
    assert_eq!(
        config.clients[1].microsoft.client_id.as_deref(),
        Some("12345678")
    );
    assert_eq!(config.verification.test, Verification::SwitchedOff);
}

#[test]
fn a_mistake_in_the_file_is_told_with_line_and_key() {
    let cases = [
        (
            "[passportal]\nregion = us\n",
            "config.toml:2: not valid TOML: ",
        ),
        (
            "[passportal]\nregion = 'us'\nregion = 'ca'\n",
            "config.toml:3: not valid TOML: ",
        ),
        (
            "[passportal]\nregion = 'eu'\n",
            "config.toml:2: passportal.region: unknown value `eu`",
        ),
        (
            "[passportal]\nregoin = 'us'\n",
            "config.toml:2: passportal.regoin: unknown key",
        ),
        (
            "\n[passprotal]\nregion = 'us'\n",
            "config.toml:2: passprotal: unknown key",
        ),
        (
            "[sync]\ninterval = '5 parsecs'\n",
            "config.toml:2: sync.interval: `5 parsecs` is not a span of time",
        ),
        (
            "[sync]\n\nbreaker_percent = 'x'\n",
            "config.toml:3: sync.breaker_percent: invalid type: string \"x\"",
        ),
        (
            "[verification]\nenabled = 'yes'\n",
            "config.toml:2: verification.enabled: invalid type: string \"yes\"",
        ),
        (
            "[listen]\naddress = 'here'\n",
            "config.toml:2: listen.address: invalid socket address",
        ),
        (
            "[passportal]\nbase_url = 'vault'\n",
            "config.toml:2: passportal.base_url: ",
        ),
        (
            "[[client]]\nname = 'a'\n[client.microsoft]\ncloud = 'mars'\n",
            "config.toml:4: client[0].microsoft.cloud: unknown value `mars`",
        ),
        (
            "[[client]]\nname = 'a'\n[client.microsoft]\nsign_in = 'magic'\n",
            "config.toml:4: client[0].microsoft.sign_in: unknown value `magic`",
        ),
        (
            "[[client]]\nname = 'a'\n[[client]]\nname = 'b'\ntennant = 'x'\n",
            "config.toml:5: client[1].tennant: unknown key",
        ),
    ];
    for (text, expected) in cases {
        let told = told(load(text));
        assert!(told.starts_with(expected), "{told}\ninstead of\n{expected}");
    }
}

#[test]
fn what_makes_no_sense_is_told_with_line_and_key() {
    let client = |rest: &str| {
        format!("passportal.region = 'us'\n[[client]]\nname = 'a'\n[client.microsoft]\n{rest}")
    };
    let cases = [
        (
            String::new(),
            "config.toml: passportal.region: missing, and so is passportal.base_url",
        ),
        (
            client(""),
            "config.toml:4: client[0].microsoft.tenant: missing",
        ),
        (
            client("tenant = ' '"),
            "config.toml:5: client[0].microsoft.tenant: empty",
        ),
        (
            client("tenant = 'a/../b'"),
            "config.toml:5: client[0].microsoft.tenant: `a/../b` is not a tenant",
        ),
        (
            client("tenant = 'a.com'"),
            "config.toml:4: client[0].microsoft.client_id: missing, and sign_in = \"certificate\" needs it",
        ),
        (
            client("tenant = 'a.com'\nclient_id = 'x'"),
            "config.toml:4: client[0].microsoft.certificate: missing",
        ),
        (
            client("tenant = 'a.com'\nclient_id = 'x'\nsign_in = 'federated'"),
            "config.toml:4: client[0].microsoft.federated_token_file: missing",
        ),
        (
            client("tenant = 'a.com'\nsign_in = 'vault-admin'\ngraph = 'http://graph.example.com'"),
            "config.toml:7: client[0].microsoft.graph: http is for this machine only",
        ),
        (
            format!("{SMALL}[[client]]\nname = 'CONTOSO'\n"),
            "config.toml:8: client[1].name: another client is named `CONTOSO`, too",
        ),
        (
            format!("{SMALL}[sync]\ninterval = '0s'\n"),
            "config.toml:8: sync.interval: `0s` is too short",
        ),
        (
            format!("{SMALL}[sync]\nbreaker_percent = 101\n"),
            "config.toml:8: sync.breaker_percent: `101` is too much",
        ),
        (
            format!("{SMALL}[verification]\nmax_failed_per_day = 9\n"),
            "config.toml:8: verification.max_failed_per_day: `9` is too much",
        ),
        (
            format!("{SMALL}[state]\nurl = 'mysql://db'\n"),
            "config.toml:8: state.url: it begins with neither sqlite: nor postgres:",
        ),
    ];
    for (text, expected) in cases {
        let told = told(load(&text));
        assert!(told.starts_with(expected), "{told}\ninstead of\n{expected}");
    }
}

#[test]
fn a_mistake_in_a_variable_or_an_option_names_it() {
    let cases = [
        (
            "PASSPORTAL_SYNC__INTERVALL",
            "1s",
            "sync.intervall: unknown key",
        ),
        (
            "PASSPORTAL_SYNC__BREAKER_PERCENT",
            "many",
            "sync.breaker_percent: invalid type",
        ),
        (
            "PASSPORTAL_SYNC__BREAKER_PERCENT",
            "-1",
            "sync.breaker_percent: invalid value",
        ),
        (
            "PASSPORTAL_SYNC__INTERVAL",
            "0s",
            "sync.interval: `0s` is too short",
        ),
        (
            "PASSPORTAL_PASSPORTAL__BASE_URL",
            "http://vault.example.com",
            "passportal.base_url: http is for this machine only",
        ),
        (
            "PASSPORTAL_CLIENT__7__NAME",
            "x",
            "client[7].name: there is no item before it",
        ),
        (
            "PASSPORTAL_CLIENT__1__NAME",
            "contoso",
            "client[1].name: another client",
        ),
        (
            "PASSPORTAL_CLIENT__0__CLOUD",
            "global",
            "client[0].cloud: unknown key",
        ),
        (
            "PASSPORTAL_CLIENT__1__MICROSOFT__CLOUD",
            "mars",
            "client[1].microsoft.cloud: unknown value",
        ),
        ("PASSPORTAL_CLIENT__NAME", "x", "client: invalid type"),
        ("PASSPORTAL_", "x", "unknown key"),
        (
            "PASSPORTAL_CLIENT__1__NAME",
            "Fabrikam",
            "client[1].microsoft.tenant: missing",
        ),
        (
            "PASSPORTAL_CLIENT__1__MICROSOFT__CLOUD__X",
            "y",
            "client[1].microsoft.cloud: ",
        ),
    ];
    for (name, value, expected) in cases {
        let told = told(load_with(SMALL, &[(name, value)]));
        let expected = format!("environment variable {name}: {expected}");
        assert!(
            told.starts_with(&expected),
            "{told}\ninstead of\n{expected}"
        );
    }

    let overrides = Overrides::none().set("--base-url", "passportal.base_url", "nowhere");
    let error = told(Config::load(&file(SMALL).path, [], overrides));
    assert!(
        error.starts_with("option --base-url: passportal.base_url: "),
        "{error}"
    );
}

#[test]
fn http_is_allowed_on_loopback_only() {
    for host in [
        "127.0.0.1:8080",
        "localhost:8080",
        "[::1]:8080",
        "127.8.8.8",
    ] {
        let url = format!("http://{host}");
        load_with(SMALL, &[("PASSPORTAL_PASSPORTAL__BASE_URL", &url)]).unwrap();
    }
    for host in [
        "10.0.0.1",
        "localhost.example.com",
        "[::2]",
        "0.0.0.0",
        "vault",
    ] {
        let url = format!("http://{host}");
        let told = told(load_with(
            SMALL,
            &[("PASSPORTAL_PASSPORTAL__BASE_URL", &url)],
        ));
        assert!(
            told.contains("http is for this machine only"),
            "{host}: {told}"
        );
    }
}

#[test]
fn a_secret_is_refused_without_being_repeated() {
    let cases = [
        (
            format!("{SMALL}[state]\nurl = 'postgres://me:hunter2@db/state'\n"),
            vec![],
        ),
        (
            "[passportal]\nbase_url = 'https://me:hunter2@vault'\n".to_owned(),
            vec![],
        ),
        ("[passportal]\npassword = 'hunter2'\n".to_owned(), vec![]),
        (SMALL.to_owned(), vec![("PASSPORTAL_PASSWORD", "hunter2")]),
        (
            SMALL.to_owned(),
            vec![("PASSPORTAL_CLIENT__0__MICROSOFT__CLIENT_SECRET", "hunter2")],
        ),
    ];
    for (text, variables) in cases {
        let error = load_with(&text, &variables).unwrap_err();
        let all = format!("{error} {error:?} {}", error.hint());
        assert!(!all.contains("hunter2"), "{all}");
    }
    let error = load("[passportal]\npassword = 'hunter2'\n").unwrap_err();
    assert!(
        error
            .hint()
            .starts_with("no secret stands in the configuration"),
        "{}",
        error.hint()
    );
}

#[test]
fn a_missing_file_is_told_with_its_name() {
    let error = Config::load(Path::new("/nowhere/config.toml"), [], Overrides::none()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no configuration file /nowhere/config.toml"
    );
}

#[test]
fn without_a_client_there_is_nothing_to_run() {
    let config = load("passportal.region = 'us'").unwrap();
    assert!(matches!(
        config.require_clients(),
        Err(ConfigError::NoClient)
    ));
    assert_eq!(load(SMALL).unwrap().require_clients().unwrap().len(), 1);
}

#[test]
fn what_is_rendered_loads_as_the_same_configuration() {
    for text in [FULL, SMALL] {
        let config = load(text).unwrap();
        assert_eq!(load(&render(&config)).unwrap(), config);
    }
}

#[test]
fn a_name_with_quotes_and_line_breaks_survives_rendering() {
    let mut config = load(SMALL).unwrap();
    config.clients[0].name = "O'Neil \"& Söhne\"\\\n[state]".to_owned();
    assert_eq!(load(&render(&config)).unwrap(), config);
}

#[test]
fn a_client_is_added_at_the_end_and_the_rest_stays_as_it_was() {
    let commented = format!("# by hand\n{SMALL}\n[sync]\ninterval = \"50s\" # slower\n");
    let file = file(&commented);
    let client = load(FULL).unwrap().clients.remove(1);

    append_client(&file.path, &client).unwrap();

    assert!(
        fs::read_to_string(&file.path)
            .unwrap()
            .starts_with(commented.trim_end())
    );
    let config = Config::load(&file.path, [], Overrides::none()).unwrap();
    assert_eq!(config.clients.len(), 2);
    assert_eq!(config.clients[1], client);
}

#[test]
fn a_file_that_cannot_take_another_client_stays_as_it_was() {
    let text = "passportal.region = 'us'\nclient = []\n";
    let file = file(text);
    let client = load(SMALL).unwrap().clients.remove(0);

    assert!(append_client(&file.path, &client).is_err());

    assert_eq!(fs::read_to_string(&file.path).unwrap(), text);
}

#[test]
fn a_new_file_never_replaces_an_existing_one() {
    let file = file("# precious");
    let config = load(SMALL).unwrap();
    let error = write_new(&file.path, &config).unwrap_err();
    assert!(matches!(error, ConfigError::AlreadyThere { .. }));
    assert_eq!(fs::read_to_string(&file.path).unwrap(), "# precious");

    let fresh = file.path.with_file_name("fresh.toml");
    write_new(&fresh, &config).unwrap();
    assert_eq!(Config::load(&fresh, [], Overrides::none()).unwrap(), config);
}

#[test]
fn the_engine_obeys_the_configured_numbers_and_us_government_at_most_one_failed_sign_in() {
    let mut config = load(FULL).unwrap();
    config.verification.max_failed_per_day = 3;
    let government = config.policy(&config.clients[0]);
    let commercial = config.policy(&config.clients[1]);
    assert_eq!(government.max_failed_per_day, 1);
    assert_eq!(commercial.max_failed_per_day, 3);
    assert_eq!(commercial.verification, Verification::SwitchedOff);
    assert_eq!(commercial.recheck, Duration::from_hours(72));
    assert_eq!(
        (commercial.breaker_percent, commercial.breaker_minimum),
        (15, 5)
    );
}

/// A configuration whose verdict table is this file's.
fn with_verdict_table(name: &str, table: &str) -> (File, Config) {
    let file = file(SMALL);
    let path = file.path.with_file_name(name);
    fs::write(&path, table).unwrap();
    let over = Overrides::none().set("", "verification.verdict_table", path.display().to_string());
    let config = Config::load(&file.path, [], over).unwrap();
    (file, config)
}

#[test]
fn without_a_verdict_table_the_built_in_one_holds() {
    assert_eq!(load(SMALL).unwrap().verdict_table().unwrap(), None);
}

#[test]
fn a_verdict_table_is_read_from_its_file_and_a_broken_one_is_told_with_key_file_and_line() {
    let good = "source = \"a test\"\n[[code]]\ncode = 4711\nname = \"New\"\nverdict = \"match\"\ncounted = false\n";
    let (_file, config) = with_verdict_table("good.toml", good);
    let table = config.verdict_table().unwrap().unwrap();
    assert_eq!(table.rulings().count(), 1);

    let broken = good.replace("\"match\"", "\"mismatch\"");
    let (_file, config) = with_verdict_table("broken.toml", &broken);
    let error = config.verdict_table().unwrap_err();
    let told = crate::causes::chain(&error);
    assert!(
        told.starts_with("verification.verdict_table cannot be used: "),
        "{told}"
    );
    assert!(told.contains("/broken.toml:3: code 4711"), "{told}");
    assert!(error.hint().contains("counted = true"), "{}", error.hint());
}
