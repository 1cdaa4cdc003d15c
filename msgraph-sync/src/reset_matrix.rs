//! Who may reset whose password.
//!
//! Source: Microsoft Entra "Privileged roles and permissions", section "Who can reset passwords", and
//! "Microsoft Entra built-in roles" for the template ids. A role that is not listed here, built-in or
//! custom, is one that only the two highest may reset.

use std::collections::BTreeSet;

use sync_engine::model::ResetRole;
use uuid::{Uuid, uuid};

const AUTHENTICATION_ADMINISTRATOR: Uuid = uuid!("c4e39bd9-1100-46d3-8c65-fb160da0071f");
const DIRECTORY_READERS: Uuid = uuid!("88d8e3e3-8f55-4a1e-953a-9b9898b8876b");
const GLOBAL_ADMINISTRATOR: Uuid = uuid!("62e90394-69f5-4237-9190-012177145e10");
const GROUPS_ADMINISTRATOR: Uuid = uuid!("fdd7a751-b60b-444a-984c-02652fe8fa1c");
const GUEST_INVITER: Uuid = uuid!("95e79109-95c0-4d8e-aee3-d01accf2d47b");
const HELPDESK_ADMINISTRATOR: Uuid = uuid!("729827e3-9c14-49f7-bb1b-9608f156bbb8");
const MESSAGE_CENTER_READER: Uuid = uuid!("790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b");
const PASSWORD_ADMINISTRATOR: Uuid = uuid!("966707d0-3269-4727-9be2-8c3a10f19b9d");
const PRIVILEGED_AUTHENTICATION_ADMINISTRATOR: Uuid = uuid!("7be44c8a-adaf-4e2a-84d6-ab2649e08a13");
const PRIVILEGED_ROLE_ADMINISTRATOR: Uuid = uuid!("e8611ab8-c189-46e8-94e1-60213ab1f814");
const REPORTS_READER: Uuid = uuid!("4a5d8f65-41da-4de4-8968-e035b65339cf");
const USAGE_SUMMARY_REPORTS_READER: Uuid = uuid!("75934031-6c7e-415a-99d7-48dbd49e875e");
const USER_ADMINISTRATOR: Uuid = uuid!("fe930be7-5e62-47db-91af-98c3a49a38b1");
const USER_EXPERIENCE_SUCCESS_MANAGER: Uuid = uuid!("27460883-1df1-4691-b032-3b79643e5e63");

/// A role that resets passwords, and the roles that a reset account may have.
struct Row {
    actor: Uuid,
    covers: Covers,
}

enum Covers {
    Everybody,
    UsersAnd(&'static [Uuid]),
}

static MATRIX: [Row; 6] = [
    Row {
        actor: PASSWORD_ADMINISTRATOR,
        covers: Covers::UsersAnd(&[DIRECTORY_READERS, GUEST_INVITER, PASSWORD_ADMINISTRATOR]),
    },
    Row {
        actor: HELPDESK_ADMINISTRATOR,
        covers: Covers::UsersAnd(&[
            DIRECTORY_READERS,
            GUEST_INVITER,
            HELPDESK_ADMINISTRATOR,
            MESSAGE_CENTER_READER,
            PASSWORD_ADMINISTRATOR,
            REPORTS_READER,
            USAGE_SUMMARY_REPORTS_READER,
            USER_EXPERIENCE_SUCCESS_MANAGER,
        ]),
    },
    Row {
        actor: AUTHENTICATION_ADMINISTRATOR,
        covers: Covers::UsersAnd(&[
            AUTHENTICATION_ADMINISTRATOR,
            DIRECTORY_READERS,
            GUEST_INVITER,
            MESSAGE_CENTER_READER,
            PASSWORD_ADMINISTRATOR,
            REPORTS_READER,
            USAGE_SUMMARY_REPORTS_READER,
            USER_EXPERIENCE_SUCCESS_MANAGER,
        ]),
    },
    Row {
        actor: USER_ADMINISTRATOR,
        covers: Covers::UsersAnd(&[
            DIRECTORY_READERS,
            GROUPS_ADMINISTRATOR,
            GUEST_INVITER,
            HELPDESK_ADMINISTRATOR,
            MESSAGE_CENTER_READER,
            PASSWORD_ADMINISTRATOR,
            REPORTS_READER,
            USAGE_SUMMARY_REPORTS_READER,
            USER_ADMINISTRATOR,
            USER_EXPERIENCE_SUCCESS_MANAGER,
        ]),
    },
    Row {
        actor: PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        covers: Covers::Everybody,
    },
    Row {
        actor: GLOBAL_ADMINISTRATOR,
        covers: Covers::Everybody,
    },
];

/// Names of the roles above, for people.
static NAMES: [(Uuid, &str); 14] = [
    (AUTHENTICATION_ADMINISTRATOR, "Authentication Administrator"),
    (DIRECTORY_READERS, "Directory Readers"),
    (GLOBAL_ADMINISTRATOR, "Global Administrator"),
    (GROUPS_ADMINISTRATOR, "Groups Administrator"),
    (GUEST_INVITER, "Guest Inviter"),
    (HELPDESK_ADMINISTRATOR, "Helpdesk Administrator"),
    (MESSAGE_CENTER_READER, "Message Center Reader"),
    (PASSWORD_ADMINISTRATOR, "Password Administrator"),
    (
        PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
        "Privileged Authentication Administrator",
    ),
    (
        PRIVILEGED_ROLE_ADMINISTRATOR,
        "Privileged Role Administrator",
    ),
    (REPORTS_READER, "Reports Reader"),
    (USAGE_SUMMARY_REPORTS_READER, "Usage Summary Reports Reader"),
    (USER_ADMINISTRATOR, "User Administrator"),
    (
        USER_EXPERIENCE_SUCCESS_MANAGER,
        "User Experience Success Manager",
    ),
];

/// What an account is in the eyes of the matrix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rank {
    /// Template ids of its directory roles, whatever their scope.
    pub(crate) roles: BTreeSet<Uuid>,
    /// Whether it is a member or an owner of a role-assignable group. Such an account is reset by the
    /// two highest roles only, whatever the group's own roles are.
    pub(crate) in_role_assignable_group: bool,
}

