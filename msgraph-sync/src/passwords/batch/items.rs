//! The answers in a batch's answer, each as if its item had been a request of its own.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::transport::Answer;

#[derive(Default, Deserialize)]
struct WireBatch {
    #[serde(default)]
    responses: Vec<Value>,
}

#[derive(Deserialize)]
struct WireItem {
    id: String,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Value>,
    #[serde(default)]
    body: Value,
}

/// The answers by id; none where an item is answered twice, or not in a way that can be read.
pub(super) fn items(batch: &Answer) -> BTreeMap<String, Option<Answer>> {
    let wire: WireBatch = serde_json::from_slice(&batch.body).unwrap_or_default();
    let mut items = BTreeMap::new();
    for item in wire.responses {
        let Ok(item) = serde_json::from_value::<WireItem>(item) else {
            continue;
        };
        let id = item.id.clone();
        let answer = if items.contains_key(&id) {
            None
        } else {
            item.into_answer(batch)
        };
        items.insert(id, answer);
    }
    items
}

impl WireItem {
    /// As if the item had been a request of its own, in the time that the batch took.
    fn into_answer(self, batch: &Answer) -> Option<Answer> {
        Some(Answer {
            request: batch.request,
            status: StatusCode::from_u16(self.status).ok()?,
            headers: headers(&self.headers, batch),
            body: self.body.to_string().into_bytes(),
            date: batch.date,
            elapsed: batch.elapsed,
        })
    }
}

/// An item's own headers, and the batch's `Date`, against which a date in `Retry-After` is read.
fn headers(wire: &BTreeMap<String, Value>, batch: &Answer) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(date) = batch.headers.get(DATE) {
        headers.insert(DATE, date.clone());
    }
    for (name, value) in wire {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(text)) {
            headers.insert(name, value);
        }
    }
    headers
}
