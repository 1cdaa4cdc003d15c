//! What did not work, as a page or as a message on the page that it was asked from.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use tracing::error;

use super::session::{Message, Session};
use crate::request_id;
use crate::vault::VaultError;

/// A page that says what is wrong.
#[derive(Debug, Template)]
#[template(path = "problem.html")]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    text: String,
}

impl Problem {
    pub(super) fn unreadable_form() -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "The form could not be read",
            text: "Go back, load the page again and try once more.".to_owned(),
        }
    }

    pub(super) fn foreign_form() -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            title: "The form is not from this session",
            text: "Nothing was changed. Go back, load the page again and try once more.".to_owned(),
        }
    }

    fn not_found(text: String) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            title: "Not found",
            text,
        }
    }

    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        error!(error, "a page failed");
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            title: "The server failed",
            text: format!("Its log knows more under {}.", request_id::current()),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound { .. } => Self::not_found(sentence(&error.to_string())),
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
        match self.render() {
            Ok(page) => (self.status, Html(page)).into_response(),
            Err(_) => (self.status, self.title).into_response(),
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
    session: &Session,
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
