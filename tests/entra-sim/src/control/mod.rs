//! The simulator's own endpoints under `/_sim`: what a test in another process needs to see and to do.
//!
//! They are ours, not Microsoft's, need no token, and never answer with a password.

mod device;
pub(crate) mod fault;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::clock::graph_time;
use crate::directory::change::{AccountChange, AppChange, TenantChange};
use crate::reply::Reply;
use crate::scenario::{ClearText, UserSpec};
use crate::simulator::{Simulator, SimulatorError};
use fault::Fault;

/// The routes, to be nested under `/_sim`.
pub(crate) fn routes() -> Router<Simulator> {
    Router::new()
        .route("/counters", get(counters))
        .route("/clock", get(clock).post(advance))
        .route("/faults", post(arm_fault).delete(clear_faults))
        .route("/device-codes", get(device::waiting))
        .route("/device-codes/{user_code}/approve", post(device::approve))
        .route("/device-codes/{user_code}/decline", post(device::decline))
        .route("/tenants/{tenant}/patch", post(change_tenant))
        .route(
            "/tenants/{tenant}/expire-delta-links",
            post(expire_delta_links),
        )
        .route("/tenants/{tenant}/apps/{app}/patch", post(change_app))
        .route(
            "/tenants/{tenant}/challenge",
            post(demand_claims).delete(demand_no_claims),
        )
        .route("/tenants/{tenant}/diary", get(diary))
        .route("/tenants/{tenant}/users", post(add_user))
        .route(
            "/tenants/{tenant}/users/{user}",
            get(show_user).delete(remove_user),
        )
        .route(
            "/tenants/{tenant}/users/{user}/password",
            post(set_password),
        )
        .route(
            "/tenants/{tenant}/users/{user}/revoke-sign-ins",
            post(revoke_sign_ins),
        )
        .route("/tenants/{tenant}/users/{user}/check", post(check_password))
        .route("/tenants/{tenant}/users/{user}/patch", post(change_user))
}

/// A password to set or to compare with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GivenPassword {
    password: ClearText,
}

/// How far to move the clock.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: SignedDuration,
}

/// The claims request that a challenge carries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Demand {
    claims: Map<String, Value>,
}

async fn demand_claims(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Json(demand): Json<Demand>,
) -> Reply {
    done(simulator.demand_claims(&tenant, Some(demand.claims)))
}

async fn demand_no_claims(State(simulator): State<Simulator>, Path(tenant): Path<String>) -> Reply {
    done(simulator.demand_claims(&tenant, None))
}

async fn counters(State(simulator): State<Simulator>) -> Json<crate::Counters> {
    Json(simulator.counters())
}

async fn clock(State(simulator): State<Simulator>) -> Reply {
    Reply::ok(json!({ "now": simulator.now().to_string() }))
}

async fn advance(State(simulator): State<Simulator>, Json(by): Json<Advance>) -> Reply {
    simulator.advance(by.advance);
    Reply::ok(json!({ "now": simulator.now().to_string() }))
}

async fn arm_fault(State(simulator): State<Simulator>, Json(fault): Json<Fault>) -> StatusCode {
    simulator.add_fault(fault);
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(simulator): State<Simulator>) -> StatusCode {
    simulator.clear_faults();
    StatusCode::NO_CONTENT
}

async fn change_tenant(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Json(change): Json<TenantChange>,
) -> Reply {
    done(simulator.change_tenant(&tenant, change))
}

async fn change_app(
    State(simulator): State<Simulator>,
    Path((tenant, app)): Path<(String, Uuid)>,
    Json(change): Json<AppChange>,
) -> Reply {
    done(simulator.change_app(&tenant, app, change))
}

async fn expire_delta_links(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
) -> Reply {
    done(simulator.expire_delta_links(&tenant))
}

async fn diary(State(simulator): State<Simulator>, Path(tenant): Path<String>) -> Reply {
    let shown = simulator.with_tenant(
        &tenant,
        |tenant, _| json!({ "forgotten": tenant.diary.forgotten(), "lines": tenant.diary.lines() }),
    );
    match shown {
        Ok(body) => Reply::ok(body),
        Err(error) => refused(&error),
    }
}

async fn add_user(
    State(simulator): State<Simulator>,
    Path(tenant): Path<String>,
    Json(user): Json<UserSpec>,
) -> Reply {
    match simulator.add_user(&tenant, user) {
        Ok(id) => Reply::json(StatusCode::CREATED, json!({ "id": id })),
        Err(error) => refused(&error),
    }
}

async fn remove_user(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
) -> Reply {
    done(simulator.remove_user(&tenant, &user))
}

async fn set_password(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
    Json(given): Json<GivenPassword>,
) -> Reply {
    done(simulator.set_password(&tenant, &user, given.password.expose()))
}

async fn revoke_sign_ins(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
) -> Reply {
    done(simulator.revoke_sign_ins(&tenant, &user))
}

async fn check_password(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
    Json(given): Json<GivenPassword>,
) -> Reply {
    match simulator.password_matches(&tenant, &user, given.password.expose()) {
        Ok(matches) => Reply::ok(json!({ "matches": matches })),
        Err(error) => refused(&error),
    }
}

async fn change_user(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
    Json(change): Json<AccountChange>,
) -> Reply {
    done(simulator.change_user(&tenant, &user, change))
}

async fn show_user(
    State(simulator): State<Simulator>,
    Path((tenant, user)): Path<(String, String)>,
) -> Reply {
    let shown = simulator.with_account(&tenant, &user, |tenant, id, now| {
        tenant.get(id).map(|account| {
            json!({
                "id": account.id,
                "user_principal_name": account.user_principal_name,
                "account_enabled": account.enabled,
                "user_type": account.user_type,
                "on_premises_sync_enabled": account.on_premises,
                "behaviour": account.behaviour,
                "last_password_change": graph_time(account.visible().stamp),
                "last_write": graph_time(account.latest().stamp),
                "locked": account.lockout.is_locked(now),
                "failures": account.lockout.failures(),
                "counters": account.counters,
            })
        })
    });
    match shown {
        Ok(Some(body)) => Reply::ok(body),
        Ok(None) => Reply::empty(StatusCode::NOT_FOUND),
        Err(error) => refused(&error),
    }
}

fn done(result: Result<(), SimulatorError>) -> Reply {
    match result {
        Ok(()) => Reply::empty(StatusCode::NO_CONTENT),
        Err(error) => refused(&error),
    }
}

fn refused(error: &SimulatorError) -> Reply {
    let status = match error {
        SimulatorError::UnknownTenant { .. }
        | SimulatorError::UnknownUser { .. }
        | SimulatorError::UnknownApp { .. } => StatusCode::NOT_FOUND,
        SimulatorError::NameTaken { .. } => StatusCode::CONFLICT,
        SimulatorError::UserCodeRefused { .. } => StatusCode::FORBIDDEN,
    };
    Reply::json(status, json!({ "error": error.to_string() }))
}
