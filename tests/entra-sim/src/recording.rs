//! What passed over the wire, written down for whoever holds it against a contract afterwards.
//!
//! Where `ENTRA_SIM_RECORDING` names a folder, each service writes a file of its own there, an exchange a line. An
//! exchange whose answer a fault ordered is marked, and has no answer. No secret is written: what a form says beyond
//! a few harmless fields, and passwords and tokens in JSON, are redacted.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode, request};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use crate::edge::{BODY_LIMIT, dropped_connection};
use crate::reply::OnOrder;

const FOLDER: &str = "ENTRA_SIM_RECORDING";
const REDACTED: &str = "(redacted)";

/// Headers that an exchange is judged by; no other one is written.
const HEADERS: [&str; 7] = [
    "accept",
    "consistencylevel",
    "content-type",
    "location",
    "odata-version",
    "prefer",
    "retry-after",
];
/// Members of JSON that are secrets.
const SECRET_MEMBERS: [&str; 6] = [
    "password",
    "newPassword",
    "access_token",
    "id_token",
    "refresh_token",
    "client_info",
];
/// Fields of a form that are none.
const OPEN_FIELDS: [&str; 4] = ["grant_type", "scope", "client_assertion_type", "claims"];

/// A file that exchanges are added to. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    file: Arc<Mutex<File>>,
}

impl Recording {
    /// A new file in the folder that the environment names; none when it names none.
    #[expect(
        clippy::expect_used,
        reason = "a recording with holes would pass for a whole one"
    )]
    pub(crate) fn of_environment() -> Option<Self> {
        let folder = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty())?;
        Some(Self::in_folder(Path::new(&folder)).expect("a file in the folder of recordings"))
    }

    /// A new file in this folder, named after the running program.
    pub(crate) fn in_folder(folder: &Path) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        let program = program.file_stem().map_or_else(PathBuf::new, PathBuf::from);
        let name = format!("{}.{}.jsonl", program.display(), Uuid::new_v4());
        let file = File::create_new(folder.join(name))?;
        Ok(Self {
            file: Arc::new(Mutex::new(file)),
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "a recording with holes would pass for a whole one"
    )]
    fn add(&self, exchange: &Value) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(format!("{exchange}\n").as_bytes())
            .expect("the recording takes another line");
    }
}

/// Writes down each request with its answer.
pub(crate) async fn record(
    State(recording): State<Recording>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else {
        return dropped_connection();
    };
    let asked = asked(&head, &body);
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    if response.extensions().get::<OnOrder>().is_some() {
        recording.add(&json!({ "on_order": true, "request": asked }));
        return response;
    }
    let (head, body) = response.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return dropped_connection();
    };
    let answer = answered(head.status, &head.headers, &body);
    recording.add(&json!({ "on_order": false, "request": asked, "answer": answer }));
    Response::from_parts(head, Body::from(body))
}

fn asked(head: &request::Parts, body: &Bytes) -> Value {
    json!({
        "method": head.method.as_str(),
        "path": head.uri.path(),
        "query": head.uri.query().unwrap_or_default(),
        "headers": named_headers(&head.headers),
        "body": readable(&head.headers, body),
    })
}

fn answered(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Value {
    json!({
        "status": status.as_u16(),
        "headers": named_headers(headers),
        "body": readable(headers, body),
    })
}

fn named_headers(headers: &HeaderMap) -> Map<String, Value> {
    let named = HEADERS.iter().filter_map(|name| {
        let value = headers.get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), json!(value)))
    });
    named.collect()
}

/// The body without its secrets: JSON as it is, a form as an object; null when there is none.
fn readable(headers: &HeaderMap, body: &Bytes) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
        return Value::Object(open_fields(body));
    }
    serde_json::from_slice(body).map_or_else(|_| json!("(not JSON)"), redacted)
}

fn open_fields(form: &[u8]) -> Map<String, Value> {
    let fields = form_urlencoded::parse(form).map(|(name, value)| {
        let is_open = OPEN_FIELDS.contains(&name.as_ref());
        let value = if is_open { value.as_ref() } else { REDACTED };
        (name.into_owned(), json!(value))
    });
    fields.collect()
}

fn redacted(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let is_secret = value.is_string() && SECRET_MEMBERS.contains(&name.as_str());
                let value = if is_secret {
                    json!(REDACTED)
                } else {
                    redacted(value)
                };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(redacted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests;
