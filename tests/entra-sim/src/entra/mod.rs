//! Entra ID's own endpoints: tokens, discovery, realm.

pub(crate) mod access_token;
pub(crate) mod assertion;
pub(crate) mod claims_request;
pub(crate) mod client;
pub(crate) mod device_code;
mod device_login;
mod discovery;
mod grant;
pub(crate) mod refresh_token;
pub(crate) mod refusal;
mod request;
mod resource;
mod sign_in;
mod signing;
mod user_session;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};

use crate::edge::{Origin, RequestIds};
use crate::reply::Reply;
use crate::simulator::Simulator;
use refusal::Refusal;
use request::TokenRequest;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", post(token))
        .route(
            "/{tenant}/oauth2/v2.0/devicecode",
            post(device_authorization),
        )
        .route(
            "/devicelogin",
            get(device_login::show).post(device_login::enter),
        )
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(configuration),
        )
        .route(
            "/.well-known/openid-configuration",
            get(common_configuration),
        )
        .route("/{tenant}/discovery/instance", get(instance))
        .route("/{tenant}/discovery/v2.0/keys", get(keys))
        .route("/{tenant}/userrealm/{user}", get(realm))
}

async fn token(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Extension(ids): Extension<RequestIds>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let request = TokenRequest::parse(&tenant, &origin.0, &headers, &body);
    simulator.with_world(|world, now| {
        world.token_requests += 1;
        let answer = grant::answer(world, &request, now)
            .unwrap_or_else(|refusal| refusal.into_reply(&ids, now));
        answer
            .with("cache-control", "no-store, no-cache")
            .with("x-ms-request-id", &ids.request.to_string())
    })
}

async fn device_authorization(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Extension(ids): Extension<RequestIds>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let request = TokenRequest::parse(&tenant, &origin.0, &headers, &body);
    simulator.with_world(|world, now| {
        let answer = device_code::begin(world, &request, now).map(Reply::ok);
        answer
            .unwrap_or_else(|refusal| refusal.into_reply(&ids, now))
            .with("cache-control", "no-store, no-cache")
    })
}

async fn configuration(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Extension(ids): Extension<RequestIds>,
    Extension(origin): Extension<Origin>,
) -> Reply {
    simulator.with_world(|world, now| {
        if discovery::is_shared(&tenant) {
            return Reply::ok(discovery::document(&origin.0, &tenant, "{tenantid}"));
        }
        match world.find(&tenant) {
            Some(index) => Reply::ok(discovery::document(
                &origin.0,
                &tenant,
                &world.tenant(index).id.to_string(),
            )),
            None => Refusal::with(&refusal::UNKNOWN_TENANT_OF_DISCOVERY, &[&tenant])
                .into_reply(&ids, now),
        }
    })
}

async fn common_configuration(Extension(origin): Extension<Origin>) -> Reply {
    Reply::ok(discovery::document(&origin.0, "common", "{tenantid}"))
}

async fn instance(Path(tenant): Path<String>, Extension(origin): Extension<Origin>) -> Reply {
    Reply::ok(discovery::instance(&origin.0, &tenant))
}

/// One key for every tenant.
async fn keys(Extension(origin): Extension<Origin>) -> Reply {
    Reply::ok(signing::key_set(&format!("{}/{{tenantid}}/v2.0", origin.0)))
}

async fn realm(
    State(simulator): State<Simulator>,
    Path((_, user)): Path<(String, String)>,
    Extension(origin): Extension<Origin>,
) -> Reply {
    let domain = user.rsplit_once('@').map_or("", |(_, domain)| domain);
    let authentication = simulator.with_world(|world, _| {
        world
            .find(domain)
            .and_then(|index| world.tenant(index).authentication_of(&user))
    });
    Reply::json(
        StatusCode::OK,
        discovery::realm(&origin.0, &user, domain, authentication),
    )
}
