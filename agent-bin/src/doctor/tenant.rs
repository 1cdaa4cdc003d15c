//! The tenant's side: may the agent sign in, what may it do, and whom does that concern?

use jiff::Timestamp;
use msgraph_sync::{EntraDirectory, Finding, GraphError, Identity, Standing};
use sync_engine::model::{
    DirectoryView, Domains, Standing as VaultStanding, SyncMode, VaultChanges, VaultCredential,
};
use sync_engine::plan::Verification;
use sync_engine::ports::{Directory as _, DirectoryError};

use super::{Check, accounts, certificate, sign_in_test};

/// Whether the client's passwords are ever set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writes {
    Wanted,
    /// Every credential in use only reports mismatches.
    Never,
}

impl Writes {
    fn of(stored: Option<&VaultChanges>) -> Self {
        let all = stored.map_or(&[][..], |stored| &stored.credentials);
        let in_use = |it: &&VaultCredential| {
            it.standing == VaultStanding::Active && it.mode != SyncMode::Off
        };
        let mut in_use = all.iter().filter(in_use).peekable();
        let some = in_use.peek().is_some();
        if some && in_use.all(|it| it.mode == SyncMode::ReportMismatches) {
            Self::Never
        } else {
            Self::Wanted
        }
    }
}

/// What rests on the sign-in, in order.
const LATER: [&str; 4] = ["permissions", "roles", "accounts", "sign-in test"];

/// Adds what was found.
pub(super) async fn examine(
    directory: &EntraDirectory,
    test: Verification,
    stored: Option<&VaultChanges>,
    checks: &mut Vec<Check>,
) {
    checks.extend(certificate::examine(directory, Timestamp::now()));
    if let Err(ended) = sign_in(directory, checks).await {
        checks.extend(ended);
        return;
    }
    checks.push(clock(directory));
    let standing = match directory.standing().await {
        Ok(standing) => standing,
        Err(error) => {
            checks.push(Check::failed("roles", &error));
            Standing::default()
        }
    };
    checks.extend(of_standing(&standing, Writes::of(stored)));
    checks.extend(organization(directory, &standing.identity).await);
    let domains = match directory.domains().await {
        Ok(domains) => domains,
        Err(error) => {
            checks.push(unless_told("domains", &error, &standing));
            Domains::default()
        }
    };
    checks.extend(whom(directory, &domains, &standing, stored).await);
    checks.push(sign_in_test::examine(directory, test, &domains).await);
}

/// # Errors
/// What was found, where nothing can be found beyond it.
async fn sign_in(directory: &EntraDirectory, checks: &mut Vec<Check>) -> Result<(), Vec<Check>> {
    let skipped = |names: &[&'static str], why: &str| -> Vec<Check> {
        names.iter().map(|name| Check::skipped(name, why)).collect()
    };
    match directory.check_consent().await {
        Ok(()) => {
            checks.push(Check::fine("sign-in", "Entra ID gives the agent a token"));
            Ok(())
        }
        Err(error @ GraphError::NoConsent) => {
            checks.push(Check::fine("sign-in", "Entra ID gives the agent a token"));
            checks.push(Check::failed("permissions", &error));
            Err(skipped(&LATER[1..], "the app has no permission"))
        }
        Err(
            error @ (GraphError::CertificateExpired { .. }
            | GraphError::CertificateNotYetValid { .. }),
        ) => {
            checks.push(Check::failed(certificate::NAME, &error));
            let sign_in = skipped(&["sign-in"], "nothing is sent with such a certificate");
            let later = skipped(&LATER, "the agent cannot sign in");
            Err(sign_in.into_iter().chain(later).collect())
        }
        Err(error @ GraphError::ClockOff { .. }) => {
            checks.push(Check::failed("clock", &error));
            Err(skipped(&LATER, "the agent cannot sign in"))
        }
        Err(error) => {
            checks.push(Check::failed("sign-in", &error));
            Err(skipped(&LATER, "the agent cannot sign in"))
        }
    }
}

fn clock(directory: &EntraDirectory) -> Check {
    match directory.clock_skew() {
        Ok(skew) => {
            let seconds = skew.as_secs().unsigned_abs();
            Check::fine("clock", format!("within {seconds} s of the service's"))
        }
        Err(error) => Check::failed("clock", &error),
    }
}

