//! The tenant as it truly is, and as its replicas remember it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use sync_engine::model::{
    Account, AccountAccess, AccountKind, DeltaLink, DirectoryChanges, DomainKind, Domains, Extent,
    Mastered, ObjectId, Password, Stamp, UnknownReason, UserPrincipalName,
};
use uuid::Uuid;

use crate::time::{MINUTE, Moment};

/// Failed sign-ins after which an account is locked.
/// Source: Microsoft Entra smart lockout, default threshold.
pub(crate) const LOCKOUT_THRESHOLD: u32 = 10;

/// How long the first lockout lasts; each further one twice as long.
const LOCKOUT: u64 = MINUTE;

/// One account with its history.
#[derive(Debug)]
pub(crate) struct User {
    /// What it was from when on; `None` once it was deleted.
    history: Vec<(Moment, Option<Account>)>,
    /// Its passwords, and since when.
    passwords: Vec<(Moment, String)>,
    /// Why a sign-in test says nothing about its password: multi-factor authentication or
    /// conditional access.
    pub(crate) silent: Option<UnknownReason>,
    /// Failed sign-ins since the last good one.
    failed: u32,
    /// Those of them that are ours.
    pub(crate) ours: u32,
    lockouts: u32,
    locked_until: Option<Moment>,
    /// When somebody else changed its password last.
    pub(crate) foreign_change: Option<Moment>,
}

/// Who failed to sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Culprit {
    /// An agent.
    Us,
    /// A phone, an attacker, the user.
    Others,
}

/// The tenant as it truly is.
#[derive(Debug, Default)]
pub(crate) struct Tenant {
    domains: Domains,
    /// The accounts that there are, by name.
    names: BTreeMap<String, ObjectId>,
    users: BTreeMap<ObjectId, User>,
    log: Vec<(Moment, ObjectId)>,
}

impl User {
    /// What a replica shows that is at this moment.
    fn at(&self, when: Moment) -> Option<&Account> {
        let known = self.history.partition_point(|(from, _)| *from <= when);
        self.history.get(known.checked_sub(1)?)?.1.as_ref()
    }

    /// What it is.
    pub(crate) fn account(&self) -> Option<&Account> {
        self.history.last()?.1.as_ref()
    }

    pub(crate) fn password(&self) -> &str {
        self.passwords.last().map_or("", |(_, text)| text)
    }

    /// Since when it has the password that it has.
    pub(crate) fn password_since(&self) -> Moment {
        self.passwords.last().map_or(Moment(0), |(from, _)| *from)
    }

    /// The password before the present one, where it was replaced after this moment.
    pub(crate) fn password_at(&self, when: Moment) -> &str {
        let known = self.passwords.partition_point(|(from, _)| *from <= when);
        let known = known.checked_sub(1).and_then(|it| self.passwords.get(it));
        known.map_or(self.password(), |(_, text)| text)
    }

    pub(crate) fn is_locked(&self, now: Moment) -> bool {
        self.locked_until.is_some_and(|until| until > now)
    }

    /// When the last lockout ended, or will.
    pub(crate) fn locked_until(&self) -> Option<Moment> {
        self.locked_until
    }

    /// Counts a failed sign-in. Returns whether it locked the account.
    pub(crate) fn fail(&mut self, culprit: Culprit, now: Moment) -> bool {
        self.failed += 1;
        if culprit == Culprit::Us {
            self.ours += 1;
        }
        let locked = self.failed >= LOCKOUT_THRESHOLD;
        if locked {
            let lasts = LOCKOUT << self.lockouts.min(6);
            self.locked_until = Some(now.plus(lasts));
            self.lockouts += 1;
            self.failed = 0;
        }
        locked
    }

    pub(crate) fn succeed(&mut self) {
        self.failed = 0;
        self.ours = 0;
        self.lockouts = 0;
    }
}

impl Tenant {
    pub(crate) fn add_domain(&mut self, name: &str) {
        self.domains.insert(name.to_owned(), DomainKind::Managed);
    }

    pub(crate) fn domains(&self) -> &Domains {
        &self.domains
    }

    pub(crate) fn set_domain(&mut self, name: &str, kind: DomainKind) {
        self.domains.insert(name.to_owned(), kind);
    }

    pub(crate) fn user(&self, id: ObjectId) -> Option<&User> {
        self.users.get(&id)
    }

    pub(crate) fn user_mut(&mut self, id: ObjectId) -> Option<&mut User> {
        self.users.get_mut(&id)
    }

    /// The accounts that there are.
    pub(crate) fn living(&self) -> Vec<ObjectId> {
        let living = self
            .users
            .iter()
            .filter(|(_, user)| user.account().is_some());
        living.map(|(id, _)| *id).collect()
    }

    /// The account that has this name.
    pub(crate) fn resolve(&self, name: &str) -> Option<ObjectId> {
        self.names.get(&*folded(name)).copied()
    }

