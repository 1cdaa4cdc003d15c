//! The token endpoint's refusals: our table of codes, texts and envelopes.
//!
//! Source: Microsoft Entra authentication and authorization error codes, answers captured from a real tenant, and for
//! assertions (700021 to 700027, 700211 to 700213) reports of live answers with these texts.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::clock::token_error_time;
use crate::edge::RequestIds;
use crate::reply::{Reply, with_member};

/// One row of the table; `{0}` and `{1}` in the text stand for what the request said.
#[derive(Debug)]
pub(crate) struct Row {
    code: u32,
    status: StatusCode,
    error: &'static str,
    text: &'static str,
    suberror: Option<&'static str>,
    uri: ErrorUri,
}

/// Whether the envelope links to the code's page; captures show both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ErrorUri {
    Given,
    Absent,
}

const fn row(code: u32, error: &'static str, text: &'static str) -> Row {
    Row {
        code,
        status: StatusCode::BAD_REQUEST,
        error,
        text,
        suberror: None,
        uri: ErrorUri::Given,
    }
}

const fn interrupt(code: u32, suberror: &'static str, text: &'static str) -> Row {
    Row {
        suberror: Some(suberror),
        ..row(code, "invalid_grant", text)
    }
}

const fn unauthorized(code: u32, text: &'static str) -> Row {
    Row {
        status: StatusCode::UNAUTHORIZED,
        ..row(code, "invalid_client", text)
    }
}

const fn plain(code: u32, error: &'static str, text: &'static str) -> Row {
    Row {
        uri: ErrorUri::Absent,
        ..row(code, error, text)
    }
}

pub(super) static MISSING_PARAMETER: Row = row(
    900_144,
    "invalid_request",
    "The request body must contain the following parameter: '{0}'.",
);
pub(super) static UNKNOWN_TENANT: Row = row(90_002, "invalid_request", UNKNOWN_TENANT_TEXT);
/// Discovery names the same failure by another word.
pub(super) static UNKNOWN_TENANT_OF_DISCOVERY: Row =
    row(90_002, "invalid_tenant", UNKNOWN_TENANT_TEXT);
pub(super) static NO_TENANT: Row = row(
    50_059,
    "invalid_request",
    "No tenant-identifying information found in either the request or implied by any provided credentials.",
);
pub(super) static COMMON_NOT_SUPPORTED: Row = row(
    9_001_023,
    "invalid_request",
    "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or \
     tenant-specific endpoint.",
);
pub(super) static UNSUPPORTED_GRANT: Row = plain(
    70_003,
    "unsupported_grant_type",
    "The app requested an unsupported grant type '{0}'.",
);
pub(super) static MALFORMED_CLIENT: Row = plain(
    700_038,
    "unauthorized_client",
    "{0} is not a valid application identifier.",
);
pub(super) static UNKNOWN_CLIENT: Row = row(
    700_016,
    "unauthorized_client",
    "Application with identifier '{0}' was not found in the directory '{1}'. This can happen if the application has \
     not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have \
     sent your authentication request to the wrong tenant.",
);
pub(super) static WRONG_SECRET: Row = unauthorized(
    7_000_215,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the \
     client secret ID, for a secret added to app '{0}'.",
);
pub(super) static MISSING_SECRET: Row = unauthorized(
    7_000_218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
);
pub(super) static PUBLIC_CLIENT_WITH_SECRET: Row = unauthorized(
    700_025,
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
);
pub(super) static EXPIRED_SECRET: Row = unauthorized(
    7_000_222,
    "The provided client secret keys for app '{0}' are expired. Visit the Azure portal to create new keys for your \
     app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
     https://aka.ms/certCreds.",
);
pub(super) static MALFORMED_ASSERTION: Row =
    unauthorized(50_027, "JWT token is invalid or malformed.");
