//! A tenant on loopback for this crate's tests: one wiremock server is both sign-in and Graph.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sync_engine::model::{ObjectId, Password, TenantId, UserPrincipalName};
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::retry_after::Patience;
use crate::session::Session;
use crate::{AppCredential, Endpoints, EntraDirectory, TenantConfig};

pub(crate) const TOKEN_PATH: &str = "/contoso.com/oauth2/v2.0/token";
pub(crate) const CANARY: &str = "Canary+Pass&word=1\"\\";
pub(crate) const CANARY_SECRET: &str = "canary-client-secret";

pub(crate) struct Tenant {
    pub(crate) server: MockServer,
}

impl Tenant {
    /// With a token endpoint that always grants.
    pub(crate) async fn start() -> Self {
        Self::granting("token-1").await
    }

    /// With a token endpoint whose tokens say this of the agent.
    pub(crate) async fn with_claims(claims: &Value) -> Self {
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        Self::granting(&format!("head.{payload}.signature")).await
    }

    async fn granting(token: &str) -> Self {
        let tenant = Self::without_tokens().await;
        Mock::given(method("POST"))
            .and(path(TOKEN_PATH))
            .and(body_string_contains("grant_type=client_credentials"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "token_type": "Bearer",
                "expires_in": 3599,
                "ext_expires_in": 3599,
                "access_token": token,
            })))
            .mount(&tenant.server)
            .await;
        tenant
    }

    pub(crate) async fn without_tokens() -> Self {
        Self {
            server: MockServer::start().await,
        }
    }

    /// Every sign-in test is answered like this.
    pub(crate) async fn answer_sign_ins(&self, answer: ResponseTemplate) {
        Mock::given(method("POST"))
            .and(path(TOKEN_PATH))
            .and(body_string_contains("grant_type=password"))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    pub(crate) fn config(&self) -> TenantConfig {
        let base = url::Url::parse(&self.server.uri()).unwrap();
        let tenant = TenantId("contoso.com".to_owned());
        let secret = AppCredential::ClientSecret(CANARY_SECRET.into());
        let mut config = TenantConfig::new(tenant, "agent-app", secret);
        config.connection.endpoints = Endpoints::of(crate::Cloud::Global)
            .with_authority(base.clone())
            .with_graph(base);
        config
    }

    /// Tries again as often as the real one, without its waits.
    pub(crate) fn directory(&self) -> EntraDirectory {
        let patience = Patience {
            first: Duration::ZERO,
            longest: Duration::from_mins(1),
            retries: 3,
        };
        EntraDirectory::with_patience(self.config(), patience).unwrap()
    }

    pub(crate) fn session(&self) -> Session {
        self.directory().session
    }

    /// A builder of requests to another Graph, with this tenant's tokens. Nothing is sent.
    pub(crate) fn session_at(&self, graph: url::Url) -> Session {
        let mut config = self.config();
        config.connection.endpoints = config.connection.endpoints.with_graph(graph);
        EntraDirectory::new(config).unwrap().session
    }

    /// Requests of this method whose path ends like this.
    pub(crate) async fn requests(&self, method: &str, end: &str) -> Vec<Request> {
        let all = self.server.received_requests().await.unwrap();
        all.into_iter()
            .filter(|r| r.method.as_str() == method && r.url.path().ends_with(end))
            .collect()
    }
}

pub(crate) fn graph_error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({ "error": {
        "code": code,
        "message": message,
        "innerError": {
            "date": "2026-02-03T04:05:06",
            "request-id": "22222222-2222-2222-2222-222222222222",
        },
    } }))
}

pub(crate) fn entra_error(status: u16, codes: &[u32]) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({
        "error": "invalid_grant",
        "error_description": "AADSTS50076: a description that must not be read",
        "error_codes": codes,
        "trace_id": "33333333-3333-3333-3333-333333333333",
    }))
}

pub(crate) fn id(n: u8) -> ObjectId {
    ObjectId(uuid::Uuid::from_bytes([n; 16]))
}

/// A user with every property that an account has.
pub(crate) fn user(n: u8) -> Value {
    json!({
        "id": id(n).to_string(),
        "userPrincipalName": format!("user{n}@contoso.com"),
        "accountEnabled": true,
        "userType": "Member",
        "lastPasswordChangeDateTime": "2026-01-02T03:04:05Z",
    })
}

pub(crate) fn anna() -> UserPrincipalName {
    UserPrincipalName::new("anna@contoso.com")
}

pub(crate) fn canary() -> Password {
    Password::new(CANARY)
}

/// A service that takes one request, hangs up without a word, and is gone then. Its base URL.
pub(crate) async fn silent_service() -> (url::Url, tokio::task::JoinHandle<()>) {
    use tokio::io::AsyncReadExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hang_up = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 1]).await.unwrap() > 0);
    });
    (
        url::Url::parse(&format!("http://{address}")).unwrap(),
        hang_up,
    )
}

/// A service with a certificate of its own making for this host: where it is, and the certificate.
pub(crate) async fn tls_service(host: &str) -> (std::net::SocketAddr, String) {
    // Another test may have done it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).unwrap();
    let certificate = made.cert.pem();
    let config = axum_server::tls_rustls::RustlsConfig::from_pem(
        certificate.clone().into_bytes(),
        made.signing_key.serialize_pem().into_bytes(),
    )
    .await
    .unwrap();
    let handle: axum_server::Handle<std::net::SocketAddr> = axum_server::Handle::new();
    let server = axum_server::bind_rustls("127.0.0.1:0".parse().unwrap(), config);
    let app = axum::Router::new().fallback(async || "over TLS");
    tokio::spawn(server.handle(handle.clone()).serve(app.into_make_service()));
    (handle.listening().await.unwrap(), certificate)
}
