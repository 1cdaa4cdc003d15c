//! The vault's accounts as the tenant has them: which of them can be kept in step at all?

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sync_engine::explain::remedy;
use sync_engine::model::{
    BlockedReason, DirectoryView, Memory, ResetRole, SyncMode, VaultChanges, VaultView,
};
use sync_engine::plan::{self, Action, Decision, Policy, Rule};

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
    if tenant.domains().is_empty() {
        let because = "the domains of the tenant cannot be read";
        return vec![Check::skipped("accounts", because)];
    }
    let synced = at_first_contact(stored, tenant);
    if let Some(check) = another_tenant(&synced, tenant) {
        return vec![check];
    }
    let lacking = lacking(&synced, tenant);
    let mut checks = federated(&synced);
    checks.extend(left_alone(&synced));
    checks.extend(rights(&lacking));
    let out_of_reach = synced.iter().filter(|it| blocked(it).is_some()).count()
        + lacking.values().map(BTreeSet::len).sum::<usize>();
    let detail = match (synced.len(), out_of_reach) {
        (all, 0) => format!("{all} can be kept in step"),
        (all, out) => format!("{} of {all} can be kept in step", all.saturating_sub(out)),
    };
    checks.push(Check::fine("accounts", detail));
    checks
}

/// What the engine would decide if it met all of them for the first time: which accounts it leaves alone then has
/// nothing to do with what it remembers.
fn at_first_contact(stored: &VaultChanges, tenant: &DirectoryView) -> Vec<Decision> {
    let vault = VaultView::new(stored.clone());
    let (memory, policy) = (Memory::default(), Policy::default());
    let plan = plan::plan(&vault, tenant, &memory, &policy, Timestamp::now());
    let decisions = plan.decisions.into_iter();
    decisions
        .filter(|it| it.rule != Rule::NotProcessed)
        .collect()
}

fn blocked(decision: &Decision) -> Option<BlockedReason> {
    match decision.action {
        Action::Block(reason) => Some(reason),
        _ => None,
    }
}

fn another_tenant(synced: &[Decision], tenant: &DirectoryView) -> Option<Check> {
    let is_foreign = |it: &Decision| tenant.domain_kind(&it.user_name).is_none();
    if synced.is_empty() || !synced.iter().all(is_foreign) {
        return None;
    }
    let own: Vec<&str> = tenant.domains().keys().map(String::as_str).collect();
    Some(Check::fault(
        "tenant",
        format!(
            "none of the client's accounts is in a domain of this tenant, which has {}",
            own.join(", ")
        ),
        "is it the right tenant? correct client.microsoft.tenant, or the user names in the vault",
    ))
}

