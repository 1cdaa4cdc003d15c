//! The reference's folder, and a simulated tenant to hold against it.

use std::path::PathBuf;

use entra_sim::{AppSpec, Authentication, GroupSpec, Scenario, Simulator, TenantSpec, UserSpec};
use jiff::SignedDuration;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";
pub(crate) const APP: Uuid = Uuid::from_u128(0xA99);
pub(crate) const WEAK_APP: Uuid = Uuid::from_u128(0xBAD);
pub(crate) const SECRET: &str = "Reference~Secret";
pub(crate) const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// The folder of captured answers; without it there is nothing to compare, and the test says so.
pub(crate) fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("PASSPORTAL_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("PASSPORTAL_REFERENCE is not set: nothing is compared");
    }
    folder
}

pub(crate) fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) struct Tenant {
    pub(crate) base: String,
    pub(crate) http: Client,
    pub(crate) simulator: Simulator,
}

pub(crate) async fn tenant() -> Tenant {
    let all = [
        "User.Read.All",
        "User-PasswordProfile.ReadWrite.All",
        "Domain.Read.All",
        "GroupMember.Read.All",
    ];
    let app = AppSpec::confidential(APP, SECRET)
        .permissions(&all)
        .roles(&["User Administrator"]);
    let weak = AppSpec::confidential(WEAK_APP, SECRET).permissions(&["User.Read.All"]);
    let spec = TenantSpec::new(TENANT)
        .domain("contoso.com", Authentication::Managed)
        .app(app)
        .app(weak)
        .group(GroupSpec::new("Tier 0"))
        .user(UserSpec::new("anna@contoso.com", "First-Passw0rd"))
        .user(UserSpec::new("hybrid@contoso.com", "First-Passw0rd").on_premises());
    serving(spec).await
}

pub(crate) async fn serving(spec: TenantSpec) -> Tenant {
    let simulator = Simulator::new(Scenario::of(spec), SignedDuration::ZERO);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = simulator.router();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Tenant {
        base,
        http: Client::builder().no_proxy().build().unwrap(),
        simulator,
    }
}

impl Tenant {
    pub(crate) async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/{TENANT}/oauth2/v2.0/token", self.base);
        self.http.post(url).form(form).send().await.unwrap()
    }

    pub(crate) async fn client_credentials(
        &self,
        client: &str,
        secret: &str,
        scope: &str,
    ) -> Response {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", scope),
        ];
        self.token_request(&form).await
    }

    pub(crate) async fn token(&self, app: Uuid) -> String {
        let answer = self
            .client_credentials(&app.to_string(), SECRET, GRAPH_SCOPE)
            .await;
        let body: Value = answer.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn set_password(&self, token: &str, id: Uuid, body: Value) -> Response {
        let url = format!("{}/v1.0/users/{id}", self.base);
        self.http
            .patch(url)
            .bearer_auth(token)
            .json(&body)
            .send()
            .await
            .unwrap()
    }
}

pub(crate) fn profile(password: &str) -> Value {
    json!({ "passwordProfile": { "password": password, "forceChangePasswordNextSignIn": false } })
}
