//! Who may reset whose password.
//!
//! Source: Microsoft Entra privileged roles and permissions, "Who can reset passwords".

const PASSWORD: &[&str] = &[
    "Directory Readers",
    "Guest Inviter",
    "Password Administrator",
];
const HELPDESK: &[&str] = &[
    "Directory Readers",
    "Guest Inviter",
    "Helpdesk Administrator",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "Usage Summary Reports Reader",
    "User Experience Success Manager",
];
const AUTHENTICATION: &[&str] = &[
    "Authentication Administrator",
    "Directory Readers",
    "Guest Inviter",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "Usage Summary Reports Reader",
    "User Experience Success Manager",
];
const USER: &[&str] = &[
    "Directory Readers",
    "Groups Administrator",
    "Guest Inviter",
    "Helpdesk Administrator",
    "Message Center Reader",
    "Password Administrator",
    "Reports Reader",
    "Usage Summary Reports Reader",
    "User Administrator",
    "User Experience Success Manager",
];

/// Whom a password is to be reset of.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) roles: Vec<String>,
    /// Members and owners of a role-assignable group are reset by the two highest roles only.
    pub(super) in_assignable_group: bool,
}

/// Whether somebody with `actor` roles may reset such an account; one of these roles must cover all of its.
pub(super) fn may_reset(actor: &[String], target: &Target) -> bool {
    actor.iter().any(|role| covers(role, target))
}

fn covers(actor: &str, target: &Target) -> bool {
    let covered = match actor {
        "Global Administrator" | "Privileged Authentication Administrator" => return true,
        "Password Administrator" => PASSWORD,
        "Helpdesk Administrator" => HELPDESK,
        "Authentication Administrator" => AUTHENTICATION,
        "User Administrator" => USER,
        _ => return false,
    };
    let is_covered = |role: &String| covered.contains(&role.as_str());
    !target.in_assignable_group && target.roles.iter().all(is_covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(actor: &[&str], target: &[&str]) -> bool {
        let owned = |roles: &[&str]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
        let target = Target {
            roles: owned(target),
            in_assignable_group: false,
        };
        may_reset(&owned(actor), &target)
    }

    #[test]
    fn an_ordinary_account_is_reset_by_every_administrator_of_passwords_and_nobody_else() {
        assert!(may(&["User Administrator"], &[]));
        assert!(may(&["Helpdesk Administrator"], &[]));
        assert!(!may(&["Directory Readers"], &[]));
        assert!(!may(&[], &[]));
    }

    #[test]
    fn administrators_are_reset_only_by_those_above_them() {
        assert!(!may(&["User Administrator"], &["Global Administrator"]));
        assert!(!may(
            &["User Administrator"],
            &["Authentication Administrator"]
        ));
        assert!(may(
            &["Privileged Authentication Administrator"],
            &["Global Administrator"]
        ));
        assert!(!may(&["Helpdesk Administrator"], &["User Administrator"]));
        assert!(may(
            &["User Administrator"],
            &["User Administrator", "Groups Administrator"]
        ));
    }

    #[test]
    fn whoever_is_in_a_role_assignable_group_is_reset_by_the_two_highest() {
        let target = Target {
            in_assignable_group: true,
            ..Target::default()
        };
        for (actor, may) in [
            ("User Administrator", false),
            ("Authentication Administrator", false),
            ("Privileged Authentication Administrator", true),
            ("Global Administrator", true),
        ] {
            assert_eq!(may_reset(&[actor.to_owned()], &target), may, "{actor}");
        }
    }

    #[test]
    fn two_roles_do_not_add_up() {
        let both = ["Authentication Administrator", "Helpdesk Administrator"];
        assert!(!may(&both, &both));
    }
}
