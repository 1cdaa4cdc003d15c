//! The sign-in endpoints' refusals: our table of codes and texts, and the envelope that they come in.

mod rows;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::clock::token_error_time;
use crate::edge::RequestIds;
use crate::reply::{Reply, with_member};

pub(super) use rows::*;

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

    pub(crate) fn code(&self) -> u32 {
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
