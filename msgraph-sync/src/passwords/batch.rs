//! Several writes in one request, each with an outcome of its own.
//!
//! Source: Microsoft Graph, "Combine multiple HTTP requests using JSON batching" and "Throttling guidance": items are
//! answered in any order, and each is throttled on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use sync_engine::ports::{PasswordWrite, SetPassword};

use super::{SENT_WITHIN, no_answer, not_now, outcome};
use crate::calls::Call;
use crate::retry_after::UNNAMED;
use crate::session::Session;
use crate::transport::Answer;

/// Items of a batch at the most. Source: as above.
const LARGEST_BATCH: usize = 20;

impl Session {
    /// Sets passwords, in one request where several are due. An outcome for each, in their order.
    pub(crate) async fn set_passwords(&self, writes: &[PasswordWrite]) -> Vec<SetPassword> {
        let not_after = Instant::now() + SENT_WITHIN;
        // Items run in any order: of two for one account, the older could end up as the last.
        let size = if name_one_account_twice(writes) {
            1
        } else {
            LARGEST_BATCH
        };
        let mut outcomes = Vec::with_capacity(writes.len());
        for batch in writes.chunks(size) {
            match batch {
                [alone] => {
                    let (id, password) = (alone.object, &alone.password);
                    outcomes.push(self.set_in_turn(id, password, not_after).await);
                }
                batch => outcomes.append(&mut self.set_together(batch, not_after).await),
            }
        }
        outcomes
    }

    async fn set_together(&self, batch: &[PasswordWrite], not_after: Instant) -> Vec<SetPassword> {
        let count = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        if let Err(wait) = self.governor().write(count).await {
            return batch.iter().map(|_| not_now(wait)).collect();
        }
        let call = Call::SetPasswords(batch);
        match self.send(&call, Some(not_after)).await {
            Ok(answer) if answer.status.is_success() => {
                self.item_outcomes(batch, &answer, not_after).await
            }
            Ok(answer) if is_refused_as_such(answer.status) => {
                tracing::warn!(
                    http.status = answer.status.as_u16(),
                    "a batch of passwords was refused as such; they are sent one by one"
                );
                self.one_by_one(batch, not_after).await
            }
            Ok(answer) => {
                self.hear_write(&answer);
                batch
                    .iter()
                    .map(|write| outcome(write.object, &answer))
                    .collect()
            }
            Err(fault) => batch
                .iter()
                .map(|write| no_answer(write.object, &fault))
                .collect(),
        }
    }

    /// What a batch that ran says of each item. One that it does not answer may have been done.
    async fn item_outcomes(
        &self,
        batch: &[PasswordWrite],
        answer: &Answer,
        not_after: Instant,
    ) -> Vec<SetPassword> {
        let mut items = items(answer);
        for item in items.values().flatten() {
            self.hear_write(item);
            self.heed_refusal(item).await;
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for (place, write) in batch.iter().enumerate() {
            let Some(item) = items.remove(&place.to_string()).flatten() else {
                outcomes.push(SetPassword::Ambiguous);
                continue;
            };
            outcomes.push(if item.status == StatusCode::UNAUTHORIZED {
                // It had no effect; alone, it gets the new token that a refused one calls for.
                self.set_after_batch(write, not_after).await
            } else if item.status == StatusCode::FAILED_DEPENDENCY {
                not_now(UNNAMED)
            } else {
                outcome(write.object, &item)
            });
        }
        outcomes
    }

    /// For a batch that had no effect at all.
    async fn one_by_one(&self, batch: &[PasswordWrite], not_after: Instant) -> Vec<SetPassword> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            outcomes.push(self.set_after_batch(write, not_after).await);
        }
        outcomes
    }

    /// A write whose turn came with its batch, unless the service wants no writes by now.
    async fn set_after_batch(&self, write: &PasswordWrite, not_after: Instant) -> SetPassword {
        let pause = self.governor().in_use().writes_paused;
        if !pause.is_zero() {
            return not_now(pause);
        }
        self.set_alone(write.object, &write.password, not_after)
            .await
    }
}

/// Whether batching itself was refused, for reasons that are not the passwords': no item was run.
fn is_refused_as_such(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
    )
}

fn name_one_account_twice(batch: &[PasswordWrite]) -> bool {
    let mut seen = BTreeSet::new();
    !batch.iter().all(|write| seen.insert(write.object))
}

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
fn items(batch: &Answer) -> BTreeMap<String, Option<Answer>> {
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

#[cfg(test)]
mod tests;
