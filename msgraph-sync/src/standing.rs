//! Who the agent is in its tenant, and whose passwords it may reset.

use std::collections::BTreeSet;

use sync_engine::model::{ObjectId, ResetRights, ResetRole};
use uuid::Uuid;

use crate::permissions::{
    Need, READ_GROUPS, READ_ORGANIZATION, READ_ROLES, SET_PASSWORDS, TO_READ,
};
use crate::reset_matrix::{self, Rank};
use crate::role_holders::{AssignableGroups, Assignments, Held, Scope};
use crate::session::Session;
use crate::token::TokenFacts;
use crate::{EntraDirectory, Finding, GraphError};

/// Who the agent is in its tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The tenant's id.
    pub tenant_id: Option<Uuid>,
    /// The agent's service principal, or the user that it is signed in as.
    pub object: Option<ObjectId>,
    /// The Graph permissions that were consented to; `None` where the token cannot be read.
    pub permissions: Option<BTreeSet<String>>,
    /// Names of its directory roles, or the ids of those that reset nothing; `None` where they are
    /// not known.
    pub roles: Option<BTreeSet<String>>,
}

/// Who the agent is, whose passwords it may reset, and what a person should mend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Who it is.
    pub identity: Identity,
    /// Whose passwords it may not reset.
    pub rights: ResetRights,
    /// What a person should mend.
    pub findings: Vec<Finding>,
}

impl Identity {
    /// Whether it may read the tenant's name and licence; `None` where its permissions are not known.
    pub fn may_read_organization(&self) -> Option<bool> {
        let held = self.permissions.as_ref()?;
        Some(READ_ORGANIZATION.is_met_by(held))
    }
}

impl EntraDirectory {
    /// Signs in, and reads the agent's own roles and everybody's who has any. A permission that is
    /// missing for that is a finding.
    ///
    /// # Errors
    /// When the agent cannot sign in, or the service is not available.
    pub async fn standing(&self) -> Result<Standing, GraphError> {
        // It holds the state of many reads, and is awaited from deep within.
        Box::pin(self.session.standing()).await
    }
}

impl Session {
    pub(crate) async fn standing(&self) -> Result<Standing, GraphError> {
        let Some(facts) = self.token_facts(lack_any).await? else {
            return Ok(Standing {
                findings: vec![Finding::TokenUnreadable],
                ..Standing::default()
            });
        };
        let mut findings = missing(&facts);
        let assignments = permitted(&facts, &READ_ROLES, self.role_assignments(), &mut findings);
        let assignments = assignments.await?;
        let groups = permitted(
            &facts,
            &READ_GROUPS,
            self.assignable_groups(),
            &mut findings,
        );
        let groups = groups.await?;
        let unseen = unseen_roles(assignments.as_ref(), groups.as_ref());
        let own = own_roles(&facts, assignments.as_ref(), groups.as_ref());
        let own = own.filter(|own| resets_any(own) || unseen.is_empty());
        if own.as_ref().is_some_and(|own| !resets_any(own)) {
            findings.push(Finding::NoRole);
            // The token may be older than the role. It is looked at again with the next reading.
            self.renounce_old_token().await;
        }
        let rights = match (&own, &assignments) {
            (Some(own), Some(assignments)) => {
                rights(&(own | &unseen), assignments, &groups.unwrap_or_default())
            }
            _ => ResetRights::default(),
        };
        Ok(Standing {
            identity: identity(facts, own),
            rights,
            findings,
        })
    }
}

/// Whether the agent lacks anything that it could use.
fn lack_any(facts: &TokenFacts) -> bool {
    let needs = TO_READ
        .into_iter()
        .chain([&SET_PASSWORDS, &READ_ROLES, &READ_GROUPS]);
    needs
        .into_iter()
        .any(|need| !need.is_met_by(&facts.permissions))
}

fn missing(facts: &TokenFacts) -> Vec<Finding> {
    let needs = TO_READ.into_iter().chain([&SET_PASSWORDS]);
    needs
        .filter(|need| !need.is_met_by(&facts.permissions))
        .map(Finding::missing)
        .collect()
}

