//! One tenant: its domains, applications and accounts, found by id and by name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::account::{Account, StoredPassword, whole_seconds};
use super::change::AccountChange;
use super::changes::{CREATED, ChangeLog, REMOVED};
use super::diary::{Deed, Diary, Line, digest};
use super::roles::Group;
use crate::counters::{TenantCounters, UserCounters};
use crate::entra::assertion::Accepted;
use crate::entra::client::ClientProof;
use crate::scenario::{
    AppSpec, Authentication, ClearText, DomainSpec, TenantSpec, UserSpec, Verification,
};

/// A tenant as the simulator keeps it.
#[derive(Debug)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// The initial domain first.
    pub(crate) domains: Vec<DomainSpec>,
    pub(crate) apps: HashMap<Uuid, AppSpec>,
    /// Those that can hold directory roles.
    pub(crate) groups: Vec<Group>,
    pub(crate) verification: Verification,
    pub(crate) replication_lag: SignedDuration,
    pub(crate) lockout_threshold: u32,
    pub(crate) token_lifetime: SignedDuration,
    pub(crate) delta_link_lifetime: SignedDuration,
    pub(crate) largest_page: usize,
    pub(crate) banned_words: Vec<String>,
    pub(crate) changes: ChangeLog,
    pub(crate) diary: Diary,
    /// Delta links of an older generation are no longer known.
    pub(crate) delta_generation: u32,
    pub(crate) reads: u64,
    pub(crate) delta_reads: u64,
    /// The claims with which every token must have been asked for.
    pub(crate) demanded_claims: Option<Map<String, Value>>,
    /// Ids of client assertions that were accepted.
    spent_assertions: HashSet<String>,
    accounts: BTreeMap<Uuid, Account>,
    by_name: HashMap<String, Uuid>,
    replicating: BTreeSet<(Timestamp, Uuid)>,
}

impl Tenant {
    pub(crate) fn new(spec: TenantSpec) -> Self {
        let initial = DomainSpec {
            name: spec.name.clone(),
            authentication: Authentication::Managed,
        };
        let mut tenant = Self {
            id: spec.tenant_id(),
            domains: std::iter::once(initial).chain(spec.domains).collect(),
            apps: spec
                .apps
                .into_iter()
                .map(|app| (app.client_id, app))
                .collect(),
            groups: spec
                .groups
                .into_iter()
                .map(|group| Group::new(&spec.name, group))
                .collect(),
            name: spec.name,
            verification: spec.verification,
            replication_lag: spec.replication_lag,
            lockout_threshold: spec.lockout_threshold,
            token_lifetime: spec.token_lifetime,
            delta_link_lifetime: spec.delta_link_lifetime,
            largest_page: spec.largest_page.map_or(usize::MAX, NonZeroUsize::get),
            banned_words: spec.banned_words,
            changes: ChangeLog::default(),
            diary: Diary::default(),
            delta_generation: 0,
            reads: 0,
            delta_reads: 0,
            demanded_claims: None,
            spent_assertions: HashSet::new(),
            accounts: BTreeMap::new(),
            by_name: HashMap::new(),
            replicating: BTreeSet::new(),
        };
        for user in spec.users {
            tenant.add(user);
        }
        tenant
    }

