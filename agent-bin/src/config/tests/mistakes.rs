//! How a mistake is told: with its place, its key and a hint.

use std::path::Path;

use super::{SMALL, file, load, load_with, told};
use crate::config::*;

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
fn a_missing_file_is_told_with_its_name() {
    let error = Config::load(Path::new("/nowhere/config.toml"), [], Overrides::none()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no configuration file /nowhere/config.toml"
    );
}