/// What a call answers, unless the token says that it would be refused. A refusal that concerns only
/// this call leaves its facts unknown.
async fn permitted<T>(
    facts: &TokenFacts,
    need: &Need,
    read: impl Future<Output = Result<T, GraphError>>,
    findings: &mut Vec<Finding>,
) -> Result<Option<T>, GraphError> {
    if !need.is_met_by(&facts.permissions) {
        findings.push(Finding::unknown(need));
        return Ok(None);
    }
    match read.await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.is_of_one_call() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the agent cannot {}",
                need.purpose
            );
            findings.push(Finding::unknown(need));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// `None` where the agent may have roles that it cannot see. The token lists those for the whole
/// tenant as they were when it was issued. Assignments are newer, but a group's members may leave
/// service principals out: of the token's roles count those that a group can have given.
fn own_roles(
    facts: &TokenFacts,
    assignments: Option<&Assignments>,
    groups: Option<&AssignableGroups>,
) -> Option<BTreeSet<Held>> {
    let nobody = AssignableGroups::default();
    let listed = assignments
        .zip(facts.object)
        .map(|(assignments, own)| assignments.of(own, groups.unwrap_or(&nobody)));
    let given = match (assignments, groups, facts.object) {
        (Some(assignments), Some(groups), Some(_)) => Some(assignments.of_groups(groups)),
        _ => None,
    };
    let told = facts.roles.as_ref().map(|roles| {
        let counts = |role: &&Uuid| given.as_ref().is_none_or(|given| given.contains(*role));
        let whole = |role: &Uuid| Held {
            role: *role,
            scope: Scope::Tenant,
        };
        roles
            .iter()
            .filter(counts)
            .map(whole)
            .collect::<BTreeSet<_>>()
    });
    match (told, listed) {
        (Some(told), listed) => Some(told.into_iter().chain(listed.unwrap_or_default()).collect()),
        (None, Some(listed)) if groups.is_some() || resets_any(&listed) => Some(listed),
        (None, _) => None,
    }
}

/// Roles that the agent may have through a group without being listed in it. Nobody is refused beforehand for want
/// of one of them.
fn unseen_roles(
    assignments: Option<&Assignments>,
    groups: Option<&AssignableGroups>,
) -> BTreeSet<Held> {
    let of_groups = assignments.zip(groups);
    let of_groups = of_groups.map(|(assignments, groups)| assignments.of_groups(groups));
    let roles = of_groups.into_iter().flatten();
    let held = roles.map(|role| Held {
        role,
        scope: Scope::Part,
    });
    held.filter(|held| reset_matrix::resets(held.role))
        .collect()
}

fn resets_any(roles: &BTreeSet<Held>) -> bool {
    roles.iter().any(|held| reset_matrix::resets(held.role))
}

/// A role for a part of the tenant may cover an account or not: it is given the benefit of the doubt.
fn rights(
    own: &BTreeSet<Held>,
    assignments: &Assignments,
    groups: &AssignableGroups,
) -> ResetRights {
    let may = |rank: &Rank| own.iter().any(|held| reset_matrix::covers(held.role, rank));
    let ranks = assignments.ranks(groups).into_iter();
    ResetRights {
        everybody: (!resets_any(own)).then_some(ResetRole::UserAdministrator),
        accounts: ranks
            .filter(|(_, rank)| !may(rank))
            .map(|(id, rank)| (id, reset_matrix::role_for(&rank)))
            .collect(),
    }
}

fn identity(facts: TokenFacts, roles: Option<BTreeSet<Held>>) -> Identity {
    Identity {
        tenant_id: facts.tenant,
        object: facts.object,
        permissions: Some(facts.permissions),
        roles: roles.map(|roles| roles.into_iter().map(role_words).collect()),
    }
}

fn role_words(held: Held) -> String {
    let name = reset_matrix::name(held.role);
    let name = name.map_or_else(|| held.role.to_string(), str::to_owned);
    match held.scope {
        Scope::Tenant => name,
        Scope::Part => format!("{name} (for a part of the tenant)"),
    }
}

#[cfg(test)]
mod tests;
