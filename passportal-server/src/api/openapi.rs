//! The API's description as OpenAPI.

use axum::Json;
use passportal_client::wire::ACCESS_TOKEN_HEADER;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::usual_failures::UsualFailures;
use super::{
    account, agent, audit, auth, clients, credentials, details, documents, enrolments, flags,
    imports, notices, people, plans, reports, search, snoozes,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "passportal-server", description = "The vault's API: people, programs and agents."),
    modifiers(&AccessToken, &UsualFailures),
    security(("access_token" = [])),
    paths(
        account::read, account::change_password, account::begin_second_factor, account::confirm_second_factor,
        account::remove_second_factor, account::renew_recovery_codes, account::sessions, account::end_session,
        account::sign_out_everywhere,
        auth::sign_in, auth::sign_out, auth::client_token, documents::list_clients,
        clients::list, clients::create, clients::read, clients::change,
        credentials::list, credentials::create, credentials::read, credentials::change,
        details::types, details::folders, details::versions, details::secrets, search::search, imports::import,
        credentials::set_password, credentials::history, flags::list, flags::clear,
        enrolments::enrol, enrolments::revoke, agent::heartbeat, agent::changes, agent::secret, agent::key,
        agent::attempts, agent::report, agent::show_plans, agent::rotate_token,
        plans::list, plans::read, plans::approve, plans::reject, document,
        people::list, people::change, people::invitations, people::invite, people::withdraw,
        reports::make, audit::list, audit::verify, snoozes::list, snoozes::snooze, snoozes::end,
        notices::list, notices::add, notices::change, notices::remove, notices::test,
    )
)]
struct Description;

struct AccessToken;

impl Modify for AccessToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let header = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new(ACCESS_TOKEN_HEADER)));
        description
            .components
            .get_or_insert_default()
            .add_security_scheme("access_token", header);
    }
}

#[utoipa::path(get, path = "/api/documentation/v2/swagger", tag = "documentation", security(()),
    responses((status = 200, description = "This document", content_type = "application/json")))]
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}

/// The whole description.
pub(super) fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
