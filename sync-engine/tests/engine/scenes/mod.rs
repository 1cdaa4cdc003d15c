//! Random worlds as the planner sees them: few names, accounts and versions, so that they meet often.

#![allow(clippy::unwrap_used, reason = "a failed test should say where")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::test_runner::RngAlgorithm;
use sync_engine::model::*;
use sync_engine::plan::*;
use uuid::Uuid;

/// Few of everything, so that names, accounts and versions meet often.
const NAMES: u8 = 4;

pub(crate) fn id(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

pub(crate) fn now() -> Timestamp {
    // 2026-01-05T08:00:00Z
    Timestamp::constant(1_767_600_000, 0)
}

pub(crate) fn name(number: u8) -> String {
    match number {
        0 => "anna@contoso.com".to_owned(),
        1 => "ben@fabrikam.com".to_owned(),
        2 => "carl_x.org#EXT#@contoso.com".to_owned(),
        other => format!("user{other}@contoso.com"),
    }
}

/// Some time around now, mostly on grids on which windows end exactly.
pub(crate) fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = prop_oneof![
        (-16i64..=4).prop_map(|half_days| half_days * 43_200),
        (-8i64..=8).prop_map(|quarters| quarters * 900),
        (-4i64..=4).prop_map(|minutes| minutes * 60),
        -200_000i64..=200_000,
    ];
    seconds.prop_map(|seconds| now() + jiff::SignedDuration::from_secs(seconds))
}

pub(crate) fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    of((0i64..3).prop_map(|day| Stamp(Timestamp::from_second(day * 86_400).unwrap())))
}

pub(crate) fn version() -> impl Strategy<Value = VaultVersion> {
    (1u64..4).prop_map(VaultVersion)
}

pub(crate) fn mode() -> impl Strategy<Value = SyncMode> {
    prop_oneof![
        1 => Just(SyncMode::Off),
        1 => Just(SyncMode::ReportMismatches),
        3 => Just(SyncMode::Enabled),
    ]
}

fn password() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just("Winter-2025!"),
        1 => Just("short"),
        1 => Just(" Edge-2025!"),
        1 => Just("Ünicode-2025!"),
    ]
}

pub(crate) fn object() -> impl Strategy<Value = ObjectId> {
    (0..NAMES).prop_map(|number| ObjectId(id(100 + number)))
}

pub(crate) fn unknown() -> impl Strategy<Value = UnknownReason> {
    prop_oneof![
        Just(UnknownReason::Locked),
        Just(UnknownReason::Throttled),
        Just(UnknownReason::NotPermitted),
        Just(UnknownReason::Interrupted),
        Just(UnknownReason::Inconclusive),
    ]
}

pub(crate) fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Match),
        Just(Verdict::Mismatch),
        unknown().prop_map(Verdict::Unknown),
    ]
}

prop_compose! {
    fn attempt()(
        attempt in any::<u8>(), object in object(), version in version(), stamp in stamp(), at in time(),
        state in prop_oneof![Just(AttemptState::Open), Just(AttemptState::Failed), Just(AttemptState::Passed)],
    ) -> SignInAttempt {
        SignInAttempt { id: AttemptId(id(attempt)), object, version, stamp, at, state }
    }
}

prop_compose! {
    fn credential(number: u8)(
        user in 0..NAMES, version in version(), mode in mode(), password in of(password()),
        standing in prop_oneof![5 => Just(Standing::Active), 1 => Just(Standing::Disabled)],
        confirmed in of((version(), time())),
    ) -> VaultCredential {
        VaultCredential {
            version,
            standing,
            facts: password.map(|clear| Password::new(clear).facts()),
            confirmed: confirmed.map(|(version, at)| Confirmation { version, at, by: None }),
            ..VaultCredential::new(CredentialId(id(number)), name(user), mode, &Password::new("x"))
        }
    }
}

prop_compose! {
    fn account(number: u8)(
        user in 0..NAMES, stamp in stamp(),
        access in prop_oneof![5 => Just(AccountAccess::Enabled), 1 => Just(AccountAccess::Disabled)],
        kind in prop_oneof![5 => Just(AccountKind::Member), 1 => Just(AccountKind::Guest)],
        mastered in prop_oneof![5 => Just(Mastered::Cloud), 1 => Just(Mastered::OnPremises)],
    ) -> Account {
        Account { access, kind, mastered, ..Account::member(ObjectId(id(100 + number)), name(user), stamp) }
    }
}

