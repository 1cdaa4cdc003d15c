//! Backups: made while the server runs, restored whole, refused where they are not.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use passportal_client::wire::{Changes, Client, InvitationLink};
use passportal_server::{Server, create_api_key};
use serde_json::json;
use sqlx::{Column as _, Connection as _, Row as _, SqliteConnection, ValueRef as _};

use crate::support::{Caller, TestClient, TestVault, config, plain_http, serve};

pub(crate) fn program(arguments: &[&str], files: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_passportal-server"));
    command.args(arguments);
    for (option, path) in files {
        command.arg(option).arg(path);
    }
    command.output().unwrap()
}

pub(crate) fn backup(data_dir: &Path, to: &Path) -> Output {
    let files = [("--data-dir", data_dir), ("--to", to)];
    program(&["backup", "--with-server-key"], &files)
}

pub(crate) fn restore(from: &Path, data_dir: &Path) -> Output {
    program(&["restore"], &[("--from", from), ("--data-dir", data_dir)])
}

pub(crate) fn succeeded(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    let told = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(output.stdout.is_empty());
    assert!(
        told.starts_with("error: ") && told.contains("\nhint: "),
        "{told}"
    );
    told
}

/// Every row of every table, but for what a restored vault says of itself.
async fn contents(file: &Path) -> Vec<String> {
    let url = format!("sqlite://{}?mode=ro", file.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let tables: Vec<(String,)> =
        sqlx::query_as("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
            .fetch_all(&mut database)
            .await
            .unwrap();
    assert!(tables.len() > 15, "{tables:?}");
    let mut rows = Vec::new();
    for (table,) in tables {
        let sql = format!("SELECT * FROM \"{table}\"");
        let found = sqlx::query(sqlx::AssertSqlSafe(sql))
            .fetch_all(&mut database)
            .await
            .unwrap();
        let own = ["audit", "audit_chain", "sqlite_sequence"].contains(&table.as_str());
        let lines: Vec<String> = found.iter().map(|row| line(&table, row)).collect();
        // The line about the restoring is one more in each of them.
        let kept = if own { lines.len() - 1 } else { lines.len() };
        let mut kept = lines[..kept].to_vec();
        kept.sort();
        rows.extend(kept);
    }
    rows
}

fn line(table: &str, row: &sqlx::sqlite::SqliteRow) -> String {
    let mut text = table.to_owned();
    for column in row.columns() {
        let name = column.name();
        if (table, name) == ("organization", "epoch") {
            continue;
        }
        let value = row.try_get_raw(name).unwrap();
        let shown = if value.is_null() {
            "NULL".to_owned()
        } else {
            let bytes: Vec<u8> = row.get_unchecked(name);
            String::from_utf8_lossy(&bytes).into_owned()
        };
        write!(text, " {name}={shown}").unwrap();
    }
    text
}

#[tokio::test]
async fn a_backup_of_a_vault_at_work_is_complete_and_its_restoration_is_a_new_history() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    let new = client.new_password(anna, "anna@contoso.com", 2, "y");
    let _: serde_json::Value = person
        .put(&format!("vault/credentials/{anna}/password"), &new)
        .await;
    let enrolled = client.enrol(&person, "host-1").await;
    let key = vault.dir.path().join("api-key.json");
    create_api_key(vault.dir.path(), &key).await.unwrap();
    let before = vault.with_token(&enrolled.token).changes("").await;

    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("monday.backup");
    let told = succeeded(&backup(vault.dir.path(), &file));
    assert!(told.contains("keep the organization key as well"), "{told}");
    assert_only_its_owner_may_read(&file);
    assert_only_its_owner_may_read(&elsewhere.path().join("monday.backup.server.key"));
    // The server goes on, and what comes later is not in the backup.
    client.add(&person, "ben@contoso.com", "z").await;
    let token = person.token().to_owned();

    let anew = elsewhere.path().join("anew");
    let told = succeeded(&restore(&file, &anew));
    assert!(told.contains("audit trail: 7 lines, head "), "{told}");
    // The copy has no line about the restoring; both are looked at without their last lines.
    let (restored, source) = (
        contents(&anew.join("vault.db")).await,
        contents_of_copy(&file).await,
    );
    assert_eq!(restored, source);

    let url = serve(&anew).await;
    let person = Caller::new(&url, Some(token));
    let clients: Vec<Client> = person.get("vault/clients").await;
    assert_eq!(clients.iter().map(|it| it.credentials).sum::<u32>(), 1);
    let agent = Caller::new(&url, Some(enrolled.token));
    let after: Changes = agent.changes(&format!("cursor={}", before.cursor)).await;
    assert_ne!(
        after.epoch, before.epoch,
        "a restored vault is first contact"
    );
    let sealed = after.credentials[0].sealed.clone();
    assert_eq!(client.open("anna@contoso.com", anna, 2, &sealed), "y");
    let verified = program(&["audit", "verify"], &[("--data-dir", &anew)]);
    succeeded(&verified);
}

#[tokio::test]
async fn an_invitation_in_a_backup_is_not_good_any_more() {
    let vault = TestVault::start().await;
    let new = json!({ "email": "bea@msp.example", "role": "technician" });
    let person = vault.person().await;
    let link: InvitationLink = person.post("vault/people/invitations", &new).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("monday.backup");
    succeeded(&backup(vault.dir.path(), &file));
    let anew = elsewhere.path().join("anew");
    succeeded(&restore(&file, &anew));

    let server = Server::bind(config(&anew)).await.unwrap();
    let url = format!("{}{}", server.url(), link.path);
    tokio::spawn(server.run(std::future::pending()));
    let answer = plain_http().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 404);
}

