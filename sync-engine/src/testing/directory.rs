//! A tenant in memory, with smart lockout and other people's hands on it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    Accepted, Account, BlockedReason, DeltaLink, DirectoryChanges, DomainKind, Domains, Extent,
    ObjectId, Password, ResetRights, SignIn, Stamp, UnknownReason, UserPrincipalName,
};
use crate::ports::{Clock, Directory, DirectoryError, SetPassword};

/// Failed sign-ins after which an account is locked.
/// Source: Microsoft Entra smart lockout, default threshold.
const LOCKOUT_THRESHOLD: u32 = 10;

/// What goes wrong with the next write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The answer is lost, and the password was not set.
    LostBefore,
    /// The answer is lost, and the password was set.
    LostAfter,
    /// The password is refused.
    Refused(BlockedReason),
    /// The service asks for patience, for this long.
    NotNow(Duration),
}

/// A tenant in memory.
pub struct FakeDirectory {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    sequence: u64,
    domains: Domains,
    rights: ResetRights,
    users: BTreeMap<ObjectId, User>,
    removed: Vec<(u64, ObjectId)>,
    faults: VecDeque<Fault>,
    verification: Option<SignIn>,
    writes: u32,
    sign_ins: u32,
    lag: Duration,
    unseen: Vec<(Timestamp, ObjectId, Stamp)>,
}

struct User {
    sequence: u64,
    account: Account,
    password: String,
    failed: u32,
}

impl FakeDirectory {
    /// A tenant with one managed domain and no account.
    pub fn new(domain: &str, clock: Arc<dyn Clock>) -> Self {
        let domains = [(domain.to_lowercase(), DomainKind::Managed)];
        Self {
            clock,
            state: Mutex::new(State {
                sequence: 0,
                domains: domains.into(),
                rights: ResetRights::default(),
                users: BTreeMap::new(),
                removed: Vec::new(),
                faults: VecDeque::new(),
                verification: None,
                writes: 0,
                sign_ins: 0,
                lag: Duration::ZERO,
                unseen: Vec::new(),
            }),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self
            .state
            .lock()
            .expect("no test panics while it holds the directory"))
    }

    fn stamp(&self) -> Stamp {
        Stamp(self.clock.now())
    }

    /// Adds a member with a password. Its object id counts up from one.
    pub fn add(&self, user_name: &str, password: &str) -> ObjectId {
        let stamp = self.stamp();
        self.with(|state| {
            state.sequence += 1;
            let id = ObjectId(Uuid::from_u128(0xE000 + u128::from(state.sequence)));
            let account = Account::member(id, user_name, Some(stamp));
            let user = User {
                sequence: state.sequence,
                account,
                password: password.to_owned(),
                failed: 0,
            };
            state.users.insert(id, user);
            id
        })
    }

    /// Somebody changes an account: its name, whether it may sign in, where it is mastered.
    pub fn change(&self, id: ObjectId, act: impl FnOnce(&mut Account)) {
        self.with(|state| {
            state.sequence += 1;
            let user = state.users.get_mut(&id).expect("the test added it");
            user.sequence = state.sequence;
            act(&mut user.account);
        });
    }

    /// From now on a new stamp is visible only after this long.
    pub fn lag(&self, lag: Duration) {
        self.with(|state| state.lag = lag);
    }

    /// Somebody else changes the password.
    pub fn change_password(&self, id: ObjectId, password: &str) {
        let stamp = self.stamp();
        self.with(|state| {
            let visible = stamp.0.checked_add(state.lag).unwrap_or(stamp.0);
            state.unseen.push((visible, id, stamp));
            if let Some(user) = state.users.get_mut(&id) {
                password.clone_into(&mut user.password);
            }
        });
        self.replicate();
    }

    /// Shows the stamps whose time has come.
    fn replicate(&self) {
        let now = self.clock.now();
        self.with(|state| {
            let unseen = std::mem::take(&mut state.unseen);
            let (due, unseen): (Vec<_>, _) = unseen.into_iter().partition(|it| it.0 <= now);
            state.unseen = unseen;
            for (_, id, stamp) in due {
                state.sequence += 1;
                if let Some(user) = state.users.get_mut(&id) {
                    user.sequence = state.sequence;
                    user.account.stamp = Some(stamp);
                }
            }
        });
    }

    /// Somebody deletes the account.
    pub fn remove(&self, id: ObjectId) {
        self.with(|state| {
            state.sequence += 1;
            state.users.remove(&id);
            state.removed.push((state.sequence, id));
        });
    }

    /// A domain is converted.
    pub fn set_domain(&self, domain: &str, kind: DomainKind) {
        self.with(|state| state.domains.insert(domain.to_lowercase(), kind));
    }

    /// The agent is given roles, or loses some.
    pub fn set_reset_rights(&self, rights: ResetRights) {
        self.with(|state| state.rights = rights);
    }

