//! What a tenant says about itself, where the agent may read it. Nothing depends on it.

use serde::Deserialize;
use uuid::{Uuid, uuid};

use crate::calls::Call;
use crate::{EntraDirectory, GraphError};

/// Source: Microsoft, "Product names and service plan identifiers for licensing".
const PREMIUM_PLANS: [(Uuid, &str); 2] = [
    (
        uuid!("eec0eb4f-6444-4f95-aba0-50c24d67f998"),
        "Microsoft Entra ID P2",
    ),
    (
        uuid!("41781fb2-bc02-4b7c-bd55-b576c07bb09d"),
        "Microsoft Entra ID P1",
    ),
];
/// Source: Microsoft Graph, assignedPlan resource type, `capabilityStatus`.
const IN_FORCE: [&str; 2] = ["Enabled", "Warning"];

/// A tenant's name and licence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// The tenant's id.
    pub id: Uuid,
    /// Its name, for people.
    pub name: String,
    /// Its best licence of Microsoft Entra ID; `None` where it has none that is paid for.
    pub licence: Option<&'static str>,
}

/// Whether Microsoft's security defaults protect the tenant: they forbid the sign-in test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecurityDefaults {
    /// They do.
    On,
    /// They do not.
    Off,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOrganization {
    id: Uuid,
    display_name: Option<String>,
    #[serde(default)]
    assigned_plans: Vec<WirePlan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePlan {
    capability_status: Option<String>,
    service_plan_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePolicy {
    is_enabled: bool,
}

impl EntraDirectory {
    /// The tenant's name and licence. Needs `Organization.Read.All`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn organization(&self) -> Result<Organization, GraphError> {
        let call = Call::Organization;
        let read = self.session.read_all::<WireOrganization>(call).await?;
        let first = read.entries.into_iter().next();
        first
            .map(WireOrganization::into_organization)
            .ok_or(GraphError::NotFound)
    }

    /// Whether security defaults are on. Needs `Policy.Read.All`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn security_defaults(&self) -> Result<SecurityDefaults, GraphError> {
        let policy: WirePolicy = self.session.read(&Call::SecurityDefaults).await?;
        Ok(if policy.is_enabled {
            SecurityDefaults::On
        } else {
            SecurityDefaults::Off
        })
    }
}

impl WireOrganization {
    fn into_organization(self) -> Organization {
        let in_force = |plan: &&WirePlan| {
            let status = plan.capability_status.as_deref().unwrap_or_default();
            IN_FORCE.contains(&status)
        };
        let plans = self.assigned_plans.iter().filter(in_force);
        let held: Vec<Uuid> = plans.filter_map(|plan| plan.service_plan_id).collect();
        let best = PREMIUM_PLANS.iter().find(|(id, _)| held.contains(id));
        Organization {
            id: self.id,
            licence: best.map(|(_, name)| *name),
            name: self.display_name.unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, ResponseTemplate};

    use super::*;
    use crate::test_tenant::Tenant;

    async fn answering(at: &str, body: &Value) -> Tenant {
        let tenant = Tenant::start().await;
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .mount(&tenant.server)
            .await;
        tenant
    }

    fn plan(id: &str, status: &str) -> Value {
        json!({ "service": "AADPremiumService", "servicePlanId": id, "capabilityStatus": status })
    }

    #[tokio::test]
    async fn the_best_licence_that_is_in_force_is_told() {
        const P1: &str = "41781fb2-bc02-4b7c-bd55-b576c07bb09d";
        const P2: &str = "eec0eb4f-6444-4f95-aba0-50c24d67f998";
        for (plans, licence) in [
            (vec![], None),
            (vec![plan(P1, "Enabled")], Some("Microsoft Entra ID P1")),
            (
                vec![plan(P1, "Enabled"), plan(P2, "Warning")],
                Some("Microsoft Entra ID P2"),
            ),
            (
                vec![plan(P1, "Enabled"), plan(P2, "Deleted")],
                Some("Microsoft Entra ID P1"),
            ),
        ] {
            let id = Uuid::from_u128(1);
            let one = json!({ "id": id, "displayName": "Contoso", "assignedPlans": plans });
            let body = json!({ "value": [one] });
            let tenant = answering("/v1.0/organization", &body).await;
            let told = tenant.directory().organization().await.unwrap();
            let name = "Contoso".to_owned();
            assert_eq!(told, Organization { id, name, licence });
        }
    }

    #[tokio::test]
    async fn security_defaults_are_on_or_off() {
        let at = "/v1.0/policies/identitySecurityDefaultsEnforcementPolicy";
        for (is_enabled, told) in [(true, SecurityDefaults::On), (false, SecurityDefaults::Off)] {
            let tenant = answering(at, &json!({ "isEnabled": is_enabled })).await;
            let directory = tenant.directory();
            assert_eq!(directory.security_defaults().await.unwrap(), told);
        }
    }
}
