//! A sign-in with a user's password: which answer the directory gives, and what it remembers of it.

use jiff::Timestamp;
use uuid::Uuid;

use super::refusal::{self, Refusal};
use super::resource::GRAPH_APP_ID;
use crate::directory::account::Account;
use crate::directory::tenant::Tenant;
use crate::scenario::{Authentication, Behaviour, Verification};

/// Refuses password grants in a tenant that does not let them reach a password.
pub(super) fn check_tenant(tenant: &Tenant) -> Result<(), Refusal> {
    match tenant.verification {
        Verification::Allowed => Ok(()),
        Verification::PublicClientDisabled => Err(Refusal::of(&refusal::MISSING_SECRET)),
        Verification::SecurityDefaults => Err(Refusal::of(&refusal::SECURITY_DEFAULTS)),
    }
}

/// The account's object id when the password signs in.
pub(super) fn sign_in(
    tenant: &mut Tenant,
    user: &str,
    password: &str,
    now: Timestamp,
) -> Result<Uuid, Refusal> {
    let account = check_first_factor(tenant, user, password, now)?;
    check_after_password(account)?;
    Ok(account.id)
}

/// The same where a person is there to give, or to register, a second factor.
pub(super) fn interactive(
    tenant: &mut Tenant,
    user: &str,
    password: &str,
    now: Timestamp,
) -> Result<Uuid, Refusal> {
    let account = check_first_factor(tenant, user, password, now)?;
    match account.behaviour {
        Behaviour::Mfa | Behaviour::MfaEnrolment => {}
        _ => check_after_password(account)?,
    }
    Ok(account.id)
}

fn check_first_factor<'t>(
    tenant: &'t mut Tenant,
    user: &str,
    password: &str,
    now: Timestamp,
) -> Result<&'t Account, Refusal> {
    let federated = tenant.authentication_of(user) == Some(Authentication::Federated);
    let (threshold, directory) = (tenant.lockout_threshold, tenant.id.to_string());
    let account = tenant
        .find_mut(user)
        .ok_or_else(|| Refusal::with(&refusal::UNKNOWN_USER, &[directory.as_str()]))?;
    account.counters.sign_ins += 1;
    check_before_password(account, now)?;
    if federated {
        // Entra holds no password of a federated account, so nothing is counted towards a lock.
        account.counters.failed_sign_ins += 1;
        return Err(Refusal::of(&refusal::WRONG_PASSWORD));
    }
    check_password(account, password, threshold, now)?;
    Ok(account)
}

/// Answers that are given whatever the password.
fn check_before_password(account: &Account, now: Timestamp) -> Result<(), Refusal> {
    if account.behaviour == Behaviour::Locked || account.lockout.is_locked(now) {
        return Err(Refusal::of(&refusal::LOCKED));
    }
    if account.behaviour == Behaviour::NoSignInTest {
        return Err(Refusal::of(&refusal::NOT_ASSIGNED));
    }
    if !account.enabled {
        return Err(Refusal::of(&refusal::DISABLED));
    }
    Ok(())
}

fn check_password(
    account: &mut Account,
    password: &str,
    threshold: u32,
    now: Timestamp,
) -> Result<(), Refusal> {
    if account.visible().secret.is_none() {
        return Err(Refusal::of(&refusal::NO_PASSWORD));
    }
    if !account.accepts(password) {
        account.counters.failed_sign_ins += 1;
        account.lockout.failed(password, now, threshold);
        return Err(Refusal::of(&refusal::WRONG_PASSWORD));
    }
    account.lockout.succeeded();
    Ok(())
}

