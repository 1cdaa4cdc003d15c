//! The vault's accounts as the tenant has them: which of them can be kept in step at all?

use std::collections::{BTreeMap, BTreeSet};

use sync_engine::model::{
    DirectoryView, DomainKind, ResetRole, Standing, SyncMode, VaultChanges, VaultCredential,
};

use super::Check;

/// So many user names are told; of more, their number.
const NAMED: usize = 3;

/// What is to be said of them.
pub(super) fn examine(stored: &VaultChanges, tenant: &DirectoryView) -> Vec<Check> {
    if !stored.client.is_switched_on() {
        let remedy = "unmute the client and set its Microsoft sync, if that is not meant";
        let note = "the client is muted, or its Microsoft sync is off: nothing is done for it";
        return vec![Check::note("accounts", note, remedy)];
    }
    let synced: Vec<&VaultCredential> = stored
        .credentials
        .iter()
        .filter(|it| it.standing == Standing::Active && it.mode != SyncMode::Off)
        .collect();
    let mut checks: Vec<Check> = domains(&synced, tenant);
    checks.extend(missing(&synced, tenant));
    checks.extend(rights(&synced, tenant));
    if checks.is_empty() {
        let detail = format!("{} can be kept in step", synced.len());
        checks.push(Check::fine("accounts", detail));
    }
    checks
}

fn domains(synced: &[&VaultCredential], tenant: &DirectoryView) -> Vec<Check> {
    let kind = |it: &VaultCredential| tenant.domain_kind(&it.user_name);
    if tenant.domains().is_empty() {
        return Vec::new();
    }
    let foreign: Vec<_> = synced.iter().filter(|it| kind(it).is_none()).collect();
    if !foreign.is_empty() && foreign.len() == synced.len() {
        let own: Vec<&str> = tenant.domains().keys().map(String::as_str).collect();
        return vec![Check::fault(
            "tenant",
            format!(
                "none of the client's accounts is in a domain of this tenant, which has {}",
                own.join(", ")
            ),
            "is it the right tenant? correct client.microsoft.tenant, or the user names in the vault",
        )];
    }
    let mut federated: BTreeMap<&str, usize> = BTreeMap::new();
    for it in synced {
        if let (Some(DomainKind::Federated), Some(domain)) = (kind(it), it.user_name.domain()) {
            *federated.entry(domain).or_default() += 1;
        }
    }
    let told = federated.into_iter().map(|(domain, count)| {
        Check::fault(
            "domains",
            format!(
                "{domain} is federated: the passwords of {count} accounts are neither tested nor set"
            ),
            "change them at the domain's own identity provider and switch these credentials Off, or convert the domain to managed",
        )
    });
    told.collect()
}

fn missing(synced: &[&VaultCredential], tenant: &DirectoryView) -> Option<Check> {
    let gone = |it: &&&VaultCredential| {
        tenant.domain_kind(&it.user_name).is_some() && tenant.resolve(&it.user_name).is_none()
    };
    let names: BTreeSet<&str> = synced
        .iter()
        .filter(gone)
        .map(|it| it.user_name.as_str())
        .collect();
    (!names.is_empty()).then(|| {
        Check::note(
            "accounts",
            format!("the tenant has no account {}", some_of(&names)),
            "correct the user names in the vault, or switch these credentials Off",
        )
    })
}

/// In Report mismatches no role is needed.
fn rights(synced: &[&VaultCredential], tenant: &DirectoryView) -> Vec<Check> {
    let mut lacking: BTreeMap<ResetRole, BTreeSet<&str>> = BTreeMap::new();
    for it in synced.iter().filter(|it| it.mode == SyncMode::Enabled) {
        let account = tenant.resolve(&it.user_name);
        if let Some(role) = account.and_then(|account| tenant.lacking_role(account.id)) {
            lacking
                .entry(role)
                .or_default()
                .insert(it.user_name.as_str());
        }
    }
    let told = lacking.into_iter().map(|(role, names)| {
        Check::fault(
            "rights",
            format!("the agent may not reset {}: it needs the role {role}", some_of(&names)),
            format!("assign the directory role {role} to the app, or set these credentials to Report mismatches"),
        )
    });
    told.collect()
}

fn some_of(names: &BTreeSet<&str>) -> String {
    let first: Vec<&str> = names.iter().take(NAMED).copied().collect();
    let first = first.join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
