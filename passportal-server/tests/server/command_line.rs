//! The program itself: what it refuses, and what it tells a person to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{EMAIL, ORGANIZATION_KEY, PASSWORD};

fn run(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_passportal-server");
    Command::new(program).args(arguments).output().unwrap()
}

/// A file for its owner only.
fn secret(dir: &Path, name: &str, content: &str) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, content).unwrap();
    #[cfg(unix)]
    allow(&path, 0o600);
    path
}

#[cfg(unix)]
fn allow(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, permissions).unwrap();
}

fn init(vault: &Path, password: &Path, key: &Path) -> Output {
    run(&[
        "init",
        "--data-dir",
        vault.to_str().unwrap(),
        "--organization",
        "Northwind MSP",
        "--admin-email",
        EMAIL,
        "--admin-password-file",
        password.to_str().unwrap(),
        "--organization-key-file",
        key.to_str().unwrap(),
    ])
}

/// Two lines: what is wrong, and what to do.
fn refused(output: &Output) -> (String, String) {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(output.stdout.is_empty());
    let lines: Vec<&str> = told.lines().collect();
    let [error, hint] = lines.as_slice() else {
        panic!("{told}");
    };
    assert!(
        error.starts_with("error: ") && hint.starts_with("hint: "),
        "{told}"
    );
    ((*error).to_owned(), (*hint).to_owned())
}

#[cfg(unix)]
#[test]
fn secrets_that_others_can_read_make_no_vault() {
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault");
    let password = secret(dir.path(), "password", PASSWORD);
    let key = secret(dir.path(), "key", ORGANIZATION_KEY);
    for open in [&password, &key] {
        allow(open, 0o644);
        let (error, hint) = refused(&init(&vault, &password, &key));
        assert!(error.contains(open.to_str().unwrap()), "{error}");
        assert_eq!(hint, format!("hint: chmod 600 {}", open.display()));
        assert!(!vault.exists());
        allow(open, 0o600);
    }
    assert!(init(&vault, &password, &key).status.success());
}

#[test]
fn a_vault_that_cannot_be_written_is_told_in_one_line_with_a_hint() {
    let dir = tempfile::tempdir().unwrap();
    let vault = dir.path().join("vault");
    let password = secret(dir.path(), "password", PASSWORD);
    let key = secret(dir.path(), "key", ORGANIZATION_KEY);
    assert!(init(&vault, &password, &key).status.success());
    std::fs::create_dir(vault.join("vault.db-wal")).unwrap();
    let data_dir = vault.to_str().unwrap();
    let (error, hint) = refused(&run(&[
        "serve",
        "--data-dir",
        data_dir,
        "--listen",
        "127.0.0.1:0",
    ]));
    let database = vault.join("vault.db");
    let expected = format!("error: `{}` cannot be written: ", database.display());
    assert!(error.starts_with(&expected), "{error}");
    assert!(hint.contains("write --data-dir"), "{hint}");
}
