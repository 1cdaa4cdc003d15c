//! `POST /$batch`: up to twenty calls in one request, each answered on its own.
//!
//! Source: Microsoft Graph JSON batching. Answers come in any order there, so here they come in reverse.

use std::collections::{BTreeMap, HashMap};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{Call, Caller, Context};
use super::dispatch;
use super::error::GraphError;
use crate::edge::fault_answer;
use crate::reply::{Reply, with_member};
use crate::world::World;

const LARGEST_BATCH: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Runs the items in their order and answers all of them.
pub(super) fn run(
    world: &mut World,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    world.batches += 1;
    let batch: Batch = serde_json::from_slice(&call.body)
        .map_err(|_| GraphError::bad_request("Invalid batch payload format.".to_owned()))?;
    check(&batch)?;
    let mut statuses = HashMap::new();
    let mut responses = Vec::new();
    let mut on_order = false;
    for item in &batch.requests {
        let reply = if failed_dependency(item, &statuses) {
            failed_dependency_error().into_reply(context.ids, context.now)
        } else {
            answer(world, context, caller, item)
        };
        statuses.insert(item.id.as_str(), reply.status);
        on_order |= reply.on_order;
        responses.push(response(&item.id, reply));
    }
    responses.reverse();
    Ok(Reply {
        on_order,
        ..Reply::ok(json!({ "responses": responses }))
    })
}

fn check(batch: &Batch) -> Result<(), GraphError> {
    if batch.requests.len() > LARGEST_BATCH {
        let text =
            format!("Number of batch request steps exceeds the maximum value of {LARGEST_BATCH}.");
        return Err(GraphError::bad_request(text));
    }
    let mut ids: Vec<_> = batch
        .requests
        .iter()
        .map(|item| item.id.to_lowercase())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() < batch.requests.len() {
        return Err(GraphError::bad_request(
            "Request Id has to be unique in a batch.".to_owned(),
        ));
    }
    Ok(())
}

fn answer(world: &mut World, context: &Context, caller: &Caller, item: &Item) -> Reply {
    let path = item.url.split('?').next().unwrap_or_default();
    let full_path = format!("/v1.0/{}", path.trim_start_matches('/'));
    let fault = world.faults.strike_batched(&item.method, &full_path);
    if let Some(fault) = fault {
        if fault.when == crate::When::After {
            execute(world, context, caller, item);
        }
        if let Some(reply) = fault_answer(&fault, &full_path, context.ids, context.now) {
            return reply;
        }
    }
    execute(world, context, caller, item)
}

fn execute(world: &mut World, context: &Context, caller: &Caller, item: &Item) -> Reply {
    let result = item
        .as_call()
        .and_then(|call| dispatch(world, context, caller, &call));
    result.unwrap_or_else(|error| error.into_reply(context.ids, context.now))
}

fn failed_dependency(item: &Item, statuses: &HashMap<&str, StatusCode>) -> bool {
    let succeeded = |id: &String| {
        statuses
            .get(id.as_str())
            .is_some_and(StatusCode::is_success)
    };
    !item.depends_on.iter().all(succeeded)
}

fn failed_dependency_error() -> GraphError {
    GraphError::new(
        StatusCode::FAILED_DEPENDENCY,
        "FailedDependency",
        "A request it depends on failed.".to_owned(),
    )
}

fn response(id: &str, reply: Reply) -> Value {
    let mut headers: BTreeMap<String, String> = reply
        .headers
        .iter()
        .map(|(name, value)| {
            (
                title_case(name.as_str()),
                value.to_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    headers.insert("Cache-Control".to_owned(), "no-cache".to_owned());
    if reply.body.is_some() {
        headers.insert("Content-Type".to_owned(), "application/json".to_owned());
    }
    let response = json!({ "id": id, "status": reply.status.as_u16(), "headers": headers });
    match reply.body {
        Some(body) => with_member(response, "body", body),
        None => response,
    }
}

/// `retry-after` as `Retry-After`: the way header names stand in batched answers.
fn title_case(name: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        format!("{}{rest}", first.to_uppercase())
    };
    name.split('-').map(capital).collect::<Vec<_>>().join("-")
}

impl Item {
    fn as_call(&self) -> Result<Call, GraphError> {
        let invalid =
            || GraphError::bad_request(format!("Invalid batch request step '{}'.", self.id));
        let method =
            Method::from_bytes(self.method.to_uppercase().as_bytes()).map_err(|_| invalid())?;
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name).map_err(|_| invalid())?;
            headers.insert(name, HeaderValue::from_str(value).map_err(|_| invalid())?);
        }
        let (path, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        Ok(Call::new(method, path, query, headers, body.into_bytes()))
    }
}