/// Interrupts that only the right password meets.
fn check_after_password(account: &Account) -> Result<(), Refusal> {
    if account.visible().must_change {
        return Err(Refusal::of(&refusal::EXPIRED));
    }
    match account.behaviour {
        Behaviour::Expired => Err(Refusal::of(&refusal::EXPIRED)),
        Behaviour::Mfa => Err(Refusal::with(&refusal::SECOND_FACTOR, &[GRAPH_APP_ID])),
        Behaviour::MfaEnrolment => Err(Refusal::with(
            &refusal::SECOND_FACTOR_ENROLMENT,
            &[GRAPH_APP_ID],
        )),
        Behaviour::ConditionalAccess => Err(Refusal::of(&refusal::CONDITIONAL_ACCESS)),
        Behaviour::Normal | Behaviour::Locked | Behaviour::NoSignInTest => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{TenantSpec, UserSpec};
    use jiff::SignedDuration;

    const RIGHT: &str = "Right-Passw0rd";

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn tenant(user: UserSpec) -> Tenant {
        let spec = TenantSpec::new("contoso.onmicrosoft.com")
            .domain("contoso.com", Authentication::Managed)
            .domain("federated.example", Authentication::Federated);
        Tenant::new(spec.user(user))
    }

    fn code(tenant: &mut Tenant, user: &str, password: &str) -> Option<u32> {
        sign_in(tenant, user, password, now())
            .err()
            .map(|refusal| refusal.code())
    }

    fn code_of(behaviour: Behaviour, password: &str) -> Option<u32> {
        let mut tenant = tenant(UserSpec::new("anna@contoso.com", RIGHT).behaviour(behaviour));
        code(&mut tenant, "Anna@Contoso.com", password)
    }

    #[test]
    fn each_behaviour_answers_the_right_password_with_its_own_code() {
        let answers = [
            (Behaviour::Normal, None),
            (Behaviour::Mfa, Some(50_076)),
            (Behaviour::MfaEnrolment, Some(50_079)),
            (Behaviour::ConditionalAccess, Some(53_003)),
            (Behaviour::Expired, Some(50_055)),
            (Behaviour::Locked, Some(50_053)),
            (Behaviour::NoSignInTest, Some(50_105)),
        ];
        for (behaviour, expected) in answers {
            assert_eq!(code_of(behaviour, RIGHT), expected, "{behaviour:?}");
        }
    }

    #[test]
    fn an_interrupt_never_hides_a_wrong_password() {
        for behaviour in [
            Behaviour::Normal,
            Behaviour::Mfa,
            Behaviour::ConditionalAccess,
            Behaviour::Expired,
        ] {
            assert_eq!(code_of(behaviour, "wrong"), Some(50_126), "{behaviour:?}");
        }
        assert_eq!(code_of(Behaviour::Locked, "wrong"), Some(50_053));
    }

    #[test]
    fn unknown_disabled_federated_and_passwordless_accounts_are_told_apart() {
        let mut contoso = tenant(UserSpec::new("off@contoso.com", RIGHT).disabled());
        assert_eq!(
            code(&mut contoso, "nobody@contoso.com", RIGHT),
            Some(50_034)
        );
        assert_eq!(code(&mut contoso, "off@contoso.com", RIGHT), Some(50_057));
        let mut federated = tenant(UserSpec::new("fred@federated.example", RIGHT));
        assert_eq!(
            code(&mut federated, "fred@federated.example", RIGHT),
            Some(50_126)
        );
        let mut empty = tenant(UserSpec {
            password: None,
            ..UserSpec::new("key@contoso.com", "")
        });
        assert_eq!(code(&mut empty, "key@contoso.com", RIGHT), Some(50_056));
    }

    #[test]
    fn a_locked_account_refuses_the_right_password_until_its_window_ends() {
        let mut tenant = tenant(UserSpec::new("anna@contoso.com", RIGHT));
        for attempt in 0..10 {
            assert_eq!(
                code(&mut tenant, "anna@contoso.com", &format!("wrong {attempt}")),
                Some(50_126)
            );
        }
        assert_eq!(code(&mut tenant, "anna@contoso.com", RIGHT), Some(50_053));
        let later = now() + SignedDuration::from_secs(60);
        assert!(sign_in(&mut tenant, "anna@contoso.com", RIGHT, later).is_ok());
    }

    #[test]
    fn the_old_password_signs_in_until_the_change_has_replicated() {
        let mut tenant = tenant(UserSpec::new("anna@contoso.com", RIGHT));
        tenant.replication_lag = SignedDuration::from_secs(30);
        let id = tenant.find("anna@contoso.com").unwrap().id;
        tenant.set_password(id, "New-Passw0rd".into(), false, now());
        assert_eq!(code(&mut tenant, "anna@contoso.com", RIGHT), None);
        assert_eq!(
            code(&mut tenant, "anna@contoso.com", "New-Passw0rd"),
            Some(50_126)
        );
        tenant.settle(now() + SignedDuration::from_secs(30));
        assert_eq!(code(&mut tenant, "anna@contoso.com", "New-Passw0rd"), None);
    }
}
