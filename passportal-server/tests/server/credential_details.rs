//! What a credential has besides its password, on its pages and over the API.

use passportal_client::envelope::{Field, Place};
use passportal_client::wire::{
    Credential, CredentialType, PasswordVersion, SealedSecrets, SealedText, credential_type,
};
use reqwest::Method;
use serde_json::{Value, json};
use sync_engine::model::Password;
use uuid::Uuid;

use crate::support::{Browser, Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

const ANNA: &str = "anna@contoso.com";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

struct World {
    vault: TestVault,
    person: Caller,
    browser: Browser,
    client: TestClient,
    id: Uuid,
    page: String,
}

/// Anna's password is stored, and a person is signed in.
async fn world() -> World {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let id = client.add(&person, ANNA, "Canary-1!").await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let page = format!("/clients/{}/credentials/{id}", client.id);
    World {
        vault,
        person,
        browser,
        client,
        id,
        page,
    }
}

impl World {
    async fn submit(&mut self, action: &str, fields: &[(&str, &str)]) -> String {
        let (page, to) = (self.page.clone(), format!("{}/{action}", self.page));
        self.browser.submit(&page, &to, fields).await.html
    }

    fn path(&self) -> String {
        format!("vault/credentials/{}", self.id)
    }

    async fn stored(&self) -> Credential {
        self.person.get(&self.path()).await
    }

    fn seal_totp(&self, user_name: &str, version: u64, clear: &str) -> SealedText {
        let place = Place {
            credential: self.id,
            field: Field::Totp,
            version,
            user_name,
        };
        self.client.key.seal(&place, &Password::new(clear))
    }

    async fn audit(self) -> String {
        let dir = self.vault.stop().await;
        let bytes = std::fs::read(dir.path().join("vault.db")).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

fn fields<'a>(user_name: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("user_name", user_name),
        ("credential_type", credential_type::USER),
    ];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend_from_slice(more);
    fields
}

#[tokio::test]
async fn all_fields_are_edited_and_the_version_stays() {
    let mut world = world().await;
    let more = [
        ("credential_type", "Firewall"),
        ("folder", "Head office"),
        ("description", "Anna's <own>"),
        ("url", "https://portal.example/"),
        ("expires", "2031-03-31"),
        ("notes", "one\r\ntwo"),
        ("totp", SECRET),
    ];
    let html = world.submit("edit", &fields(ANNA, &more)).await;
    assert!(html.contains("The credential was saved."), "{html}");
    assert!(html.contains("href=\"https://portal.example/\"") && !html.contains(SECRET));
    let stored = world.stored().await;
    assert_eq!((stored.version, stored.totp_version), (1, 1));
    let texts = (
        stored.credential_type.as_str(),
        stored.folder.as_str(),
        stored.notes.as_str(),
    );
    assert_eq!(texts, ("Firewall", "Head office", "one\ntwo"));
    assert_eq!(stored.expires.unwrap().to_string(), "2031-03-31");

    let form = world.browser.get(&format!("{}/edit", world.page)).await;
    for shown in ["Firewall", "Head office", "2031-03-31", "Anna&#39;s"] {
        assert!(form.html.contains(shown), "{shown}: {}", form.html);
    }
    let html = world
        .submit("edit", &fields(ANNA, &[("url", "javascript:alert(1)")]))
        .await;
    assert!(html.contains("javascript:alert(1)") && !html.contains("href=\"javascript"));
    let stored = world.stored().await;
    assert_eq!((stored.folder.as_str(), stored.expires), ("", None));
    assert!(stored.has_totp, "an empty field keeps the secret");
    let audit = world.audit().await;
    assert!(audit.contains("put the credential into the folder Head office"));
    assert!(!audit.contains(SECRET));
}

#[tokio::test]
async fn a_new_user_name_keeps_password_and_codes() {
    let mut world = world().await;
    world
        .submit("edit", &fields(ANNA, &[("totp", SECRET)]))
        .await;
    let html = world
        .submit("edit", &fields("anna.b@contoso.com", &[]))
        .await;
    assert!(html.contains("The credential was saved."), "{html}");
    assert!(world.submit("reveal", &[]).await.contains(">Canary-1!<"));
    let code = world.submit("code", &[]).await;
    let (_, code) = code.split_once("for=\"show-code\">").expect(&code);
    assert!(code.bytes().take(6).all(|digit| digit.is_ascii_digit()));

    let enrolled = world.client.enrol(&world.person, "host-1").await;
    let agent = world.vault.with_token(&enrolled.token);
    let changed = agent.changes("").await.credentials.remove(0);
    assert_eq!(
        (changed.version, changed.user_name.as_str()),
        (1, "anna.b@contoso.com")
    );
    let opened = world
        .client
        .open("anna.b@contoso.com", world.id, 1, &changed.sealed);
    assert_eq!(opened, "Canary-1!");

    let html = world
        .submit(
            "edit",
            &fields("anna.b@contoso.com", &[("remove_totp", "yes")]),
        )
        .await;
    assert!(!html.contains("One-time code"));
    let audit = world.audit().await;
    assert!(audit.contains("showed a one-time code"));
    assert!(
        audit.contains("changed the user name from anna@contoso.com to anna.b@contoso.com"),
        "{audit}"
    );
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_but_no_secret() {
    let mut world = world().await;
    let page = world.page.clone();
    let refused = |more: &[(&'static str, &'static str)]| fields(ANNA, more);
    for (more, why) in [
        (refused(&[("expires", "soon")]), "The expiry is not a day"),
        (refused(&[("totp", "1890!")]), "The TOTP secret is not one"),
        (
            refused(&[("credential_type", " ")]),
            "has a credential type",
        ),
        (refused(&[("user_name", "")]), "A user name is not empty"),
    ] {
        let more = [more, vec![("notes", "typed by hand")]].concat();
        let csrf = world.browser.get(&page).await.csrf();
        let more = [vec![("csrf", csrf.as_str())], more].concat();
        let answer = world.browser.post(&format!("{page}/edit"), &more).await;
        assert_eq!(answer.status, 422);
        assert!(answer.html.contains(why), "{why}: {}", answer.html);
        assert!(answer.html.contains("typed by hand") && !answer.html.contains("1890!"));
    }
    let new = format!("/clients/{}/credentials", world.client.id);
    let more = [("password", " Canary-2!"), ("description", "kept")];
    let answer = world
        .browser
        .submit(&page, &new, &fields("ben@contoso.com", &more))
        .await;
    assert!(answer.html.contains("The password begins with white space"));
    assert!(answer.html.contains("ben@contoso.com") && answer.html.contains("value=\"kept\""));
    assert!(!answer.html.contains("Canary-2"));
    assert_eq!(world.stored().await.notes, "");
}

#[tokio::test]
async fn types_and_folders_are_made_on_demand_and_spelled_one_way() {
    let mut world = world().await;
    world
        .submit(
            "edit",
            &fields(
                ANNA,
                &[
                    ("credential_type", "azure/office365 ADMIN"),
                    ("folder", "Servers"),
                ],
            ),
        )
        .await;
    assert_eq!(world.stored().await.credential_type, credential_type::ADMIN);
    let patch = json!({ "folder": "SERVERS", "credential_type": "Door lock" });
    let patched: Credential = world.person.patch(&world.path(), &patch).await;
    assert_eq!(patched.folder, "Servers");
    let types: Vec<CredentialType> = world.person.get("vault/credential-types").await;
    let names: Vec<_> = types
        .iter()
        .map(|kind| (kind.name.as_str(), kind.built_in))
        .collect();
    assert_eq!(
        names,
        [
            (credential_type::ADMIN, true),
            (credential_type::USER, true),
            ("Door lock", false)
        ]
    );
    let folders = |id: Uuid| format!("vault/clients/{id}/folders");
    let of_client: Vec<String> = world.person.get(&folders(world.client.id)).await;
    assert_eq!(of_client, ["Servers"]);
    let other = TestClient::create(&world.person, "Fabrikam").await;
    let of_other: Vec<String> = world.person.get(&folders(other.id)).await;
    assert!(of_other.is_empty());
}

#[tokio::test]
async fn a_generated_password_is_stored_unseen_and_the_versions_say_who_and_when() {
    let mut world = world().await;
    let html = world
        .submit("password", &[("version", "1"), ("generate", "yes")])
        .await;
    assert!(html.contains("changed to version 2."), "{html}");
    let versions: Vec<PasswordVersion> = world
        .person
        .get(&format!("{}/versions", world.path()))
        .await;
    let said: Vec<_> = versions
        .iter()
        .map(|line| (line.version, line.changed_by.as_deref()))
        .collect();
    assert_eq!(said, [(2, Some(EMAIL)), (1, Some(EMAIL))]);
    assert!(html.contains("Versions of the password") && html.matches(EMAIL).count() > 3);

    let path = format!("{}/secrets", world.path());
    let secrets: SealedSecrets = world.person.post(&path, &json!({})).await;
    let clear = world.client.open(ANNA, world.id, 2, &secrets.sealed);
    assert_eq!(Password::new(clear.as_str()).facts().refusal, None);
    assert!(!html.contains(&clear) && clear.len() == 20);
    assert!(world.audit().await.contains("fetched the sealed secrets"));
}

#[tokio::test]
async fn over_the_api_a_new_user_name_carries_what_is_sealed_for_it() {
    let world = world().await;
    let path = world.path();
    let totp = |version: u64, user_name: &str| json!({ "version": version, "user_name": user_name, "sealed": world.seal_totp(user_name, version, SECRET) });
    let set = json!({ "totp": totp(1, ANNA) });
    let _: Credential = world.person.patch(&path, &set).await;
    let fails = async |patch: Value| world.person.fails(Method::PATCH, &path, &patch).await;
    assert_eq!(fails(set).await, (409, 4009), "the same version again");
    assert_eq!(
        fails(json!({ "totp": totp(2, "eve@contoso.com") })).await,
        (409, 4009)
    );

    let new = "anna.b@contoso.com";
    let renamed = |version: u64, totp: Value| {
        let sealed = world.client.seal(world.id, new, version, "Canary-1!");
        json!({ "renamed": { "user_name": new, "version": version, "sealed": sealed, "totp": totp } })
    };
    assert_eq!(fails(renamed(1, Value::Null)).await, (422, 4022));
    assert_eq!(fails(renamed(2, totp(1, new))).await, (409, 4009));
    assert_eq!(fails(renamed(1, totp(1, ANNA))).await, (409, 4009));
    let other = TestClient::create(&world.person, "Fabrikam").await;
    let foreign = other.seal(world.id, new, 1, "x");
    let foreign = json!({ "renamed": { "user_name": new, "version": 1, "sealed": foreign } });
    assert_eq!(fails(foreign).await, (422, 4022));
    let unchanged = world.stored().await;
    assert_eq!((unchanged.user_name.as_str(), unchanged.version), (ANNA, 1));

    let renamed: Credential = world.person.patch(&path, &renamed(1, totp(1, new))).await;
    assert_eq!(
        (
            renamed.user_name.as_str(),
            renamed.version,
            renamed.totp_version
        ),
        (new, 1, 1)
    );
    // Whoever read the old user name cannot store an envelope that nobody could open.
    let mut late = world.client.new_password(world.id, ANNA, 2, "Late-1!");
    late.user_name = Some(ANNA.to_owned());
    let put = format!("{path}/password");
    let answer = world.person.fails(Method::PUT, &put, &late).await;
    assert_eq!(answer, (409, 4009));
    let contradiction = json!({ "never_expires": true, "expires": "2031-01-01" });
    assert_eq!(fails(contradiction).await, (422, 4022));
}

#[tokio::test]
async fn a_credential_is_made_with_all_its_fields_at_once() {
    let mut world = world().await;
    let new = format!("/clients/{}/credentials", world.client.id);
    let page = world.browser.get(&format!("{new}/new")).await;
    assert!(page.html.contains("name=\"totp\""), "{}", page.html);
    let more = [
        ("folder", "Servers"),
        ("expires", "2020-01-01"),
        ("totp", SECRET),
        ("generate", "yes"),
    ];
    let html = world
        .browser
        .submit(
            &format!("{new}/new"),
            &new,
            &fields("ben@contoso.com", &more),
        )
        .await
        .html;
    assert!(html.contains("The credential was added.") && html.contains("Servers"));
    let path = format!("vault/clients/{}/credentials", world.client.id);
    let stored: Vec<Credential> = world.person.get(&path).await;
    let ben = stored
        .iter()
        .find(|it| it.user_name.starts_with("ben"))
        .unwrap();
    assert!(ben.has_totp && ben.totp_version == 1 && ben.folder == "Servers");
    let page = world.browser.get(&format!("{new}/{}", ben.id)).await;
    assert!(page.html.contains(">Expired<"), "{}", page.html);
}