prop_compose! {
    fn remembered()(
        object in object(), version in version(), stamp in stamp(), verdict in verdict(), at in time(),
        next_try in of(time()), tries in 0u32..3,
    ) -> RememberedVerdict {
        RememberedVerdict { object, version, stamp, verdict, source: VerdictSource::SignIn, at, next_try, tries, code: None }
    }
}

prop_compose! {
    fn pending()(object in object(), version in version(), before in stamp(), since in time()) -> PendingWrite {
        PendingWrite { object, version, before, since, accepted: None, asked: Asked::ByRule }
    }
}

prop_compose! {
    fn known(number: u8)(
        object in of(object()),
        baseline in of((version(), mode())),
        verdict in of(remembered()),
        agreed in of((version(), stamp())),
        written in of((version(), time())),
        pending in prop_oneof![2 => Just(None), 1 => pending().prop_map(Some)],
        attempts in vec(attempt(), 0..3),
        (paused_until, retry_at, confirmation_used) in (of(time()), of(time()), of(time())),
        (overwrites, stands) in (vec(time(), 0..5), any::<bool>()),
        refused in of(version()),
        chosen_for in of(object()),
    ) -> CredentialMemory {
        CredentialMemory {
            object,
            baseline: baseline.map(|(version, mode)| Baseline { version, mode }),
            verdict,
            agreed: agreed.map(|(version, stamp)| Agreed { version, stamp }),
            written: written.map(|(version, at)| Written { version, at }),
            pending,
            attempts,
            paused_until,
            overwrites,
            refused: refused.map(|version| Refused { version, reason: BlockedReason::Rejected, at: now() }),
            retry_at,
            confirmation_used,
            chosen_for,
            raised: stands.then_some((FlagKind::AdChange, standing_flag())).into_iter().collect(),
            ..CredentialMemory::new(CredentialId(id(number)))
        }
    }
}

/// A mismatch flag of before, about another version.
fn standing_flag() -> FlagFact {
    FlagFact {
        version: VaultVersion(0),
        stamp: None,
        why: "it was so".to_owned(),
    }
}

/// All that the planner sees.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) client: ClientSettings,
    pub(crate) credentials: Vec<VaultCredential>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) rights: ResetRights,
    pub(crate) memory: Memory,
    pub(crate) policy: Policy,
}

prop_compose! {
    fn own_account()(
        number in 0..NAMES,
        object in of(object()),
        new_password in prop_oneof![Just(NewOwnPassword::IsUsed), Just(NewOwnPassword::EndsSignIn)],
    ) -> OwnAccount {
        OwnAccount {
            user_name: UserPrincipalName::new(name(number)),
            object,
            new_password,
        }
    }
}

prop_compose! {
    fn policy()(
        verification in prop_oneof![3 => Just(Verification::Allowed), 1 => Just(Verification::SwitchedOff)],
        max_failed_per_day in 0u32..4,
        own in of(own_account()),
        breaker_minimum in prop_oneof![Just(0), Just(2), Just(10)],
    ) -> Policy {
        Policy {
            verification,
            max_failed_per_day,
            breaker_minimum,
            own_account: own,
            ..Policy::default()
        }
    }
}

/// Mostly nothing is lacking; else for few accounts, or for all.
fn rights() -> impl Strategy<Value = ResetRights> {
    let role = || {
        prop_oneof![
            Just(ResetRole::UserAdministrator),
            Just(ResetRole::PrivilegedAuthenticationAdministrator),
        ]
    };
    let account = prop_oneof![
        object(),
        (0..6u8).prop_map(|number| ObjectId(id(200 + number)))
    ];
    let everybody = prop_oneof![9 => Just(None), 1 => role().prop_map(Some)];
    let accounts = prop::collection::btree_map(account, role(), 0..3);
    (everybody, accounts).prop_map(|(everybody, accounts)| ResetRights {
        everybody,
        accounts,
    })
}

