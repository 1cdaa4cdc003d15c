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

/// Whether somebody with `actor` roles may reset an account with `target` roles; one actor role must cover them all.
pub(super) fn may_reset(actor: &[String], target: &[String]) -> bool {
    actor.iter().any(|role| covers(role, target))
}

fn covers(actor: &str, target: &[String]) -> bool {
    let covered = match actor {
        "Global Administrator" | "Privileged Authentication Administrator" => return true,
        "Password Administrator" => PASSWORD,
        "Helpdesk Administrator" => HELPDESK,
        "Authentication Administrator" => AUTHENTICATION,
        "User Administrator" => USER,
        _ => return false,
    };
    target.iter().all(|role| covered.contains(&role.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(actor: &[&str], target: &[&str]) -> bool {
        let owned = |roles: &[&str]| roles.iter().map(ToString::to_string).collect::<Vec<_>>();
        may_reset(&owned(actor), &owned(target))
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
    fn two_roles_do_not_add_up() {
        let both = ["Authentication Administrator", "Helpdesk Administrator"];
        assert!(!may(&both, &both));
    }
}
