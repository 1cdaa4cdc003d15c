//! Contradictions that types do not catch: doubled names, accounts outside the tenant's domains.

use std::collections::HashSet;

use super::load::{Complaint, line_at};
use super::{FederatedSpec, Scenario, TenantSpec};
use crate::entra::assertion::{readable_certificate, readable_public_key};

impl Scenario {
    /// Checks that names are unique and every account stands in a domain of its tenant; `text` is where lines are
    /// looked up.
    pub(super) fn check(&self, text: &str) -> Result<(), Complaint> {
        let complain = |key: String, value: &str, reason: String| Complaint {
            line: last_line_of(text, value),
            key,
            reason,
        };
        if self.tenants.is_empty() {
            return Err(complain(
                "tenant".to_owned(),
                "",
                "a scenario needs at least one tenant".to_owned(),
            ));
        }
        let mut names = HashSet::new();
        for (index, tenant) in self.tenants.iter().enumerate() {
            for (key, name) in names_of(tenant, index) {
                if name.is_empty() || name.contains(['/', ' ']) {
                    return Err(complain(
                        key,
                        &name,
                        format!("`{name}` is not a domain name"),
                    ));
                }
                if !names.insert(name.to_lowercase()) {
                    return Err(complain(key, &name, format!("`{name}` is already taken")));
                }
            }
            check_users(tenant, index, &complain)?;
            check_groups(tenant, index, &complain)?;
            check_keys(tenant, index, &complain)?;
        }
        Ok(())
    }
}

fn check_users(
    tenant: &TenantSpec,
    index: usize,
    complain: &impl Fn(String, &str, String) -> Complaint,
) -> Result<(), Complaint> {
    let domains: HashSet<String> = names_of(tenant, index)
        .into_iter()
        .map(|(_, name)| name.to_lowercase())
        .collect();
    let mut seen = HashSet::new();
    for (position, user) in tenant.users.iter().enumerate() {
        let name = &user.user_principal_name;
        let key = format!("tenant[{index}].user[{position}].user_principal_name");
        let domain = name
            .rsplit_once('@')
            .map(|(_, domain)| domain.to_lowercase());
        if !domain.is_some_and(|domain| domains.contains(&domain)) {
            return Err(complain(
                key,
                name,
                format!("`{name}` is in no domain of the tenant `{}`", tenant.name),
            ));
        }
        if !seen.insert(name.to_lowercase()) {
            return Err(complain(key, name, format!("`{name}` is already taken")));
        }
    }
    Ok(())
}

/// Members and owners are accounts or applications of the tenant.
fn check_groups(
    tenant: &TenantSpec,
    index: usize,
    complain: &impl Fn(String, &str, String) -> Complaint,
) -> Result<(), Complaint> {
    let users = tenant
        .users
        .iter()
        .map(|user| user.user_principal_name.to_lowercase());
    let apps = tenant.apps.iter().map(|app| app.client_id.to_string());
    let known: HashSet<String> = users.chain(apps).collect();
    for (position, group) in tenant.groups.iter().enumerate() {
        for (list, names) in [("members", &group.members), ("owners", &group.owners)] {
            if let Some(name) = names
                .iter()
                .find(|name| !known.contains(&name.to_lowercase()))
            {
                let key = format!("tenant[{index}].group[{position}].{list}");
                let reason =
                    format!("`{name}` is neither an account nor an application of the tenant");
                return Err(complain(key, name, reason));
            }
        }
    }
    Ok(())
}

fn check_keys(
    tenant: &TenantSpec,
    index: usize,
    complain: &impl Fn(String, &str, String) -> Complaint,
) -> Result<(), Complaint> {
    for (position, app) in tenant.apps.iter().enumerate() {
        let unreadable = |key: &str, what: &str| {
            let key = format!("tenant[{index}].app[{position}].{key}");
            let id = app.client_id.to_string();
            complain(key, &id, format!("not {what} as PEM"))
        };
        if !app.certificates.iter().all(|pem| readable_certificate(pem)) {
            return Err(unreadable("certificates", "an RSA certificate"));
        }
        let has_key = |it: &FederatedSpec| {
            it.public_key_file.is_some() || readable_public_key(&it.public_key)
        };
        if !app.federated.iter().all(has_key) {
            return Err(unreadable("federated", "an RSA public key"));
        }
    }
    Ok(())
}

fn names_of(tenant: &TenantSpec, index: usize) -> Vec<(String, String)> {
    let initial = (format!("tenant[{index}].name"), tenant.name.clone());
    let others = tenant.domains.iter().enumerate().map(|(position, domain)| {
        (
            format!("tenant[{index}].domain[{position}].name"),
            domain.name.clone(),
        )
    });
    std::iter::once(initial).chain(others).collect()
}

fn last_line_of(text: &str, value: &str) -> usize {
    if value.is_empty() {
        return 1;
    }
    text.rfind(value).map_or(1, |offset| line_at(text, offset))
}
