//! A user's properties: which exist, which come unasked, and what an account has in them.
//!
//! Source: Microsoft Graph v1.0, user resource type.

use serde_json::{Map, Value, json};

use super::error::GraphError;
use crate::clock::graph_time;
use crate::directory::account::Account;
use crate::directory::changes::Property;

/// What a read without `$select` returns. Source: Microsoft Graph, List users.
const DEFAULT: [Property; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];

/// Properties that a caller may select; those that the simulator does not model are null.
const SELECTABLE: [Property; 59] = [
    "id",
    "accountEnabled",
    "ageGroup",
    "assignedLicenses",
    "assignedPlans",
    "businessPhones",
    "city",
    "companyName",
    "consentProvidedForMinor",
    "country",
    "createdDateTime",
    "creationType",
    "deletedDateTime",
    "department",
    "displayName",
    "employeeHireDate",
    "employeeId",
    "employeeOrgData",
    "employeeType",
    "externalUserState",
    "externalUserStateChangeDateTime",
    "faxNumber",
    "givenName",
    "identities",
    "imAddresses",
    "isManagementRestricted",
    "isResourceAccount",
    "jobTitle",
    "lastPasswordChangeDateTime",
    "legalAgeGroupClassification",
    "mail",
    "mailNickname",
    "mobilePhone",
    "officeLocation",
    "onPremisesDistinguishedName",
    "onPremisesDomainName",
    "onPremisesImmutableId",
    "onPremisesLastSyncDateTime",
    "onPremisesProvisioningErrors",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "onPremisesUserPrincipalName",
    "otherMails",
    "passwordPolicies",
    "passwordProfile",
    "postalCode",
    "preferredLanguage",
    "provisionedPlans",
    "proxyAddresses",
    "securityIdentifier",
    "showInAddressList",
    "signInSessionsValidFromDateTime",
    "state",
    "streetAddress",
    "surname",
    "usageLocation",
    "userPrincipalName",
    "userType",
];

/// Properties that Graph computes and lets nobody set.
const READ_ONLY: [Property; 9] = [
    "id",
    "createdDateTime",
    "creationType",
    "deletedDateTime",
    "lastPasswordChangeDateTime",
    "onPremisesLastSyncDateTime",
    "onPremisesSyncEnabled",
    "securityIdentifier",
    "signInSessionsValidFromDateTime",
];

/// Which properties an answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Selection {
    properties: Vec<Property>,
    explicit: bool,
}

impl Selection {
    /// What `$select` asks for, or Graph's default set.
    pub(super) fn of(select: Option<&[&str]>) -> Result<Self, GraphError> {
        let Some(names) = select.filter(|names| !names.is_empty()) else {
            return Ok(Self {
                properties: DEFAULT.to_vec(),
                explicit: false,
            });
        };
        let properties = names
            .iter()
            .map(|name| known(name))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            properties,
            explicit: true,
        })
    }

    /// As [`Self::of`], and always with the id: a delta without it would say nothing.
    pub(super) fn of_delta(select: Option<&[&str]>) -> Result<Self, GraphError> {
        let mut selection = Self::of(select)?;
        if !selection.properties.contains(&"id") {
            selection.properties.push("id");
        }
        Ok(selection)
    }

    pub(super) fn properties(&self) -> &[Property] {
        &self.properties
    }

    /// The names to write into a link or token; none when the default set was meant.
    pub(super) fn explicit(&self) -> Option<&[Property]> {
        self.explicit.then_some(self.properties.as_slice())
    }

    /// `#users(id,userPrincipalName)`, the end of an `@odata.context`.
    pub(super) fn context(&self) -> String {
        self.explicit().map_or_else(
            || "#users".to_owned(),
            |names| format!("#users({})", names.join(",")),
        )
    }

    /// The account with exactly the selected properties.
    pub(super) fn object(&self, account: &Account) -> Map<String, Value> {
        self.properties
            .iter()
            .map(|name| ((*name).to_owned(), value(account, name)))
            .collect()
    }

    /// As [`Self::object`] without what was never set, as a delta leaves it out.
    pub(super) fn object_of_set(&self, account: &Account) -> Map<String, Value> {
        let mut object = self.object(account);
        object.retain(|_, value| !value.is_null());
        object
    }
}

/// Whether nobody may set the property; an error when there is none of this name.
pub(super) fn is_read_only(name: &str) -> Result<bool, GraphError> {
    match SELECTABLE
        .iter()
        .find(|property| property.eq_ignore_ascii_case(name))
    {
        Some(property) => Ok(READ_ONLY.contains(property)),
        None => Err(GraphError::invalid_property(name)),
    }
}

fn known(name: &str) -> Result<Property, GraphError> {
    let found = SELECTABLE
        .iter()
        .find(|property| property.eq_ignore_ascii_case(name));
    found.copied().ok_or_else(|| {
        GraphError::bad_request(format!(
            "Parsing OData Select and Expand failed: Could not find a property named '{name}' on type \
             'microsoft.graph.user'."
        ))
    })
}

fn value(account: &Account, property: &str) -> Value {
    match property {
        "id" => json!(account.id),
        "userPrincipalName" | "mail" => json!(account.user_principal_name),
        "displayName" => json!(account.display_name),
        "accountEnabled" => json!(account.enabled),
        "userType" => json!(account.user_type),
        "createdDateTime" => json!(graph_time(account.created())),
        "lastPasswordChangeDateTime" => json!(graph_time(account.visible().stamp)),
        "onPremisesSyncEnabled" if account.on_premises => json!(true),
        "businessPhones"
        | "assignedLicenses"
        | "assignedPlans"
        | "imAddresses"
        | "otherMails"
        | "proxyAddresses"
        | "identities"
        | "provisionedPlans"
        | "onPremisesProvisioningErrors" => json!([]),
        // Never synced, not modelled, or (like the password profile) never returned.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_and_read_only_property_can_be_selected() {
        for name in DEFAULT.iter().chain(&READ_ONLY) {
            assert!(SELECTABLE.contains(name), "{name}");
        }
    }
}
