//! The client credentials grant and the token's life at Graph.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use entra_sim::AppChange;
use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{APP, Answer, DEFAULT_SCOPE, PUBLIC_APP, SECRET, Sim, TENANT};

struct Refused {
    status: u16,
    error: &'static str,
    code: u64,
    has_uri: bool,
}

async fn expect_refusal(sim: &Sim, tenant: &str, changes: &[(&str, &str)], expected: Refused) {
    let app = APP.to_string();
    let mut form = vec![
        ("grant_type", "client_credentials"),
        ("client_id", app.as_str()),
        ("client_secret", SECRET),
        ("scope", DEFAULT_SCOPE),
    ];
    form.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    form.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
    let answer = sim.token_request(tenant, &form).await;
    assert_eq!(answer.status.as_u16(), expected.status, "{}", answer.body);
    assert_eq!(answer.body["error"], expected.error);
    assert_eq!(
        answer.body["error_codes"],
        serde_json::json!([expected.code])
    );
    assert_eq!(
        answer.body.get("error_uri").is_some(),
        expected.has_uri,
        "{}",
        answer.body
    );
}

#[tokio::test]
async fn a_right_secret_gets_the_captured_envelope() {
    let sim = Sim::start();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &APP.to_string()),
        ("client_secret", SECRET),
        ("scope", DEFAULT_SCOPE),
    ];
    let answer = sim.token_request("contoso.com", &form).await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut names: Vec<_> = answer.body.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(
        names,
        ["access_token", "expires_in", "ext_expires_in", "token_type"]
    );
    assert_eq!(answer.body["expires_in"], 3_599);
}

#[tokio::test]
async fn a_token_has_the_captured_claims_and_the_permissions_as_roles() {
    let sim = Sim::start();
    let token = sim.token().await;
    let parts: Vec<_> = token.split('.').collect();
    assert_eq!(parts.len(), 3);
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let captured = [
        "aio", "aud", "azp", "azpacr", "exp", "iat", "iss", "nbf", "oid", "rh", "sub", "tid",
        "uti", "ver", "xms_ftd",
    ];
    for name in captured {
        assert!(claims.get(name).is_some(), "{name} is missing");
    }
    assert_eq!(claims["ver"], "2.0");
    assert!(
        claims["roles"]
            .as_array()
            .unwrap()
            .contains(&"User.Read.All".into())
    );
    // The template id of User Administrator.
    let roles = serde_json::json!(["fe930be7-5e62-47db-91af-98c3a49a38b1"]);
    assert_eq!(claims["wids"], roles);
}

