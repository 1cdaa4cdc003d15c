//! Holds the simulator's wire behaviour against captured answers, when `PASSPORTAL_REFERENCE` names
//! the folder that has them.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use entra_sim::{AppSpec, Authentication, GroupSpec, Scenario, Simulator, TenantSpec, UserSpec};
use jiff::SignedDuration;
use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, TenantConfig};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use sync_engine::model::{ObjectId, TenantId};
use uuid::Uuid;

const TENANT: &str = "contoso.onmicrosoft.com";
const APP: Uuid = Uuid::from_u128(0xA99);
const WEAK_APP: Uuid = Uuid::from_u128(0xBAD);
const SECRET: &str = "Reference~Secret";
const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";

/// The folder of captured answers; without it there is nothing to compare, and the test says so.
fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("PASSPORTAL_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("PASSPORTAL_REFERENCE is not set: nothing is compared");
    }
    folder
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

struct Tenant {
    base: String,
    http: Client,
    simulator: Simulator,
}

async fn tenant() -> Tenant {
    let all = [
        "User.Read.All",
        "User-PasswordProfile.ReadWrite.All",
        "Domain.Read.All",
    ];
    let app = AppSpec::confidential(APP, SECRET)
        .permissions(&all)
        .roles(&["User Administrator"]);
    let weak = AppSpec::confidential(WEAK_APP, SECRET).permissions(&["User.Read.All"]);
    let spec = TenantSpec::new(TENANT)
        .domain("contoso.com", Authentication::Managed)
        .app(app)
        .app(weak)
        .user(UserSpec::new("anna@contoso.com", "First-Passw0rd"))
        .user(UserSpec::new("hybrid@contoso.com", "First-Passw0rd").on_premises());
    serving(spec).await
}

