//! Ports that do on purpose what they must not, each in one call; in all others they are the real ones.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::Ports;
use sync_engine::model::{
    Accepted, Account, AttemptNotice, ClientMemory, Confirmation, CredentialId, CredentialMemory,
    Cursor, DeltaLink, DirectoryChanges, Domains, FlagFact, FlagKind, JournalEntry, Memory, Mute,
    ObjectId, Outcome, Password, Phase, PlanId, Report, ReportId, SignIn, Standing, StepKind,
    SyncMode, UserPrincipalName, VaultChanges, VaultVersion,
};
use sync_engine::plan::{HeldPlan, PlanRuling, Policy, Ruling, Word};
use sync_engine::ports::{
    Clock, CredentialVault, Directory, DirectoryError, Lease, PasswordAnswer, SetPassword,
    StateStore, StoreError, VaultError, Wait,
};

type Vault = Arc<dyn CredentialVault>;
type Tenant = Arc<dyn Directory>;
type Store = Arc<dyn StateStore>;

/// What a vault does wrong.
#[async_trait]
pub(crate) trait VaultWrong: Default + Send + Sync + 'static {
    async fn lease(&self, vault: &Vault) -> Result<Lease, VaultError> {
        vault.lease().await
    }

    fn changes(&self, changes: VaultChanges) -> VaultChanges {
        changes
    }

    fn password(
        &self,
        _credential: CredentialId,
        _version: VaultVersion,
        answer: PasswordAnswer,
    ) -> PasswordAnswer {
        answer
    }

    fn notices(&self, notices: &[AttemptNotice]) -> Vec<AttemptNotice> {
        notices.to_vec()
    }

    fn report(&self, report: &Report) -> Report {
        report.clone()
    }

    fn shown(&self, _plans: &[HeldPlan]) {}
}

/// What a directory does wrong.
#[async_trait]
pub(crate) trait DirectoryWrong: Default + Send + Sync + 'static {
    fn verify(&self, answer: SignIn) -> SignIn {
        answer
    }

    async fn set_password(
        &self,
        tenant: &Tenant,
        _clock: &dyn Clock,
        id: ObjectId,
        password: &Password,
    ) -> SetPassword {
        tenant.set_password(id, password).await
    }
}

/// What a store does wrong.
pub(crate) trait StoreWrong: Default + Send + Sync + 'static {
    fn entries(&self, entries: &[JournalEntry]) -> Vec<JournalEntry> {
        entries.to_vec()
    }

    fn loaded(&self, memory: Memory) -> Memory {
        memory
    }
}

pub(crate) fn vault<W: VaultWrong>(mut ports: Ports, policy: Policy) -> (Ports, Policy) {
    let (inner, wrong) = (ports.vault, W::default());
    ports.vault = Arc::new(WrongVault { inner, wrong });
    (ports, policy)
}

pub(crate) fn directory<W: DirectoryWrong>(mut ports: Ports, policy: Policy) -> (Ports, Policy) {
    let (inner, wrong) = (ports.directory, W::default());
    let clock = Arc::clone(&ports.clock);
    ports.directory = Arc::new(WrongDirectory {
        inner,
        wrong,
        clock,
    });
    (ports, policy)
}

pub(crate) fn store<W: StoreWrong>(mut ports: Ports, policy: Policy) -> (Ports, Policy) {
    let (inner, wrong) = (ports.store, W::default());
    ports.store = Arc::new(WrongStore { inner, wrong });
    (ports, policy)
}

/// The last password that was handed out ends up in the journal.
pub(crate) fn leaking(mut ports: Ports, policy: Policy) -> (Ports, Policy) {
    let heard = Heard::default();
    ports.vault = Arc::new(WrongVault {
        inner: ports.vault,
        wrong: heard.clone(),
    });
    ports.store = Arc::new(WrongStore {
        inner: ports.store,
        wrong: heard,
    });
    (ports, policy)
}

/// It forgets the sign-in tests that it is told of.
#[derive(Default)]
pub(crate) struct Forgetful;

impl VaultWrong for Forgetful {
    fn notices(&self, _notices: &[AttemptNotice]) -> Vec<AttemptNotice> {
        Vec::new()
    }
}

/// It hands out the first password that it ever handed out of a credential.
#[derive(Default)]
pub(crate) struct Stale(Mutex<BTreeMap<CredentialId, Password>>);

impl VaultWrong for Stale {
    fn password(
        &self,
        credential: CredentialId,
        _version: VaultVersion,
        answer: PasswordAnswer,
    ) -> PasswordAnswer {
        let PasswordAnswer::Current(password) = answer else {
            return answer;
        };
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        PasswordAnswer::Current(first.entry(credential).or_insert(password).clone())
    }
}

