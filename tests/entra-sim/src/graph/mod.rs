//! The part of Microsoft Graph v1.0 that password synchronisation needs, and what shows it from the service's side.
//!
//! Source: the Graph v1.0 reference pages of `user`, `domain`, `organization`, `unifiedRoleAssignment`, `group` and
//! `directoryAudit`, and of JSON batching.

mod audits;
mod batch;
mod call;
mod delta;
pub(crate) mod error;
mod odata;
mod page;
mod password;
mod password_policy;
mod properties;
mod reset_rights;
mod role_reads;
mod tenant_reads;
pub(crate) mod throttle;
mod users;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::any;

use crate::directory::tenant::Tenant;
use crate::edge::{Origin, RequestIds};
use crate::reply::Reply;
use crate::simulator::Simulator;
use crate::world::World;
use call::{Call, Caller, Context};
use error::GraphError;

pub(crate) fn routes() -> Router<Simulator> {
    Router::new().route("/v1.0/{*path}", any(handle))
}

/// A path that neither service knows.
pub(crate) async fn unknown_path(
    State(simulator): State<Simulator>,
    Extension(ids): Extension<RequestIds>,
    uri: Uri,
) -> Reply {
    GraphError::new(
        StatusCode::NOT_FOUND,
        "ResourceNotFound",
        format!("Invalid version or path: {}", uri.path()),
    )
    .into_reply(&ids, simulator.now())
}

async fn handle(
    State(simulator): State<Simulator>,
    Extension(ids): Extension<RequestIds>,
    Extension(origin): Extension<Origin>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Reply {
    let epoch = simulator.epoch();
    simulator.with_world(|world, now| {
        let context = Context {
            origin: &origin.0,
            ids: &ids,
            now,
            epoch,
        };
        let path = uri.path().strip_prefix("/v1.0").unwrap_or_default();
        let call = Call::new(
            method,
            path,
            uri.query().unwrap_or_default(),
            headers,
            body.to_vec(),
        );
        let reply =
            answer(world, &context, &call).unwrap_or_else(|error| error.into_reply(&ids, now));
        reply.with("odata-version", "4.0")
    })
}

fn answer(world: &mut World, context: &Context, call: &Call) -> Result<Reply, GraphError> {
    let caller = call::authenticate(world, context, call)?;
    match (call.method.as_str(), call.segments().as_slice()) {
        ("POST", ["$batch"]) => batch::run(world, context, &caller, call),
        _ => dispatch(world, context, &caller, call),
    }
}

/// Every call that may stand alone or in a batch; each is challenged and throttled on its own.
fn dispatch(
    world: &mut World,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.meet_demand(world.tenant(caller.tenant))?;
    let admitted = world.admit(caller, call, context.now)?;
    let tenant = world.tenant_mut(caller.tenant);
    Ok(admitted.onto(route(tenant, context, caller, call)?))
}

fn route(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    match (call.method.as_str(), call.segments().as_slice()) {
        ("GET", ["users"]) => users::list(tenant, context, caller, call),
        (
            "GET",
            [
                "users",
                "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()",
            ],
        ) => delta::read(tenant, context, caller, call),
        ("GET", ["users", key]) => users::get(tenant, context, caller, call, key),
        ("PATCH", ["users", key]) => password::set(tenant, context, caller, call, key),
        ("GET", ["domains"]) => tenant_reads::domains(tenant, context, caller, call),
        ("GET", ["domains", name]) => tenant_reads::domain(tenant, context, caller, call, name),
        ("GET", ["organization"]) => tenant_reads::organizations(tenant, context, caller, call),
        ("GET", ["roleManagement", "directory", "roleAssignments"]) => {
            role_reads::assignments(tenant, context, caller, call)
        }
        ("GET", ["groups"]) => role_reads::groups(tenant, context, caller, call),
        ("GET", ["groups", key, relation @ ("members" | "owners")]) => {
            role_reads::people(tenant, context, caller, call, (key, relation))
        }
        ("GET", ["policies", "identitySecurityDefaultsEnforcementPolicy"]) => {
            role_reads::security_defaults(tenant, context, caller, call)
        }
        ("GET", ["auditLogs", "directoryAudits" | "directoryaudits"]) => {
            audits::list(tenant, context, caller, call)
        }
        (_, ["users" | "domains" | "organization" | "groups"] | ["users" | "domains", _]) => {
            Err(GraphError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "Request_BadRequest",
                "Specified HTTP method is not allowed for the request target.".to_owned(),
            ))
        }
        (_, segments) => Err(GraphError::bad_request(format!(
            "Resource not found for the segment '{}'.",
            segments.first().unwrap_or(&"")
        ))),
    }
}
