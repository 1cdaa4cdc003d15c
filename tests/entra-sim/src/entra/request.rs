//! A token request as it arrives: a form, with the client's credentials in it or in Basic authentication.

use std::collections::BTreeMap;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use super::refusal::{self, Refusal};
use crate::scenario::ClearText;

/// The parts of a token request.
pub(super) struct TokenRequest {
    /// The tenant segment of the path.
    pub(super) tenant: String,
    /// What the client reached the simulator at.
    pub(super) origin: String,
    form: BTreeMap<String, ClearText>,
}

impl TokenRequest {
    pub(super) fn parse(tenant: &str, origin: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut form = basic_credentials(headers).unwrap_or_default();
        form.extend(
            form_urlencoded::parse(body)
                .map(|(name, value)| (name.into_owned(), ClearText::from(value.into_owned()))),
        );
        Self {
            tenant: tenant.to_owned(),
            origin: origin.to_owned(),
            form,
        }
    }

    /// A parameter that is present and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.form
            .get(name)
            .map(ClearText::expose)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| Refusal::with(&refusal::MISSING_PARAMETER, &[name]))
    }

    pub(super) fn scopes(&self) -> Result<Vec<&str>, Refusal> {
        Ok(self.require("scope")?.split_whitespace().collect())
    }
}

/// RFC 6749, 2.3.1: both halves are form-encoded before they are joined.
fn basic_credentials(headers: &HeaderMap) -> Option<BTreeMap<String, ClearText>> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let decoded = STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    let entry = |name: &str, value: &str| (name.to_owned(), ClearText::from(form_decoded(value)));
    Some(BTreeMap::from([
        entry("client_id", id),
        entry("client_secret", secret),
    ]))
}

fn form_decoded(text: &str) -> String {
    form_urlencoded::parse(format!("v={}", text.replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
