//! A collection a page at a time, by positions that clients carry without reading them.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::call::{Call, Context};
use super::error::GraphError;
use super::odata;
use crate::reply::{Reply, with_member};

/// A collection, where it is read from, and how much of it is a page.
pub(super) struct Collection<'a> {
    /// Below the version, as links and `@odata.context` state it.
    pub(super) path: &'a str,
    pub(super) page: usize,
    /// However many are asked for.
    pub(super) largest: usize,
    pub(super) values: Vec<Value>,
}

impl Collection<'_> {
    /// The page that a call asks for with `$top` and `$skiptoken`.
    pub(super) fn answer(self, context: &Context, call: &Call) -> Result<Reply, GraphError> {
        let from = call.query.get("skiptoken").map(skip_token).transpose()?;
        let from = from.unwrap_or_default();
        let size = call.query.top()?.unwrap_or(self.page);
        let size = size.min(self.largest);
        let page: Vec<&Value> = self.values.iter().skip(from).take(size).collect();
        let body = json!({
            "@odata.context": context.url(&format!("$metadata#{}", self.path)),
            "value": page,
        });
        let next = from + page.len();
        Ok(Reply::ok(if next < self.values.len() {
            let link = next_link(context, call, self.path, next);
            with_member(body, "@odata.nextLink", link)
        } else {
            body
        }))
    }
}

fn skip_token(token: &str) -> Result<usize, GraphError> {
    odata::opened(token).ok_or_else(|| {
        GraphError::bad_request("The specified page token is invalid or has expired.".to_owned())
    })
}

fn next_link(context: &Context, call: &Call, path: &str, next: usize) -> String {
    let kept = ["select", "filter", "top"]
        .into_iter()
        .filter_map(|option| {
            let value: String = byte_serialize(call.query.get(option)?.as_bytes()).collect();
            Some(format!("${option}={value}&"))
        });
    let kept: String = kept.collect();
    let token = odata::opaque(&next);
    context.url(&format!("{path}?{kept}$skiptoken={token}"))
}
