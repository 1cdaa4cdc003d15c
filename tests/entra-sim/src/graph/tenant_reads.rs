//! `GET /domains` and `GET /organization`: what a tenant says about itself.

use serde_json::{Value, json};

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use crate::directory::tenant::Tenant;
use crate::reply::{Reply, with_member};
use crate::scenario::{Authentication, DomainSpec};

/// Who may read what. Source: Microsoft Graph permissions reference.
const DOMAIN_READERS: [&str; 4] = [
    "Domain.Read.All",
    "Domain.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const ORGANIZATION_READERS: [&str; 4] = [
    "Organization.Read.All",
    "Organization.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

pub(super) fn domains(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&DOMAIN_READERS)?;
    call.query.allow(&["select", "top"])?;
    tenant.reads += 1;
    let value: Vec<Value> = tenant
        .domains
        .iter()
        .map(|domain| selected(domain_object(tenant, domain), call))
        .collect();
    Ok(Reply::ok(
        json!({ "@odata.context": context.url("$metadata#domains"), "value": value }),
    ))
}

pub(super) fn domain(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
    name: &str,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&DOMAIN_READERS)?;
    call.query.allow(&["select"])?;
    tenant.reads += 1;
    let found = tenant
        .domains
        .iter()
        .find(|domain| domain.name.eq_ignore_ascii_case(name));
    let domain = found.ok_or_else(|| GraphError::not_found(name))?;
    let body = selected(domain_object(tenant, domain), call);
    Ok(Reply::ok(with_member(
        body,
        "@odata.context",
        context.url("$metadata#domains/$entity"),
    )))
}

pub(super) fn organizations(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    caller.need_one_of(&ORGANIZATION_READERS)?;
    call.query.allow(&["select"])?;
    tenant.reads += 1;
    let organization = selected(organization_object(tenant), call);
    Ok(Reply::ok(
        json!({ "@odata.context": context.url("$metadata#organization"), "value": [organization] }),
    ))
}

fn domain_object(tenant: &Tenant, domain: &DomainSpec) -> Value {
    let managed = domain.authentication == Authentication::Managed;
    json!({
        "authenticationType": domain.authentication,
        "availabilityStatus": null,
        "id": domain.name,
        "isAdminManaged": true,
        "isDefault": domain.name == tenant.default_domain(),
        "isInitial": domain.name == tenant.name,
        "isRoot": true,
        "isVerified": true,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
        "passwordValidityPeriodInDays": if managed { json!(2_147_483_647) } else { Value::Null },
        "passwordNotificationWindowInDays": if managed { json!(14) } else { Value::Null },
        "state": null,
    })
}

fn organization_object(tenant: &Tenant) -> Value {
    let domains = tenant.domains.iter().map(|domain| {
        json!({
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": domain.name == tenant.default_domain(),
            "isInitial": domain.name == tenant.name,
            "name": domain.name,
            "type": domain.authentication,
        })
    });
    json!({
        "id": tenant.id,
        "displayName": tenant.name.split('.').next(),
        "tenantType": "AAD",
        "onPremisesSyncEnabled": null,
        "assignedPlans": [],
        "verifiedDomains": domains.collect::<Vec<_>>(),
    })
}

/// Leaves only what `$select` names.
pub(super) fn selected(object: Value, call: &Call) -> Value {
    let (Value::Object(mut object), names) = (object, call.query.select()) else {
        return Value::Null;
    };
    if let Some(names) = names.filter(|names| !names.is_empty()) {
        object.retain(|name, _| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name)));
    }
    Value::Object(object)
}