pub(super) static UNKNOWN_KEY: Row = unauthorized(
    700_027,
    "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
     The key was not found., Thumbprint of key used by client: '{0}', Please visit the Azure Portal, Graph Explorer \
     or directly use MS Graph to see configured keys for app Id '{1}'.]",
);
pub(super) static WRONG_SIGNATURE: Row = unauthorized(
    700_027,
    "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected \
     signature value., Thumbprint of key used by client: '{0}']",
);
pub(super) static EXPIRED_KEY: Row = unauthorized(
    700_027,
    "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by \
     client: '{0}']",
);
pub(super) static ASSERTION_AUDIENCE: Row = unauthorized(
    700_023,
    "Client assertion audience claim does not match Realm issuer. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
pub(super) static ASSERTION_SUBJECT: Row = unauthorized(
    700_021,
    "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
pub(super) static ASSERTION_TIME: Row = unauthorized(
    700_024,
    "Client assertion is not within its valid time range. Current time: {0}, assertion valid from {1}, expiry time of \
     assertion {2}. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
/// Entra ID takes an assertion as often as it is presented; an application of a scenario may be stricter.
pub(super) static REPLAYED_ASSERTION: Row =
    unauthorized(50_013, "Assertion is invalid: it was presented before.");
pub(super) static FEDERATED_ISSUER: Row = unauthorized(
    700_211,
    "No matching federated identity record found for presented assertion issuer '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(super) static FEDERATED_AUDIENCE: Row = unauthorized(
    700_212,
    "No matching federated identity record found for presented assertion audience '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(super) static FEDERATED_SUBJECT: Row = unauthorized(
    700_213,
    "No matching federated identity record found for presented assertion subject '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(super) static FOREIGN_SIGNATURE: Row = unauthorized(
    50_027,
    "JWT token is invalid or malformed. External ID token from issuer failed signature verification.",
);
pub(super) static INVALID_REQUEST: Row = row(
    90_023,
    "invalid_request",
    "The authentication service request isn't valid.",
);
pub(super) static UNKNOWN_RESOURCE: Row = row(
    500_011,
    "invalid_resource",
    "The resource principal named {0} was not found in the tenant named {1}. This can happen if the application has \
     not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have \
     sent your authentication request to the wrong tenant.",
);
pub(super) static SCOPE_WITHOUT_DEFAULT: Row = row(
    1_002_012,
    "invalid_scope",
    "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default \
     suffixed to the resource identifier (application ID URI).",
);
pub(super) static UNKNOWN_USER: Row = row(
    50_034,
    "invalid_grant",
    "The user account {EUII Hidden} does not exist in the {0} directory. To sign into this application, the account \
     must be added to the directory.",
);
pub(super) static WRONG_PASSWORD: Row = row(
    50_126,
    "invalid_grant",
    "Error validating credentials due to invalid username or password.",
);
pub(super) static LOCKED: Row = row(
    50_053,
    "invalid_grant",
    "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
);
pub(super) static DISABLED: Row = row(50_057, "invalid_grant", "The user account is disabled.");
pub(super) static NO_PASSWORD: Row = row(
    50_056,
    "invalid_grant",
    "Invalid or null password: password does not exist in the directory for this user.",
);
pub(super) static EXPIRED: Row =
    interrupt(50_055, "user_password_expired", "The password is expired.");
pub(super) static SECOND_FACTOR: Row = interrupt(
    50_076,
    "basic_action",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use \
     multi-factor authentication to access '{0}'.",
);
pub(super) static SECOND_FACTOR_ENROLMENT: Row = interrupt(
    50_079,
    "basic_action",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
     enroll in multi-factor authentication to access '{0}'.",
);
pub(super) static CONDITIONAL_ACCESS: Row = interrupt(
    53_003,
    "message_only",
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
);
pub(super) static NOT_ASSIGNED: Row = row(
    50_105,
    "invalid_grant",
    "Your administrator has configured the application to block users unless they are specifically granted \
     ('assigned') access to the application.",
);
pub(super) static SECURITY_DEFAULTS: Row = row(
    530_035,
    "invalid_grant",
    "Access has been blocked by security defaults.",
);
static THROTTLED: Row = Row {
    status: StatusCode::TOO_MANY_REQUESTS,
    ..row(
        90_055,
        "temporarily_unavailable",
        "The tenant is throttling the incoming requests. Please retry later.",
    )
};
static UNAVAILABLE: Row = Row {
    status: StatusCode::SERVICE_UNAVAILABLE,
    ..row(
        90_033,
        "temporarily_unavailable",
        "A transient error has occurred. Please try again.",
    )
};

const UNKNOWN_TENANT_TEXT: &str = "Tenant '{0}' not found. Check to make sure you have the correct tenant ID and are \
                                   signing into the correct cloud. Check with your subscription administrator, this \
                                   may happen if there are no active subscriptions for the tenant.";

/// A refusal with what the request said.
#[derive(Debug)]
pub(crate) struct Refusal {
    row: &'static Row,
    text: String,
}

impl Refusal {
    pub(super) fn of(row: &'static Row) -> Self {
        Self::with(row, &[])
    }

    pub(super) fn with(row: &'static Row, arguments: &[&str]) -> Self {
        let mut text = row.text.to_owned();
        for (position, argument) in arguments.iter().enumerate() {
            text = text.replace(&format!("{{{position}}}"), argument);
        }
        Self { row, text }
    }

    pub(super) fn code(&self) -> u32 {
        self.row.code
    }

    /// The error envelope as captured.
    pub(crate) fn into_reply(self, ids: &RequestIds, now: Timestamp) -> Reply {
        let Self { row, text } = self;
        let (time, trace) = (token_error_time(now), ids.request);
        let correlation = Uuid::try_parse(&ids.client_request).unwrap_or(ids.request);
        let description = format!(
            "AADSTS{}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}",
            row.code
        );
        let body = json!({
            "error": row.error,
            "error_description": description,
            "error_codes": [row.code],
            "timestamp": time,
            "trace_id": trace,
            "correlation_id": correlation,
        });
        let uri = format!("https://login.microsoftonline.com/error?code={}", row.code);
        let body = if row.uri == ErrorUri::Given {
            with_member(body, "error_uri", uri)
        } else {
            body
        };
        let body = row.suberror.into_iter().fold(body, |body, suberror| {
            with_member(body, "suberror", suberror)
        });
        Reply::json(row.status, body)
    }
}

/// What the sign-in service answers when only a status is ordered.
pub(crate) fn of_status(status: StatusCode, ids: &RequestIds, now: Timestamp) -> Reply {
    let row = if status == StatusCode::TOO_MANY_REQUESTS {
        &THROTTLED
    } else {
        &UNAVAILABLE
    };
    let mut reply = Refusal::of(row).into_reply(ids, now);
    reply.status = status;
    reply
}
