//! `GET /users` and `GET /users/{id or user principal name}`.

use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use super::odata::{self, Filter};
use super::properties::Selection;
use crate::directory::account::Account;
use crate::directory::tenant::Tenant;
use crate::reply::{Reply, with_member};

/// Source: Microsoft Graph, List users: 100 a page unless `$top` says otherwise.
const DEFAULT_PAGE: usize = 100;

/// Who may read users. Source: Microsoft Graph permissions reference.
pub(super) const READERS: [&str; 4] = [
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// One page of the accounts, in the order of their ids.
pub(super) fn list(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&READERS)?;
    call.query
        .allow(&["select", "top", "filter", "skiptoken"])?;
    tenant.reads += 1;
    let selection = Selection::of(call.query.select().as_deref())?;
    let found = match call.query.get("filter") {
        Some(text) => (matching(tenant, &Filter::parse(text)?)?, None),
        None => page(tenant, call)?,
    };
    let (accounts, next) = found;
    let value: Vec<_> = accounts
        .into_iter()
        .map(|account| Value::Object(selection.object(account)))
        .collect();
    let body = json!({
        "@odata.context": context.url(&format!("$metadata{}", selection.context())),
        "value": value,
    });
    Ok(Reply::ok(match next {
        Some(after) => with_member(body, "@odata.nextLink", next_link(context, call, after)),
        None => body,
    }))
}

/// One account.
pub(super) fn get(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
    key: &str,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&READERS)?;
    call.query.allow(&["select"])?;
    tenant.reads += 1;
    let selection = Selection::of(call.query.select().as_deref())?;
    let account = tenant.find(key).ok_or_else(|| GraphError::not_found(key))?;
    let mut body = selection.object(account);
    let odata_context = context.url(&format!("$metadata{}/$entity", selection.context()));
    body.insert("@odata.context".to_owned(), json!(odata_context));
    Ok(Reply::ok(Value::Object(body)))
}

/// The accounts of a page, and the id to go on after when there are more.
fn page<'t>(
    tenant: &'t Tenant,
    call: &Call,
) -> Result<(Vec<&'t Account>, Option<Uuid>), GraphError> {
    let wish = call.preferred_page_size().map(odata::wished_page_size);
    let size = call.query.top()?.or(wish).unwrap_or(DEFAULT_PAGE);
    let size = size.min(tenant.largest_page);
    let after = call.query.get("skiptoken").map(skip_token).transpose()?;
    let mut accounts: Vec<_> = tenant.accounts_after(after).take(size + 1).collect();
    let more = accounts.len() > size;
    accounts.truncate(size);
    let next = accounts.last().filter(|_| more).map(|account| account.id);
    Ok((accounts, next))
}

fn skip_token(token: &str) -> Result<Uuid, GraphError> {
    odata::opened(token).ok_or_else(|| {
        GraphError::bad_request("The specified page token is invalid or has expired.".to_owned())
    })
}

fn matching<'t>(tenant: &'t Tenant, filter: &Filter) -> Result<Vec<&'t Account>, GraphError> {
    let mut found: Vec<&Account> = Vec::new();
    for (property, value) in &filter.any_of {
        let account = match property.as_str() {
            "id" => Uuid::try_parse(value).ok().and_then(|id| tenant.get(id)),
            "userPrincipalName" if value.contains('@') => tenant.find(value),
            "userPrincipalName" => None,
            other => {
                return Err(GraphError::unsupported_query(format!(
                    "The simulator does not filter by '{other}'."
                )));
            }
        };
        found.extend(account.filter(|account| !found.iter().any(|known| known.id == account.id)));
    }
    Ok(found)
}

fn next_link(context: &Context, call: &Call, after: Uuid) -> String {
    let kept = ["select", "top"].into_iter().filter_map(|option| {
        let value = call.query.get(option)?;
        Some(format!(
            "${option}={}&",
            byte_serialize(value.as_bytes()).collect::<String>()
        ))
    });
    let kept: String = kept.collect();
    context.url(&format!("users?{kept}$skiptoken={}", odata::opaque(&after)))
}
