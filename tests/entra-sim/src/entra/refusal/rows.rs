//! The rows: codes and texts.
//!
//! Source: Microsoft Entra authentication and authorization error codes, answers captured from a real tenant, and for
//! assertions (700021 to 700027, 700211 to 700213) reports of live answers with these texts.

use axum::http::StatusCode;

use super::{Row, interrupt, plain, row, unauthorized};

pub(in crate::entra) static MISSING_PARAMETER: Row = row(
    900_144,
    "invalid_request",
    "The request body must contain the following parameter: '{0}'.",
);
pub(in crate::entra) static UNKNOWN_TENANT: Row =
    row(90_002, "invalid_request", UNKNOWN_TENANT_TEXT);
/// Discovery names the same failure by another word.
pub(in crate::entra) static UNKNOWN_TENANT_OF_DISCOVERY: Row =
    row(90_002, "invalid_tenant", UNKNOWN_TENANT_TEXT);
pub(in crate::entra) static NO_TENANT: Row = row(
    50_059,
    "invalid_request",
    "No tenant-identifying information found in either the request or implied by any provided credentials.",
);
pub(in crate::entra) static COMMON_NOT_SUPPORTED: Row = row(
    9_001_023,
    "invalid_request",
    "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or \
     tenant-specific endpoint.",
);
pub(in crate::entra) static UNSUPPORTED_GRANT: Row = plain(
    70_003,
    "unsupported_grant_type",
    "The app requested an unsupported grant type '{0}'.",
);
pub(in crate::entra) static MALFORMED_CLIENT: Row = plain(
    700_038,
    "unauthorized_client",
    "{0} is not a valid application identifier.",
);
pub(in crate::entra) static UNKNOWN_CLIENT: Row = row(
    700_016,
    "unauthorized_client",
    "Application with identifier '{0}' was not found in the directory '{1}'. This can happen if the application has \
     not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have \
     sent your authentication request to the wrong tenant.",
);
pub(in crate::entra) static WRONG_SECRET: Row = unauthorized(
    7_000_215,
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the \
     client secret ID, for a secret added to app '{0}'.",
);
pub(in crate::entra) static MISSING_SECRET: Row = unauthorized(
    7_000_218,
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
);
pub(in crate::entra) static PUBLIC_CLIENT_WITH_SECRET: Row = unauthorized(
    700_025,
    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
);
pub(in crate::entra) static EXPIRED_SECRET: Row = unauthorized(
    7_000_222,
    "The provided client secret keys for app '{0}' are expired. Visit the Azure portal to create new keys for your \
     app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: \
     https://aka.ms/certCreds.",
);
pub(in crate::entra) static MALFORMED_ASSERTION: Row =
    unauthorized(50_027, "JWT token is invalid or malformed.");
