//! Credentials come in from a CSV file: previewed first, then stored all or none.

use std::path::Path;

use passportal_client::wire::{Credential, SealedSecrets};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

const HEADER: &str = "Passportal ID (BLANK),Client Name,Credential,Username,Password,Description,Expires (Yes/No),Notes,URL,Folder(Optional),TOTP Secret";
const TOTP: &str = "GEZDGNBVGY3TQOJQ";

struct World {
    vault: TestVault,
    person: Caller,
    browser: Browser,
    contoso: TestClient,
    page: String,
}

async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let contoso = TestClient::create(&person, "Contoso").await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let page = format!("/clients/{}/import", contoso.id);
    World {
        vault,
        person,
        browser,
        contoso,
        page,
    }
}

impl World {
    async fn preview(&mut self, rows: &str) -> String {
        let page = self.page.clone();
        let file = format!("\u{feff}{HEADER}\r\n{rows}");
        self.browser
            .upload(&page, &page, file.as_bytes())
            .await
            .html
    }

    async fn store(&mut self, preview: &str, existing: &str) -> String {
        let (_, id) = preview
            .split_once("name=\"import\" value=\"")
            .expect(preview);
        let id = &id[..36];
        let (page, to) = (self.page.clone(), format!("{}/store", self.page));
        let fields = [("import", id), ("existing", existing)];
        self.browser.submit(&page, &to, &fields).await.html
    }

    async fn credentials(&self, client: Uuid) -> Vec<Credential> {
        let path = format!("vault/clients/{client}/credentials");
        self.person.get(&path).await
    }

    async fn clear(&self, credential: &Credential) -> String {
        let path = format!("vault/credentials/{}/secrets", credential.id);
        let secrets: SealedSecrets = self.person.post(&path, &json!({})).await;
        let (name, version) = (credential.user_name.as_str(), credential.version);
        self.contoso
            .open(name, credential.id, version, &secrets.sealed)
    }
}

fn any_file_contains(dir: &Path, needle: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes
            .windows(needle.len())
            .any(|window| window == needle.as_bytes())
    })
}

#[tokio::test]
async fn a_previewed_file_is_stored_sealed_and_says_what_it_refused() {
    let mut world = world().await;
    let fabrikam = TestClient::create(&world.person, "Fabrikam").await;
    let rows = format!(
        "7,contoso,VPN,anna,\"=Canary-1 \",Mail,2031-03-31,\"one\r\ntwo\",https://x.example,Head,{TOTP}\r\n\
         ,FABRIKAM,Door lock,door,Canary-2,,Yes,,,,\r\n\
         ,,VPN,ben,Canary-3,,No,,,,\r\n\
         ,Nobody,VPN,cleo,Canary-4,,No,,,,\r\n\
         ,,vpn,BEN,Canary-5,,No,,,,\r\n\
         ,,VPN,dora, Canary-6,,No,,,,\r\n"
    );
    let preview = world.preview(&rows).await;
    assert!(
        preview.contains("3 new, 0 already there, 3 refused."),
        "{preview}"
    );
    for told in [
        "<td class=\"number\">6</td><td>there is no client `Nobody`; create it first",
        "<td class=\"number\">7</td><td>it is the same client, user name and type as line 5",
        "<td class=\"number\">8</td><td>the password begins with white space",
        "1 rows expire by the table",
    ] {
        assert!(preview.contains(told), "{told}: {preview}");
    }
    assert!(!preview.contains("Canary") && !preview.contains(TOTP));
    assert!(
        world.credentials(world.contoso.id).await.is_empty(),
        "nothing is stored yet"
    );

    let html = world.store(&preview, "skip").await;
    let said = "Imported: 3 added, 0 updated, 0 left as they are, 3 refused.";
    assert!(html.contains(said), "{html}");
    let stored = world.credentials(world.contoso.id).await;
    let [anna, ben] = stored.as_slice() else {
        panic!("{stored:?}");
    };
    assert_eq!(world.clear(anna).await, "=Canary-1 ");
    assert_eq!(
        (anna.notes.as_str(), anna.folder.as_str()),
        ("one\ntwo", "Head")
    );
    assert!(anna.has_totp && anna.expires.is_some() && ben.user_name == "ben");
    assert_eq!(
        world.credentials(fabrikam.id).await[0].credential_type,
        "Door lock"
    );
    let again = world.store(&preview, "skip").await;
    assert!(again.contains("The preview is over"), "{again}");
    let dir = world.vault.stop().await;
    assert!(!any_file_contains(dir.path(), "Canary"));
    assert!(any_file_contains(
        dir.path(),
        "imported 3 credentials and updated 0"
    ));
}