    pub(crate) fn add(&mut self, name: &str, password: &str, now: Moment) -> ObjectId {
        let id = ObjectId(Uuid::from_u128(0x0B_0000 + self.users.len() as u128 + 1));
        let account = Account::member(id, name, Some(now.stamp()));
        let user = User {
            history: vec![(now, Some(account))],
            passwords: vec![(now, password.to_owned())],
            silent: None,
            failed: 0,
            ours: 0,
            lockouts: 0,
            locked_until: None,
            foreign_change: None,
        };
        self.users.insert(id, user);
        self.names.insert(folded(name).into_owned(), id);
        self.log.push((now, id));
        id
    }

    /// Changes an account so that a delta shows it.
    pub(crate) fn change(&mut self, id: ObjectId, now: Moment, act: impl FnOnce(&mut Account)) {
        let Some(user) = self.users.get_mut(&id) else {
            return;
        };
        let Some(mut account) = user.account().cloned() else {
            return;
        };
        let before = account.user_name.clone();
        act(&mut account);
        if account.user_name != before {
            self.names.remove(&*folded(before.as_str()));
            let name = folded(account.user_name.as_str()).into_owned();
            self.names.insert(name, id);
        }
        user.history.push((now, Some(account)));
        self.log.push((now, id));
    }

    pub(crate) fn remove(&mut self, id: ObjectId, now: Moment) {
        if let Some(user) = self.users.get_mut(&id) {
            if let Some(account) = user.account() {
                self.names.remove(&*folded(account.user_name.as_str()));
            }
            user.history.push((now, None));
            self.log.push((now, id));
        }
    }

    /// Sets a password, whoever does it.
    pub(crate) fn set_password(&mut self, id: ObjectId, password: &str, now: Moment) {
        self.change(id, now, |account| account.stamp = Some(now.stamp()));
        if let Some(user) = self.users.get_mut(&id) {
            user.passwords.push((now, password.to_owned()));
        }
    }

    /// Whether the account is one that an agent may touch.
    pub(crate) fn is_ours(&self, account: &Account) -> bool {
        account.kind == AccountKind::Member
            && account.access == AccountAccess::Enabled
            && account.mastered == Mastered::Cloud
            && self.is_managed(&account.user_name)
    }

    /// Whether Entra ID itself checks the passwords of this name's domain.
    pub(crate) fn is_managed(&self, name: &UserPrincipalName) -> bool {
        let domain = name.as_str().rsplit_once('@');
        let domain = domain.map(|(_, domain)| domain.to_lowercase());
        domain.is_some_and(|domain| self.domains.get(&domain) == Some(&DomainKind::Managed))
    }

    /// What a replica that is at this moment says has changed since the link.
    pub(crate) fn changes(&self, since: Option<&DeltaLink>, at: Moment) -> DirectoryChanges {
        match since.and_then(position) {
            None => self.everything(at),
            Some(from) => self.changed(from, at),
        }
    }

    fn everything(&self, at: Moment) -> DirectoryChanges {
        let accounts = self.users.values().filter_map(|user| user.at(at));
        DirectoryChanges {
            link: link(at),
            extent: Extent::Full,
            accounts: accounts.cloned().collect(),
            removed: Vec::new(),
        }
    }

    fn changed(&self, from: Moment, at: Moment) -> DirectoryChanges {
        // A replica that is behind the link has nothing to tell, and nothing to take back.
        let at = at.max(from);
        let first = self.log.partition_point(|(when, _)| *when <= from);
        let last = self.log.partition_point(|(when, _)| *when <= at);
        let ids: std::collections::BTreeSet<ObjectId> = self
            .log
            .get(first..last)
            .into_iter()
            .flatten()
            .map(|(_, id)| *id)
            .collect();
        let mut accounts = Vec::new();
        let mut removed = Vec::new();
        for id in ids {
            match self.users.get(&id).and_then(|user| user.at(at)) {
                Some(account) => accounts.push(account.clone()),
                None => removed.push(id),
            }
        }
        DirectoryChanges {
            link: link(at),
            extent: Extent::Changes,
            accounts,
            removed,
        }
    }

    /// Whether Entra ID would take this password at all.
    pub(crate) fn takes(password: &str) -> bool {
        Password::new(password).facts().refusal.is_none()
    }

    /// The stamp that an account has.
    pub(crate) fn stamp(&self, id: ObjectId) -> Option<Stamp> {
        self.users.get(&id)?.account()?.stamp
    }
}

/// Names are the same in upper and lower case. Most of them are lower case already.
fn folded(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_uppercase) {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

/// Which moment of the tenant a link stands for.
pub(crate) fn position(link: &DeltaLink) -> Option<Moment> {
    link.0.parse().ok().map(Moment)
}

fn link(at: Moment) -> DeltaLink {
    DeltaLink(at.0.to_string())
}