async fn serving(spec: TenantSpec) -> Tenant {
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
    async fn token_request(&self, form: &[(&str, &str)]) -> Response {
        let url = format!("{}/{TENANT}/oauth2/v2.0/token", self.base);
        self.http.post(url).form(form).send().await.unwrap()
    }

    async fn client_credentials(&self, client: &str, secret: &str, scope: &str) -> Response {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", client),
            ("client_secret", secret),
            ("scope", scope),
        ];
        self.token_request(&form).await
    }

    async fn token(&self, app: Uuid) -> String {
        let answer = self
            .client_credentials(&app.to_string(), SECRET, GRAPH_SCOPE)
            .await;
        let body: Value = answer.json().await.unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    async fn set_password(&self, token: &str, id: Uuid, body: Value) -> Response {
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

fn profile(password: &str) -> Value {
    json!({ "passwordProfile": { "password": password, "forceChangePasswordNextSignIn": false } })
}

/// `{placeholders}` in a captured text stand for anything without a space.
fn fits(captured: &str, ours: &str) -> bool {
    let mut rest = ours;
    let mut parts = captured.split('{');
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else {
        return false;
    };
    rest = after;
    for part in parts {
        let literal = part.split_once('}').map_or("", |(_, literal)| literal);
        let Some(at) = rest.find(literal) else {
            return false;
        };
        // A placeholder at the very end takes all that is left.
        rest = if literal.is_empty() {
            ""
        } else {
            &rest[at + literal.len()..]
        };
    }
    rest.is_empty()
}

/// The same keys, and the same values except where the capture has a placeholder.
fn assert_same_shape(captured: &Value, ours: &Value, at: &str) {
    match (captured, ours) {
        (Value::Object(captured), Value::Object(ours)) => {
            let keys =
                |map: &serde_json::Map<String, Value>| map.keys().cloned().collect::<Vec<_>>();
            let (mut left, mut right) = (keys(captured), keys(ours));
            left.sort();
            right.sort();
            assert_eq!(left, right, "keys at {at}");
            for (key, value) in captured {
                assert_same_shape(value, &ours[key], &format!("{at}.{key}"));
            }
        }
        (Value::String(text), Value::Number(_)) if text.starts_with('{') => {}
        (Value::String(text), Value::String(said)) => {
            // Trace ids and times are told in a format of their own.
            assert!(
                fits(text, said),
                "at {at}:\n  captured {text}\n  ours     {said}"
            );
        }
        (captured, ours) => assert_eq!(captured, ours, "at {at}"),
    }
}

async fn assert_captured(folder: &std::path::Path, name: &str, answer: Response) {
    let capture = read(folder.join("entra-captures").join(format!("{name}.json")));
    let captured = &capture["response"];
    assert_eq!(captured["status"], answer.status().as_u16(), "{name}");
    let ours: Value = answer.json().await.unwrap();
    assert_same_shape(&captured["body"], &ours, name);
}

#[tokio::test]
async fn the_token_endpoint_answers_as_it_was_captured() {
    let Some(folder) = reference() else { return };
    let tenant = tenant().await;
    let app = APP.to_string();
    let good = tenant.client_credentials(&app, SECRET, GRAPH_SCOPE).await;
    assert_captured(&folder, "token-client-credentials", good).await;
    let wrong_secret = tenant.client_credentials(&app, "wrong", GRAPH_SCOPE).await;
    assert_captured(&folder, "token-error-invalid-client", wrong_secret).await;
    let scope = "api://not-a-registered-resource/.default";
    let wrong_scope = tenant.client_credentials(&app, SECRET, scope).await;
    assert_captured(&folder, "token-error-invalid-scope", wrong_scope).await;
    let no_such_app = tenant
        .client_credentials("no-such-app", SECRET, GRAPH_SCOPE)
        .await;
    assert_captured(&folder, "token-error-unknown-client", no_such_app).await;
    let grant = [
        ("grant_type", "no_such_grant"),
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("scope", GRAPH_SCOPE),
    ];
    let no_such_grant = tenant.token_request(&grant).await;
    assert_captured(&folder, "token-error-unsupported-grant-type", no_such_grant).await;
}

#[tokio::test]
async fn graph_refuses_as_it_was_captured() {
    let Some(folder) = reference() else { return };
    let errors = read(folder.join("graph_errors.json"));
    let tenant = tenant().await;
    let token = tenant.token(APP).await;
    let weak = tenant.token(WEAK_APP).await;
    let anna = tenant
        .simulator
        .user_id(TENANT, "anna@contoso.com")
        .unwrap();
    let hybrid = tenant
        .simulator
        .user_id(TENANT, "hybrid@contoso.com")
        .unwrap();
    let good = profile("Second-Passw0rd");
    let stamp = json!({ "lastPasswordChangeDateTime": "2026-01-01T00:00:00Z" });
    let nobody = Uuid::from_u128(0xDEAD);
    let cases = [
        (
            "policy_violation",
            tenant.set_password(&token, anna, profile("weak")).await,
        ),
        (
            "insufficient_privileges",
            tenant.set_password(&weak, anna, good.clone()).await,
        ),
        (
            "user_not_found",
            tenant.set_password(&token, nobody, good.clone()).await,
        ),
        (
            "hybrid_user",
            tenant.set_password(&token, hybrid, good.clone()).await,
        ),
        (
            "readonly_property",
            tenant.set_password(&token, anna, stamp).await,
        ),
        ("token_empty", tenant.set_password("", anna, good).await),
    ];
    for (name, answer) in cases {
        let captured = &errors[name];
        assert_eq!(captured["status"], answer.status().as_u16(), "{name}");
        let ours: Value = answer.json().await.unwrap();
        let (theirs, ours) = (&captured["body"]["error"], &ours["error"]);
        for key in ["code", "message"] {
            let (theirs, ours) = (theirs[key].as_str().unwrap(), ours[key].as_str().unwrap());
            assert!(
                fits(theirs, ours),
                "{name}.{key}:\n  captured {theirs}\n  ours     {ours}"
            );
        }
        for key in ["date", "request-id", "client-request-id"] {
            assert!(
                ours["innerError"][key].is_string(),
                "{name}: innerError.{key}"
            );
        }
    }
}

#[tokio::test]
async fn the_discovery_document_has_the_required_fields() {
    let Some(folder) = reference() else { return };
    let golden = read(folder.join("entra-captures/oidc-discovery.golden.json"));
    let tenant = tenant().await;
    let url = format!(
        "{}/{TENANT}/v2.0/.well-known/openid-configuration",
        tenant.base
    );
    let ours: Value = tenant
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    for field in golden["required_fields"].as_array().unwrap() {
        let field = field.as_str().unwrap();
        assert!(
            ours.get(field).is_some(),
            "the discovery document lacks {field}"
        );
    }
    for (field, value) in golden["entra_boolean_values"].as_object().unwrap() {
        if let Some(said) = ours.get(field) {
            assert_eq!(said, value, "{field}");
        }
    }
}

/// What the reference says of one kind of account: by actor, whether it may be reset.
type Row = BTreeMap<String, bool>;

/// An account of the kind that a row of the matrix is about; none where the simulator does not have it.
fn account_of(kind: &str, name: &str) -> Option<UserSpec> {
    let user = UserSpec::new(name, "First-Passw0rd");
    match kind {
        "User (no admin role)" | "User, no role but member/owner of a role-assignable group" => {
            Some(user)
        }
        "User with role scoped to restricted-management AU" => None,
        "All other built-in and custom roles" => Some(user.roles(&["Billing Administrator"])),
        role => Some(user.roles(&[&in_full(role)])),
    }
}

/// The reference shortens the names of roles.
fn in_full(role: &str) -> String {
    match role.strip_suffix(" Admin") {
        Some(short) => format!("{short} Administrator").replace("Auth ", "Authentication "),
        None => role.to_owned(),
    }
}

/// A tenant with an account of each kind, in which the app has this role: the accounts' names by kind.
fn tenant_of(
    actor: &str,
    matrix: &BTreeMap<String, Row>,
) -> (TenantSpec, BTreeMap<String, String>) {
    let app = AppSpec::confidential(APP, SECRET)
        .permissions(&[
            "User.Read.All",
            "User-PasswordProfile.ReadWrite.All",
            "RoleManagement.Read.Directory",
            "GroupMember.Read.All",
        ])
        .roles(&[&in_full(actor)]);
    let mut spec = TenantSpec::new(TENANT).app(app);
    let mut names = BTreeMap::new();
    let mut group = GroupSpec::new("Tier 0");
    for (number, kind) in matrix.keys().enumerate() {
        let name = format!("account{number}@{TENANT}");
        if kind.contains("role-assignable") {
            group = group.member(&name);
        }
        if let Some(user) = account_of(kind, &name) {
            spec = spec.user(user);
            names.insert(kind.clone(), name);
        }
    }
    (spec.group(group), names)
}

#[tokio::test]
async fn who_may_reset_whom_is_known_beforehand_and_decided_as_the_reference_says() {
    let Some(folder) = reference() else {
        return;
    };
    let file = read(folder.join("reset_matrix.json"));
    let matrix: BTreeMap<String, Row> = serde_json::from_value(file["targets"].clone()).unwrap();
    let actors: Vec<String> = serde_json::from_value(file["actors"].clone()).unwrap();
    assert_eq!((actors.len(), matrix.len()), (6, 18));
    for actor in actors {
        let (spec, names) = tenant_of(&actor, &matrix);
        assert_eq!(names.len(), 17);
        let tenant = serving(spec).await;
        let token = tenant.token(APP).await;
        let known = rights(&tenant).await;
        for (kind, name) in names {
            let may = matrix[&kind][&actor];
            let id = ObjectId(tenant.simulator.user_id(TENANT, &name).unwrap());
            assert_eq!(known.lacking(id).is_none(), may, "{actor} knows of {kind}");
            let answer = tenant.set_password(&token, id.0, profile("Second-Passw0rd"));
            let status = answer.await.status();
            assert_eq!(status == 204, may, "{actor} resets {kind}: {status}");
        }
    }
}

async fn rights(tenant: &Tenant) -> sync_engine::model::ResetRights {
    let base: reqwest::Url = tenant.base.parse().unwrap();
    let secret = AppCredential::ClientSecret(SECRET.into());
    let tenant_id = TenantId(TENANT.to_owned());
    let mut config = TenantConfig::new(tenant_id, APP.to_string(), secret);
    config.connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.clone())
        .with_graph(base);
    let directory = EntraDirectory::new(config).unwrap();
    directory.standing().await.unwrap().rights
}