prop_compose! {
    fn wild()(
        sync in prop_oneof![8 => Just(MicrosoftSync::EntraId), 1 => Just(MicrosoftSync::None)],
        mute in prop_oneof![8 => Just(Mute::Unmuted), 1 => Just(Mute::Muted)],
        credentials in (0u8..6).prop_flat_map(|count| (0..count).map(credential).collect::<Vec<_>>()),
        accounts in (0u8..5).prop_flat_map(|count| (0..count).map(account).collect::<Vec<_>>()),
        known in (0..6).map(known).collect::<Vec<_>>(),
        unknown in 0usize..4,
        verification_paused_until in of(time()),
        writes in vec(time(), 0..4),
        policy in policy(),
    ) -> Scene {
        let client = ClientSettings { sync, mute, ..ClientSettings::new(ClientId(id(0)), "Contoso") };
        let memory = Memory {
            client: ClientMemory { verification_paused_until, writes, ..ClientMemory::default() },
            credentials: chosen_once(known).into_iter().skip(unknown).map(|it| (it.id, it)).collect(),
            plans: BTreeMap::new(),
        };
        let rights = ResetRights::default();
        Scene { client, credentials, accounts: named_once(accounts), rights, memory, policy }
    }
}

/// Many scenes are made, and the generator that is the default is slow without optimisation.
pub(crate) fn config() -> ProptestConfig {
    ProptestConfig {
        rng_algorithm: RngAlgorithm::XorShift,
        ..ProptestConfig::default()
    }
}

/// Scenes where nothing fits, and scenes where most of it does, so that the deeper rows are met.
pub(crate) fn scene() -> impl Strategy<Value = Scene> {
    let standing = prop_oneof![
        Just(None),
        Just(Some(PlanStanding::Waiting)),
        Just(Some(PlanStanding::Approved(word()))),
        Just(Some(PlanStanding::Rejected(word()))),
    ];
    let fits = vec(any::<u64>().prop_map(Fit), 6);
    let likely = prop_oneof![1 => Just(None), 3 => fits.prop_map(Some)];
    (wild(), likely, standing, rights()).prop_map(|(mut scene, likely, standing, rights)| {
        for (number, fit) in (0..).zip(likely.into_iter().flatten()) {
            scene.settle_in(number, fit);
        }
        scene.accounts = named_once(std::mem::take(&mut scene.accounts));
        scene.rights = rights;
        scene.hold(standing);
        scene
    })
}

fn word() -> Word {
    Word {
        by: "ada@msp.example".to_owned(),
        at: now(),
    }
}

/// Many small decisions in one number, each taken three times out of four.
#[derive(Clone, Copy, Debug)]
struct Fit(u64);

impl Fit {
    fn mostly(&mut self) -> bool {
        let taken = self.0 & 3 != 0;
        self.0 = self.0.rotate_right(2);
        taken
    }
}

/// A tenant has each user name once.
fn named_once(accounts: Vec<Account>) -> Vec<Account> {
    let by_name: BTreeMap<_, _> = accounts
        .into_iter()
        .map(|account| (account.user_name.clone(), account))
        .collect();
    by_name.into_values().collect()
}

/// Of several credentials for one account, one at the most is chosen.
fn chosen_once(mut known: Vec<CredentialMemory>) -> Vec<CredentialMemory> {
    let mut chosen = BTreeSet::new();
    for it in &mut known {
        it.chosen_for = it.chosen_for.filter(|object| chosen.insert(*object));
    }
    known
}

