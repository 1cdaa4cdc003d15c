//! The tenant's side: may the agent sign in, what may it do, and whom does that concern?

use jiff::Timestamp;
use msgraph_sync::{EntraDirectory, Finding, GraphError, Identity, Standing};
use sync_engine::model::{DirectoryView, Domains, VaultChanges};
use sync_engine::plan::Verification;
use sync_engine::ports::{Directory as _, DirectoryError};

use super::{Check, accounts, certificate, sign_in_test};

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
    checks.extend(of_standing(&standing));
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

fn of_standing(standing: &Standing) -> Vec<Check> {
    let mut checks: Vec<Check> = standing.findings.iter().map(of_finding).collect();
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

fn of_finding(finding: &Finding) -> Check {
    match finding {
        Finding::PermissionMissing { .. } => {
            Check::fault("permissions", finding.to_string(), finding.remedy())
        }
        Finding::NoRole => Check::fault("roles", finding.to_string(), finding.remedy()),
        _ => Check::note("rights", finding.to_string(), finding.remedy()),
    }
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
