//! Scenario files: what they say, and how their mistakes are reported.

use std::path::PathBuf;

use entra_sim::{Behaviour, Scenario, UserType, Verification};
use jiff::SignedDuration;
use tempfile::TempDir;

const GOOD: &str = r#"
[[tenant]]
name = "contoso.onmicrosoft.com"
verification = "security_defaults"
replication_lag = "5s"

[[tenant.domain]]
name = "contoso.com"
authentication = "Federated"

[[tenant.app]]
client_id = "6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e01"
secret_file = "app.secret"
permissions = ["User.Read.All"]

[[tenant.user]]
user_principal_name = "anna@contoso.com"
password = "Right-Passw0rd"
behaviour = "mfa_enrolment"
user_type = "Guest"
"#;

const KEYS: &str = r#"
[[tenant]]
name = "contoso.onmicrosoft.com"

[[tenant.app]]
client_id = "6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e01"
certificates = ["nonsense"]
"#;

fn file(name: &str, text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::write(folder.path().join("app.secret"), "the-secret\n").unwrap();
    (folder, path)
}

fn complaint(name: &str, text: &str) -> String {
    let (_folder, path) = file(name, text);
    let message = Scenario::load(&path)
        .expect_err("a bad scenario")
        .to_string();
    assert_eq!(message.lines().count(), 1, "{message}");
    message
}

#[test]
fn a_toml_file_is_read_with_its_secret_file() {
    let (_folder, path) = file("world.toml", GOOD);
    let scenario = Scenario::load(&path).unwrap();
    let tenant = &scenario.tenants[0];
    assert_eq!(tenant.verification, Verification::SecurityDefaults);
    assert_eq!(tenant.replication_lag, SignedDuration::from_secs(5));
    assert_eq!(
        tenant.apps[0].secret.as_ref().unwrap().expose(),
        "the-secret"
    );
    assert_eq!(
        (tenant.users[0].behaviour, tenant.users[0].user_type),
        (Behaviour::MfaEnrolment, UserType::Guest)
    );
    assert!(!format!("{scenario:?}").contains("Right-Passw0rd"));
}

#[test]
fn what_was_built_in_code_can_be_written_and_read_as_json() {
    let text = serde_json::to_string(&Scenario::of(crate::support::contoso())).unwrap();
    let (_folder, path) = file("world.json", &text);
    assert_eq!(Scenario::load(&path).unwrap().tenants[0].users.len(), 5);
}

#[test]
fn a_mistake_is_reported_with_line_and_key() {
    let wrong_value = complaint("a.toml", &GOOD.replace("mfa_enrolment", "mfa-enrolment"));
    assert!(
        wrong_value.contains("line 19, key `tenant[0].user[0].behaviour`"),
        "{wrong_value}"
    );
    let unknown_key = complaint(
        "a.toml",
        &GOOD.replace("replication_lag", "replication_leg"),
    );
    assert!(
        unknown_key.contains("line 5, key `tenant[0].replication_leg`"),
        "{unknown_key}"
    );
    let syntax = complaint("a.toml", &GOOD.replace("[[tenant.app]]", "[[tenant.app]"));
    assert!(syntax.contains("line 11"), "{syntax}");
    let json = complaint("a.json", "{\n  \"tenant\": [{ \"name\": 5 }]\n}");
    assert!(json.contains("line 2, key `tenant[0].name`"), "{json}");
}

#[test]
fn contradictions_are_reported_with_line_and_key() {
    let outside = complaint(
        "a.toml",
        &GOOD.replace("anna@contoso.com", "anna@elsewhere.example"),
    );
    assert!(
        outside.contains("line 17, key `tenant[0].user[0].user_principal_name`"),
        "{outside}"
    );
    let twice = format!("{GOOD}\n[[tenant.user]]\nuser_principal_name = \"Anna@contoso.com\"\n");
    assert!(complaint("a.toml", &twice).contains("already taken"));
    assert!(complaint("a.toml", "").contains("at least one tenant"));
}

#[test]
fn other_endings_and_missing_files_are_refused() {
    assert!(complaint("a.yaml", GOOD).contains("neither in .toml nor in .json"));
    let missing = Scenario::load(&PathBuf::from("/nowhere/at/all.toml")).expect_err("no such file");
    assert_eq!(missing.to_string(), "could not read `/nowhere/at/all.toml`");
}

#[test]
fn a_key_that_is_none_is_told_inline_and_in_a_file() {
    let inline = complaint("world.toml", KEYS);
    let expected = "line 6, key `tenant[0].app[0].certificates`: not an RSA certificate as PEM";
    assert!(inline.ends_with(expected), "{inline}");
    let in_a_file = KEYS.replace(
        "certificates = [\"nonsense",
        "certificate_files = [\"app.secret",
    );
    let told = complaint("world.toml", &in_a_file);
    assert!(
        told.contains("app.secret` holds no RSA certificate"),
        "{told}"
    );
    let federated = "\n[[tenant.app.federated]]\nissuer = \"i\"\nsubject = \"s\"\n";
    let without_key = KEYS.replace("certificates = [\"nonsense\"]", federated);
    let told = complaint("world.toml", &without_key);
    assert!(told.ends_with("not an RSA public key as PEM"), "{told}");
    let key_file = format!("{federated}public_key_file = \"app.secret\"\n");
    let told = complaint(
        "world.toml",
        &KEYS.replace("certificates = [\"nonsense\"]", &key_file),
    );
    assert!(
        told.contains("app.secret` holds no RSA certificate or public key"),
        "{told}"
    );
}

#[test]
fn throttling_is_a_scale_and_a_scale_is_not_zero() {
    let with = |throttling: &str| {
        let tenant = "name = \"contoso.onmicrosoft.com\"";
        format!("[[tenant]]\n{tenant}\nthrottling = {throttling}\n")
    };
    let (_folder, path) = file("world.toml", &with("{ scale = 20, writes = 5 }"));
    let throttling = Scenario::load(&path).unwrap().tenants[0]
        .throttling
        .unwrap();
    assert_eq!(throttling.scale.get(), 20);
    assert_eq!(throttling.writes.map(u32::from), Some(5));
    let zero = complaint("world.toml", &with("{ scale = 0 }"));
    assert!(zero.contains("tenant[0].throttling.scale"), "{zero}");
}
