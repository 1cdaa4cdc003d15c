//! A running simulator and a client that speaks to it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_sim::{
    AppSpec, Authentication, Behaviour, Scenario, Simulator, TenantSpec, UserSpec, bind,
};
use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use uuid::{Uuid, uuid};

pub(crate) const TENANT: &str = "contoso.onmicrosoft.com";
pub(crate) const APP: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e01");
pub(crate) const PUBLIC_APP: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e02");
pub(crate) const READER: Uuid = uuid!("6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e03");
pub(crate) const SECRET: &str = "s3cret~value+with&signs";
pub(crate) const RIGHT: &str = "Right-Passw0rd";
pub(crate) const NEW: &str = "Brand-New-Passw0rd";
pub(crate) const DEFAULT_SCOPE: &str = "https://graph.microsoft.com/.default";

/// A simulator at a port of its own.
pub(crate) struct Sim {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
}

/// A status and the JSON that came with it.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

pub(crate) fn contoso() -> TenantSpec {
    TenantSpec::new(TENANT)
        .domain("contoso.com", Authentication::Managed)
        .domain("federated.example", Authentication::Federated)
        .app(
            AppSpec::confidential(APP, SECRET)
                .permissions(&[
                    "User.Read.All",
                    "User-PasswordProfile.ReadWrite.All",
                    "Domain.Read.All",
                    "Organization.Read.All",
                ])
                .roles(&["User Administrator"]),
        )
        .app(AppSpec::public(PUBLIC_APP))
        .app(AppSpec::confidential(READER, SECRET).permissions(&["User.Read.All"]))
        .user(UserSpec::new("anna@contoso.com", RIGHT))
        .user(UserSpec::new("mfa@contoso.com", RIGHT).behaviour(Behaviour::Mfa))
        .user(UserSpec::new("synced@contoso.com", RIGHT).on_premises())
        .user(UserSpec::new("boss@contoso.com", RIGHT).roles(&["Global Administrator"]))
        .user(UserSpec::new("fred@federated.example", RIGHT))
}

pub(crate) fn tenant_with_users(count: usize) -> TenantSpec {
    let mut tenant = contoso();
    tenant.users = (0..count)
        .map(|number| UserSpec::new(&format!("user{number:05}@contoso.com"), RIGHT))
        .collect();
    tenant
}

impl Sim {
    pub(crate) fn start() -> Self {
        Self::of(contoso())
    }

    pub(crate) fn of(tenant: TenantSpec) -> Self {
        Self::with_clock(tenant, SignedDuration::ZERO)
    }

    pub(crate) fn with_clock(tenant: TenantSpec, offset: SignedDuration) -> Self {
        let simulator = Simulator::new(Scenario::of(tenant), offset);
        let address = "127.0.0.1:0".parse().unwrap();
        let listening = bind(simulator.clone(), address, None).unwrap();
        let url = listening.url();
        tokio::spawn(listening.run(std::future::pending()));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            simulator,
            url,
            http,
        }
    }

    pub(crate) async fn token_request(&self, tenant: &str, form: &[(&str, &str)]) -> Answer {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.url);
        Answer::of(self.http.post(url).form(form).send().await.unwrap()).await
    }

    /// The application's token.
    pub(crate) async fn token(&self) -> String {
        self.token_of(APP).await
    }

    pub(crate) async fn token_of(&self, app: Uuid) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &app.to_string()),
            ("client_secret", SECRET),
            ("scope", DEFAULT_SCOPE),
        ];
        let answer = self.token_request(TENANT, &form).await;
        answer.body["access_token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// The code that a sign-in meets; none when it gets a token.
    pub(crate) async fn sign_in(&self, user: &str, password: &str) -> Option<u64> {
        let answer = self
            .token_request(TENANT, &password_form(user, password))
            .await;
        answer.body["error_codes"][0].as_u64()
    }

    /// A request to Graph with a fresh token.
    pub(crate) async fn graph(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/v1.0/{path}", self.url);
        self.http
            .request(method, url)
            .bearer_auth(self.token().await)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.graph(Method::GET, path).await.send().await.unwrap()).await
    }

    /// Follows a link that Graph gave.
    pub(crate) async fn follow(&self, link: &Value) -> Answer {
        let link = link.as_str().expect("a link");
        assert!(link.starts_with(&self.url), "{link} leads elsewhere");
        let request = self.http.get(link).bearer_auth(self.token().await);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn patch(&self, user: &str, body: Value) -> Answer {
        let request = self
            .graph(Method::PATCH, &format!("users/{user}"))
            .await
            .json(&body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn set_password(&self, user: &str, password: &str) -> Answer {
        self.patch(user, profile(password)).await
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/_sim/{path}", self.url);
        Answer::of(
            self.http
                .request(method, url)
                .json(&body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) fn writes(&self) -> u64 {
        self.simulator.counters().writes
    }
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap()
        };
        Self {
            status,
            headers,
            body,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn graph_code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        let value = self.body["value"].as_array().expect("a collection");
        value
            .iter()
            .map(|user| user["userPrincipalName"].as_str().unwrap_or("(removed)"))
            .collect()
    }
}

/// What a token says, without looking at its signature.
pub(crate) fn claims_of(token: &Value) -> Value {
    let payload = token.as_str().expect("a token").split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub(crate) fn profile(password: &str) -> Value {
    json!({ "passwordProfile": { "password": password, "forceChangePasswordNextSignIn": false } })
}

pub(crate) fn password_form<'a>(user: &'a str, password: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "password"),
        ("client_id", "6f1d5b6e-1f0a-4a53-9d0e-0a4c3b1d2e02"),
        ("scope", "openid"),
        ("username", user),
        ("password", password),
    ]
}
