//! What clients read before they ask for a token.

use reqwest::StatusCode;
use serde_json::Value;

use crate::support::{Answer, Sim, TENANT};

async fn get(sim: &Sim, path: &str) -> Answer {
    Answer::of(
        sim.http
            .get(format!("{}/{path}", sim.url))
            .send()
            .await
            .unwrap(),
    )
    .await
}

#[tokio::test]
async fn the_configuration_has_microsofts_fields_and_leads_back_here() {
    let sim = Sim::start();
    let body = get(
        &sim,
        &format!("{TENANT}/v2.0/.well-known/openid-configuration"),
    )
    .await
    .body;
    let fields = [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "device_authorization_endpoint",
        "end_session_endpoint",
        "response_types_supported",
        "response_modes_supported",
        "subject_types_supported",
        "scopes_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_methods_supported",
        "claims_supported",
        "tenant_region_scope",
        "cloud_instance_name",
        "cloud_graph_host_name",
        "msgraph_host",
        "rbac_url",
        "http_logout_supported",
        "frontchannel_logout_supported",
        "request_uri_parameter_supported",
    ];
    for field in fields {
        assert!(body.get(field).is_some(), "{field} is missing");
    }
    assert_eq!(
        body["token_endpoint"],
        format!("{}/{TENANT}/oauth2/v2.0/token", sim.url)
    );
    assert_eq!(body["request_uri_parameter_supported"], false);
}

#[tokio::test]
async fn shared_configurations_leave_the_tenant_open() {
    let sim = Sim::start();
    for path in [
        ".well-known/openid-configuration",
        "common/v2.0/.well-known/openid-configuration",
    ] {
        let issuer = get(&sim, path).await.body["issuer"].clone();
        assert_eq!(issuer, format!("{}/{{tenantid}}/v2.0", sim.url));
    }
}

#[tokio::test]
async fn an_unknown_tenant_has_no_configuration() {
    let sim = Sim::start();
    let answer = get(&sim, "nobody.example/v2.0/.well-known/openid-configuration").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        (&answer.body["error"], &answer.body["error_codes"][0]),
        (&"invalid_tenant".into(), &90_002.into())
    );
}

#[tokio::test]
async fn the_realm_tells_managed_federated_and_unknown_apart() {
    let sim = Sim::start();
    let kind = async |user: &str| -> Value {
        get(&sim, &format!("common/userrealm/{user}?api-version=1.0"))
            .await
            .body["account_type"]
            .clone()
    };
    assert_eq!(kind("anna@contoso.com").await, "Managed");
    assert_eq!(kind("fred@federated.example").await, "Federated");
    assert_eq!(kind("who@nowhere.example").await, "Unknown");
}
