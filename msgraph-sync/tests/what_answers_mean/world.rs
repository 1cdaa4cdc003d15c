//! Anna: one credential, one account, and a service that answers as it is told to.

use std::sync::Arc;

use jiff::Timestamp;
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use serde_json::{Value, json};
use sync_engine::model::{CredentialId, FlagKind, SyncMode, TenantId};
use sync_engine::plan::Policy;
use sync_engine::ports::Wait;
use sync_engine::testing::{FakeVault, ManualClock};
use sync_engine::{Engine, MemoryStore, Ports, Row, Unwatched};
use wiremock::matchers::{body_string_contains, method, path, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

const ANNA: &str = "anna@contoso.com";
const ACCOUNT: &str = "11111111-1111-1111-1111-111111111111";
const OLD: &str = "Winter-2025!";
const NEW: &str = "Spring-2026!";

pub(crate) struct World {
    server: MockServer,
    vault: Arc<FakeVault>,
    engine: Engine,
    anna: CredentialId,
}

impl World {
    /// Anna's account was last changed long ago; whether its password is the vault's is not known.
    pub(crate) async fn new(mode: SyncMode) -> Self {
        let server = MockServer::start().await;
        grant_the_agent_a_token(&server).await;
        show_the_directory(&server).await;
        let vault = Arc::new(FakeVault::new("Contoso"));
        let anna = vault.add(ANNA, OLD, mode);
        let ports = Ports {
            vault: vault.clone(),
            directory: Arc::new(directory(&server)),
            store: Arc::new(MemoryStore::default()),
            clock: Arc::new(ManualClock::at(Timestamp::now())),
        };
        let engine = Engine::new(ports, Policy::default());
        Self {
            server,
            vault,
            engine,
            anna,
        }
    }

    /// Every sign-in test is answered like this from now on.
    pub(crate) async fn answer_sign_ins(&self, answer: ResponseTemplate) {
        Mock::given(method("POST"))
            .and(body_string_contains("grant_type=password"))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    /// Every password write is answered like this from now on.
    pub(crate) async fn answer_writes(&self, answer: ResponseTemplate) {
        Mock::given(method("PATCH"))
            .and(path(format!("/v1.0/users/{ACCOUNT}")))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    pub(crate) fn type_another_password(&self) {
        self.vault.set_password(self.anna, NEW);
    }

    /// What a cycle comes to for Anna.
    pub(crate) async fn cycle(&mut self) -> Row {
        let report = self.engine.cycle(Wait::No, &Unwatched).await.unwrap();
        report.rows.into_iter().next().unwrap()
    }

    /// Whether the last sign-in test may have counted towards a lockout, by the vault's books.
    pub(crate) fn counted(&self) -> bool {
        let attempts = self.vault.attempts(self.anna);
        attempts.last().unwrap().state.counts()
    }

    pub(crate) async fn sign_ins(&self) -> usize {
        self.count("POST", |body| body.contains("grant_type=password"))
            .await
    }

    pub(crate) async fn writes(&self) -> usize {
        self.count("PATCH", |_| true).await
    }

    async fn count(&self, method: &str, wanted: impl Fn(&str) -> bool) -> usize {
        let all = self.server.received_requests().await.unwrap();
        let wanted = all.iter().filter(|request| {
            request.method.as_str() == method && wanted(&String::from_utf8_lossy(&request.body))
        });
        wanted.count()
    }
}

/// A row in words: the outcome, the flags, and why.
pub(crate) fn told(row: &Row) -> String {
    let outcome = format!("{:?}", row.outcome);
    let flags = row.flags.keys().map(|kind| match kind {
        FlagKind::AdChange => "AD change",
        FlagKind::Held => "Held",
        FlagKind::Blocked => "Blocked",
    });
    let flags: Vec<_> = flags.collect();
    let flags = if flags.is_empty() {
        "no flag".to_owned()
    } else {
        format!("flag {}", flags.join(", "))
    };
    format!("{outcome}; {flags}; {}", row.why)
}

async fn grant_the_agent_a_token(server: &MockServer) {
    let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "t" });
    Mock::given(method("POST"))
        .and(body_string_contains("grant_type=client_credentials"))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .mount(server)
        .await;
}

async fn show_the_directory(server: &MockServer) {
    let anna = json!({
        "id": ACCOUNT,
        "userPrincipalName": ANNA,
        "accountEnabled": true,
        "userType": "Member",
        "lastPasswordChangeDateTime": "2026-01-02T03:04:05Z",
    });
    let users = json!({
        "value": [anna],
        "@odata.deltaLink": format!("{}/v1.0/users/delta?$deltatoken=1", server.uri()),
    });
    let contoso =
        json!({ "id": "contoso.com", "authenticationType": "Managed", "isVerified": true });
    for (page, body) in [
        ("^/v1.0/users/delta", users),
        ("^/v1.0/domains$", json!({ "value": [contoso] })),
    ] {
        show(server, page, &body).await;
    }
}

async fn show(server: &MockServer, page: &str, body: &Value) {
    Mock::given(method("GET"))
        .and(path_regex(page))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

fn directory(server: &MockServer) -> EntraDirectory {
    let base: url::Url = server.uri().parse().unwrap();
    let mut config = TenantConfig::new(
        TenantId("contoso.com".to_owned()),
        "agent-app",
        AppCredential::ClientSecret("secret".into()),
    );
    config.connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.clone())
        .with_graph(base);
    EntraDirectory::new(config).unwrap()
}
