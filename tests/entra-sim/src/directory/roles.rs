//! Directory roles: their ids, and who holds them, in person or through a role-assignable group.
//!
//! Source: Microsoft Entra built-in roles; Use Microsoft Entra groups to manage role assignments.

use uuid::{Uuid, uuid};

use super::account::Account;
use super::tenant::{Tenant, folded};
use crate::guid;
use crate::scenario::GroupSpec;

/// What every application-only token lists beside real roles, as tokens of Graph show it.
pub(crate) const NO_ROLE: Uuid = uuid!("0997a1d0-0d1d-4acb-b408-d5ca73121e90");

/// Template ids; a role that is not listed gets an id of its own, as a custom one does.
const TEMPLATES: [(&str, Uuid); 14] = [
    (
        "Authentication Administrator",
        uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f"),
    ),
    (
        "Directory Readers",
        uuid!("88d8e3e3-8f55-4a1e-953a-9b9898b8876b"),
    ),
    (
        "Global Administrator",
        uuid!("62e90394-69f5-4237-9190-012177145e10"),
    ),
    (
        "Groups Administrator",
        uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c"),
    ),
    (
        "Guest Inviter",
        uuid!("95e79109-95c0-4d8e-aee3-d01accf2d47b"),
    ),
    (
        "Helpdesk Administrator",
        uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8"),
    ),
    (
        "Message Center Reader",
        uuid!("790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b"),
    ),
    (
        "Password Administrator",
        uuid!("966707d0-3269-4727-9be2-8c3a10f19b9d"),
    ),
    (
        "Privileged Authentication Administrator",
        uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13"),
    ),
    (
        "Privileged Role Administrator",
        uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814"),
    ),
    (
        "Reports Reader",
        uuid!("4a5d8f65-41da-4de4-8968-e035b65339cf"),
    ),
    (
        "Usage Summary Reports Reader",
        uuid!("75934031-6c7e-415a-99d7-48dbd49e875e"),
    ),
    (
        "User Administrator",
        uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1"),
    ),
    (
        "User Experience Success Manager",
        uuid!("27460883-1df1-4691-b032-3b79643e5e63"),
    ),
];

/// A role-assignable group as the directory keeps it.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    members: Vec<String>,
    owners: Vec<String>,
}

/// One role that somebody holds in person.
pub(crate) struct Assignment<'t> {
    pub(crate) principal: Uuid,
    pub(crate) role: &'t str,
}

/// The id by which assignments name a role.
pub(crate) fn template_id(role: &str) -> Uuid {
    let listed = TEMPLATES.iter().find(|(name, _)| *name == role);
    listed.map_or_else(|| guid::derived("role", "", role), |(_, id)| *id)
}

impl Group {
    pub(crate) fn new(tenant_name: &str, spec: GroupSpec) -> Self {
        Self {
            id: spec
                .id
                .unwrap_or_else(|| guid::derived("group", tenant_name, &spec.name)),
            name: spec.name,
            roles: spec.roles,
            members: spec.members,
            owners: spec.owners,
        }
    }

    /// Users among the members; v1.0 leaves service principals out.
    /// Source: Microsoft Graph, List group members, known issue.
    pub(crate) fn users<'t>(&'t self, tenant: &'t Tenant) -> impl Iterator<Item = &'t Account> {
        self.members.iter().filter_map(|name| tenant.find(name))
    }

    pub(crate) fn owners<'t>(&'t self, tenant: &'t Tenant) -> impl Iterator<Item = &'t Account> {
        self.owners.iter().filter_map(|name| tenant.find(name))
    }

    fn has_member(&self, name: &str) -> bool {
        let name = folded(name);
        self.members.iter().any(|member| folded(member) == name)
    }

    fn has_owner(&self, name: &str) -> bool {
        let name = folded(name);
        self.owners.iter().any(|owner| folded(owner) == name)
    }
}

impl Tenant {
    /// The object id of an application's service principal.
    pub(crate) fn service_principal(&self, client: Uuid) -> Uuid {
        guid::derived("service-principal", &self.name, &client.to_string())
    }

    /// The roles of an application, its groups' included.
    pub(crate) fn roles_of_app(&self, client: Uuid) -> Vec<String> {
        let own = self.apps.get(&client).map(|app| app.roles.clone());
        self.with_groups(own.unwrap_or_default(), &client.to_string())
    }

    /// The roles of a user, the groups' included.
    pub(crate) fn roles_of_user(&self, account: &Account) -> Vec<String> {
        self.with_groups(account.roles.clone(), &account.user_principal_name)
    }

    /// Whether an account is a member or an owner of a role-assignable group.
    pub(crate) fn is_in_assignable_group(&self, account: &Account) -> bool {
        let name = account.user_principal_name.as_str();
        let mut groups = self.groups.iter();
        groups.any(|group| group.has_member(name) || group.has_owner(name))
    }

    /// Every assignment as it was made: to a user, to a service principal, to a group.
    pub(crate) fn role_assignments(&self) -> Vec<Assignment<'_>> {
        let users = self
            .accounts_after(None)
            .map(|account| (account.id, &account.roles));
        let mut apps: Vec<_> = self
            .apps
            .values()
            .map(|app| (self.service_principal(app.client_id), &app.roles))
            .collect();
        apps.sort_by_key(|(id, _)| *id);
        let groups = self.groups.iter().map(|group| (group.id, &group.roles));
        let holders = users.chain(apps).chain(groups);
        holders
            .flat_map(|(principal, roles)| {
                let assigned = move |role| Assignment { principal, role };
                roles.iter().map(String::as_str).map(assigned)
            })
            .collect()
    }

    fn with_groups(&self, mut roles: Vec<String>, name: &str) -> Vec<String> {
        let groups = self.groups.iter().filter(|group| group.has_member(name));
        roles.extend(groups.flat_map(|group| group.roles.clone()));
        roles
    }
}