fn federated(synced: &[Decision]) -> Vec<Check> {
    let mut federated: BTreeMap<&str, usize> = BTreeMap::new();
    for it in synced {
        if let (Some(BlockedReason::Federated), Some(domain)) = (blocked(it), it.user_name.domain())
        {
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

/// Accounts that the engine leaves alone for other reasons. Envelopes that do not open are told with the vault.
fn left_alone(synced: &[Decision]) -> Vec<Check> {
    let mut alone: BTreeMap<BlockedReason, BTreeSet<&str>> = BTreeMap::new();
    for it in synced {
        match blocked(it) {
            None | Some(BlockedReason::Federated | BlockedReason::Unreadable) => {}
            Some(reason) => {
                let names = alone.entry(reason).or_default();
                names.insert(it.user_name.as_str());
            }
        }
    }
    let told = alone.into_iter().map(|(reason, names)| {
        let note = format!("{} left alone: {reason}", some_of(&names));
        Check::note("accounts", note, remedy::of_block(reason))
    });
    told.collect()
}

/// Whom the agent's roles do not cover. In Report mismatches no role is needed.
fn lacking<'a>(
    synced: &'a [Decision],
    tenant: &DirectoryView,
) -> BTreeMap<ResetRole, BTreeSet<&'a str>> {
    let mut lacking: BTreeMap<ResetRole, BTreeSet<&str>> = BTreeMap::new();
    let reached = synced
        .iter()
        .filter(|it| it.mode == SyncMode::Enabled && blocked(it).is_none());
    for it in reached {
        let account = tenant.resolve(&it.user_name);
        if let Some(role) = account.and_then(|account| tenant.lacking_role(account.id)) {
            lacking
                .entry(role)
                .or_default()
                .insert(it.user_name.as_str());
        }
    }
    lacking
}

fn rights(lacking: &BTreeMap<ResetRole, BTreeSet<&str>>) -> Vec<Check> {
    let told = lacking.iter().map(|(role, names)| {
        Check::fault(
            "rights",
            format!("the agent may not reset {}: it needs the role {role}", some_of(names)),
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

#[cfg(test)]
mod tests {
    use sync_engine::model::{
        Account, AccountAccess, AccountKind, ClientId, ClientSettings, CredentialId,
        DirectoryChanges, DomainKind, Domains, Mastered, ObjectId, Password, ResetRights,
        VaultCredential, VaultEpoch,
    };
    use uuid::Uuid;

    use super::*;
    use crate::doctor::Checked;

    fn stored(names: &[&str]) -> VaultChanges {
        let credential = |(n, name): (u128, &&str)| {
            let id = CredentialId(Uuid::from_u128(n));
            VaultCredential::new(
                id,
                name,
                SyncMode::Enabled,
                &Password::new("First-Passw0rd"),
            )
        };
        let client = ClientSettings::new(ClientId(Uuid::nil()), "Contoso");
        let credentials = (0..).zip(names).map(credential).collect();
        VaultChanges::full(VaultEpoch(Uuid::nil()), client, credentials)
    }

    fn account(n: u128, name: &str) -> Account {
        Account::member(ObjectId(Uuid::from_u128(n)), name, None)
    }

    fn domains() -> Domains {
        [
            ("contoso.com".to_owned(), DomainKind::Managed),
            ("fed.example".to_owned(), DomainKind::Federated),
        ]
        .into()
    }

    fn tenant(accounts: Vec<Account>, domains: Domains) -> DirectoryView {
        DirectoryView::new(DirectoryChanges::full(accounts), domains)
    }

    fn told(stored: &VaultChanges, tenant: &DirectoryView) -> Vec<String> {
        let each = examine(stored, tenant).into_iter();
        each.map(|check| match check.result {
            Checked::Fine { detail } => format!("fine: {detail}"),
            Checked::Note { note, .. } => format!("note: {note}"),
            Checked::Fault { fault, .. } => format!("fault: {fault}"),
            Checked::Skipped { because } => format!("skipped: {because}"),
        })
        .collect()
    }

    #[test]
    fn what_the_engine_leaves_alone_is_not_counted_as_kept_in_step() {
        let mut stored = stored(&[
            "anna@contoso.com",
            "guest@contoso.com",
            "off@contoso.com",
            "synced@contoso.com",
            "gone@contoso.com",
            "abroad@elsewhere.example",
            "twice@contoso.com",
            "twice@contoso.com",
            "fred@fed.example",
            "closed@contoso.com",
        ]);
        stored.credentials[9].facts = None;
        let tenant = tenant(
            vec![
                account(1, "anna@contoso.com"),
                Account {
                    kind: AccountKind::Guest,
                    ..account(2, "guest@contoso.com")
                },
                Account {
                    access: AccountAccess::Disabled,
                    ..account(3, "off@contoso.com")
                },
                Account {
                    mastered: Mastered::OnPremises,
                    ..account(4, "synced@contoso.com")
                },
                account(5, "twice@contoso.com"),
                account(6, "fred@fed.example"),
                account(7, "closed@contoso.com"),
            ],
            domains(),
        );
        let expected = [
            "fault: fed.example is federated: the passwords of 1 accounts are neither tested nor set",
            "note: abroad@elsewhere.example, gone@contoso.com left alone: no account in Entra ID has this user name",
            "note: guest@contoso.com left alone: the account is a guest of this tenant",
            "note: off@contoso.com left alone: the account is disabled in Entra ID",
            "note: synced@contoso.com left alone: the account is synced from an on-premises Active Directory",
            "note: twice@contoso.com left alone: another credential names the same account",
            "fine: 1 of 10 can be kept in step",
        ];
        assert_eq!(told(&stored, &tenant), expected);
    }

    #[test]
    fn whom_the_agent_may_not_reset_is_not_kept_in_step_either() {
        let stored = stored(&["anna@contoso.com", "boss@contoso.com"]);
        let accounts = vec![
            account(1, "anna@contoso.com"),
            account(2, "boss@contoso.com"),
        ];
        let mut tenant = tenant(accounts, domains());
        let role = ResetRole::PrivilegedAuthenticationAdministrator;
        tenant.set_reset_rights(ResetRights {
            everybody: None,
            accounts: [(ObjectId(Uuid::from_u128(2)), role)].into(),
        });
        let told = told(&stored, &tenant);
        assert!(told[0].starts_with("fault: the agent may not reset boss@contoso.com"));
        assert_eq!(told[1..], ["fine: 1 of 2 can be kept in step"]);
    }

    #[test]
    fn without_the_tenant_s_domains_nothing_is_said_of_accounts() {
        let tenant = tenant(vec![account(1, "anna@contoso.com")], Domains::default());
        let told = told(&stored(&["anna@contoso.com"]), &tenant);
        assert_eq!(told, ["skipped: the domains of the tenant cannot be read"]);
    }
}
