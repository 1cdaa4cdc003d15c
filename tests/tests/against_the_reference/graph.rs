//! Graph's refusals and resources.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::shape::fits;
use crate::world::{APP, TENANT, WEAK_APP, profile, read, reference, tenant};

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

/// The properties of a resource that the golden reference names.
fn properties(golden: &Value, resource: &str) -> Vec<String> {
    serde_json::from_value(golden["resources"][resource]["properties"].clone()).unwrap()
}

#[tokio::test]
async fn users_and_groups_have_the_properties_of_the_golden_reference() {
    let Some(folder) = reference() else { return };
    let golden = read(folder.join("entra-captures/graph-resources.golden.json"));
    let tenant = tenant().await;
    let token = tenant.token(APP).await;
    for (resource, path) in [("user", "users"), ("group", "groups")] {
        let mut wanted = properties(&golden, resource);
        let url = format!("{}/v1.0/{path}?$select={}", tenant.base, wanted.join(","));
        let answer = tenant.http.get(url).bearer_auth(&token).send();
        let answer: Value = answer.await.unwrap().json().await.unwrap();
        let ours = answer["value"][0].as_object().unwrap();
        let ours: Vec<&String> = ours.keys().collect();
        wanted.sort();
        assert_eq!(ours, wanted.iter().collect::<Vec<_>>(), "{resource}");
    }
}