#[tokio::test]
async fn a_token_without_consent_has_no_permissions() {
    let sim = Sim::start();
    let change = AppChange {
        permissions: Some(Vec::new()),
        roles: Some(Vec::new()),
        ..AppChange::default()
    };
    sim.simulator.change_app(TENANT, APP, change).unwrap();
    let token = sim.token().await;
    let payload = token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert!(claims.get("roles").is_none(), "{claims}");
    assert_eq!(claims["wids"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn basic_authentication_of_the_client_is_as_good_as_the_form() {
    let sim = Sim::start();
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", sim.url);
    // RFC 6749, 2.3.1: the secret is form-encoded inside Basic authentication.
    let request = sim
        .http
        .post(url)
        .basic_auth(APP, Some("s3cret~value%2Bwith%26signs"))
        .form(&[
            ("grant_type", "client_credentials"),
            ("scope", DEFAULT_SCOPE),
        ]);
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
}

#[tokio::test]
async fn each_wrong_request_is_refused_with_its_code() {
    let sim = Sim::start();
    let wrong_secret = Refused {
        status: 401,
        error: "invalid_client",
        code: 7_000_215,
        has_uri: true,
    };
    expect_refusal(&sim, TENANT, &[("client_secret", "wrong")], wrong_secret).await;
    let no_secret = Refused {
        status: 401,
        error: "invalid_client",
        code: 7_000_218,
        has_uri: true,
    };
    expect_refusal(&sim, TENANT, &[("client_secret", "")], no_secret).await;
    let unknown = Refused {
        status: 400,
        error: "unauthorized_client",
        code: 700_016,
        has_uri: true,
    };
    expect_refusal(
        &sim,
        TENANT,
        &[("client_id", "6f1d5b6e-0000-4a53-9d0e-0a4c3b1d2e01")],
        unknown,
    )
    .await;
    let malformed = Refused {
        status: 400,
        error: "unauthorized_client",
        code: 700_038,
        has_uri: false,
    };
    expect_refusal(&sim, TENANT, &[("client_id", "no-guid")], malformed).await;
    let grant = Refused {
        status: 400,
        error: "unsupported_grant_type",
        code: 70_003,
        has_uri: false,
    };
    expect_refusal(&sim, TENANT, &[("grant_type", "no_such_grant")], grant).await;
    let resource = Refused {
        status: 400,
        error: "invalid_resource",
        code: 500_011,
        has_uri: true,
    };
    expect_refusal(
        &sim,
        TENANT,
        &[("scope", "api://not-registered/.default")],
        resource,
    )
    .await;
    let scope = Refused {
        status: 400,
        error: "invalid_scope",
        code: 1_002_012,
        has_uri: true,
    };
    expect_refusal(
        &sim,
        TENANT,
        &[("scope", "https://graph.microsoft.com/User.Read")],
        scope,
    )
    .await;
    let missing = Refused {
        status: 400,
        error: "invalid_request",
        code: 900_144,
        has_uri: true,
    };
    expect_refusal(&sim, TENANT, &[("scope", "")], missing).await;
    let tenant = Refused {
        status: 400,
        error: "invalid_request",
        code: 90_002,
        has_uri: true,
    };
    expect_refusal(&sim, "nobody.onmicrosoft.com", &[], tenant).await;
}

#[tokio::test]
async fn a_refusal_names_code_trace_correlation_and_time_in_its_description() {
    let sim = Sim::start();
    let url = format!("{}/{TENANT}/oauth2/v2.0/token", sim.url);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &APP.to_string()),
        ("client_secret", "wrong"),
        ("scope", DEFAULT_SCOPE),
    ];
    let correlation = "11111111-1111-4111-8111-111111111111";
    let request = sim
        .http
        .post(url)
        .header("client-request-id", correlation)
        .form(&form);
    let answer = Answer::of(request.send().await.unwrap()).await;
    let part = |name: &str| answer.body[name].as_str().unwrap().to_owned();
    let expected = format!(
        "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client \
         secret value, not the client secret ID, for a secret added to app '{APP}'. Trace ID: {} Correlation ID: {} \
         Timestamp: {}",
        part("trace_id"),
        part("correlation_id"),
        part("timestamp"),
    );
    assert_eq!(part("error_description"), expected);
    assert_eq!(part("correlation_id"), correlation);
    assert_eq!(answer.header("client-request-id"), correlation);
}

#[tokio::test]
async fn a_public_client_has_no_business_with_a_secret() {
    let sim = Sim::start();
    let mut form =
        crate::support::password_form("anna@contoso.com", crate::support::RIGHT).to_vec();
    form.push(("client_secret", "anything"));
    let answer = sim.token_request(TENANT, &form).await;
    assert_eq!(answer.body["error_codes"][0], 700_025, "{PUBLIC_APP}");
}

#[tokio::test]
async fn graph_refuses_missing_foreign_and_expired_tokens() {
    let sim = Sim::start();
    let url = format!("{}/v1.0/users", sim.url);
    let message = async |token: Option<&str>| {
        let request = sim.http.get(&url);
        let request = token.map_or(request.try_clone().unwrap(), |token| {
            request.bearer_auth(token)
        });
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.graph_code(), "InvalidAuthenticationToken");
        assert!(answer.header("www-authenticate").starts_with("Bearer "));
        answer.body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(None).await, "Access token is empty.");
    assert!(message(Some("nonsense")).await.starts_with("IDX14100"));
    let token = sim.token().await;
    sim.simulator.advance(SignedDuration::from_secs(3_600));
    assert_eq!(
        message(Some(&token)).await,
        "Lifetime validation failed, the token is expired."
    );
}
