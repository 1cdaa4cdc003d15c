//! What holds of the guard whatever plan it is given: also one that no rule would ever make.

#![expect(clippy::indexing_slicing, reason = "a failed test should say where")]

use std::collections::BTreeSet;

use crate::scenes::{Scene, config, now, object, scene, stamp, version};
use jiff::SignedDuration;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use sync_engine::model::*;
use sync_engine::plan::{
    Action, Decision, NewOwnPassword, Plan, PlanStanding, Policy, Rule, Target, guard, plan,
};

/// A scene, and a plan for it that somebody tampered with.
fn tampered() -> impl Strategy<Value = (Scene, Plan)> {
    let tampering = (any::<Index>(), any::<Index>(), tampering());
    (scene(), vec(tampering, 0..5)).prop_map(|(scene, tamperings)| {
        let mut plan = scene.unguarded();
        for (number, account, tampering) in tamperings {
            if !plan.decisions.is_empty() {
                let number = number.index(plan.decisions.len());
                tampering.apply(&mut plan.decisions, number, &scene.accounts, account);
            }
        }
        (scene, plan)
    })
}

#[derive(Clone, Debug)]
enum Tampering {
    Write(ObjectId, Option<Stamp>),
    WriteWhereItFits(Rule),
    Version(VaultVersion),
    Rule(Rule),
    Twice,
    Stranger,
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let rule = || prop::sample::select(Rule::ALL.to_vec());
    prop_oneof![
        1 => (object(), stamp()).prop_map(|(object, stamp)| Tampering::Write(object, stamp)),
        6 => rule().prop_map(Tampering::WriteWhereItFits),
        1 => version().prop_map(Tampering::Version),
        1 => rule().prop_map(Tampering::Rule),
        1 => Just(Tampering::Twice),
        1 => Just(Tampering::Stranger),
    ]
}

impl Tampering {
    fn apply(self, plan: &mut Vec<Decision>, number: usize, accounts: &[Account], other: Index) {
        let decision = &mut plan[number];
        match self {
            Self::Write(object, stamp) => decision.action = Action::Push(Target { object, stamp }),
            Self::WriteWhereItFits(rule) => {
                let own = accounts
                    .iter()
                    .find(|it| it.user_name == decision.user_name);
                let some = (!accounts.is_empty()).then(|| other.get(accounts));
                if let Some(account) = own.or(some) {
                    let (object, stamp) = (account.id, account.stamp);
                    decision.action = Action::Push(Target { object, stamp });
                    decision.rule = rule;
                }
            }
            Self::Version(version) => decision.version = version,
            Self::Rule(rule) => decision.rule = rule,
            Self::Twice => {
                let again = decision.clone();
                plan.push(again);
            }
            Self::Stranger => decision.credential = CredentialId(uuid::Uuid::from_u128(999)),
        }
    }
}

/// What the guard must say of one write, said once more.
struct Write<'a> {
    scene: &'a Scene,
    decision: &'a Decision,
    target: Target,
}

