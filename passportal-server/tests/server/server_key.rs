//! What is sealed with the server's key, when a backup comes with it and when it does not.

use std::path::Path;

use passportal_client::wire::{NewNoticeChannelAnswer, NoticeChannel};
use passportal_server::create_api_key;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use crate::backup::{backup, program, restore, succeeded};
use crate::support::{Caller, EMAIL, PASSWORD, TestVault, serve};
use crate::upgrade::{COPY, FIRST};

async fn person_of(dir: &Path) -> Caller {
    let url = serve(dir).await;
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let session: serde_json::Value = Caller::new(&url, None).post("auth/session", &body).await;
    let token = session["access_token"].as_str().unwrap().to_owned();
    Caller::new(&url, Some(token))
}

#[tokio::test]
async fn a_new_server_key_ends_what_the_old_one_sealed_and_later_backups_fit_it() {
    let vault = TestVault::start().await;
    create_api_key(vault.dir.path(), &vault.dir.path().join("api-key.json"))
        .await
        .unwrap();
    let person = vault.person().await;
    let new = |name: &str| {
        json!({ "name": name, "target": { "kind": "webhook", "url": "http://127.0.0.1:9/" },
            "settings": { "topics": ["held"] } })
    };
    let _: NewNoticeChannelAnswer = person.post("vault/notice-channels", &new("A")).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("first");
    succeeded(&backup(vault.dir.path(), &file));

    let anew = elsewhere.path().join("anew");
    let files = [("--from", file.as_path()), ("--data-dir", &anew)];
    let told = succeeded(&program(&["restore", "--new-server-key"], &files));
    assert!(told.contains("1 API keys are revoked"), "{told}");
    assert!(told.contains("1 notice channels are paused"), "{told}");
    let person = person_of(&anew).await;
    let channels: Vec<NoticeChannel> = person.get("vault/notice-channels").await;
    assert!(channels[0].settings.paused && channels[0].failure.is_some());
    let _: NewNoticeChannelAnswer = person.post("vault/notice-channels", &new("B")).await;

    let second = elsewhere.path().join("second");
    succeeded(&backup(&anew, &second));
    succeeded(&restore(&second, &elsewhere.path().join("again")));
}

#[tokio::test]
async fn a_backup_of_the_first_version_is_restored_with_its_key() {
    let vault = TestVault::start().await;
    let dir = vault.stop().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("old");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut first = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(FIRST).execute(&mut first).await.unwrap();
    sqlx::query("ATTACH ? AS new")
        .bind(dir.path().join("vault.db").to_str().unwrap())
        .execute(&mut first)
        .await
        .unwrap();
    sqlx::raw_sql(COPY).execute(&mut first).await.unwrap();
    first.close().await.unwrap();
    let key = dir.path().join("server.key");
    std::fs::copy(key, elsewhere.path().join("old.server.key")).unwrap();
    let anew = elsewhere.path().join("anew");
    succeeded(&restore(&file, &anew));
    person_of(&anew).await;
}
