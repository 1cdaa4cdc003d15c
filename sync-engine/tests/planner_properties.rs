//! What holds of the planner whatever the world looks like.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use sync_engine::model::*;
use sync_engine::plan::{Action, Plan, Policy, Verification, guard, plan};
use uuid::Uuid;

/// Few of everything, so that names, accounts and versions meet often.
const NAMES: u8 = 4;

fn id(number: u8) -> Uuid {
    Uuid::from_u128(u128::from(number))
}

fn now() -> Timestamp {
    "2026-01-05T08:00:00Z".parse().unwrap()
}

fn name(number: u8) -> String {
    match number {
        0 => "anna@contoso.com".to_owned(),
        1 => "ben@fabrikam.com".to_owned(),
        2 => "carl_x.org#EXT#@contoso.com".to_owned(),
        other => format!("user{other}@contoso.com"),
    }
}

/// Some time within two days around now, or on a grid that other times meet.
fn time() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (-3i64..=3).prop_map(|half_days| now() + jiff::SignedDuration::from_hours(half_days * 12)),
        (-200_000i64..=200_000)
            .prop_map(|seconds| now() + jiff::SignedDuration::from_secs(seconds)),
    ]
}

fn stamp() -> impl Strategy<Value = Option<Stamp>> {
    of((0i64..3).prop_map(|day| Stamp(Timestamp::from_second(day * 86_400).unwrap())))
}

fn version() -> impl Strategy<Value = VaultVersion> {
    (1u64..4).prop_map(VaultVersion)
}

fn mode() -> impl Strategy<Value = SyncMode> {
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

fn object() -> impl Strategy<Value = ObjectId> {
    (0..NAMES).prop_map(|number| ObjectId(id(100 + number)))
}

fn unknown() -> impl Strategy<Value = UnknownReason> {
    prop_oneof![
        Just(UnknownReason::Locked),
        Just(UnknownReason::Throttled),
        Just(UnknownReason::NotPermitted),
        Just(UnknownReason::Interrupted),
        Just(UnknownReason::Inconclusive),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
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
        pending in prop_oneof![4 => Just(None), 1 => pending().prop_map(Some)],
        attempts in vec(attempt(), 0..3),
        (paused_until, retry_at, confirmation_used) in (of(time()), of(time()), of(time())),
        overwrites in vec(time(), 0..4),
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
            ..CredentialMemory::new(CredentialId(id(number)))
        }
    }
}

/// All that the planner sees.
#[derive(Clone, Debug)]
struct Scene {
    client: ClientSettings,
    credentials: Vec<VaultCredential>,
    accounts: Vec<Account>,
    memory: Memory,
    policy: Policy,
}

prop_compose! {
    fn policy()(
        verification in prop_oneof![3 => Just(Verification::Allowed), 1 => Just(Verification::SwitchedOff)],
        max_failed_per_day in 0u32..4,
        own in of(0..NAMES),
        breaker_minimum in prop_oneof![Just(0), Just(2), Just(10)],
    ) -> Policy {
        Policy {
            verification,
            max_failed_per_day,
            breaker_minimum,
            own_account: own.map(|number| UserPrincipalName::new(name(number))),
            ..Policy::default()
        }
    }
}

prop_compose! {
    fn scene()(
        sync in prop_oneof![8 => Just(MicrosoftSync::EntraId), 1 => Just(MicrosoftSync::None)],
        mute in prop_oneof![8 => Just(Mute::Unmuted), 1 => Just(Mute::Muted)],
        credentials in (0u8..6).prop_flat_map(|count| (0..count).map(credential).collect::<Vec<_>>()),
        accounts in (0u8..5).prop_flat_map(|count| (0..count).map(account).collect::<Vec<_>>()),
        known in (0u8..6).prop_flat_map(|count| (0..count).map(known).collect::<Vec<_>>()),
        verification_paused_until in of(time()),
        writes in vec(time(), 0..4),
        policy in policy(),
    ) -> Scene {
        let client = ClientSettings { sync, mute, ..ClientSettings::new(ClientId(id(0)), "Contoso") };
        let memory = Memory {
            client: ClientMemory { verification_paused_until, writes, ..ClientMemory::default() },
            credentials: chosen_once(known).into_iter().map(|it| (it.id, it)).collect(),
            plans: BTreeMap::new(),
        };
        Scene { client, credentials, accounts: named_once(accounts), memory, policy }
    }
}

