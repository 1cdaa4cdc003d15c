//! Claims challenges of Graph (continuous access evaluation).

use std::collections::BTreeMap;

use entra_sim::Fault;
use msgraph_sync::{AppCredential, EntraDirectory};
use serde_json::json;
use sync_engine::model::{ObjectId, Password};
use sync_engine::ports::{Directory, DirectoryError, PasswordWrite, SetPassword};

use crate::entra::{ANNA, BEN, Entra, TENANT, app};

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

/// Every call of this path is answered with this challenge.
fn challenged(entra: &Entra, path: &str, claims: &str) {
    let challenge =
        format!("Bearer realm=\"\", error=\"insufficient_claims\", claims=\"{claims}\"");
    entra.simulator.add_fault(Fault {
        path_prefix: path.to_owned(),
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

/// A new password for each of these accounts.
fn writes(entra: &Entra, names: &[&str]) -> Vec<PasswordWrite> {
    let write = |name: &&str| PasswordWrite {
        object: ObjectId(entra.simulator.user_id(TENANT, name).unwrap()),
        password: Password::new("Brand-New-Passw0rd"),
    };
    names.iter().map(write).collect()
}

#[tokio::test]
async fn challenged_items_of_a_batch_travel_once_more_together_with_a_token_that_has_the_claims() {
    let (entra, directory) = start();
    directory.preflight().await.unwrap();
    demand(&entra, TENANT);
    let before = entra.simulator.counters();
    let both = writes(&entra, &[ANNA, BEN]);
    let written = directory.set_passwords(&both).await;
    let accepted = |it: &SetPassword| matches!(it, SetPassword::Accepted(_));
    assert!(written.iter().all(accepted), "{written:?}");
    let after = entra.simulator.counters();
    assert_eq!(after.writes, 2);
    assert_eq!(after.batches - before.batches, 2);
    assert_eq!(after.token_requests - before.token_requests, 1);
    assert_eq!(after.requests - before.requests, 3, "nothing went alone");
}

#[tokio::test]
async fn a_challenge_of_items_that_does_not_end_is_answered_once_and_nothing_is_written() {
    let (entra, directory) = start();
    directory.preflight().await.unwrap();
    let before = entra.simulator.counters();
    challenged(
        &entra,
        "/v1.0/users",
        "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0=",
    );
    let both = writes(&entra, &[ANNA, BEN]);
    let written = directory.set_passwords(&both).await;
    let put_off = |it: &SetPassword| matches!(it, SetPassword::NotNow { .. });
    assert!(written.iter().all(put_off), "{written:?}");
    let after = entra.simulator.counters();
    assert_eq!((after.writes, after.batches - before.batches), (0, 2));
    assert_eq!(after.token_requests - before.token_requests, 1);
}

#[tokio::test]
async fn a_challenge_that_does_not_end_is_answered_once() {
    for claims in [
        // {"access_token":{"nbf":{"value":"1"}}}
        "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7InZhbHVlIjoiMSJ9fX0=",
        "<base64 JSON>",
    ] {
        let (entra, directory) = start();
        challenged(&entra, "/v1.0/domains", claims);
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
