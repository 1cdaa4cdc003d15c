//! What the configuration accepts, which layer wins, and how a mistake is told.

mod keys;
mod layers;
mod mistakes;
mod secrets;
mod verdict_table;
mod writing;

use std::fs;
use std::path::{MAIN_SEPARATOR, PathBuf};

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
    match text.rsplit_once(&format!("{MAIN_SEPARATOR}config.toml")) {
        Some((_, rest)) => format!("config.toml{rest}"),
        None => text,
    }
}