/// It says that everything is to be synced.
#[derive(Default)]
pub(crate) struct Eager;

impl VaultWrong for Eager {
    fn changes(&self, mut changes: VaultChanges) -> VaultChanges {
        changes.client.mute = Mute::Unmuted;
        for credential in &mut changes.credentials {
            credential.mode = SyncMode::Enabled;
            credential.standing = Standing::Active;
        }
        changes
    }
}

/// It takes no mismatch flag.
#[derive(Default)]
pub(crate) struct Silent;

impl VaultWrong for Silent {
    fn report(&self, report: &Report) -> Report {
        let mut report = report.clone();
        for entry in &mut report.entries {
            entry.flags.remove(&FlagKind::AdChange);
        }
        report
    }
}

/// It flags what is unknown.
#[derive(Default)]
pub(crate) struct Alarmed;

impl VaultWrong for Alarmed {
    fn report(&self, report: &Report) -> Report {
        let mut report = report.clone();
        for entry in &mut report.entries {
            if let Outcome::Unknown(why) = entry.outcome {
                let fact = FlagFact {
                    version: entry.version,
                    stamp: None,
                    why: why.to_string(),
                };
                entry.flags.insert(FlagKind::AdChange, fact);
            }
        }
        report
    }
}

/// It says yes to every plan that it is shown.
#[derive(Default)]
pub(crate) struct Yes(Mutex<Vec<PlanId>>);

impl VaultWrong for Yes {
    fn changes(&self, mut changes: VaultChanges) -> VaultChanges {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        changes.rulings.extend(shown.iter().map(|plan| PlanRuling {
            plan: *plan,
            ruling: Ruling::Approve,
            word: Word {
                by: "nobody".to_owned(),
                at: Timestamp::UNIX_EPOCH,
            },
        }));
        changes
    }

    fn shown(&self, plans: &[HeldPlan]) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = plans.iter().map(|plan| plan.id).collect();
    }
}

/// It takes a confirmation for one of whatever version there is.
#[derive(Default)]
pub(crate) struct Lasting(Mutex<BTreeMap<CredentialId, Confirmation>>);

impl VaultWrong for Lasting {
    fn changes(&self, mut changes: VaultChanges) -> VaultChanges {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for credential in &mut changes.credentials {
            if let Some(confirmed) = &credential.confirmed {
                said.insert(credential.id, confirmed.clone());
            }
            credential.confirmed = said.get(&credential.id).cloned();
            if let Some(confirmed) = &mut credential.confirmed {
                confirmed.version = credential.version;
            }
        }
        changes
    }
}

/// It grants the lease to everybody.
#[derive(Default)]
pub(crate) struct Generous;

#[async_trait]
impl VaultWrong for Generous {
    async fn lease(&self, vault: &Vault) -> Result<Lease, VaultError> {
        vault.lease().await.map(|_| Lease::unshared())
    }
}

/// It remembers the last password.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<String>>);

impl VaultWrong for Heard {
    fn password(
        &self,
        _credential: CredentialId,
        _version: VaultVersion,
        answer: PasswordAnswer,
    ) -> PasswordAnswer {
        if let PasswordAnswer::Current(password) = &answer {
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            password.expose().clone_into(&mut heard);
        }
        answer
    }
}

impl StoreWrong for Heard {
    fn entries(&self, entries: &[JournalEntry]) -> Vec<JournalEntry> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = entries.iter().cloned().map(|entry| JournalEntry {
            why: format!("{} ({heard})", entry.why),
            ..entry
        });
        told.collect()
    }
}

/// It writes down no intent.
#[derive(Default)]
pub(crate) struct NoIntents;

impl StoreWrong for NoIntents {
    fn entries(&self, entries: &[JournalEntry]) -> Vec<JournalEntry> {
        let is_kept =
            |entry: &&JournalEntry| (entry.step, entry.phase) != (StepKind::Push, Phase::Intent);
        entries.iter().filter(is_kept).cloned().collect()
    }
}

/// It forgets what waits for a person.
#[derive(Default)]
pub(crate) struct NoPlans;

impl StoreWrong for NoPlans {
    fn loaded(&self, mut memory: Memory) -> Memory {
        memory.plans.clear();
        memory
    }
}

/// It forgets what was written lately.
#[derive(Default)]
pub(crate) struct NoWrites;

impl StoreWrong for NoWrites {
    fn loaded(&self, mut memory: Memory) -> Memory {
        memory.client.writes.clear();
        memory
    }
}

/// It says that every password is wrong.
#[derive(Default)]
pub(crate) struct NeverRight;

impl DirectoryWrong for NeverRight {
    fn verify(&self, _answer: SignIn) -> SignIn {
        SignIn::mismatched()
    }
}