pub(in crate::entra) static UNKNOWN_KEY: Row = unauthorized(
    700_027,
    "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - \
     The key was not found., Thumbprint of key used by client: '{0}', Please visit the Azure Portal, Graph Explorer \
     or directly use MS Graph to see configured keys for app Id '{1}'.]",
);
pub(in crate::entra) static WRONG_SIGNATURE: Row = unauthorized(
    700_027,
    "Client assertion failed signature validation. [Reason - The provided signature value did not match the expected \
     signature value., Thumbprint of key used by client: '{0}']",
);
pub(in crate::entra) static EXPIRED_KEY: Row = unauthorized(
    700_027,
    "Client assertion failed signature validation. [Reason - The key used is expired., Thumbprint of key used by \
     client: '{0}']",
);
pub(in crate::entra) static ASSERTION_AUDIENCE: Row = unauthorized(
    700_023,
    "Client assertion audience claim does not match Realm issuer. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
pub(in crate::entra) static ASSERTION_SUBJECT: Row = unauthorized(
    700_021,
    "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
pub(in crate::entra) static ASSERTION_TIME: Row = unauthorized(
    700_024,
    "Client assertion is not within its valid time range. Current time: {0}, assertion valid from {1}, expiry time of \
     assertion {2}. Review the documentation at \
     https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
);
/// Entra ID takes an assertion as often as it is presented; an application of a scenario may be stricter.
pub(in crate::entra) static REPLAYED_ASSERTION: Row =
    unauthorized(50_013, "Assertion is invalid: it was presented before.");
pub(in crate::entra) static FEDERATED_ISSUER: Row = unauthorized(
    700_211,
    "No matching federated identity record found for presented assertion issuer '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(in crate::entra) static FEDERATED_AUDIENCE: Row = unauthorized(
    700_212,
    "No matching federated identity record found for presented assertion audience '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(in crate::entra) static FEDERATED_SUBJECT: Row = unauthorized(
    700_213,
    "No matching federated identity record found for presented assertion subject '{0}'. Please check your federated \
     identity credential Subject, Audience and Issuer against the presented assertion. \
     https://learn.microsoft.com/entra/workload-id/workload-identity-federation",
);
pub(in crate::entra) static FOREIGN_SIGNATURE: Row = unauthorized(
    50_027,
    "JWT token is invalid or malformed. External ID token from issuer failed signature verification.",
);
pub(in crate::entra) static INVALID_REQUEST: Row = row(
    90_023,
    "invalid_request",
    "The authentication service request isn't valid.",
);
pub(in crate::entra) static UNKNOWN_RESOURCE: Row = row(
    500_011,
    "invalid_resource",
    "The resource principal named {0} was not found in the tenant named {1}. This can happen if the application has \
     not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have \
     sent your authentication request to the wrong tenant.",
);
pub(in crate::entra) static SCOPE_WITHOUT_DEFAULT: Row = row(
    1_002_012,
    "invalid_scope",
    "The provided value for scope {0} is not valid. Client credential flows must have a scope value with /.default \
     suffixed to the resource identifier (application ID URI).",
);
pub(in crate::entra) static UNKNOWN_USER: Row = row(
    50_034,
    "invalid_grant",
    "The user account {EUII Hidden} does not exist in the {0} directory. To sign into this application, the account \
     must be added to the directory.",
);
pub(in crate::entra) static WRONG_PASSWORD: Row = row(
    50_126,
    "invalid_grant",
    "Error validating credentials due to invalid username or password.",
);
pub(in crate::entra) static LOCKED: Row = row(
    50_053,
    "invalid_grant",
    "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
);
pub(in crate::entra) static DISABLED: Row =
    row(50_057, "invalid_grant", "The user account is disabled.");
pub(in crate::entra) static NO_PASSWORD: Row = row(
    50_056,
    "invalid_grant",
    "Invalid or null password: password does not exist in the directory for this user.",
);
pub(in crate::entra) static EXPIRED: Row =
    interrupt(50_055, "user_password_expired", "The password is expired.");
pub(in crate::entra) static SECOND_FACTOR: Row = interrupt(
    50_076,
    "basic_action",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must use \
     multi-factor authentication to access '{0}'.",
);
pub(in crate::entra) static SECOND_FACTOR_ENROLMENT: Row = interrupt(
    50_079,
    "basic_action",
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must \
     enroll in multi-factor authentication to access '{0}'.",
);
pub(in crate::entra) static CONDITIONAL_ACCESS: Row = interrupt(
    53_003,
    "message_only",
    "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
);
pub(in crate::entra) static NOT_ASSIGNED: Row = row(
    50_105,
    "invalid_grant",
    "Your administrator has configured the application to block users unless they are specifically granted \
     ('assigned') access to the application.",
);
pub(in crate::entra) static SECURITY_DEFAULTS: Row = row(
    530_035,
    "invalid_grant",
    "Access has been blocked by security defaults.",
);
pub(in crate::entra) static AUTHORIZATION_PENDING: Row = row(
    70_016,
    "authorization_pending",
    "OAuth 2.0 device flow error. Authorization is pending. Continue polling.",
);
/// Microsoft documents the word; the code is that of a consent that was declined.
pub(in crate::entra) static AUTHORIZATION_DECLINED: Row = row(
    65_004,
    "authorization_declined",
    "User declined to consent to access the app.",
);
pub(in crate::entra) static BAD_VERIFICATION_CODE: Row = row(
    70_018,
    "bad_verification_code",
    "Invalid verification code due to User typing in wrong user code for device code flow. Authorization isn't \
     approved.",
);
pub(in crate::entra) static EXPIRED_DEVICE_CODE: Row = row(
    70_020,
    "expired_token",
    "The provided value for the input parameter 'device_code' is not valid. This device code has expired.",
);
/// What the person who comes too late reads.
pub(in crate::entra) static EXPIRED_USER_CODE: Row = row(
    70_019,
    "expired_token",
    "Verification code expired. Have the user retry the sign-in.",
);
pub(in crate::entra) static REDEEMED_CODE: Row = row(
    54_005,
    "invalid_grant",
    "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh \
     token.",
);
/// What a person of another tenant reads.
pub(in crate::entra) static STRANGER: Row = row(
    50_020,
    "invalid_grant",
    "User account '{0}' does not exist in tenant '{1}' and cannot access the application in that tenant. The account \
     needs to be added as an external user in the tenant first.",
);
pub(in crate::entra) static MALFORMED_GRANT: Row = row(
    9_002_313,
    "invalid_grant",
    "Invalid request. Request is malformed or invalid.",
);
pub(in crate::entra) static FOREIGN_GRANT: Row = interrupt(
    70_000,
    "bad_token",
    "Provided grant is invalid or malformed.",
);
pub(in crate::entra) static REFRESH_OF_UNKNOWN_USER: Row = interrupt(
    50_034,
    "bad_token",
    "The user account {EUII Hidden} does not exist in the {0} directory. To sign into this application, the account \
     must be added to the directory.",
);
pub(in crate::entra) static REVOKED_GRANT: Row = interrupt(
    50_173,
    "bad_token",
    "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have \
     changed or reset their password. The grant was issued on '{0}' and the TokensValidFrom date (before which \
     tokens are not valid) for this user is '{1}'.",
);
pub(in crate::entra) static IDLE_GRANT: Row = interrupt(
    700_082,
    "bad_token",
    "The refresh token has expired due to inactivity. The token was issued on {0} and was inactive for {1}.",
);
pub(super) static THROTTLED: Row = Row {
    status: StatusCode::TOO_MANY_REQUESTS,
    ..row(
        90_055,
        "temporarily_unavailable",
        "The tenant is throttling the incoming requests. Please retry later.",
    )
};
pub(super) static UNAVAILABLE: Row = Row {
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
