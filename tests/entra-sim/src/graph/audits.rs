//! `GET /auditLogs/directoryAudits`: who reset whose password, as the service itself tells it.
//!
//! Source: Microsoft Graph, `directoryAudit` resource and List directoryAudits; Microsoft Entra audit log activities,
//! "Core Directory", "User management".

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{Call, Caller, Context};
use super::error::GraphError;
use super::odata::{Token, invalid, tokens};
use super::page::Collection;
use super::tenant_reads::selected;
use crate::directory::diary::{Deed, Line};
use crate::directory::tenant::Tenant;
use crate::guid;
use crate::reply::Reply;

/// Both are needed. Source: the permission table of List directoryAudits.
const PERMISSIONS: [&str; 2] = ["AuditLog.Read.All", "Directory.Read.All"];

/// Graph gives up to 1,000 entries a page; 999 is the most that `$top` takes here.
const PAGE: usize = 999;

const RESET: &str = "Reset user password";

/// The passwords that were set, the newest first.
pub(super) fn list(
    tenant: &mut Tenant,
    context: &Context,
    caller: &Caller,
    call: &Call,
) -> Result<Reply, GraphError> {
    for permission in PERMISSIONS {
        caller.need_one_of(&[permission])?;
    }
    call.query
        .allow(&["select", "filter", "top", "skiptoken"])?;
    tenant.reads += 1;
    let wanted = match call.query.get("filter") {
        Some(text) => Wanted::parse(text)?,
        None => Wanted::default(),
    };
    let resets = resets(tenant).rev().filter(|entry| wanted.takes(entry));
    let values = resets.map(|entry| selected(entry.object(tenant), call));
    Collection {
        path: "auditLogs/directoryAudits",
        page: PAGE,
        largest: tenant.largest_page,
        values: values.collect(),
    }
    .answer(context, call)
}

/// A password that was set.
struct Entry<'a> {
    /// Its place among all lines that the tenant ever had.
    number: u64,
    line: &'a Line,
    by: Initiator,
}

enum Initiator {
    App(Uuid),
    User(Uuid),
    /// Whoever acts through the simulator's own endpoints.
    Administrator,
}

fn resets(tenant: &Tenant) -> impl DoubleEndedIterator<Item = Entry<'_>> {
    let numbers = tenant.diary.forgotten()..;
    let lines = tenant.diary.lines().iter();
    let numbered: Vec<_> = numbers.zip(lines).collect();
    numbered.into_iter().filter_map(|(number, line)| {
        let by = match line.deed {
            Deed::Write { by, .. } if tenant.apps.contains_key(&by) => Initiator::App(by),
            Deed::Write { by, .. } => Initiator::User(by),
            Deed::Change { .. } => Initiator::Administrator,
            Deed::SignIn { .. } => return None,
        };
        Some(Entry { number, line, by })
    })
}

impl Entry<'_> {
    fn object(&self, tenant: &Tenant) -> Value {
        let correlation = guid::derived("audit", &tenant.name, &self.number.to_string());
        let line = self.line;
        json!({
            "id": format!("Directory_{correlation}_{}", self.number),
            "category": "UserManagement",
            "correlationId": correlation,
            "result": "success",
            "resultReason": "",
            "activityDisplayName": RESET,
            "activityDateTime": line.at,
            "loggedByService": "Core Directory",
            "operationType": "Update",
            "initiatedBy": self.by.object(tenant),
            "targetResources": [{
                "id": line.user,
                "displayName": null,
                "type": "User",
                "userPrincipalName": line.user_principal_name,
                "modifiedProperties": [],
            }],
            "additionalDetails": [],
        })
    }
}

impl Initiator {
    fn object(&self, tenant: &Tenant) -> Value {
        match self {
            Self::App(client) => json!({
                "user": null,
                "app": {
                    "appId": client,
                    "displayName": null,
                    "servicePrincipalId": tenant.service_principal(*client),
                    "servicePrincipalName": null,
                },
            }),
            Self::User(id) => {
                let name = tenant
                    .get_even_removed(*id)
                    .map(|it| it.user_principal_name.clone());
                user(*id, name.as_deref())
            }
            Self::Administrator => {
                let name = format!("administrator@{}", tenant.name);
                user(guid::derived("user", &tenant.name, &name), Some(&name))
            }
        }
    }
}

fn user(id: Uuid, name: Option<&str>) -> Value {
    json!({
        "app": null,
        "user": {
            "id": id,
            "displayName": null,
            "userPrincipalName": name,
            "ipAddress": null,
        },
    })
}

/// The `$filter` forms that are simulated: the activity's name, and from when and until when, joined by `and`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    activity: Option<String>,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Wanted {
    fn parse(text: &str) -> Result<Self, GraphError> {
        let tokens = tokens(text);
        let mut wanted = Self::default();
        let is_and =
            |token: &Token| matches!(token, Token::Word(and) if and.eq_ignore_ascii_case("and"));
        for comparison in tokens.split(is_and) {
            wanted.add(comparison).ok_or_else(|| invalid(text))?;
        }
        Ok(wanted)
    }

    /// `None` for what is not simulated, and for what is asked twice.
    fn add(&mut self, comparison: &[Token]) -> Option<()> {
        let [Token::Word(property), Token::Word(operator), value] = comparison else {
            return None;
        };
        let is_given = match (property.as_str(), operator.as_str(), value) {
            ("activityDisplayName", "eq", Token::Literal(name)) => {
                self.activity.replace(name.clone()).is_some()
            }
            ("activityDateTime", "ge", Token::Word(at)) => {
                self.from.replace(at.parse().ok()?).is_some()
            }
            ("activityDateTime", "le", Token::Word(at)) => {
                self.until.replace(at.parse().ok()?).is_some()
            }
            _ => return None,
        };
        (!is_given).then_some(())
    }

    fn takes(&self, entry: &Entry<'_>) -> bool {
        let at = entry.line.at;
        self.activity.as_deref().is_none_or(|name| name == RESET)
            && self.from.is_none_or(|from| from <= at)
            && self.until.is_none_or(|until| at <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_reads_the_activity_and_the_time() {
        let wanted = Wanted::parse(
            "activityDisplayName eq 'Reset user password' and activityDateTime ge 2026-01-01T00:00:00Z",
        );
        let expected = Wanted {
            activity: Some(RESET.to_owned()),
            from: Some("2026-01-01T00:00:00Z".parse().unwrap()),
            until: None,
        };
        assert_eq!(wanted.unwrap(), expected);
    }

    #[test]
    fn what_is_not_simulated_is_refused_instead_of_passed_over() {
        for text in [
            "",
            "activityDateTime gt 2026-01-01T00:00:00Z",
            "activityDateTime ge yesterday",
            "activityDisplayName eq 'a' or activityDisplayName eq 'b'",
            "activityDisplayName eq 'a' and activityDisplayName eq 'b'",
            "initiatedBy/app/appId eq 'x'",
        ] {
            assert!(Wanted::parse(text).is_err(), "{text}");
        }
    }
}
