//! An Organization Admin, two clients, and Bea, who is invited.

use passportal_client::wire::{AuditLine, InvitationLink, PersonRecord, SessionToken};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, Caller, EMAIL, ORGANIZATION_KEY, TestClient, TestVault};

pub(crate) const BEA: &str = "bea@msp.example";
pub(crate) const CHOSEN: &str = "a password of her own";

pub(crate) struct World {
    pub(crate) vault: TestVault,
    pub(crate) admin: Caller,
    pub(crate) contoso: TestClient,
    pub(crate) fabrikam: TestClient,
}

impl World {
    pub(crate) async fn new() -> Self {
        let vault = TestVault::start().await;
        let admin = vault.person().await;
        let contoso = TestClient::create(&admin, "Contoso").await;
        let fabrikam = TestClient::create(&admin, "Fabrikam").await;
        Self {
            vault,
            admin,
            contoso,
            fabrikam,
        }
    }

    pub(crate) async fn invite(&self, authority: Value) -> InvitationLink {
        let mut new = authority;
        new["email"] = json!(BEA);
        self.admin.post("vault/people/invitations", &new).await
    }

    /// Bea accepts an invitation and signs in.
    pub(crate) async fn bea(&self, authority: Value) -> Bea {
        let link = self.invite(authority).await;
        let mut browser = self.vault.browser();
        let page = accept(&mut browser, &link.path, CHOSEN, ORGANIZATION_KEY).await;
        assert_eq!(page.0, 200, "{}", page.1);
        let people: Vec<PersonRecord> = self.admin.get("vault/people").await;
        let id = people.iter().find(|it| it.email == BEA).unwrap().id;
        Bea {
            id,
            api: self.sign_in().await,
            browser,
        }
    }

    pub(crate) async fn sign_in(&self) -> Caller {
        let body = json!({ "email": BEA, "password": CHOSEN });
        let session: SessionToken = self.vault.anyone().post("auth/session", &body).await;
        self.vault.with_token(&session.access_token)
    }

    pub(crate) async fn change(&self, bea: &Bea, patch: Value) -> PersonRecord {
        let at = format!("vault/people/{}", bea.id);
        self.admin.patch(&at, &patch).await
    }

    /// Of the first person, who is the only Organization Admin.
    pub(crate) async fn own_path(&self) -> String {
        let people: Vec<PersonRecord> = self.admin.get("vault/people").await;
        let own = people.iter().find(|it| it.email == EMAIL).unwrap();
        format!("vault/people/{}", own.id)
    }

    pub(crate) async fn audit(&self) -> Vec<String> {
        let lines: Vec<AuditLine> = self.admin.get("audit").await;
        let told = lines.into_iter();
        told.map(|line| format!("{}: {}", line.who, line.what))
            .collect()
    }
}

pub(crate) struct Bea {
    pub(crate) id: Uuid,
    pub(crate) api: Caller,
    pub(crate) browser: Browser,
}

impl Bea {
    pub(crate) async fn log_in(&mut self) {
        let fields = [
            ("email", BEA),
            ("password", CHOSEN),
            ("organization_key", ORGANIZATION_KEY),
        ];
        let home = self.browser.submit("/login", "/login", &fields).await;
        assert!(home.html.contains("Sign out"), "{}", home.html);
    }

    pub(crate) async fn forbidden(&self, method: Method, path: &str, body: Value) {
        let refused = self.api.fails(method, path, &body).await;
        assert_eq!(refused, (403, 4003), "{path}");
    }
}

pub(crate) async fn accept(
    browser: &mut Browser,
    path: &str,
    password: &str,
    key: &str,
) -> (u16, String) {
    let fields = [
        ("password", password),
        ("again", password),
        ("organization_key", key),
    ];
    let page = browser.post(path, &fields).await;
    (page.status, page.html)
}