#[tokio::test]
async fn what_is_there_is_left_or_updated_and_only_another_password_is_another_version() {
    let mut world = world().await;
    let first = format!(",,VPN,anna,Canary-1,Mail,,,,,{TOTP}\n,,VPN,ben,Canary-2,,,,,,\n");
    let preview = world.preview(&first).await;
    world.store(&preview, "skip").await;

    let second = format!(",,vpn,ANNA,Canary-1,Other,,,,,{TOTP}\n,,VPN,ben,Canary-9,,,,,,\n");
    let preview = world.preview(&second).await;
    assert!(
        preview.contains("0 new, 2 already there, 0 refused."),
        "{preview}"
    );
    let html = world.store(&preview, "skip").await;
    assert!(html.contains("0 updated, 2 left as they are"), "{html}");
    let preview = world.preview(&second).await;
    let html = world.store(&preview, "update").await;
    assert!(
        html.contains("0 added, 2 updated, 0 left as they are"),
        "{html}"
    );

    let stored = world.credentials(world.contoso.id).await;
    let (anna, ben) = (&stored[0], &stored[1]);
    assert_eq!(
        (anna.version, anna.totp_version, anna.description.as_str()),
        (1, 1, "Other")
    );
    assert_eq!(
        (ben.version, world.clear(ben).await.as_str()),
        (2, "Canary-9")
    );
}

#[tokio::test]
async fn a_file_that_is_no_table_and_a_foreign_form_are_refused() {
    let mut world = world().await;
    let page = world.page.clone();
    let refused = world.browser.upload(&page, &page, b"PK\x03\x04\x00").await;
    assert_eq!(refused.status, 422);
    assert!(
        refused.html.contains("The file is not text in UTF-8"),
        "{}",
        refused.html
    );
    let mut foreign = world.vault.browser();
    foreign.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let preview = world.preview(",,VPN,anna,Canary-1,,,,,,\n").await;
    let (_, id) = preview.split_once("name=\"import\" value=\"").unwrap();
    let fields = [("import", &id[..36]), ("existing", "skip")];
    let html = foreign
        .submit(&page, &format!("{page}/store"), &fields)
        .await
        .html;
    assert!(
        html.contains("The preview is over"),
        "another session has its own: {html}"
    );
    let big = vec![b'a'; 9 * 1024 * 1024];
    assert_eq!(world.browser.upload(&page, &page, &big).await.status, 413);
    assert!(world.credentials(world.contoso.id).await.is_empty());
}

#[tokio::test]
async fn over_the_api_one_refused_credential_undoes_all() {
    let world = world().await;
    let new = |name: &str, key: &TestClient| {
        let id = Uuid::new_v4();
        json!({ "client": world.contoso.id, "credential": { "id": id, "credential_type": "VPN",
            "user_name": name, "sealed": key.seal(id, name, 1, "Canary-1") } })
    };
    let other = TestClient::create(&world.person, "Fabrikam").await;
    let import = json!({ "new": [new("anna", &world.contoso), new("ben", &other)] });
    let refused = world
        .person
        .fails(Method::POST, "vault/imports", &import)
        .await;
    assert_eq!(refused, (422, 4022));
    assert!(world.credentials(world.contoso.id).await.is_empty());

    let import = json!({ "new": [new("anna", &world.contoso), new("cleo", &world.contoso)] });
    let imported: Value = world.person.post("vault/imports", &import).await;
    assert_eq!(imported, json!({ "added": 2, "updated": 0 }));
    let stored = world.credentials(world.contoso.id).await;
    let update = |id: Uuid, version: u64| {
        let sealed = world.contoso.seal(id, "anna", version, "Canary-2");
        json!({ "id": id, "password": { "version": version, "sealed": sealed },
            "patch": { "notes": "new" } })
    };
    let (anna, cleo) = (stored[0].id, stored[1].id);
    let stale = json!({ "updates": [update(anna, 2), update(cleo, 7)] });
    let refused = world
        .person
        .fails(Method::POST, "vault/imports", &stale)
        .await;
    assert_eq!(refused, (409, 4009));
    let unchanged = world.credentials(world.contoso.id).await;
    assert!(
        unchanged
            .iter()
            .all(|it| it.version == 1 && it.notes.is_empty())
    );
    let good = json!({ "updates": [update(anna, 2)] });
    let _: Value = world.person.post("vault/imports", &good).await;
    let changed = world.credentials(world.contoso.id).await;
    assert_eq!((changed[0].version, changed[0].notes.as_str()), (2, "new"));
}

#[tokio::test]
async fn what_is_exported_is_audited_and_can_be_imported_again() {
    let mut world = world().await;
    let rows = format!(",,VPN,anna,\"=Canary-1,\",Mail,,\"one\ntwo\",,Head,{TOTP}\n");
    let preview = world.preview(&rows).await;
    world.store(&preview, "skip").await;
    let (page, export) = (
        world.page.clone(),
        format!("/clients/{}/export", world.contoso.id),
    );
    assert_eq!(world.browser.post(&export, &[]).await.status, 403);
    let file = world.browser.submit(&page, &export, &[]).await.html;
    assert!(
        file.contains("\"=Canary-1,\"") && file.contains(TOTP),
        "{file}"
    );
    let ticked = [("neutralise", "yes")];
    let safe = world.browser.submit(&page, "/export", &ticked).await.html;
    assert!(safe.contains("\"'=Canary-1,\""), "{safe}");

    let preview = world
        .browser
        .upload(&page, &page, file.as_bytes())
        .await
        .html;
    assert!(
        preview.contains("0 new, 1 already there, 0 refused."),
        "{preview}"
    );
    let html = world.store(&preview, "update").await;
    assert!(
        html.contains("0 updated, 1 left as they are"),
        "nothing differs: {html}"
    );
    let dir = world.vault.stop().await;
    assert!(any_file_contains(
        dir.path(),
        "exported version 1 of the password"
    ));
}
