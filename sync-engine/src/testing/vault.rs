//! A vault in memory, with a person's hands on it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::model::{
    AttemptNotice, ClearedFlag, ClientId, ClientSettings, Confirmation, CredentialId, Cursor,
    Extent, FlagFact, FlagKind, MicrosoftSync, Mute, Password, Report, SignInAttempt, Standing,
    SyncMode, VaultChanges, VaultCredential, VaultEpoch, VaultVersion,
};
use crate::plan::{HeldPlan, PlanRuling};
use crate::ports::{CredentialVault, Lease, PasswordAnswer, VaultError, Wait};

/// A call of the vault, to be told to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum VaultCall {
    /// Taking the lease.
    Lease,
    /// Reading what changed.
    Changes,
    /// Reading a password.
    Password,
    /// Writing down sign-in tests.
    NoteAttempts,
    /// Taking a report.
    Report,
    /// Showing held plans.
    ShowPlans,
}

/// A vault in memory.
#[derive(Debug)]
pub struct FakeVault {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    epoch: u128,
    sequence: u64,
    client: ClientSettings,
    lease: Lease,
    entries: BTreeMap<CredentialId, Entry>,
    reports: Vec<Report>,
    shown: Vec<Vec<HeldPlan>>,
    rulings: Vec<PlanRuling>,
    broken: BTreeSet<VaultCall>,
}

#[derive(Debug)]
struct Entry {
    sequence: u64,
    credential: VaultCredential,
    password: Password,
}

impl FakeVault {
    /// A client with Microsoft sync on and no credential; its lease is granted for ever.
    pub fn new(client: &str) -> Self {
        Self {
            state: Mutex::new(State {
                epoch: 1,
                sequence: 0,
                client: ClientSettings::new(ClientId(Uuid::from_u128(0xC11E)), client),
                lease: Lease::unshared(),
                entries: BTreeMap::new(),
                reports: Vec::new(),
                shown: Vec::new(),
                rulings: Vec::new(),
                broken: BTreeSet::new(),
            }),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self
            .state
            .lock()
            .expect("no test panics while it holds the vault"))
    }

    /// As [`FakeVault::with`], unless this call was told to fail.
    fn answer<T>(
        &self,
        call: VaultCall,
        act: impl FnOnce(&mut State) -> T,
    ) -> Result<T, VaultError> {
        self.with(|state| {
            if state.broken.contains(&call) {
                return Err(VaultError::Unavailable("told to fail".into()));
            }
            Ok(act(state))
        })
    }

    /// From now on this call fails.
    pub fn fail(&self, call: VaultCall) {
        self.with(|state| state.broken.insert(call));
    }

    /// From now on every call succeeds again.
    pub fn mend(&self) {
        self.with(|state| state.broken.clear());
    }

    fn change(&self, id: CredentialId, act: impl FnOnce(&mut Entry)) {
        self.with(|state| {
            state.sequence += 1;
            let entry = state.entries.get_mut(&id).expect("the test added it");
            entry.sequence = state.sequence;
            act(entry);
        });
    }

    /// Adds a credential. Its id counts up from one.
    pub fn add(&self, user_name: &str, password: &str, mode: SyncMode) -> CredentialId {
        self.with(|state| {
            state.sequence += 1;
            let id = CredentialId(Uuid::from_u128(state.entries.len() as u128 + 1));
            let password = Password::new(password);
            let credential = VaultCredential::new(id, user_name, mode, &password);
            let sequence = state.sequence;
            let entry = Entry {
                sequence,
                credential,
                password,
            };
            state.entries.insert(id, entry);
            id
        })
    }

    /// A person types another password.
    pub fn set_password(&self, id: CredentialId, password: &str) {
        self.change(id, |entry| {
            entry.password = Password::new(password);
            entry.credential.facts = Some(entry.password.facts());
            entry.credential.version.0 += 1;
        });
    }

    /// The same, with a time to it.
    pub fn set_password_at(&self, id: CredentialId, password: &str, at: Timestamp) {
        self.set_password(id, password);
        self.change(id, |entry| entry.credential.changed_at = Some(at));
    }

    /// The same, with a name to it.
    pub fn set_password_by(&self, id: CredentialId, password: &str, by: &str) {
        self.set_password(id, password);
        self.change(id, |entry| {
            entry.credential.changed_by = Some(by.to_owned());
        });
    }

    /// A person switches the mode.
    pub fn set_mode(&self, id: CredentialId, mode: SyncMode) {
        self.change(id, |entry| entry.credential.mode = mode);
    }

    /// A person disables the credential, or takes it back into use.
    pub fn set_standing(&self, id: CredentialId, standing: Standing) {
        self.change(id, |entry| entry.credential.standing = standing);
    }

    /// A person confirms the current version.
    pub fn confirm(&self, id: CredentialId, at: Timestamp) {
        self.change(id, |entry| {
            let version = entry.credential.version;
            entry.credential.confirmed = Some(Confirmation {
                version,
                at,
                by: Some("ada@msp.example".to_owned()),
            });
        });
    }

    /// A person mutes the client, or ends that.
    pub fn set_mute(&self, mute: Mute) {
        self.with(|state| state.client.mute = mute);
    }

