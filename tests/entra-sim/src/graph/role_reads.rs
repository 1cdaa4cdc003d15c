//! `GET /roleManagement/directory/roleAssignments`, `GET /groups` and a group's members and owners: who may reset
//! whom, as a client can read it. And the policy of security defaults.

use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use super::odata::Filter;
use super::page::Collection;
use super::tenant_reads::selected;
use crate::directory::account::Account;
use crate::directory::roles::{Assignment, Group, template_id};
use crate::directory::tenant::Tenant;
use crate::guid;
use crate::reply::Reply;
use crate::scenario::Verification;

/// Source: Microsoft Graph, default page size of directory objects.
const PAGE: usize = 100;

/// Who may read what. Source: the permission tables of List unifiedRoleAssignments, List groups, List group members,
/// List group owners, and Get identitySecurityDefaultsEnforcementPolicy.
const ROLE_READERS: [&str; 5] = [
    "RoleManagement.Read.Directory",
    "RoleManagement.Read.All",
    "RoleManagement.ReadWrite.Directory",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const GROUP_READERS: [&str; 5] = [
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
];
const POLICY_READERS: [&str; 2] = ["Policy.Read.All", "Policy.ReadWrite.SecurityDefaults"];

pub(super) fn assignments(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&ROLE_READERS)?;
    call.query
        .allow(&["select", "filter", "top", "skiptoken"])?;
    tenant.reads += 1;
    let filter = call.query.get("filter").map(Filter::parse).transpose()?;
    let all = tenant.role_assignments();
    let matching = all.iter().map(assignment_object).filter(|object| {
        filter
            .as_ref()
            .is_none_or(|filter| has_one_of(object, filter))
    });
    let matching: Vec<Value> = matching.map(|object| selected(object, call)).collect();
    Collection {
        path: "roleManagement/directory/roleAssignments",
        page: PAGE,
        largest: tenant.largest_page,
        values: matching,
    }
    .answer(context, call)
}

pub(super) fn groups(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&GROUP_READERS)?;
    call.query.allow(&["select", "filter"])?;
    tenant.reads += 1;
    let filter = call.query.get("filter").map(Filter::parse).transpose()?;
    let objects = tenant.groups.iter().map(group_object);
    let value: Vec<Value> = objects
        .filter(|object| {
            filter
                .as_ref()
                .is_none_or(|filter| has_one_of(object, filter))
        })
        .map(|object| selected(object, call))
        .collect();
    Ok(Reply::ok(
        json!({ "@odata.context": context.url("$metadata#groups"), "value": value }),
    ))
}

/// The `members` or the `owners` of a group.
pub(super) fn people(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
    (key, relation): (&str, &str),
) -> Result<Reply, GraphError> {
    caller.need_one_of(&GROUP_READERS)?;
    call.query.allow(&["select", "top"])?;
    tenant.reads += 1;
    let id = Uuid::try_parse(key).map_err(|_| GraphError::not_found(key))?;
    let mut groups = tenant.groups.iter();
    let group = groups
        .find(|group| group.id == id)
        .ok_or_else(|| GraphError::not_found(key))?;
    let value: Vec<Value> = match relation {
        "owners" => group.owners(tenant).map(person_object).collect(),
        _ => group.users(tenant).map(person_object).collect(),
    };
    Ok(Reply::ok(json!({
        "@odata.context": context.url("$metadata#directoryObjects(id)"),
        "value": value,
    })))
}

pub(super) fn security_defaults(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&POLICY_READERS)?;
    call.query.allow(&["select"])?;
    tenant.reads += 1;
    Ok(Reply::ok(json!({
        "@odata.context": context.url("$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity"),
        "id": "00000000-0000-0000-0000-000000000005",
        "displayName": "Security Defaults",
        "isEnabled": tenant.verification == Verification::SecurityDefaults,
    })))
}

fn assignment_object(assignment: &Assignment<'_>) -> Value {
    let principal = assignment.principal.to_string();
    json!({
        "id": guid::derived("assignment", &principal, assignment.role),
        "principalId": principal,
        "roleDefinitionId": template_id(assignment.role),
        "directoryScopeId": "/",
    })
}

fn group_object(group: &Group) -> Value {
    json!({
        "id": group.id,
        "displayName": group.name,
        "description": null,
        "isAssignableToRole": true,
        "securityEnabled": true,
        "mailEnabled": false,
    })
}

fn person_object(account: &Account) -> Value {
    json!({ "@odata.type": "#microsoft.graph.user", "id": account.id })
}

/// Whether a property has one of the values that the filter names.
fn has_one_of(object: &Value, filter: &Filter) -> bool {
    filter
        .any_of
        .iter()
        .any(|(property, wanted)| match object.get(property) {
            Some(Value::String(text)) => text.eq_ignore_ascii_case(wanted),
            Some(Value::Bool(flag)) => flag.to_string() == *wanted,
            _ => false,
        })
}