    /// Whether this is its id or the name of one of its domains.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        let mut domains = self.domains.iter();
        name == self.id.to_string() || domains.any(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// Whether a client assertion was presented before.
    pub(crate) fn has_seen(&self, assertion: &Accepted) -> bool {
        let id = assertion.id.as_ref();
        id.is_some_and(|id| self.spent_assertions.contains(id))
    }

    /// Remembers the assertion by which a client proved who it is.
    pub(crate) fn spend(&mut self, proof: &ClientProof) {
        if let ClientProof::Assertion(Accepted { id: Some(id) }) = proof {
            self.spent_assertions.insert(id.clone());
        }
    }

    /// The default domain: the first beside the initial one, or else that.
    pub(crate) fn default_domain(&self) -> &str {
        self.domains
            .get(1)
            .or(self.domains.first())
            .map_or(&self.name, |domain| &domain.name)
    }

    pub(crate) fn authentication_of(&self, user_principal_name: &str) -> Option<Authentication> {
        let domain = user_principal_name
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        let found = self
            .domains
            .iter()
            .find(|known| known.name.eq_ignore_ascii_case(domain));
        found.map(|domain| domain.authentication)
    }

    /// Creates an account, or replaces the one of the same id.
    pub(crate) fn add(&mut self, user: UserSpec) -> Uuid {
        let account = Account::new(&self.name, user);
        let id = account.id;
        self.by_name
            .insert(folded(&account.user_principal_name), id);
        self.accounts.insert(id, account);
        self.changes.note(id, &[CREATED]);
        id
    }

    /// Deletes an account; deltas report it as removed.
    pub(crate) fn remove(&mut self, id: Uuid) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.removed = true;
            self.by_name.remove(&folded(&account.user_principal_name));
            self.changes.note(id, &[REMOVED]);
        }
    }

    /// Changes properties of an account; false when the new name is taken.
    pub(crate) fn change(&mut self, id: Uuid, change: AccountChange) -> bool {
        let new_name = change.new_name();
        if new_name
            .as_ref()
            .and_then(|name| self.by_name.get(name))
            .is_some_and(|holder| *holder != id)
        {
            return false;
        }
        if let Some(account) = self.accounts.get_mut(&id) {
            self.by_name.remove(&folded(&account.user_principal_name));
            let touched = change.apply(account);
            self.by_name
                .insert(folded(&account.user_principal_name), id);
            if !touched.is_empty() {
                self.changes.note(id, &touched);
            }
        }
        true
    }

    /// Revokes every sign-in so far.
    pub(crate) fn revoke_sign_ins(&mut self, id: Uuid, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.sign_ins_valid_from = now;
        }
    }

    /// Sets a password: stamped now, visible after the replication lag; earlier sign-ins are revoked at once.
    pub(crate) fn set_password(
        &mut self,
        id: Uuid,
        secret: ClearText,
        must_change: bool,
        now: Timestamp,
    ) {
        let visible_at = now.checked_add(self.replication_lag).unwrap_or(now);
        if let Some(account) = self.accounts.get_mut(&id) {
            let password = StoredPassword {
                secret: Some(secret),
                stamp: whole_seconds(now),
                must_change,
            };
            account.write(password, visible_at);
            account.sign_ins_valid_from = now;
            self.replicating.insert((visible_at, id));
        }
        self.settle(now);
    }

    /// Counts a password that was set through Graph.
    pub(crate) fn count_write(&mut self, id: Uuid) {
        if let Some(account) = self.accounts.get_mut(&id) {
            account.counters.writes += 1;
        }
    }

    /// Whether a password is the one that was written last.
    pub(crate) fn has(&self, id: Uuid, password: &str) -> bool {
        self.get(id)
            .is_some_and(|account| account.is_set_to(password))
    }

    /// Notes what was done with a password of an account.
    pub(crate) fn note(&mut self, id: Uuid, password: &str, deed: Deed, now: Timestamp) {
        if let Some(account) = self.accounts.get(&id) {
            self.diary.add(Line {
                at: now,
                user: id,
                user_principal_name: account.user_principal_name.clone(),
                password: digest(password),
                deed,
            });
        }
    }

    /// Demands a change at the next sign-in, without a new password.
    pub(crate) fn demand_change(&mut self, id: Uuid, must_change: bool, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(&id) {
            let password = StoredPassword {
                must_change,
                ..account.latest().clone()
            };
            account.write(password, now);
            account.settle(now);
        }
    }

    /// Lets password changes that have replicated become visible.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while self.replicating.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, id)) = self.replicating.pop_first() else {
                return;
            };
            if self
                .accounts
                .get_mut(&id)
                .is_some_and(|account| account.settle(now))
            {
                self.changes.note(id, &["lastPasswordChangeDateTime"]);
            }
        }
    }

    /// An existing account by object id or user principal name.
    pub(crate) fn find(&self, key: &str) -> Option<&Account> {
        self.get(self.id_of(key)?)
    }

    pub(crate) fn find_mut(&mut self, key: &str) -> Option<&mut Account> {
        let id = self.id_of(key)?;
        self.accounts
            .get_mut(&id)
            .filter(|account| !account.removed)
    }

    pub(crate) fn get(&self, id: Uuid) -> Option<&Account> {
        self.accounts.get(&id).filter(|account| !account.removed)
    }

    /// An account or its tombstone.
    pub(crate) fn get_even_removed(&self, id: Uuid) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Existing accounts in the order of their ids, from behind `after` on.
    pub(crate) fn accounts_after(&self, after: Option<Uuid>) -> impl Iterator<Item = &Account> {
        let start = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        let range = self.accounts.range((start, std::ops::Bound::Unbounded));
        range
            .map(|(_, account)| account)
            .filter(|account| !account.removed)
    }

    /// How many accounts there are.
    pub(crate) fn size(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn counters(&self) -> TenantCounters {
        let mut sum = TenantCounters {
            reads: self.reads,
            delta_reads: self.delta_reads,
            ..TenantCounters::default()
        };
        for account in self
            .accounts
            .values()
            .filter(|account| account.counters != UserCounters::default())
        {
            sum.sign_ins += account.counters.sign_ins;
            sum.failed_sign_ins += account.counters.failed_sign_ins;
            sum.writes += account.counters.writes;
            sum.users
                .insert(account.user_principal_name.clone(), account.counters);
        }
        sum
    }

    fn id_of(&self, key: &str) -> Option<Uuid> {
        Uuid::try_parse(key)
            .ok()
            .or_else(|| self.by_name.get(&folded(key)).copied())
    }
}

/// Names compare without regard to case.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}
