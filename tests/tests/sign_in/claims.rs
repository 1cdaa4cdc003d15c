//! Claims challenges of Graph (continuous access evaluation).

use std::collections::BTreeMap;

use entra_sim::Fault;
use msgraph_sync::{AppCredential, EntraDirectory};
use serde_json::json;
use sync_engine::model::{ObjectId, Password};
use sync_engine::ports::{Directory, DirectoryError, SetPassword};

use crate::entra::{ANNA, Entra, TENANT, app};

const SECRET: &str = "Claims~Secret";

fn start() -> (Entra, EntraDirectory) {
    let app = entra_sim::AppSpec {
        secret: Some(SECRET.into()),
        ..app()
    };
    let entra = Entra::start(app);
    let directory = entra.directory(AppCredential::ClientSecret(SECRET.into()));
    (entra, directory)
}

/// From now on tokens must have been asked for with these claims.
pub(crate) fn demand(entra: &Entra, tenant: &str) {
    let claims = json!({ "access_token": { "nbf": { "essential": true, "value": "1772323200" } } });
    let claims = claims.as_object().cloned();
    entra.simulator.demand_claims(tenant, claims).unwrap();
}

/// Every reading of the domains is answered with this challenge.
fn always_challenged(entra: &Entra, claims: &str) {
    let challenge =
        format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{claims}\"");
    entra.simulator.add_fault(Fault {
        path_prefix: "/v1.0/domains".to_owned(),
        status: Some(401),
        count: 100,
        headers: BTreeMap::from([("www-authenticate".to_owned(), challenge)]),
        ..Fault::default()
    });
}

#[tokio::test]
async fn a_challenge_is_answered_with_a_token_that_has_the_claims() {
    let (entra, directory) = start();
    directory.preflight().await.unwrap();
    demand(&entra, TENANT);
    directory.preflight().await.unwrap();
    assert_eq!(entra.token_requests(), 2);
    // The new token is used from then on.
    let before = entra.simulator.counters().requests;
    directory.preflight().await.unwrap();
    assert_eq!(entra.simulator.counters().requests, before + 2);
}

#[tokio::test]
async fn a_challenged_write_is_written_once() {
    let (entra, directory) = start();
    directory.preflight().await.unwrap();
    demand(&entra, TENANT);
    let anna = ObjectId(entra.simulator.user_id(TENANT, ANNA).unwrap());
    let written = directory
        .set_password(anna, &Password::new("Brand-New-Passw0rd"))
        .await;
    assert!(matches!(written, SetPassword::Accepted(_)), "{written:?}");
    assert_eq!(entra.simulator.counters().writes, 1);
}

#[tokio::test]
async fn a_challenge_that_does_not_end_is_answered_once() {
    for claims in [
        // {"access_token":{"nbf":{"value":"1"}}}
        "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0=",
        "<base64 JSON>",
    ] {
        let (entra, directory) = start();
        always_challenged(&entra, claims);
        let error = directory.domains().await.unwrap_err();
        assert!(matches!(error, DirectoryError::SignIn(_)), "{error:?}");
        let counters = entra.simulator.counters();
        assert_eq!(
            (counters.token_requests, counters.faults),
            (2, 2),
            "{claims}"
        );
    }
}
