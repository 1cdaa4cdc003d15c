//! Who holds a directory role, and who is in a role-assignable group: read in bulk, never account by
//! account.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sync_engine::model::ObjectId;
use uuid::Uuid;

use crate::GraphError;
use crate::calls::Call;
use crate::reset_matrix::Rank;
use crate::session::Session;

/// A role assignment for the whole tenant has this scope.
/// Source: Microsoft Graph, unifiedRoleAssignment resource type, `directoryScopeId`.
const WHOLE_TENANT: &str = "/";

/// The active role assignments of a tenant.
#[derive(Debug, Default)]
pub(crate) struct Assignments(BTreeMap<ObjectId, BTreeSet<Held>>);

/// A role that somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    /// The template id of a built-in role, or the id of a custom one.
    pub(crate) role: Uuid,
    pub(crate) scope: Scope,
}

/// Where a role is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    Tenant,
    /// An administrative unit, or a single object.
    Part,
}

/// The role-assignable groups of a tenant, with their members and owners.
#[derive(Debug, Default)]
pub(crate) struct AssignableGroups {
    ids: BTreeSet<ObjectId>,
    /// The groups of each member and owner.
    people: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
}

#[derive(Deserialize)]
struct WireAssignment {
    #[serde(rename = "principalId")]
    principal: Option<ObjectId>,
    #[serde(rename = "roleDefinitionId")]
    role: Option<Uuid>,
    #[serde(rename = "directoryScopeId")]
    scope: Option<String>,
}

#[derive(Deserialize)]
struct WireObject {
    id: ObjectId,
}

impl Session {
    /// Every active assignment. One that is only eligible gives no right, and is not listed.
    pub(crate) async fn role_assignments(&self) -> Result<Assignments, GraphError> {
        let read = self
            .read_all::<WireAssignment>(Call::RoleAssignments)
            .await?;
        let mut assignments = Assignments::default();
        for wire in read.entries {
            if let (Some(principal), Some(role)) = (wire.principal, wire.role) {
                let scope = match wire.scope.as_deref() {
                    Some(WHOLE_TENANT) => Scope::Tenant,
                    _ => Scope::Part,
                };
                let held = assignments.0.entry(principal).or_default();
                held.insert(Held { role, scope });
            }
        }
        Ok(assignments)
    }

    /// Groups that can hold roles contain no groups, so that members are never members of members.
    pub(crate) async fn assignable_groups(&self) -> Result<AssignableGroups, GraphError> {
        let read = self.read_all::<WireObject>(Call::AssignableGroups).await?;
        let mut groups = AssignableGroups::default();
        for group in read.entries {
            groups.ids.insert(group.id);
            for call in [Call::GroupMembers(group.id), Call::GroupOwners(group.id)] {
                for person in self.people_of(call).await? {
                    groups.people.entry(person.id).or_default().insert(group.id);
                }
            }
        }
        Ok(groups)
    }

    /// A group that was deleted meanwhile has nobody.
    async fn people_of(&self, call: Call<'_>) -> Result<Vec<WireObject>, GraphError> {
        match self.read_all(call).await {
            Err(GraphError::NotFound) => Ok(Vec::new()),
            read => Ok(read?.entries),
        }
    }
}

impl Assignments {
    /// What somebody holds, by themselves or through groups.
    pub(crate) fn of(&self, id: ObjectId, groups: &AssignableGroups) -> BTreeSet<Held> {
        let through = groups.people.get(&id).into_iter().flatten();
        let holders = through.chain([&id]);
        holders
            .filter_map(|holder| self.0.get(holder))
            .flatten()
            .copied()
            .collect()
    }

    /// The roles that somebody may have through a group.
    pub(crate) fn of_groups(&self, groups: &AssignableGroups) -> BTreeSet<Uuid> {
        let held = groups.ids.iter().filter_map(|id| self.0.get(id)).flatten();
        held.map(|it| it.role).collect()
    }

    /// Everybody who is more than a user in the eyes of the matrix.
    pub(crate) fn ranks(&self, groups: &AssignableGroups) -> BTreeMap<ObjectId, Rank> {
        let ids: BTreeSet<ObjectId> = self.0.keys().chain(groups.people.keys()).copied().collect();
        let rank = |id: ObjectId| Rank {
            roles: self
                .0
                .get(&id)
                .into_iter()
                .flatten()
                .map(|it| it.role)
                .collect(),
            in_role_assignable_group: groups.people.contains_key(&id),
        };
        ids.into_iter().map(|id| (id, rank(id))).collect()
    }
}