impl Write<'_> {
    fn objection(&self, written: &BTreeSet<ObjectId>) -> Option<HeldReason> {
        if written.contains(&self.target.object) || self.signs_us_out() {
            return Some(HeldReason::Unsafe);
        }
        let rejected = matches!(self.said(), Some(PlanStanding::Rejected(_)));
        if rejected && self.decision.rule != Rule::Confirmed {
            return Some(HeldReason::Rejected);
        }
        let known = self.scene.memory.credentials.get(&self.decision.credential);
        let sent = known.and_then(CredentialMemory::newest_sent);
        if sent.is_some_and(|sent| sent > self.decision.version) {
            return Some(HeldReason::OlderVersion);
        }
        let under_way = known.is_some_and(|it| it.pending.is_some()) || self.is_under_way();
        let safe = self.is_wanted() && self.is_ours() && !under_way;
        (!safe).then_some(HeldReason::Unsafe)
    }

    fn signs_us_out(&self) -> bool {
        let own = self.scene.policy.own_account.as_ref();
        own.is_some_and(|own| {
            let same_name = own.user_name == self.decision.user_name;
            let same = own.object.map(|id| id == self.target.object);
            own.new_password == NewOwnPassword::EndsSignIn
                && same.unwrap_or(same_name)
                && self.decision.rule != Rule::Confirmed
        })
    }

    /// Whichever credential it was sent for.
    fn is_under_way(&self) -> bool {
        let grace = self.scene.policy.replication_grace;
        let mut known = self.scene.memory.credentials.values();
        known.any(|it| {
            let pending = it.pending.as_ref();
            pending.is_some_and(|it| it.object == self.target.object && it.since + grace > now())
        })
    }

    fn is_wanted(&self) -> bool {
        let mut credentials = self.scene.credentials.iter();
        let credential = credentials.find(|it| it.id == self.decision.credential);
        credential.is_some_and(|it| {
            it.mode == SyncMode::Enabled
                && it.version == self.decision.version
                && it.standing == Standing::Active
                && self.scene.client.mute == Mute::Unmuted
                && self.scene.client.sync == MicrosoftSync::EntraId
        })
    }

    fn is_ours(&self) -> bool {
        let directory = self.scene.directory();
        directory.account(self.target.object).is_some_and(|it| {
            it.kind == AccountKind::Member
                && !it.user_name.is_external()
                && it.access == AccountAccess::Enabled
                && it.mastered == Mastered::Cloud
                && directory.domain_kind(&it.user_name) == Some(DomainKind::Managed)
                && self.scene.rights.lacking(it.id).is_none()
        })
    }

    /// What a person said of a plan with this very write.
    fn said(&self) -> Option<PlanStanding> {
        let mut plans = self.scene.memory.plans.values();
        let same = |it: &Decision| {
            it.credential == self.decision.credential
                && it.version == self.decision.version
                && it.action == Action::Push(self.target)
        };
        plans
            .find(|plan| plan.writes.iter().any(same))
            .map(|it| it.standing.clone())
    }

    /// Whether it counts as one that the rules alone asked for.
    fn is_fresh(&self) -> bool {
        let said = matches!(
            self.said(),
            Some(PlanStanding::Waiting | PlanStanding::Approved(_))
        );
        self.decision.rule != Rule::Confirmed && !said
    }

    fn waits(&self) -> bool {
        self.decision.rule != Rule::Confirmed && self.said() == Some(PlanStanding::Waiting)
    }
}

/// Writes that the breaker lets pass now.
fn allowed(scene: &Scene) -> usize {
    let synced = scene.credentials.iter().filter(|it| {
        it.mode != SyncMode::Off
            && it.standing == Standing::Active
            && scene.client.mute == Mute::Unmuted
            && scene.client.sync == MicrosoftSync::EntraId
    });
    let share = synced.count() * scene.policy.breaker_percent as usize / 100;
    let limit = share.max(scene.policy.breaker_minimum as usize);
    let hour = SignedDuration::from_hours(1);
    let recent = scene.memory.client.writes.iter();
    let recent = recent.filter(|at| now().duration_since(**at) < hour);
    limit.saturating_sub(recent.count())
}