/// A tenant has each user name once.
fn named_once(accounts: Vec<Account>) -> Vec<Account> {
    let by_name: BTreeMap<_, _> = accounts
        .into_iter()
        .map(|account| (account.user_name.folded(), account))
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
    fn vault(&self) -> VaultView {
        let credentials = self.credentials.clone();
        VaultView::new(VaultChanges::full(
            VaultEpoch(id(0)),
            self.client.clone(),
            credentials,
        ))
    }

    fn directory(&self) -> DirectoryView {
        let domains = [
            ("contoso.com".to_owned(), DomainKind::Managed),
            ("fabrikam.com".to_owned(), DomainKind::Federated),
        ];
        DirectoryView::new(
            DirectoryChanges::full(self.accounts.clone()),
            domains.into(),
        )
    }

    /// The plan as it would be walked.
    fn plan(&self) -> Plan {
        let (vault, directory) = (self.vault(), self.directory());
        let made = plan(&vault, &directory, &self.memory, &self.policy, now());
        guard(made, &vault, &directory, &self.memory, &self.policy, now()).0
    }

    fn credential(&self, id: CredentialId) -> &VaultCredential {
        self.credentials.iter().find(|it| it.id == id).unwrap()
    }

    /// Every step of the plan, done by a world in which nothing goes wrong.
    fn apply(&mut self, made: &Plan) {
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

fn is_step(action: &Action) -> bool {
    matches!(action, Action::Verify(_) | Action::Push(_))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn the_planner_is_total_and_decides_each_credential_once(scene in scene()) {
        let mut decided: Vec<_> = scene.plan().decisions.iter().map(|it| it.credential).collect();
        decided.sort_unstable();
        let mut wanted: Vec<_> = scene.credentials.iter().map(|it| it.id).collect();
        wanted.sort_unstable();
        prop_assert_eq!(decided, wanted);
    }

    #[test]
    fn equal_input_gives_a_byte_identical_plan(scene in scene()) {
        let first = serde_json::to_string(&scene.plan()).unwrap();
        let second = serde_json::to_string(&scene.clone().plan()).unwrap();
        prop_assert_eq!(first, second);
    }

    #[test]
    fn the_order_in_which_the_world_was_read_does_not_matter(
        (scene, credentials, accounts) in scene().prop_flat_map(|scene| {
            let credentials = Just(scene.credentials.clone()).prop_shuffle();
            let accounts = Just(scene.accounts.clone()).prop_shuffle();
            (Just(scene), credentials, accounts)
        })
    ) {
        let shuffled = Scene { credentials, accounts, ..scene.clone() };
        prop_assert_eq!(scene.plan(), shuffled.plan());
    }

    #[test]
    fn after_a_perfect_apply_nothing_is_left_to_do(mut scene in scene()) {
        let first = scene.plan();
        scene.apply(&first);
        let second = scene.plan();
        for (before, after) in first.decisions.iter().zip(&second.decisions) {
            if is_step(&before.action) {
                prop_assert_eq!(&after.action, &Action::Nothing, "after {:?}", before);
            }
        }
        prop_assert_eq!(&second, &scene.plan());
    }

    #[test]
    fn what_is_muted_off_or_disabled_is_never_touched_and_carries_no_flag(scene in scene()) {
        for decision in scene.plan().decisions {
            let credential = scene.credential(decision.credential);
            let idle = scene.client.mute == Mute::Muted
                || scene.client.sync == MicrosoftSync::None
                || credential.mode == SyncMode::Off
                || credential.standing == Standing::Disabled;
            if idle {
                prop_assert_eq!(decision.action, Action::Nothing);
                prop_assert!(decision.flags.is_empty());
            }
        }
    }

    #[test]
    fn a_step_is_only_for_an_account_of_ours_and_a_write_only_where_enabled(scene in scene()) {
        let directory = scene.directory();
        for decision in scene.plan().decisions {
            let credential = scene.credential(decision.credential);
            let (Action::Verify(target) | Action::Push(target)) = decision.action else {
                continue;
            };
            let account = directory.resolve(&credential.user_name).unwrap();
            prop_assert_eq!(target.object, account.id);
            prop_assert_eq!(target.stamp, account.stamp);
            prop_assert_eq!(account.kind, AccountKind::Member);
            prop_assert_eq!(account.access, AccountAccess::Enabled);
            prop_assert_eq!(account.mastered, Mastered::Cloud);
            prop_assert!(!account.user_name.is_external());
            prop_assert_eq!(directory.domain_kind(&account.user_name), Some(DomainKind::Managed));
            if let Action::Push(_) = decision.action {
                prop_assert_eq!(credential.mode, SyncMode::Enabled);
                prop_assert_eq!(credential.facts.and_then(|facts| facts.refusal), None);
            }
        }
    }

    #[test]
    fn no_account_is_touched_twice_and_none_while_a_write_is_under_way(scene in scene()) {
        let mut touched = Vec::new();
        for decision in scene.plan().decisions {
            if let Action::Verify(target) | Action::Push(target) = decision.action {
                touched.push(target.object);
                let known = scene.memory.credentials.get(&decision.credential);
                prop_assert!(known.is_none_or(|known| known.pending.is_none()));
            }
        }
        touched.sort_unstable();
        let steps = touched.len();
        touched.dedup();
        prop_assert_eq!(touched.len(), steps);
    }

    #[test]
    fn no_test_exceeds_the_lockout_budget(scene in scene()) {
        for decision in scene.plan().decisions {
            let Action::Verify(target) = decision.action else {
                continue;
            };
            prop_assert_eq!(scene.policy.verification, Verification::Allowed);
            let day_ago = now() - jiff::SignedDuration::from_hours(24);
            let all = scene.memory.credentials.values().flat_map(|known| &known.attempts);
            let counted = all
                .filter(|it| it.object == target.object && it.state.counts() && it.at > day_ago)
                .count();
            prop_assert!(counted < scene.policy.max_failed_per_day as usize);
        }
    }

    #[test]
    fn an_older_version_is_never_written_after_a_newer_one(scene in scene()) {
        for decision in scene.plan().decisions {
            let known = scene.memory.credentials.get(&decision.credential);
            if let Action::Push(_) = decision.action {
                let newest = known.and_then(CredentialMemory::newest_sent);
                prop_assert!(newest.is_none_or(|newest| newest <= decision.version));
            }
        }
    }

    #[test]
    fn the_agents_own_account_goes_last(scene in scene()) {
        let own = scene.policy.own_account.clone();
        let is_own: Vec<_> = scene
            .plan()
            .decisions
            .iter()
            .map(|it| own.as_ref() == Some(&it.user_name))
            .collect();
        prop_assert!(is_own.is_sorted());
    }
}
