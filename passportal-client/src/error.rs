//! What can go wrong in a conversation with Passportal, one variant per thing to do about it.

use std::time::Duration;

use sync_engine::ports::VaultError;

use crate::wire::code;

/// Why a call did not work. Each text is one line and holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The address cannot be one of a server.
    #[error("`{url}` is not an address of a server")]
    BadUrl {
        /// What was given.
        url: String,
    },
    /// Secrets would travel in clear.
    #[error("`{url}` is not https, which is required beyond this machine")]
    InsecureUrl {
        /// What was given.
        url: String,
    },
    /// The extra certificate authority is not PEM.
    #[error("the extra certificate authority is not a PEM certificate")]
    BadCertificate(#[source] Option<reqwest::Error>),
    /// The HTTP client could not be built.
    #[error("the HTTP client could not be set up")]
    Setup(#[source] reqwest::Error),
    /// No answer: no network, no such host, no trust in its certificate, or too slow.
    #[error("no answer from {url}")]
    Unreachable {
        /// The server.
        url: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// Wrong e-mail, password, key or token, or not allowed to do this.
    #[error("not authorised: {message}")]
    NotAuthorised {
        /// The server's words.
        message: String,
        /// See [`wire::code`](crate::wire::code).
        code: u32,
    },
    /// Nothing has this id or name.
    #[error("not found: {message}")]
    NotFound {
        /// The server's words.
        message: String,
    },
    /// It changed since it was read.
    #[error("changed in the meantime: {message}")]
    Conflict {
        /// The server's words.
        message: String,
    },
    /// The server understood the request and refuses it.
    #[error("refused: {message}")]
    Invalid {
        /// The server's words.
        message: String,
    },
    /// Too many requests or wrong sign-ins.
    #[error("too many requests: {message}")]
    TooMany {
        /// The server's words.
        message: String,
        /// How long to wait, where the server said so.
        retry_after: Option<Duration>,
    },
    /// A fault of the server.
    #[error("the server failed with status {status}: {message}")]
    Server {
        /// The HTTP status.
        status: u16,
        /// The server's words.
        message: String,
    },
    /// The answer is not one of Passportal's API.
    #[error("the answer to {path} was not understood: {reason}")]
    Protocol {
        /// What was asked.
        path: String,
        /// What is wrong with the answer. Never a part of it.
        reason: String,
    },
}

impl ApiError {
    /// Whether the access token is missing, unknown, expired or revoked.
    pub fn is_bad_token(&self) -> bool {
        matches!(self, Self::NotAuthorised { code, .. } if *code == code::BAD_TOKEN)
    }

    /// Whether e-mail and password are right, and a one-time code is needed as well.
    pub fn needs_one_time_code(&self) -> bool {
        matches!(self, Self::NotAuthorised { code, .. } if *code == code::ONE_TIME_CODE_NEEDED)
    }

    /// Whether the same request may work a moment later.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::TooMany { .. } | Self::Server { .. }
        )
    }
}

impl From<ApiError> for VaultError {
    fn from(error: ApiError) -> Self {
        match error {
            passing if passing.is_passing() => Self::Unavailable(Box::new(passing)),
            ApiError::NotAuthorised { .. } => Self::NotAuthorised(Box::new(error)),
            other => Self::Protocol(Box::new(other)),
        }
    }
}
