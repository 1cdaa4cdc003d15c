//! `GET /users/delta`: every account once, then only those that changed.
//!
//! Source: Microsoft Graph delta query. A link carries the selection and the place; one that has expired, or that
//! this run did not hand out, is gone and the client has to read everything again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use super::odata;
use super::properties::Selection;
use super::users::READERS;
use crate::directory::tenant::Tenant;
use crate::reply::{Reply, with_member};

const DEFAULT_PAGE: usize = 200;

/// What a link remembers.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    epoch: Uuid,
    tenant: Uuid,
    generation: u32,
    issued: Timestamp,
    /// Changes up to this one were reported in earlier rounds; none in the first.
    since: Option<u64>,
    /// Changes up to this one were reported in this round.
    after: u64,
    select: Option<Vec<String>>,
    size: Option<usize>,
}

/// One page of changes.
pub(super) fn read(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&READERS)?;
    call.query
        .allow(&["select", "top", "skiptoken", "deltatoken"])?;
    tenant.delta_reads += 1;
    let place = place(tenant, context, call)?;
    let names: Option<Vec<&str>> = place
        .select
        .as_ref()
        .map(|names| names.iter().map(String::as_str).collect());
    let selection = Selection::of_delta(names.as_deref())?;
    let size = page_size(call, &place).min(tenant.largest_page);
    let page = Page::read(tenant, &place, &selection, size);
    let (link, place) = page.next(tenant, context, place);
    let url = context.url(&format!(
        "users/delta?{}={}",
        link.option(),
        odata::opaque(&place)
    ));
    let body = json!({
        "@odata.context": context.url(&format!("$metadata{}", selection.context())),
        "value": page.value,
    });
    Ok(Reply::ok(with_member(body, link.annotation(), url)))
}

/// Where this read begins: at a link's place, at the end, or at the start.
fn place(tenant: &Tenant, context: &Context, call: &Call) -> Result<Place, GraphError> {
    let token = call
        .query
        .get("skiptoken")
        .or(call.query.get("deltatoken"))
        .filter(|token| !token.is_empty());
    match token {
        None => Place::begin(tenant, context, call),
        Some(latest) if latest.eq_ignore_ascii_case("latest") => {
            let mut place = Place::begin(tenant, context, call)?;
            place.since = Some(tenant.changes.last());
            place.after = tenant.changes.last();
            Ok(place)
        }
        Some(token) => {
            let place =
                odata::opened::<Place>(token).filter(|place| place.is_known(tenant, context));
            place.ok_or_else(|| {
                GraphError::sync_state_not_found(context.url("users/delta?$deltatoken="))
            })
        }
    }
}

fn page_size(call: &Call, place: &Place) -> usize {
    call.preferred_page_size()
        .map(odata::wished_page_size)
        .or(place.size)
        .unwrap_or(DEFAULT_PAGE)
}

impl Place {
    fn begin(tenant: &Tenant, context: &Context, call: &Call) -> Result<Self, GraphError> {
        let select = call.query.select().filter(|names| !names.is_empty());
        Ok(Self {
            epoch: context.epoch,
            tenant: tenant.id,
            generation: tenant.delta_generation,
            issued: context.now,
            since: None,
            after: 0,
            select: select.map(|names| names.into_iter().map(str::to_owned).collect()),
            size: call.query.top()?,
        })
    }

    fn is_known(&self, tenant: &Tenant, context: &Context) -> bool {
        let expires = self.issued.checked_add(tenant.delta_link_lifetime);
        self.epoch == context.epoch
            && self.tenant == tenant.id
            && self.generation == tenant.delta_generation
            && expires.is_ok_and(|expires| context.now < expires)
    }
}

/// Which link a page ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Next,
    Delta,
}

impl Link {
    fn annotation(self) -> &'static str {
        match self {
            Self::Next => "@odata.nextLink",
            Self::Delta => "@odata.deltaLink",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Self::Next => "$skiptoken",
            Self::Delta => "$deltatoken",
        }
    }
}

/// The objects of a page, and the last change that it covers when there are more.
struct Page {
    value: Vec<Value>,
    more_after: Option<u64>,
}

impl Page {
    fn read(tenant: &Tenant, place: &Place, selection: &Selection, size: usize) -> Self {
        let mut value = Vec::new();
        let mut covered = place.after;
        for (number, id) in tenant.changes.after(place.after) {
            if value.len() == size {
                return Self {
                    value,
                    more_after: Some(covered),
                };
            }
            value.extend(entry(tenant, place, selection, id));
            covered = number;
        }
        Self {
            value,
            more_after: None,
        }
    }

    /// The link to go on with.
    fn next(&self, tenant: &Tenant, context: &Context, place: Place) -> (Link, Place) {
        if let Some(after) = self.more_after {
            return (Link::Next, Place { after, ..place });
        }
        let last = tenant.changes.last();
        (
            Link::Delta,
            Place {
                since: Some(last),
                after: last,
                issued: context.now,
                ..place
            },
        )
    }
}

/// What a delta says of one account; nothing when no selected property changed.
fn entry(tenant: &Tenant, place: &Place, selection: &Selection, id: Uuid) -> Option<Value> {
    let account = tenant.get_even_removed(id)?;
    let Some(since) = place.since else {
        return (!account.removed).then(|| Value::Object(selection.object_of_set(account)));
    };
    if !tenant.changes.touches(id, since, selection.properties()) {
        return None;
    }
    if account.removed {
        // "changed" says that it may still be restored; "deleted" would be final.
        return Some(json!({ "id": id, "@removed": { "reason": "changed" } }));
    }
    Some(Value::Object(selection.object_of_set(account)))
}