impl Scene {
    /// Gives a credential a name and an account of its own, and a memory that fits them.
    fn settle_in(&mut self, number: u8, mut fit: Fit) {
        let Some(credential) = self.credentials.get_mut(usize::from(number)) else {
            return;
        };
        let Some(mut known) = self.memory.credentials.remove(&credential.id) else {
            return;
        };
        let user_name = UserPrincipalName::new(name(NAMES + number));
        if fit.mostly() {
            credential.user_name = user_name.clone();
        }
        if fit.mostly() {
            credential.facts = Some(Password::new("Winter-2025!").facts());
        }
        if fit.mostly() && fit.mostly() {
            credential.mode = SyncMode::Enabled;
        }
        let object = ObjectId(id(200 + number));
        let stamp = known.agreed.and_then(|it| it.stamp);
        if fit.mostly() {
            let mut account = Account::member(object, user_name.as_str(), stamp);
            if !fit.mostly() {
                account.access = AccountAccess::Disabled;
            }
            self.accounts.push(account);
            if fit.mostly() {
                known.object = fit.mostly().then_some(object);
            }
        }
        if let Some(verdict) = known.verdict.as_mut().filter(|_| fit.mostly()) {
            verdict.object = object;
            verdict.version = credential.version;
            verdict.stamp = stamp;
        }
        if let Some(confirmed) = credential.confirmed.as_mut().filter(|_| fit.mostly()) {
            confirmed.version = credential.version;
        }
        known.pending = known.pending.filter(|_| !fit.mostly());
        known.refused = known.refused.filter(|_| !fit.mostly());
        known.written = known.written.filter(|_| !fit.mostly());
        for attempt in &mut known.attempts {
            if fit.mostly() {
                attempt.object = object;
            }
            if !fit.mostly() {
                attempt.version = credential.version;
                attempt.stamp = stamp;
            }
        }
        if fit.mostly() {
            self.memory.credentials.insert(known.id, known);
        }
        // Now and then the credential before this one is for the same account.
        if !fit.mostly()
            && let Some(before) = self
                .credentials
                .get_mut(usize::from(number.wrapping_sub(1)))
        {
            before.user_name = user_name;
        }
    }

    /// The breaker holds, or held, every other write that the rules ask for.
    fn hold(&mut self, standing: Option<PlanStanding>) {
        let Some(standing) = standing else {
            return;
        };
        let writes = self.unguarded().decisions.into_iter();
        let writes: Vec<_> = writes
            .filter(|it| matches!(it.action, Action::Push(_)))
            .step_by(2)
            .collect();
        let id = PlanId(id(1));
        let plan = HeldPlan {
            id,
            at: now(),
            allowed: 0,
            writes,
            standing,
        };
        self.memory.plans.insert(id, plan);
    }

    pub(crate) fn vault(&self) -> VaultView {
        let credentials = self.credentials.clone();
        VaultView::new(VaultChanges::full(
            VaultEpoch(id(0)),
            self.client.clone(),
            credentials,
        ))
    }

    pub(crate) fn directory(&self) -> DirectoryView {
        let domains = [
            ("contoso.com".to_owned(), DomainKind::Managed),
            ("fabrikam.com".to_owned(), DomainKind::Federated),
        ];
        let accounts = DirectoryChanges::full(self.accounts.clone());
        let mut view = DirectoryView::new(accounts, domains.into());
        view.set_reset_rights(self.rights.clone());
        view
    }

    /// The plan as the rules alone make it.
    pub(crate) fn unguarded(&self) -> Plan {
        let (vault, directory) = (self.vault(), self.directory());
        plan(&vault, &directory, &self.memory, &self.policy, now())
    }

    /// A plan after the guard has looked at it.
    pub(crate) fn guarded(&self, made: Plan) -> (Plan, Option<Tripped>) {
        let (vault, directory) = (self.vault(), self.directory());
        guard(made, &vault, &directory, &self.memory, &self.policy, now())
    }

    /// The plan as it would be walked.
    pub(crate) fn plan(&self) -> Plan {
        self.guarded(self.unguarded()).0
    }

    pub(crate) fn credential(&self, id: CredentialId) -> &VaultCredential {
        self.credentials.iter().find(|it| it.id == id).unwrap()
    }

    /// Every step of the plan, done by a world in which nothing goes wrong.
    pub(crate) fn apply(&mut self, made: &Plan) {
        for decision in &made.decisions {
            let fresh = || CredentialMemory::new(decision.credential);
            let known = self
                .memory
                .credentials
                .entry(decision.credential)
                .or_insert_with(fresh);
            let (Action::Verify(target) | Action::Push(target)) = decision.action else {
                continue;
            };
            let confirmed = self
                .credentials
                .iter()
                .find(|it| it.id == decision.credential);
            known.confirmation_used = confirmed
                .and_then(|it| it.confirmed.as_ref())
                .map(|it| it.at);
            known.remember_agreement(decision.version, target.stamp);
            known.verdict = Some(RememberedVerdict {
                object: target.object,
                version: decision.version,
                stamp: target.stamp,
                verdict: Verdict::Match,
                source: VerdictSource::SignIn,
                at: now(),
                next_try: None,
                tries: 0,
                code: None,
            });
        }
    }
}
