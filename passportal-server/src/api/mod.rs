//! The JSON API under `/api`, by the conventions of Passportal's documented v2 API.

mod access;
mod account;
mod agent;
mod answer;
mod audit;
mod auth;
mod clients;
mod credentials;
mod details;
mod documents;
mod enrolments;
mod flags;
mod imports;
mod notices;
mod openapi;
mod people;
mod plans;
mod reading;
mod reports;
mod search;
mod snoozes;
mod usual_failures;
mod viewer;

use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, patch, post, put};

use crate::routes::Routes;
use answer::ApiError;

/// The longest request: a report of a thousand entries.
const BODY_LIMIT: usize = 4 * 1024 * 1024;

/// A hundred thousand held writes of some four hundred bytes each, and room to spare.
const PLANS_LIMIT: usize = 64 * 1024 * 1024;

/// Ten thousand credentials with long notes.
const IMPORT_LIMIT: usize = 64 * 1024 * 1024;

/// Everything below `/api`.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .nest("/v2/auth", auth_routes())
        .nest("/v2/account", account_routes())
        .nest("/v2/vault", vault_routes())
        .nest("/v2/agent", agent_routes())
        .nest("/v2/vault/notice-channels", notice_routes())
        .nest("/v2/plans", plan_routes())
        .nest("/v2/audit", audit_routes())
        .route("/v2/reports/{report}", get(reports::make))
        .route("/v2/documents/clients", get(documents::list_clients))
        .route("/documentation/v2/swagger", get(openapi::document))
        .route("/documentation/v2", get(viewer::page))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
}

fn auth_routes() -> Routes {
    Routes::default()
        .route("/session", post(auth::sign_in).delete(auth::sign_out))
        .route("/client_token", post(auth::client_token))
        .method_not_allowed_fallback(no_such_method)
}

fn account_routes() -> Routes {
    const SECOND_FACTOR: &str = "/second-factor";
    Routes::default()
        .route("/", get(account::read))
        .route("/password", put(account::change_password))
        .route(SECOND_FACTOR, post(account::begin_second_factor))
        .route(
            &format!("{SECOND_FACTOR}/confirmation"),
            post(account::confirm_second_factor),
        )
        .route(
            &format!("{SECOND_FACTOR}/removal"),
            post(account::remove_second_factor),
        )
        .route("/recovery-codes", post(account::renew_recovery_codes))
        .route(
            "/sessions",
            get(account::sessions).delete(account::sign_out_everywhere),
        )
        .route("/sessions/{id}", delete(account::end_session))
        .method_not_allowed_fallback(no_such_method)
}

fn vault_routes() -> Routes {
    Routes::default()
        .route("/clients", get(clients::list).post(clients::create))
        .route("/clients/{id}", get(clients::read).patch(clients::change))
        .route(
            "/clients/{id}/credentials",
            get(credentials::list).post(credentials::create),
        )
        .route(
            "/credentials/{id}",
            get(credentials::read).patch(credentials::change),
        )
        .route("/credentials/{id}/password", put(credentials::set_password))
        .route("/credentials/{id}/history", get(credentials::history))
        .route("/credentials/{id}/versions", get(details::versions))
        .route("/credentials/{id}/secrets", post(details::secrets))
        .route("/credential-types", get(details::types))
        .route(
            "/imports",
            post(imports::import).layer(DefaultBodyLimit::max(IMPORT_LIMIT)),
        )
        .route("/search", get(search::search))
        .route("/clients/{id}/folders", get(details::folders))
        .route("/credentials/{id}/flags/{kind}", delete(flags::clear))
        .route("/flags", get(flags::list))
        .route(
            "/credentials/{id}/flags/{kind}/snooze",
            put(snoozes::snooze).delete(snoozes::end),
        )
        .route("/snoozes", get(snoozes::list))
        .route("/people", get(people::list))
        .route("/people/{id}", patch(people::change))
        .route(
            "/people/invitations",
            get(people::invitations).post(people::invite),
        )
        .route("/people/invitations/{invitation}", delete(people::withdraw))
        .method_not_allowed_fallback(no_such_method)
}

fn agent_routes() -> Routes {
    Routes::default()
        .route("/enrolments", post(enrolments::enrol))
        .route("/enrolments/{agent}", delete(enrolments::revoke))
        .route("/heartbeat", post(agent::heartbeat))
        .route("/changes", get(agent::changes))
        .route("/credentials/{id}/secret", get(agent::secret))
        .route("/key", get(agent::key))
        .route("/attempts", post(agent::attempts))
        .route("/reports", post(agent::report))
        .route(
            "/plans",
            put(agent::show_plans).layer(DefaultBodyLimit::max(PLANS_LIMIT)),
        )
        .route("/token", post(agent::rotate_token))
        .method_not_allowed_fallback(no_such_method)
}

fn notice_routes() -> Routes {
    Routes::default()
        .route("/", get(notices::list).post(notices::add))
        .route("/{id}", put(notices::change).delete(notices::remove))
        .route("/{id}/test", post(notices::test))
        .method_not_allowed_fallback(no_such_method)
}

fn plan_routes() -> Routes {
    Routes::default()
        .route("/", get(plans::list))
        .route("/{id}", get(plans::read))
        .route("/{id}/approval", post(plans::approve))
        .route("/{id}/rejection", post(plans::reject))
        .method_not_allowed_fallback(no_such_method)
}

fn audit_routes() -> Routes {
    Routes::default()
        .route("/", get(audit::list))
        .route("/verification", get(audit::verify))
        .method_not_allowed_fallback(no_such_method)
}

async fn no_such_path() -> ApiError {
    ApiError::not_found("there is nothing at this address")
}

async fn no_such_method() -> ApiError {
    ApiError::method_not_allowed()
}
