//! What did not work, as a page or as a message on the page that it was asked from.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use tracing::error;

use super::session::Message;
use super::signed_in::SignedIn;
use crate::request_id;
use crate::vault::VaultError;

/// What is answered instead of the page that was asked for.
#[derive(Debug)]
pub(super) enum Problem {
    Page(ProblemPage),
    /// The session ended while the request was on its way: the login page.
    SignedOut,
}

/// A page that says what is wrong.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(super) struct ProblemPage {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl Problem {
    fn page(status: StatusCode, title: &'static str, text: String) -> Self {
        Self::Page(ProblemPage {
            status,
            title,
            text,
        })
    }

    pub(super) fn unreadable_form() -> Self {
        Self::page(
            StatusCode::BAD_REQUEST,
            "The form could not be read",
            "Go back, load the page again and try once more.".to_owned(),
        )
    }

    /// A form that was refused before its fields were known.
    pub(super) fn refused_form(status: StatusCode) -> Self {
        if status != StatusCode::PAYLOAD_TOO_LARGE {
            return Self::unreadable_form();
        }
        Self::page(
            status,
            "The form is too long",
            "Nothing was changed. Shorten what you typed, or choose a smaller file.".to_owned(),
        )
    }

    pub(super) fn foreign_form() -> Self {
        Self::page(
            StatusCode::FORBIDDEN,
            "The form is not from this session",
            "Nothing was changed. Go back, load the page again and try once more.".to_owned(),
        )
    }

    fn not_found(text: String) -> Self {
        Self::page(StatusCode::NOT_FOUND, "Not found", text)
    }

    pub(super) fn no_invitation() -> Self {
        Self::not_found(
            "This invitation was accepted or withdrawn, or seven days have passed. Ask an Organization Admin for another one."
                .to_owned(),
        )
    }

    fn forbidden(text: String) -> Self {
        Self::page(StatusCode::FORBIDDEN, "Not allowed", text)
    }

    fn disk_full(text: String) -> Self {
        Self::page(StatusCode::INSUFFICIENT_STORAGE, "The disk is full", text)
    }

    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        error!(error, "a page failed");
        Self::page(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The server failed",
            format!("Its log knows more under {}.", request_id::current()),
        )
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound { .. } => Self::not_found(sentence(&error.to_string())),
            VaultError::Forbidden(words) => Self::forbidden(sentence(&words)),
            VaultError::Revoked => Self::SignedOut,
            VaultError::DiskFull => {
                error!("a change was refused: the vault's disk is full");
                Self::disk_full(sentence(&error.to_string()))
            }
            fault => Self::internal(&fault),
        }
    }
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        Self::internal(&error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Page(problem) => problem,
            Self::SignedOut => return Redirect::to("/login").into_response(),
        };
        match problem.render() {
            Ok(page) => (problem.status, Html(page)).into_response(),
            Err(_) => (problem.status, problem.title).into_response(),
        }
    }
}

pub(super) async fn no_such_page() -> Problem {
    Problem::not_found("There is no page at this address.".to_owned())
}

/// Renders a page.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(template.render()?).into_response())
}

/// Leads back to a page that tells what became of an action. A fault of the server gets its own page.
pub(super) fn back_with<T>(
    session: &SignedIn,
    to: &str,
    outcome: Result<T, VaultError>,
    done: &str,
) -> Result<Redirect, Problem> {
    let message = match outcome {
        Ok(_) => Message::Done(done.to_owned()),
        Err(error @ (VaultError::Refused(_) | VaultError::Conflict(_))) => {
            Message::Refused(sentence(&error.to_string()))
        }
        Err(error) => return Err(error.into()),
    };
    session.leave_message(message);
    Ok(Redirect::to(to))
}

/// An error's text as a sentence: errors begin in lower case and have no full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
