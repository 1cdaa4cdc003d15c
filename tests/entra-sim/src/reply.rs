//! An answer before it becomes HTTP: a status, headers and perhaps a JSON body.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What a call is answered with; the same for a request of its own and for one inside a batch.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Value>,
    /// Whether a fault ordered it, or a part of it.
    pub(crate) on_order: bool,
}

/// Marks a response that a fault ordered: it is no answer of the service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OnOrder;

impl Reply {
    pub(crate) fn json(status: StatusCode, body: Value) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Some(body),
            on_order: false,
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(StatusCode::OK, body)
    }

    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: None,
            on_order: false,
        }
    }

    /// Adds a header; a value that HTTP cannot carry is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// Adds a member to a JSON object.
pub(crate) fn with_member(mut object: Value, name: &str, value: impl serde::Serialize) -> Value {
    if let Some(members) = object.as_object_mut() {
        members.insert(name.to_owned(), json!(value));
    }
    object
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Some(body) => (self.status, self.headers, Json(body)).into_response(),
            None => (self.status, self.headers).into_response(),
        };
        if self.on_order {
            response.extensions_mut().insert(OnOrder);
        }
        response
    }
}
