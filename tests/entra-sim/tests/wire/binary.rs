//! The binary: what it prints and how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

const SCENARIO: &str = "[[tenant]]\nname = \"contoso.onmicrosoft.com\"\n";

fn start(arguments: &[&str], scenario: &str) -> (tempfile::TempDir, Child) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scenario.toml");
    std::fs::write(&path, scenario).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_entra-sim"))
        .args(arguments)
        .arg("--scenario")
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    (folder, child)
}

fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    line.trim_end().to_owned()
}

/// Status and standard error of a run that ends by itself.
fn failure(arguments: &[&str], scenario: &str) -> (i32, String) {
    let (_folder, mut child) = start(arguments, scenario);
    let status = child.wait().unwrap().code().unwrap();
    let mut errors = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut errors)
        .unwrap();
    (status, errors)
}

#[cfg(unix)]
#[test]
fn it_says_where_it_listens_and_ends_well_on_either_signal() {
    for signal in ["-INT", "-TERM"] {
        let (_folder, mut child) = start(
            &["--listen", "127.0.0.1:0", "--clock-offset", "-1h"],
            SCENARIO,
        );
        let line = first_line(&mut child);
        assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
        assert!(!line.ends_with(":0"));
        Command::new("kill")
            .args([signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(child.wait().unwrap().success(), "{signal}");
    }
}

#[test]
fn a_bad_scenario_is_one_line_and_a_hint() {
    let (status, errors) = failure(&[], "[[tenant]]\nname = \"contoso.com\"\nnmae = 1\n");
    assert_eq!(status, 1);
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(
        lines[0].starts_with("error: ") && lines[0].contains("line 3, key `tenant[0].nmae`"),
        "{errors}"
    );
    assert!(lines[1].starts_with("hint: "));
}

#[test]
fn a_port_in_use_is_one_line_and_a_hint() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (status, errors) = failure(
        &["--listen", &taken.local_addr().unwrap().to_string()],
        SCENARIO,
    );
    assert_eq!(status, 1);
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(
        lines[0].starts_with("error: could not listen at 127.0.0.1:"),
        "{errors}"
    );
    assert!(lines[1].contains("--listen"));
}