    /// A person switches the client's Microsoft sync.
    pub fn set_sync(&self, sync: MicrosoftSync) {
        self.with(|state| state.client.sync = sync);
    }

    /// The envelope of a credential no longer opens.
    pub fn spoil(&self, id: CredentialId) {
        self.change(id, |entry| entry.credential.facts = None);
    }

    /// A backup is restored: the same credentials, in a new epoch.
    pub fn restore_backup(&self) {
        self.with(|state| state.epoch += 1);
    }

    /// From now on this is the answer to a request for the lease.
    pub fn set_lease(&self, lease: Lease) {
        self.with(|state| state.lease = lease);
    }

    /// Another agent raised a flag; nobody hears of it by the cursor.
    pub fn raise(&self, id: CredentialId, kind: FlagKind) {
        self.with(|state| {
            let entry = state.entries.get_mut(&id).expect("the test added it");
            let fact = FlagFact {
                version: entry.credential.version,
                stamp: None,
                why: "another agent said so".to_owned(),
            };
            entry.credential.raised.insert(kind, fact);
        });
    }

    /// A person takes a flag down.
    pub fn clear(&self, id: CredentialId, kind: FlagKind) {
        self.change(id, |entry| {
            if let Some(fact) = entry.credential.raised.remove(&kind) {
                let (version, stamp) = (fact.version, fact.stamp);
                let cleared = ClearedFlag { version, stamp };
                entry.credential.cleared.insert(kind, cleared);
            }
        });
    }

    /// The engine's flags that stand on a credential.
    pub fn flags(&self, id: CredentialId) -> BTreeMap<FlagKind, FlagFact> {
        self.with(|state| {
            state
                .entries
                .get(&id)
                .map(|it| it.credential.raised.clone())
        })
        .unwrap_or_default()
    }

    /// The held plans that people see now.
    pub fn shown_plans(&self) -> Vec<HeldPlan> {
        self.every_showing().pop().unwrap_or_default()
    }

    /// The held plans that people saw, each time that they were shown.
    pub fn every_showing(&self) -> Vec<Vec<HeldPlan>> {
        self.with(|state| state.shown.clone())
    }

    /// A person rules on a held plan.
    pub fn rule(&self, ruling: PlanRuling) {
        self.with(|state| state.rulings.push(ruling));
    }

    /// Every report that was taken, each once.
    pub fn reports(&self) -> Vec<Report> {
        self.with(|state| state.reports.clone())
    }

    /// The sign-in tests that the vault was told of.
    pub fn attempts(&self, id: CredentialId) -> Vec<SignInAttempt> {
        self.with(|state| {
            state
                .entries
                .get(&id)
                .map(|it| it.credential.attempts.clone())
        })
        .unwrap_or_default()
    }
}

#[async_trait]
impl CredentialVault for FakeVault {
    async fn lease(&self) -> Result<Lease, VaultError> {
        self.answer(VaultCall::Lease, |state| state.lease.clone())
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        _wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        self.answer(VaultCall::Changes, |state| {
            let epoch = state.epoch.to_string();
            let from = since
                .and_then(|cursor| cursor.0.strip_prefix(&format!("{epoch}:")))
                .and_then(|sequence| sequence.parse().ok());
            let changed = state
                .entries
                .values()
                .filter(|entry| from.is_none_or(|from: u64| entry.sequence > from));
            VaultChanges {
                epoch: VaultEpoch(Uuid::from_u128(state.epoch)),
                cursor: Cursor(format!("{epoch}:{}", state.sequence)),
                extent: from.map_or(Extent::Full, |_| Extent::Changes),
                client: state.client.clone(),
                credentials: changed.map(|entry| entry.credential.clone()).collect(),
                rulings: state.rulings.clone(),
            }
        })
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        self.answer(VaultCall::Password, |state| {
            match state.entries.get(&credential) {
                Some(entry)
                    if entry.credential.version == version
                        && entry.credential.standing == Standing::Active =>
                {
                    PasswordAnswer::Current(entry.password.clone())
                }
                _ => PasswordAnswer::Superseded,
            }
        })
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        self.answer(VaultCall::NoteAttempts, |state| {
            for notice in notices {
                if let Some(entry) = state.entries.get_mut(&notice.credential) {
                    let attempts = &mut entry.credential.attempts;
                    attempts.retain(|known| known.id != notice.attempt.id);
                    attempts.push(notice.attempt.clone());
                }
            }
        })
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        self.answer(VaultCall::Report, |state| {
            if state.reports.iter().any(|known| known.id == report.id) {
                return;
            }
            for news in &report.entries {
                if let Some(entry) = state.entries.get_mut(&news.credential) {
                    let cleared = &entry.credential.cleared;
                    let mut flags = news.flags.clone();
                    flags.retain(|kind, fact| !cleared.get(kind).is_some_and(|it| it.is_of(fact)));
                    entry.credential.raised = flags;
                }
            }
            state.reports.push(report.clone());
        })
    }

    async fn show_plans(&self, plans: &[HeldPlan]) -> Result<(), VaultError> {
        self.answer(VaultCall::ShowPlans, |state| {
            state.shown.push(plans.to_vec());
        })
    }
}