/// As a restored vault's: with a last line of the restoring's own, which is then left out.
async fn contents_of_copy(file: &Path) -> Vec<String> {
    let marked = file.with_extension("marked");
    std::fs::copy(file, &marked).unwrap();
    let url = format!("sqlite://{}", marked.display());
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO audit (at, who, what, subject) VALUES ('', '', '', '');
         INSERT INTO audit_chain SELECT MAX(line), '' FROM audit;",
    )
    .execute(&mut database)
    .await
    .unwrap();
    database.close().await.unwrap();
    contents(&marked).await
}

#[cfg(unix)]
fn assert_only_its_owner_may_read(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", file.display());
}

#[cfg(not(unix))]
fn assert_only_its_owner_may_read(_file: &Path) {}

#[tokio::test]
async fn what_is_no_whole_backup_is_refused_and_leaves_nothing_behind() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    for number in 0..20 {
        client
            .add(&person, &format!("user-{number}@contoso.com"), "x")
            .await;
    }
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("good");
    succeeded(&backup(vault.dir.path(), &file));
    let whole = std::fs::read(&file).unwrap();
    let mut spoiled = whole.clone();
    let middle = spoiled.len() / 2;
    spoiled[middle..middle + 4096].fill(0xff);
    let wrong: [(&str, &[u8]); 6] = [
        ("cut in half", &whole[..whole.len() / 2]),
        ("without its last page", &whole[..whole.len() - 4096]),
        ("cut within its header", &whole[..50]),
        ("empty", b""),
        ("a text", &b"not a database".repeat(500)),
        ("spoiled", &spoiled),
    ];
    let anew = elsewhere.path().join("anew");
    for (what, content) in wrong {
        let bad = elsewhere.path().join("bad");
        std::fs::write(&bad, content).unwrap();
        std::fs::copy(
            elsewhere.path().join("good.server.key"),
            elsewhere.path().join("bad.server.key"),
        )
        .unwrap();
        let told = refused(&restore(&bad, &anew));
        assert!(
            told.contains("is no whole backup of a vault: "),
            "{what}: {told}"
        );
        assert!(!anew.exists(), "{what}");
    }
    let live = vault.dir.path().join("vault.db");
    let key = vault.dir.path().join("server.key");
    let files = [
        ("--from", live.as_path()),
        ("--data-dir", &anew),
        ("--server-key", &key),
    ];
    let told = refused(&program(&["restore"], &files));
    assert!(told.contains("a vault's own file"), "{told}");
    let told = refused(&restore(&elsewhere.path().join("missing"), &anew));
    assert!(told.contains("missing.server.key"), "{told}");
}

#[tokio::test]
async fn a_folder_in_use_or_not_empty_is_never_replaced_and_the_key_has_to_fit() {
    let vault = TestVault::start().await;
    let key = vault.dir.path().join("api-key.json");
    create_api_key(vault.dir.path(), &key).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("good");
    succeeded(&backup(vault.dir.path(), &file));
    let told = refused(&backup(vault.dir.path(), &file));
    assert!(told.contains("exists already"), "{told}");
    let before = std::fs::read(vault.dir.path().join("vault.db")).unwrap();
    let told = refused(&restore(&file, vault.dir.path()));
    assert!(told.contains("is using the vault"), "{told}");
    let dir = vault.stop().await;
    let told = refused(&restore(&file, dir.path()));
    assert!(told.contains("is not empty"), "{told}");
    assert!(!before.is_empty() && dir.path().join("vault.db").exists());

    let anew = elsewhere.path().join("anew");
    let other = elsewhere.path().join("other.key");
    std::fs::write(&other, "00".repeat(32)).unwrap();
    let files = [
        ("--from", file.as_path()),
        ("--data-dir", &anew),
        ("--server-key", &other),
    ];
    let told = refused(&program(&["restore"], &files));
    assert!(
        told.contains("does not fit this backup") && !anew.exists(),
        "{told}"
    );
    std::fs::remove_file(elsewhere.path().join("good.server.key")).unwrap();
    let told = refused(&restore(&file, &anew));
    assert!(told.contains("there is no server key"), "{told}");
    let files = [("--from", file.as_path()), ("--data-dir", &anew)];
    succeeded(&program(&["restore", "--new-server-key"], &files));
    let body = json!({ "email": crate::support::EMAIL, "password": crate::support::PASSWORD });
    let url = serve(&anew).await;
    let _: serde_json::Value = Caller::new(&url, None).post("auth/session", &body).await;
}
