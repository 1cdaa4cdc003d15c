//! `passportal` as a process, with nothing of the environment that could configure it.

use std::ffi::OsString;
use std::process::{Command, Output};

/// Variables by which whoever runs the tests may lead other programs through a proxy.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];

/// Runs it to its end.
pub(crate) async fn passportal(arguments: Vec<OsString>, environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passportal"));
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_uppercase();
        if upper.starts_with("PASSPORTAL_") || PROXIES.contains(&upper.as_str()) {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied());
    tokio::task::spawn_blocking(move || command.output().unwrap())
        .await
        .unwrap()
}

/// What it said to people: the error, and the hint.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
