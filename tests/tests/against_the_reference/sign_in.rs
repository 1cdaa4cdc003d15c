//! The token endpoint's answers, the tokens themselves, and discovery.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use serde_json::{Value, json};

use crate::shape::{assert_same_shape, fits};
use crate::world::{APP, GRAPH_SCOPE, SECRET, TENANT, read, reference, tenant};

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

/// Claims that an application's token has where its app has permissions and roles; the captured app had none.
/// Source: Access token claims reference.
const OF_ITS_RIGHTS: [&str; 2] = ["roles", "wids"];

fn part(token: &str, number: usize) -> Value {
    let text = token.split('.').nth(number).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[tokio::test]
async fn an_applications_token_has_the_claims_of_the_captured_one() {
    let Some(folder) = reference() else { return };
    let captured = read(folder.join("entra-captures/token-claims-client-credentials.json"));
    let tenant = tenant().await;
    let token = tenant.token(APP).await;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_same_shape(&given(&captured["header"]), &header, "header");
    let names: Vec<&str> = claims
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| !OF_ITS_RIGHTS.contains(name))
        .collect();
    assert_eq!(json!(names), captured["claimNames"]);
    let structural = given(&captured["structural"]);
    for (name, value) in structural.as_object().unwrap() {
        let ours = claims[name].as_str().unwrap();
        // The simulator is its own authority.
        let ours = ours.replace(&tenant.base, "https://login.microsoftonline.com");
        assert!(fits(value.as_str().unwrap(), &ours), "{name}: {ours}");
    }
}

/// Without what the capture says is not there.
fn given(captured: &Value) -> Value {
    let mut members = captured.as_object().unwrap().clone();
    members.retain(|_, value| !value.is_null());
    Value::Object(members)
}

#[tokio::test]
async fn the_discovery_document_has_the_required_fields_and_says_what_the_golden_one_says() {
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
    for (rule, values) in golden["protocol_values"].as_object().unwrap() {
        assert_rule(rule, &words(values), &ours);
    }
}

/// A rule of the golden reference is named after its field, at times cut short, and what holds of it.
fn assert_rule(rule: &str, values: &BTreeSet<String>, ours: &Value) {
    let of = |ending: &str| {
        let field = rule.strip_suffix(ending)?;
        let said = ours.get(field).or(ours.get(format!("{field}_supported")));
        said.map(words)
    };
    if let Some(said) = of("_equals") {
        assert_eq!(&said, values, "{rule}");
    } else if let Some(said) = of("_must_include") {
        assert!(said.is_superset(values), "{rule}: {said:?}");
    } else if let Some(said) = of("_subset_of") {
        assert!(said.is_subset(values), "{rule}: {said:?}");
    } else {
        panic!("a rule of another kind: {rule}");
    }
}

fn words(list: &Value) -> BTreeSet<String> {
    serde_json::from_value(list.clone()).unwrap()
}
