//! The device code flow against the simulated tenant, and its pace against a scripted one.

use std::sync::Mutex;
use std::time::Duration;

use entra_sim::Fault;
use jiff::SignedDuration;
use serde_json::json;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::test_world::{ADMIN, CONFIDENTIAL, PUBLIC, TENANT, World};
use crate::{Cloud, Endpoints};

async fn begun(world: &World) -> DeviceSignIn {
    DeviceSignIn::begin(world.connection(PUBLIC)).await.unwrap()
}

#[tokio::test]
async fn the_code_and_the_page_are_told_and_the_sign_in_waits_for_the_person() {
    let world = World::start();
    let waiting = begun(&world).await;
    let notice = waiting.notice();
    assert!(notice.address.ends_with("/devicelogin"), "{notice:?}");
    assert_eq!(notice.expires_in, Duration::from_mins(15));
    let polls = Mutex::new(0);
    let simulator = world.simulator.clone();
    let token = waiting
        .wait_with(|pause| {
            assert_eq!(pause, Duration::from_secs(5));
            let mut polls = polls.lock().unwrap();
            *polls += 1;
            if *polls == 3 {
                simulator.approve_device(&notice.user_code, ADMIN).unwrap();
            }
            std::future::ready(())
        })
        .await;
    assert!(token.is_ok(), "{token:?}");
    assert_eq!(*polls.lock().unwrap(), 3);
}

#[tokio::test]
async fn a_person_who_declines_or_does_not_come_is_told() {
    let world = World::start();
    let waiting = begun(&world).await;
    let code = waiting.notice().user_code;
    world.simulator.decline_device(&code).unwrap();
    let declined = waiting.wait().await.unwrap_err();
    assert!(
        matches!(declined, DeviceSignInError::Declined),
        "{declined}"
    );

    let waiting = begun(&world).await;
    world.simulator.advance(SignedDuration::from_mins(16));
    let expired = waiting.wait().await.unwrap_err();
    assert!(matches!(expired, DeviceSignInError::Expired), "{expired}");
    assert!(expired.hint().unwrap().contains("again"));
}

#[tokio::test]
async fn an_app_that_is_no_public_client_is_named_with_its_remedy() {
    let world = World::start();
    let waiting = DeviceSignIn::begin(world.connection(CONFIDENTIAL)).await;
    let waiting = waiting.unwrap();
    let code = waiting.notice().user_code;
    world.simulator.approve_device(&code, ADMIN).unwrap();
    let error = waiting.wait().await.unwrap_err();
    assert!(
        matches!(
            error,
            DeviceSignInError::Entra(GraphError::NotAPublicClient {
                code: 7_000_218,
                ..
            })
        ),
        "{error:?}"
    );
    assert!(error.hint().unwrap().contains("public client flows"));
}

#[tokio::test]
async fn an_unknown_app_gets_no_code() {
    let world = World::start();
    let connection = world.connection(uuid::Uuid::nil());
    let error = DeviceSignIn::begin(connection).await.unwrap_err();
    let DeviceSignInError::Entra(GraphError::UnknownApp { .. }) = error else {
        panic!("{error:?}");
    };
}

#[tokio::test]
async fn a_service_that_is_away_for_a_while_ends_nothing() {
    let world = World::start();
    let waiting = begun(&world).await;
    let code = waiting.notice().user_code;
    for status in [Some(503), Some(429), None] {
        world.simulator.add_fault(Fault {
            path_prefix: format!("/{TENANT}/oauth2/v2.0/token"),
            status,
            count: 1,
            ..Fault::default()
        });
    }
    world.simulator.approve_device(&code, ADMIN).unwrap();
    let token = waiting.wait_with(|_| std::future::ready(())).await;
    assert!(token.is_ok(), "{token:?}");
}

/// RFC 8628, 3.5: `slow_down` adds five seconds to the interval, for good.
#[tokio::test]
async fn whoever_is_told_to_slow_down_does() {
    let server = MockServer::start().await;
    let answer = json!({
        "device_code": "device", "user_code": "USER", "verification_uri": "https://login.example/device",
        "expires_in": 900, "interval": 2, "message": "…",
    });
    Mock::given(method("POST"))
        .and(path("/contoso.com/oauth2/v2.0/devicecode"))
        .and(body_string_contains("offline_access"))
        .respond_with(ResponseTemplate::new(200).set_body_json(answer))
        .mount(&server)
        .await;
    for word in ["slow_down", "authorization_pending", "access_denied"] {
        Mock::given(path("/contoso.com/oauth2/v2.0/token"))
            .respond_with(ResponseTemplate::new(400).set_body_json(json!({ "error": word })))
            .up_to_n_times(1)
            .mount(&server)
            .await;
    }
    let base = url::Url::parse(&server.uri()).unwrap();
    let mut connection = Connection::new(
        sync_engine::model::TenantId("contoso.com".to_owned()),
        "app",
    );
    connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.clone())
        .with_graph(base);
    let pauses = Mutex::new(Vec::new());
    let waiting = DeviceSignIn::begin(connection).await.unwrap();
    let declined = waiting
        .wait_with(|pause| {
            pauses.lock().unwrap().push(pause.as_secs());
            std::future::ready(())
        })
        .await;
    assert!(matches!(declined, Err(DeviceSignInError::Declined)));
    assert_eq!(*pauses.lock().unwrap(), [7, 7]);
}
