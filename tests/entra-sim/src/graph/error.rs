//! Graph's errors: our table of statuses, codes and texts, and the envelope around them.
//!
//! Source: Microsoft Graph error responses, and reports of live answers with these texts.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use crate::clock::graph_error_time;
use crate::edge::RequestIds;
use crate::reply::Reply;

/// What Graph says of a token that was issued before something changed.
pub(super) const OUTDATED_POLICIES: &str = "Continuous access evaluation resulted in challenge with result: \
                                            InteractionRequired and code: TokenCreatedWithOutdatedPolicies";
/// What a client that understands challenges is told when the user's sign-ins were revoked.
/// Source: Continuous access evaluation, claims challenges.
pub(super) const REVOKED_SIGN_IN: &str = "Continuous access evaluation resulted in challenge with result: \
                                          InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp";

/// A refused call.
#[derive(Debug)]
pub(crate) struct GraphError {
    status: StatusCode,
    code: &'static str,
    message: String,
    headers: Vec<(&'static str, String)>,
}

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: String) -> Self {
        Self {
            status,
            code,
            message,
            headers: Vec::new(),
        }
    }

    /// The general refusal of Graph's request parser.
    pub(super) fn bad_request(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// The directory's refusal of a request that parsed.
    fn refused(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
    }

    pub(super) fn unsupported_query(message: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
    }

    pub(super) fn policy_violation() -> Self {
        Self::refused(
            "The specified password does not comply with password complexity requirements. Please provide a \
             different password."
                .to_owned(),
        )
    }

    pub(super) fn on_premises_mastered() -> Self {
        Self::refused(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects \
             currently undergoing migration."
                .to_owned(),
        )
    }

    pub(super) fn read_only(property: &str) -> Self {
        Self::refused(format!(
            "Property '{property}' is read-only and cannot be set."
        ))
    }

    pub(super) fn invalid_property(property: &str) -> Self {
        Self::refused(format!("Invalid property '{property}'."))
    }

    pub(super) fn not_simulated(property: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "NotSimulated",
            format!("The simulator does not update the property '{property}'."),
        )
    }

    pub(super) fn insufficient_privileges() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.".to_owned(),
        )
    }

    pub(super) fn not_found(key: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "Request_ResourceNotFound",
            format!(
                "Resource '{key}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    pub(super) fn unauthorized(message: &str) -> Self {
        Self::challenged(message, "")
    }

    /// A claims challenge; `claims` is the claims request in base64.
    pub(super) fn insufficient_claims(message: &str, claims: &str) -> Self {
        let more = format!(", error=\"insufficient_claims\", claims=\"{claims}\"");
        Self::challenged(message, &more)
    }

    fn challenged(message: &str, more: &str) -> Self {
        let challenge = format!(
            "Bearer realm=\"\", \
             authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
             client_id=\"00000003-0000-0000-c000-000000000000\"{more}"
        );
        Self::new(
            StatusCode::UNAUTHORIZED,
            "InvalidAuthenticationToken",
            message.to_owned(),
        )
        .header("www-authenticate", challenge)
    }

    /// A delta link that the service no longer knows; `start` is where a full read begins.
    pub(super) fn sync_state_not_found(start: String) -> Self {
        Self::new(
            StatusCode::GONE,
            "syncStateNotFound",
            "The sync state generation is not found. The delta token is expired and data must be synchronized again."
                .to_owned(),
        )
        .header("location", start)
    }

    /// A refusal for want of room, without the headers that say which limit it is about.
    pub(super) fn throttled() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequests",
            "Too many requests from Identifier:entra-sim under category:aadgraph.app.tenant_large. Please try again \
             later."
                .to_owned(),
        )
    }

    pub(super) fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The error envelope.
    pub(crate) fn into_reply(self, ids: &RequestIds, now: Timestamp) -> Reply {
        let body = json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": graph_error_time(now),
                    "request-id": ids.request,
                    "client-request-id": ids.client_request,
                },
            },
        });
        let reply = Reply::json(self.status, body);
        self.headers
            .into_iter()
            .fold(reply, |reply, (name, value)| reply.with(name, &value))
    }
}

/// What Graph answers when only a status is ordered.
pub(crate) fn of_status(status: StatusCode) -> GraphError {
    match status {
        StatusCode::UNAUTHORIZED => {
            GraphError::unauthorized("Lifetime validation failed, the token is expired.")
        }
        StatusCode::FORBIDDEN => GraphError::insufficient_privileges(),
        StatusCode::NOT_FOUND => GraphError::not_found("unknown"),
        StatusCode::GONE => {
            GraphError::sync_state_not_found("/v1.0/users/delta?$deltatoken=".to_owned())
        }
        StatusCode::BAD_REQUEST => GraphError::policy_violation(),
        StatusCode::TOO_MANY_REQUESTS => GraphError::throttled()
            .header("retry-after", "10".to_owned())
            .header("x-ms-throttle-information", "WriteLimitExceeded".to_owned()),
        StatusCode::SERVICE_UNAVAILABLE => {
            GraphError::new(status, "serviceNotAvailable", String::new())
                .header("retry-after", "10".to_owned())
        }
        other => GraphError::new(
            other,
            "generalException",
            "An unspecified error has occurred.".to_owned(),
        ),
    }
}