    /// The next write goes wrong in this way.
    pub fn fault(&self, fault: Fault) {
        self.with(|state| state.faults.push_back(fault));
    }

    /// From now on every sign-in test says this of the password; `None` ends it.
    pub fn answer_sign_ins_with(&self, reason: Option<UnknownReason>) {
        self.answer_sign_ins(reason.map(SignIn::unknown));
    }

    /// From now on every sign-in test is answered like this; `None` ends it.
    pub fn answer_sign_ins(&self, answer: Option<SignIn>) {
        self.with(|state| state.verification = answer);
    }

    /// The account that has this name.
    pub fn find(&self, user_name: &str) -> Option<ObjectId> {
        let name = UserPrincipalName::new(user_name);
        self.with(|state| {
            let mut users = state.users.iter();
            let found = users.find(|(_, user)| user.account.user_name == name);
            found.map(|(id, _)| *id)
        })
    }

    /// Whether this is the account's password.
    pub fn has_password(&self, id: ObjectId, password: &str) -> bool {
        self.with(|state| {
            state
                .users
                .get(&id)
                .is_some_and(|user| user.password == password)
        })
    }

    /// How many writes took effect.
    pub fn writes(&self) -> u32 {
        self.with(|state| state.writes)
    }

    /// How many wrong passwords an account counts towards its lockout.
    pub fn failed(&self, id: ObjectId) -> u32 {
        self.with(|state| state.users.get(&id).map_or(0, |user| user.failed))
    }

    /// Somebody types wrong passwords until the account is locked.
    pub fn lock(&self, id: ObjectId) {
        self.with(|state| {
            if let Some(user) = state.users.get_mut(&id) {
                user.failed = LOCKOUT_THRESHOLD;
            }
        });
    }

    /// The lockout of an account ends.
    pub fn unlock(&self, id: ObjectId) {
        self.with(|state| {
            if let Some(user) = state.users.get_mut(&id) {
                user.failed = 0;
            }
        });
    }

    /// How many sign-in tests were sent.
    pub fn sign_ins(&self) -> u32 {
        self.with(|state| state.sign_ins)
    }
}

#[async_trait]
impl Directory for FakeDirectory {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        self.replicate();
        Ok(self.with(|state| {
            let from: Option<u64> = since.and_then(|link| link.0.parse().ok());
            let is_new = |sequence: u64| from.is_none_or(|from| sequence > from);
            let users = state.users.values().filter(|user| is_new(user.sequence));
            let removed = state
                .removed
                .iter()
                .filter(|(sequence, _)| is_new(*sequence));
            DirectoryChanges {
                link: DeltaLink(state.sequence.to_string()),
                extent: from.map_or(Extent::Full, |_| Extent::Changes),
                accounts: users.map(|user| user.account.clone()).collect(),
                removed: removed.map(|(_, id)| *id).collect(),
            }
        }))
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        Ok(self.with(|state| state.domains.clone()))
    }

    async fn reset_rights(&self) -> Result<ResetRights, DirectoryError> {
        Ok(self.with(|state| state.rights.clone()))
    }

    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        self.replicate();
        Ok(self.with(|state| state.users.get(&id).map(|user| user.account.clone())))
    }

    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        self.with(|state| {
            state.sign_ins += 1;
            if let Some(answer) = &state.verification {
                return answer.clone();
            }
            let user = state
                .users
                .values_mut()
                .find(|user| user.account.user_name == *user_name);
            match user {
                None => SignIn::unknown(UnknownReason::Inconclusive),
                Some(user) if user.failed >= LOCKOUT_THRESHOLD => {
                    SignIn::unknown(UnknownReason::Locked)
                }
                Some(user) if user.password == password.expose() => SignIn::matched(),
                Some(user) => {
                    user.failed += 1;
                    SignIn {
                        code: Some(50126),
                        ..SignIn::mismatched()
                    }
                }
            }
        })
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        let now = self.clock.now();
        let fault = self.with(|state| state.faults.pop_front());
        match fault {
            Some(Fault::LostBefore) => return SetPassword::Ambiguous,
            Some(Fault::Refused(reason)) => return SetPassword::Refused(reason),
            Some(Fault::NotNow(wait)) => {
                let retry_at = now.checked_add(wait).unwrap_or(now);
                return SetPassword::NotNow { retry_at };
            }
            Some(Fault::LostAfter) | None => {}
        }
        if !self.with(|state| state.users.contains_key(&id)) {
            return SetPassword::Gone;
        }
        self.change_password(id, password.expose());
        self.with(|state| state.writes += 1);
        if fault == Some(Fault::LostAfter) {
            return SetPassword::Ambiguous;
        }
        SetPassword::Accepted(Accepted::at(now))
    }
}