/// It says that every password is right.
#[derive(Default)]
pub(crate) struct AlwaysRight;

impl DirectoryWrong for AlwaysRight {
    fn verify(&self, _answer: SignIn) -> SignIn {
        SignIn::matched()
    }
}

/// It writes everything twice.
#[derive(Default)]
pub(crate) struct Twice;

#[async_trait]
impl DirectoryWrong for Twice {
    async fn set_password(
        &self,
        tenant: &Tenant,
        _clock: &dyn Clock,
        id: ObjectId,
        password: &Password,
    ) -> SetPassword {
        tenant.set_password(id, password).await;
        tenant.set_password(id, password).await
    }
}

/// It puts every write off.
#[derive(Default)]
pub(crate) struct Never;

#[async_trait]
impl DirectoryWrong for Never {
    async fn set_password(
        &self,
        _tenant: &Tenant,
        clock: &dyn Clock,
        _id: ObjectId,
        _password: &Password,
    ) -> SetPassword {
        let minute = std::time::Duration::from_mins(10);
        let retry_at = clock.now().checked_add(minute).unwrap_or(clock.now());
        SetPassword::NotNow { retry_at }
    }
}

/// It says that it took a write, and drops it.
#[derive(Default)]
pub(crate) struct Claimed;

#[async_trait]
impl DirectoryWrong for Claimed {
    async fn set_password(
        &self,
        _tenant: &Tenant,
        clock: &dyn Clock,
        _id: ObjectId,
        _password: &Password,
    ) -> SetPassword {
        SetPassword::Accepted(Accepted::at(clock.now()))
    }
}

struct WrongVault<W> {
    inner: Vault,
    wrong: W,
}

#[async_trait]
impl<W: VaultWrong> CredentialVault for WrongVault<W> {
    async fn lease(&self) -> Result<Lease, VaultError> {
        self.wrong.lease(&self.inner).await
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        let changes = self.inner.changes(since, wait).await?;
        Ok(self.wrong.changes(changes))
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        let answer = self.inner.password(credential, version).await?;
        Ok(self.wrong.password(credential, version, answer))
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        let notices = self.wrong.notices(notices);
        self.inner.note_attempts(&notices).await
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        self.inner.report(&self.wrong.report(report)).await
    }

    async fn show_plans(&self, plans: &[HeldPlan]) -> Result<(), VaultError> {
        self.wrong.shown(plans);
        self.inner.show_plans(plans).await
    }
}

struct WrongDirectory<W> {
    inner: Tenant,
    wrong: W,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl<W: DirectoryWrong> Directory for WrongDirectory<W> {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        self.inner.changes(since).await
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        self.inner.domains().await
    }

    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        self.inner.account(id).await
    }

    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        let answer = self.inner.verify(user_name, password).await;
        self.wrong.verify(answer)
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        let clock = self.clock.as_ref();
        self.wrong
            .set_password(&self.inner, clock, id, password)
            .await
    }
}

struct WrongStore<W> {
    inner: Store,
    wrong: W,
}

#[async_trait]
impl<W: StoreWrong> StateStore for WrongStore<W> {
    async fn load(&self) -> Result<Memory, StoreError> {
        Ok(self.wrong.loaded(self.inner.load().await?))
    }

    async fn save_client(&self, memory: &ClientMemory) -> Result<(), StoreError> {
        self.inner.save_client(memory).await
    }

    async fn save_credentials(&self, memories: &[CredentialMemory]) -> Result<(), StoreError> {
        self.inner.save_credentials(memories).await
    }

    async fn record(
        &self,
        entries: &[JournalEntry],
        memories: &[CredentialMemory],
    ) -> Result<(), StoreError> {
        let entries = self.wrong.entries(entries);
        self.inner.record(&entries, memories).await
    }

    async fn journal(
        &self,
        credential: Option<CredentialId>,
        most: u32,
    ) -> Result<Vec<JournalEntry>, StoreError> {
        self.inner.journal(credential, most).await
    }

    async fn keep_report(&self, report: &Report) -> Result<(), StoreError> {
        self.inner.keep_report(report).await
    }

    async fn kept_reports(&self) -> Result<Vec<Report>, StoreError> {
        self.inner.kept_reports().await
    }

    async fn drop_report(&self, id: ReportId) -> Result<(), StoreError> {
        self.inner.drop_report(id).await
    }

    async fn keep_plan(&self, plan: &HeldPlan) -> Result<(), StoreError> {
        self.inner.keep_plan(plan).await
    }

    async fn drop_plan(&self, id: PlanId) -> Result<(), StoreError> {
        self.inner.drop_plan(id).await
    }
}