fn of_standing(standing: &Standing, writes: Writes) -> Vec<Check> {
    let findings = standing.findings.iter();
    let mut checks: Vec<Check> = findings.map(|it| of_finding(it, writes)).collect();
    let found = |name| checks.iter().any(|check| check.name == name);
    let (permissions, roles) = (found("permissions"), found("roles"));
    let Identity {
        permissions: held,
        roles: own,
        ..
    } = &standing.identity;
    if let (false, Some(held)) = (permissions, held) {
        checks.push(Check::fine("permissions", words(held)));
    }
    if let (false, Some(own)) = (roles, own) {
        checks.push(Check::fine("roles", words(own)));
    }
    checks
}

fn words<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    names.join(", ")
}

fn of_finding(finding: &Finding, writes: Writes) -> Check {
    let name = match finding {
        Finding::PermissionMissing { .. } => "permissions",
        Finding::NoRole => "roles",
        _ => return Check::note("rights", finding.to_string(), finding.remedy()),
    };
    if finding.forbids_writes() && writes == Writes::Never {
        let note = format!("{finding}; this client only reports mismatches, which takes neither");
        return Check::note(name, note, finding.remedy());
    }
    Check::fault(name, finding.to_string(), finding.remedy())
}

/// Nothing depends on it: where it may not be read, it is left out.
async fn organization(directory: &EntraDirectory, identity: &Identity) -> Option<Check> {
    if !identity.may_read_organization()? {
        let id = identity.tenant_id?;
        return Some(Check::fine("tenant", id.to_string()));
    }
    Some(match directory.organization().await {
        Ok(tenant) => {
            let licence = tenant.licence.unwrap_or("Microsoft Entra ID Free");
            let (name, id) = (tenant.name, tenant.id);
            Check::fine("tenant", format!("{name}, {id}, {licence}"))
        }
        Err(error) => Check::failed("tenant", &error),
    })
}

/// Whom of the vault's accounts it concerns.
async fn whom(
    directory: &EntraDirectory,
    domains: &Domains,
    standing: &Standing,
    stored: Option<&VaultChanges>,
) -> Vec<Check> {
    let changes = match directory.changes(None).await {
        Ok(changes) => changes,
        Err(error) => return vec![unless_told("accounts", &error, standing)],
    };
    let Some(stored) = stored else {
        return vec![Check::skipped("accounts", "the vault cannot be read")];
    };
    let mut view = DirectoryView::new(changes, domains.clone());
    view.set_reset_rights(standing.rights.clone());
    accounts::examine(stored, &view)
}

/// A permission that is missing is told once.
fn unless_told(name: &'static str, error: &DirectoryError, standing: &Standing) -> Check {
    let is_missing = |it: &Finding| matches!(it, Finding::PermissionMissing { .. });
    match error {
        DirectoryError::NotAuthorised(_) if standing.findings.iter().any(is_missing) => {
            Check::skipped(name, "the app lacks a permission")
        }
        _ => Check::failed(name, error),
    }
}

#[cfg(test)]
mod tests {
    use sync_engine::model::{ClientId, ClientSettings, CredentialId, Password, VaultEpoch};
    use uuid::Uuid;

    use super::*;

    fn stored(modes: &[SyncMode]) -> VaultChanges {
        let credential = |(n, mode): (u128, &SyncMode)| {
            let id = CredentialId(Uuid::from_u128(n));
            VaultCredential::new(
                id,
                "anna@contoso.com",
                *mode,
                &Password::new("First-Passw0rd"),
            )
        };
        let client = ClientSettings::new(ClientId(Uuid::nil()), "Contoso");
        let credentials = (0..).zip(modes).map(credential).collect();
        VaultChanges::full(VaultEpoch(Uuid::nil()), client, credentials)
    }

    fn no_role() -> Standing {
        Standing {
            findings: vec![Finding::NoRole],
            ..Standing::default()
        }
    }

    #[test]
    fn an_agent_that_only_reports_mismatches_needs_no_role() {
        let is_fault = |modes: &[SyncMode]| {
            let checks = of_standing(&no_role(), Writes::of(Some(&stored(modes))));
            assert_eq!(checks[0].name, "roles");
            checks[0].is_fault()
        };
        assert!(!is_fault(&[SyncMode::ReportMismatches, SyncMode::Off]));
        assert!(is_fault(&[SyncMode::ReportMismatches, SyncMode::Enabled]));
        assert!(is_fault(&[]), "nothing says that nothing will be set");
        assert!(of_standing(&no_role(), Writes::of(None))[0].is_fault());
    }
}
