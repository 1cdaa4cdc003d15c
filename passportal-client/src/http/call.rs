//! One request, as data: it can be sent again.

use std::time::Duration;

use reqwest::Method;
use serde::Serialize;

/// Whether a request may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Sending it twice has the effect of sending it once.
    Harmless,
    /// It might have an effect twice.
    Never,
}

/// A request.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Body>,
    pub(super) repeat: Repeat,
    pub(super) extra_patience: Duration,
}

/// A request's body.
#[derive(Clone)]
pub(super) struct Body {
    pub(super) content_type: &'static str,
    pub(super) bytes: Vec<u8>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path, Repeat::Harmless)
    }

    pub(crate) fn put(path: impl Into<String>) -> Self {
        Self::new(Method::PUT, path, Repeat::Harmless)
    }

    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path, Repeat::Never)
    }

    pub(crate) fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, path, Repeat::Never)
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path, Repeat::Never)
    }

    fn new(method: Method, path: impl Into<String>, repeat: Repeat) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
            repeat,
            extra_patience: Duration::ZERO,
        }
    }

    /// Sending it twice has the effect of sending it once, although its method does not say so.
    pub(crate) fn repeatable(mut self) -> Self {
        self.repeat = Repeat::Harmless;
        self
    }

    pub(crate) fn query(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Like [`query`](Self::query), where there is a value.
    pub(crate) fn maybe(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.query(name, &value),
            None => self,
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A JSON body.
    pub(crate) fn json(mut self, body: &impl Serialize) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the wire types serialize: their maps have keys that are text"
        )]
        let bytes = serde_json::to_vec(body).expect("a wire type serializes");
        self.body = Some(Body {
            content_type: "application/json",
            bytes,
        });
        self
    }

    /// A form body.
    pub(crate) fn form(mut self, pairs: &[(&str, &str)]) -> Self {
        let bytes = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
            .into_bytes();
        self.body = Some(Body {
            content_type: "application/x-www-form-urlencoded",
            bytes,
        });
        self
    }

    /// A long body takes its time: a second more than usual for each quarter of a megabyte.
    pub(crate) fn unhurried(mut self) -> Self {
        let length = self.body.as_ref().map_or(0, |body| body.bytes.len());
        self.extra_patience += Duration::from_secs((length / (256 * 1024)) as u64);
        self
    }

    /// The server may take this much longer than usual, for a long poll.
    pub(crate) fn patience(mut self, extra: Duration) -> Self {
        self.extra_patience = extra;
        self
    }
}
