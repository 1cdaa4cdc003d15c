//! Answers: `Success` around results, `Failure` around every error.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passportal_client::wire::{Failure, Success, code};
use serde::Serialize;
use tracing::error;

use crate::proof::ProofError;
use crate::request_id;
use crate::vault::VaultError;

/// How long a caller with too many wrong sign-ins should wait.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("900");

/// What an API handler returns.
pub(super) type Answer<T> = Result<Results<T>, ApiError>;

/// Results, to be wrapped.
pub(super) struct Results<T>(pub(super) T);

/// The results of what has nothing to tell but that it is done.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct Done {}

impl<T: Serialize> IntoResponse for Results<T> {
    fn into_response(self) -> Response {
        Json(Success {
            success: true,
            api_request_uid: request_id::current(),
            results: self.0,
        })
        .into_response()
    }
}

/// An error as the caller sees it.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    code: u32,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code::NOT_FOUND, message)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            code::METHOD_NOT_ALLOWED,
            "this method is not allowed here",
        )
    }

    /// The request could not be read.
    pub(super) fn unreadable(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, code::INVALID, message)
    }

    /// The request was read and is refused.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code::INVALID, message)
    }

    pub(super) fn bad_token() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::BAD_TOKEN,
            "the access token is missing, unknown, expired or revoked",
        )
    }

    pub(super) fn not_allowed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            code::NOT_ALLOWED,
            "this access token is not for this call",
        )
    }

    pub(super) fn key_verification_failed() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            code::KEY_VERIFICATION_FAILED,
            "Key verification failed",
        )
    }

    pub(super) fn too_many() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            code::TOO_MANY,
            "too many wrong sign-ins; try again in 15 minutes",
        )
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        let code = match error {
            ProofError::Vault(fault) => return fault.into(),
            ProofError::TooMany => return Self::too_many(),
            ProofError::NoSecondFactor => return Self::invalid(error.to_string()),
            ProofError::WrongPassword
            | ProofError::WrongCode
            | ProofError::WrongOrganizationKey => code::WRONG_CREDENTIALS,
            ProofError::CodeNeeded => code::ONE_TIME_CODE_NEEDED,
        };
        Self::new(StatusCode::UNAUTHORIZED, code, error.to_string())
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound { .. } => Self::not_found(error.to_string()),
            VaultError::Conflict(message) => {
                Self::new(StatusCode::CONFLICT, code::CONFLICT, message)
            }
            VaultError::Forbidden(message) => {
                Self::new(StatusCode::FORBIDDEN, code::NOT_ALLOWED, message)
            }
            VaultError::Revoked => Self::bad_token(),
            VaultError::Refused(message) => Self::invalid(message),
            VaultError::DiskFull => {
                error!("a change was refused: the vault's disk is full");
                Self::new(
                    StatusCode::INSUFFICIENT_STORAGE,
                    code::DISK_FULL,
                    error.to_string(),
                )
            }
            fault => {
                error!(
                    error = &fault as &dyn std::error::Error,
                    "a request failed because of the vault"
                );
                Self::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    code::INTERNAL,
                    format!(
                        "the server failed; its log knows more under {}",
                        request_id::current()
                    ),
                )
            }
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let failure = Failure {
            success: false,
            message: self.message,
            code: self.code,
            status: self.status.as_u16(),
        };
        let mut response = (self.status, Json(failure)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        response
    }
}
