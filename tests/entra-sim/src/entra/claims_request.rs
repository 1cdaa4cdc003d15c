//! The `claims` parameter of a token request: what the client understands, and what a challenge told it to ask for.
//!
//! Source: Microsoft identity platform, claims challenges, claims requests and client capabilities.

use serde_json::{Map, Value};

use super::refusal::{self, Refusal};

/// What a token was asked to have.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClaimsRequest {
    access_token: Map<String, Value>,
}

impl ClaimsRequest {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Refusal> {
        let Some(text) = text else {
            return Ok(Self::default());
        };
        let claims: Map<String, Value> =
            serde_json::from_str(text).map_err(|_| Refusal::of(&refusal::INVALID_REQUEST))?;
        Ok(Self {
            access_token: access_token(&claims),
        })
    }

    /// Whether the client declared that it can answer a claims challenge (`cp1`).
    pub(crate) fn understands_challenges(&self) -> bool {
        let values = self.access_token.get("xms_cc").map(|it| &it["values"]);
        let values = values.and_then(Value::as_array);
        values.is_some_and(|values| values.iter().any(|value| value == "cp1"))
    }

    /// Whether the token was asked for with all that is demanded.
    pub(crate) fn meets(&self, demand: &Map<String, Value>) -> bool {
        let mut demanded = access_token(demand).into_iter();
        demanded.all(|(name, value)| self.access_token.get(&name) == Some(&value))
    }
}

fn access_token(claims: &Map<String, Value>) -> Map<String, Value> {
    let object = claims.get("access_token").and_then(Value::as_object);
    object.cloned().unwrap_or_default()
}