/// What the guard must make of each decision.
fn expected(scene: &Scene, plan: &Plan) -> Vec<Action> {
    let mut written = BTreeSet::new();
    let objections: Vec<_> = plan
        .decisions
        .iter()
        .map(|decision| {
            let Action::Push(target) = decision.action else {
                return None;
            };
            let write = Write {
                scene,
                decision,
                target,
            };
            let objection = write.objection(&written);
            written.insert(target.object);
            Some((write, objection))
        })
        .collect();
    let passing = objections
        .iter()
        .flatten()
        .filter(|(_, objection)| objection.is_none());
    let fresh = passing.filter(|(write, _)| write.is_fresh()).count();
    let too_many = fresh > allowed(scene);
    let actions =
        objections
            .into_iter()
            .zip(&plan.decisions)
            .map(|(write, decision)| match write {
                Some((_, Some(reason))) => Action::Hold(reason),
                Some((write, None)) if write.waits() || too_many && write.is_fresh() => {
                    Action::Hold(HeldReason::MassChange)
                }
                _ => decision.action.clone(),
            });
    actions.collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn exactly_what_must_not_be_written_is_held((scene, plan) in tampered()) {
        let expected = expected(&scene, &plan);
        let (guarded, _) = scene.guarded(plan);
        let actions: Vec<_> = guarded.decisions.into_iter().map(|it| it.action).collect();
        prop_assert_eq!(actions, expected);
    }

    #[test]
    fn the_guard_only_ever_turns_a_write_into_a_hold((scene, plan) in tampered()) {
        let (guarded, _) = scene.guarded(plan.clone());
        prop_assert_eq!(guarded.decisions.len(), plan.decisions.len());
        for (before, after) in plan.decisions.into_iter().zip(guarded.decisions) {
            if before == after {
                continue;
            }
            prop_assert!(matches!(before.action, Action::Push(_)));
            let Action::Hold(reason) = after.action else {
                return Err(TestCaseError::fail("a write became something else"));
            };
            let flag = after.flags.get(&FlagKind::Held).map(|it| (it.version, it.why.clone()));
            prop_assert_eq!(flag, Some((before.version, reason.to_string())));
            let differs = before.rule == Rule::KnownMismatch;
            let flagged = after.flags.contains_key(&FlagKind::AdChange);
            let stood = before.flags.contains_key(&FlagKind::AdChange);
            prop_assert_eq!(flagged, differs || stood);
            let unchanged = Decision { action: before.action.clone(), flags: before.flags.clone(), ..after };
            prop_assert_eq!(unchanged, before);
        }
    }

    #[test]
    fn what_the_breaker_stopped_is_what_waits_for_a_person((scene, plan) in tampered()) {
        let (guarded, tripped) = scene.guarded(plan.clone());
        let stopped: Vec<_> = guarded
            .decisions
            .iter()
            .zip(plan.decisions)
            .filter(|(after, _)| after.action == Action::Hold(HeldReason::MassChange))
            .map(|(_, before)| before)
            .collect();
        prop_assert_eq!(tripped.is_some(), !stopped.is_empty());
        if let Some(tripped) = tripped {
            prop_assert_eq!(tripped.wanted, stopped);
            prop_assert_eq!(tripped.allowed, allowed(&scene));
        }
    }

    #[test]
    fn the_guard_has_nothing_to_say_of_what_it_let_pass((scene, plan) in tampered()) {
        let (once, _) = scene.guarded(plan);
        let (twice, tripped) = scene.guarded(once.clone());
        prop_assert_eq!(once, twice);
        prop_assert_eq!(tripped, None);
    }

    #[test]
    fn a_write_that_the_rules_do_not_ask_for_is_never_made(scene in scene()) {
        let wanted = scene.unguarded().decisions;
        for (wanted, made) in wanted.into_iter().zip(scene.plan().decisions) {
            if let Action::Push(_) = made.action {
                prop_assert_eq!(wanted, made);
            }
        }
    }
}

/// Two credentials of one account. The write of the first is under way, and a plan that no rule would
/// make writes the second. Returns what the guard makes of that so long after the first was sent.
fn beside_a_write_under_way(age: SignedDuration) -> Action {
    let id = |number| uuid::Uuid::from_u128(number);
    let (first, second) = (CredentialId(id(1)), CredentialId(id(2)));
    let object = ObjectId(id(7));
    let stamp = Some(Stamp(jiff::Timestamp::UNIX_EPOCH));
    let name = "anna@contoso.com";
    let password = Password::new("Winter-2025!");
    let credential = |id| VaultCredential::new(id, name, SyncMode::Enabled, &password);
    let client = ClientSettings::new(ClientId(id(9)), "Contoso");
    let credentials = vec![credential(first), credential(second)];
    let vault = VaultView::new(VaultChanges::full(VaultEpoch(id(8)), client, credentials));
    let accounts = vec![Account::member(object, name, stamp)];
    let domains = [("contoso.com".to_owned(), DomainKind::Managed)].into();
    let directory = DirectoryView::new(DirectoryChanges::full(accounts), domains);
    let mut known = CredentialMemory::new(first);
    known.pending = Some(PendingWrite {
        object,
        version: VaultVersion(1),
        before: stamp,
        since: now() - age,
        accepted: None,
        asked: Asked::ByRule,
    });
    let mut memory = Memory::default();
    memory.credentials.insert(first, known);
    let policy = Policy::default();
    let mut made = plan(&vault, &directory, &memory, &policy, now());
    let write = Action::Push(Target { object, stamp });
    made.decisions.retain(|it| it.credential == second);
    made.decisions[0].action = write;
    let (guarded, _) = guard(made, &vault, &directory, &memory, &policy, now());
    guarded.decisions[0].action.clone()
}

#[test]
fn no_write_passes_beside_one_of_another_credential_of_the_account() {
    let grace = SignedDuration::try_from(Policy::default().replication_grace).unwrap();
    let held = Action::Hold(HeldReason::Unsafe);
    assert_eq!(beside_a_write_under_way(SignedDuration::ZERO), held);
    let moment = SignedDuration::from_millis(1);
    assert_eq!(beside_a_write_under_way(grace - moment), held);
    assert!(matches!(beside_a_write_under_way(grace), Action::Push(_)));
}
