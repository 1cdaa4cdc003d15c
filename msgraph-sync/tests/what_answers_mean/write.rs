//! Password writes, by the failure that Graph answers with.

use serde_json::{Value, json};
use sync_engine::model::SyncMode;
use wiremock::ResponseTemplate;

use crate::world::{World, told};

/// One failure of Graph's.
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Failure {
    fn new(status: u16, code: &str, message: &str) -> Self {
        let body = json!({ "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": "2026-02-03T04:05:06",
                "request-id": "22222222-2222-2222-2222-222222222222",
                "client-request-id": "22222222-2222-2222-2222-222222222222",
            },
        } });
        Self {
            status,
            headers: Vec::new(),
            body,
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The failures that a password write meets, each by the name that the golden file has for it. The
/// messages are ours where the service's own words decide nothing.
///
/// Source: Microsoft Graph error responses, throttling and continuous access evaluation.
pub(crate) fn failures() -> Vec<(&'static str, Failure)> {
    let refused_token = |message: &str, challenge: &str| {
        Failure::new(401, "InvalidAuthenticationToken", message).with("WWW-Authenticate", challenge)
    };
    vec![
        (
            "policy_violation",
            Failure::new(400, "Request_BadRequest", "the password is too simple"),
        ),
        (
            "hybrid_user",
            Failure::new(
                400,
                "Request_BadRequest",
                "not possible for on-premises mastered objects",
            ),
        ),
        (
            "readonly_property",
            Failure::new(400, "Request_BadRequest", "a property cannot be set"),
        ),
        (
            "insufficient_privileges",
            Failure::new(403, "Authorization_RequestDenied", "not allowed"),
        ),
        (
            "batch_not_licensed",
            Failure::new(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "not licensed",
            ),
        ),
        (
            "user_not_found",
            Failure::new(404, "Request_ResourceNotFound", "no such object"),
        ),
        (
            "throttled",
            Failure::new(429, "TooManyRequests", "slow down").with("Retry-After", "10"),
        ),
        (
            "token_expired",
            refused_token("the token has expired", "Bearer"),
        ),
        ("token_empty", refused_token("there is no token", "Bearer")),
        (
            "cae",
            refused_token(
                "the token was revoked",
                "Bearer error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnt9fQ==\"",
            ),
        ),
        (
            "unavailable",
            Failure::new(503, "serviceNotAvailable", "down").with("Retry-After", "20"),
        ),
    ]
}

/// One failure: what comes of a password that was typed into the vault.
pub(crate) async fn line(name: &str, failure: &Failure) -> String {
    let mut world = World::new(SyncMode::Enabled).await;
    world.answer_sign_ins(token()).await;
    world.cycle().await;
    world.type_another_password();
    let mut answer = ResponseTemplate::new(failure.status).set_body_json(&failure.body);
    for (header, value) in &failure.headers {
        answer = answer.insert_header(header.as_str(), value.as_str());
    }
    world.answer_writes(answer).await;
    let row = world.cycle().await;
    // Only a refused token, which had no effect, is a reason to send a write once more.
    let most = if failure.status == 401 { 2 } else { 1 };
    assert_eq!(world.writes().await, most, "{name}");
    format!("{name}: {}", told(&row))
}

fn token() -> ResponseTemplate {
    let token = json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "annas" });
    ResponseTemplate::new(200).set_body_json(token)
}

#[tokio::test]
async fn each_failure_of_a_write() {
    let mut lines = Vec::new();
    for (name, failure) in failures() {
        lines.push(line(name, &failure).await);
    }
    insta::assert_snapshot!("write_failures", lines.join("\n"));
}