/// Whether somebody with this role may reset such an account. Two roles do not add up.
pub(crate) fn covers(actor: Uuid, account: &Rank) -> bool {
    let row = MATRIX.iter().find(|row| row.actor == actor);
    match row.map(|row| &row.covers) {
        None => false,
        Some(Covers::Everybody) => true,
        Some(Covers::UsersAnd(covered)) => {
            let known = |role| covered.contains(role);
            !account.in_role_assignable_group && account.roles.iter().all(known)
        }
    }
}

/// Whether this role resets any password at all.
pub(crate) fn resets(role: Uuid) -> bool {
    covers(role, &Rank::default())
}

/// The role to give an agent that may not reset such an account.
///
/// Source: Microsoft Graph, "Update user": app-only, at least User Administrator.
pub(crate) fn role_for(account: &Rank) -> ResetRole {
    if covers(USER_ADMINISTRATOR, account) {
        ResetRole::UserAdministrator
    } else {
        ResetRole::PrivilegedAuthenticationAdministrator
    }
}

/// A role's name; `None` for one that is not listed here.
pub(crate) fn name(role: Uuid) -> Option<&'static str> {
    NAMES
        .iter()
        .find_map(|(id, name)| (*id == role).then_some(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(roles: &[Uuid]) -> Rank {
        Rank {
            roles: roles.iter().copied().collect(),
            in_role_assignable_group: false,
        }
    }

    #[test]
    fn a_user_is_reset_by_all_six_and_by_nobody_else() {
        for row in &MATRIX {
            assert!(resets(row.actor), "{:?}", name(row.actor));
        }
        for other in [
            DIRECTORY_READERS,
            PRIVILEGED_ROLE_ADMINISTRATOR,
            Uuid::nil(),
        ] {
            assert!(!resets(other), "{other}");
        }
    }

    #[test]
    fn an_unknown_role_and_a_role_assignable_group_take_the_two_highest() {
        let grouped = Rank {
            in_role_assignable_group: true,
            ..Rank::default()
        };
        for account in [with(&[Uuid::from_u128(42)]), grouped] {
            let able: Vec<_> = MATRIX
                .iter()
                .filter(|row| covers(row.actor, &account))
                .map(|row| row.actor)
                .collect();
            let highest = [
                PRIVILEGED_AUTHENTICATION_ADMINISTRATOR,
                GLOBAL_ADMINISTRATOR,
            ];
            assert_eq!(able, highest);
            let needed = ResetRole::PrivilegedAuthenticationAdministrator;
            assert_eq!(role_for(&account), needed);
        }
    }

    #[test]
    fn one_role_that_is_not_covered_is_enough() {
        let helper = with(&[HELPDESK_ADMINISTRATOR]);
        assert!(covers(USER_ADMINISTRATOR, &helper));
        assert_eq!(role_for(&helper), ResetRole::UserAdministrator);
        let both = with(&[HELPDESK_ADMINISTRATOR, AUTHENTICATION_ADMINISTRATOR]);
        assert!(!covers(USER_ADMINISTRATOR, &both));
        assert!(!covers(AUTHENTICATION_ADMINISTRATOR, &both));
    }

    #[test]
    fn every_role_of_the_matrix_has_a_name() {
        for row in &MATRIX {
            assert!(name(row.actor).is_some(), "{}", row.actor);
            if let Covers::UsersAnd(covered) = &row.covers {
                assert!(covered.iter().all(|role| name(*role).is_some()));
            }
        }
        let needed = ResetRole::PrivilegedAuthenticationAdministrator;
        let id = PRIVILEGED_AUTHENTICATION_ADMINISTRATOR;
        assert_eq!(name(id), Some(needed.name()));
    }
}
