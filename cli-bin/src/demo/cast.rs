//! Who takes part in the demo: one account for each case that the engine knows.

use entra_sim::{Behaviour, UserSpec};
use passportal_client::wire::SyncMode;

use super::random;

/// The account whose password is changed in the vault.
pub(super) const CHANGED_IN_VAULT: &str = "anna@contoso.com";
/// The account whose password is changed in the directory.
pub(super) const CHANGED_IN_DIRECTORY: &str = "dora@contoso.com";

/// A stored password, and the account that it is for.
pub(super) struct Part {
    pub(super) user_name: String,
    pub(super) description: String,
    pub(super) mode: Option<SyncMode>,
    /// What the vault holds.
    pub(super) password: String,
    /// What the directory holds; `None` where it has no such account, or another part has it.
    pub(super) account: Option<UserSpec>,
}

impl Part {
    /// A password that both sides agree on.
    fn agreeing(name: &str, description: &str) -> Self {
        let password = random::password();
        let user_name = format!("{name}@contoso.com");
        Self {
            account: Some(UserSpec::new(&user_name, &password)),
            user_name,
            description: description.to_owned(),
            mode: None,
            password,
        }
    }

    /// A password that the directory does not have.
    fn differing(name: &str, description: &str) -> Self {
        Self {
            password: random::password(),
            ..Self::agreeing(name, description)
        }
    }

    fn behaving(name: &str, description: &str, behaviour: Behaviour) -> Self {
        Self::agreeing(name, description).with(|account| account.behaviour(behaviour))
    }

    fn with(self, change: impl FnOnce(UserSpec) -> UserSpec) -> Self {
        Self {
            account: self.account.map(change),
            ..self
        }
    }

    fn mode(self, mode: SyncMode) -> Self {
        Self {
            mode: Some(mode),
            ..self
        }
    }

    fn storing(self, password: String) -> Self {
        Self { password, ..self }
    }

    fn in_domain(self, domain: &str) -> Self {
        let local = self.user_name.split('@').next().unwrap_or_default();
        let user_name = format!("{local}@{domain}");
        Self {
            account: Some(UserSpec::new(&user_name, &random::password())),
            user_name,
            ..self
        }
    }

    fn without_account(self) -> Self {
        Self {
            account: None,
            ..self
        }
    }
}

/// The client's credentials: one for each case, and as many plain ones as were asked for.
pub(super) fn client(plain: u16) -> Vec<Part> {
    let mut parts = written();
    parts.extend(judged());
    parts.extend(left_alone());
    parts.extend(
        (1..=plain)
            .map(|number| Part::agreeing(&format!("user{number:04}"), "the same on both sides")),
    );
    parts
}

/// The company vault's own passwords. Its Microsoft sync is off, as in a new organization.
pub(super) fn company() -> Vec<Part> {
    vec![
        Part::agreeing("firewall", "the firewall's administrator").without_account(),
        Part::agreeing("backup", "the backup's encryption key").without_account(),
    ]
}

/// What the engine checks, writes and flags.
fn written() -> Vec<Part> {
    vec![
        Part::agreeing("anna", "the same on both sides"),
        Part::differing("ben", "differs at first contact, Enabled"),
        Part::differing("cleo", "differs, Report mismatches").mode(SyncMode::ReportMismatches),
        Part::agreeing("dora", "the same, Report mismatches").mode(SyncMode::ReportMismatches),
    ]
}

/// Sign-ins that do not pass and still say something.
fn judged() -> Vec<Part> {
    vec![
        Part::behaving("emil-mfa", "needs a second factor", Behaviour::Mfa),
        Part::behaving(
            "fay-policy",
            "stopped by Conditional Access",
            Behaviour::ConditionalAccess,
        ),
        Part::behaving("gus-expired", "expired in Entra ID", Behaviour::Expired),
        Part::behaving("hana-locked", "locked by smart lockout", Behaviour::Locked),
        Part::behaving(
            "ivo-untestable",
            "not assigned to the app of the sign-in test",
            Behaviour::NoSignInTest,
        ),
        Part::differing("jana-weak", "too weak for Entra ID").storing(random::weak_password()),
        Part::differing("kai-space", "a space at its end")
            .storing(format!("{} ", random::password())),
    ]
}

/// Accounts whose password is not ours to set.
fn left_alone() -> Vec<Part> {
    vec![
        Part::differing("lena-disabled", "disabled in Entra ID").with(UserSpec::disabled),
        Part::differing("milo-guest", "an invited guest").with(UserSpec::guest),
        Part::differing("nina-onprem", "synced from on-premises").with(UserSpec::on_premises),
        Part::differing("otto", "federated").in_domain("fed.contoso.com"),
        Part::differing("pia-gone", "no such account").without_account(),
        Part::differing("quinn-twin", "stored twice"),
        Part::differing("quinn-twin", "stored twice").without_account(),
        Part::differing("rosa-off", "mode Off").mode(SyncMode::Off),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cast_is_large_enough_and_the_tours_accounts_are_in_it() {
        let cast = client(3);
        assert!(cast.len() >= 12 + 3);
        for name in [CHANGED_IN_VAULT, CHANGED_IN_DIRECTORY] {
            let part = cast.iter().find(|part| part.user_name == name).unwrap();
            assert!(part.account.is_some());
        }
    }

    #[test]
    fn no_account_stands_twice_in_the_directory() {
        let mut names: Vec<String> = client(3)
            .into_iter()
            .filter_map(|part| Some(part.account?.user_principal_name))
            .collect();
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
