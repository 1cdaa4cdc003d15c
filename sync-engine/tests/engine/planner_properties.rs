//! What holds of the planner whatever the world looks like.

#![expect(clippy::indexing_slicing, reason = "a failed test should say where")]

use crate::scenes::{Scene, config, now, scene};
use jiff::Timestamp;
use proptest::prelude::*;
use sync_engine::model::*;
use sync_engine::plan::{Action, Rule, Verification, guard, plan};

/// The ways of taking one credential out of use.
#[derive(Clone, Copy, Debug)]
enum Idle {
    Off,
    Disabled,
}

fn idle() -> impl Strategy<Value = Idle> {
    prop_oneof![Just(Idle::Off), Just(Idle::Disabled)]
}

impl Scene {
    /// The same scene with one credential out of use.
    fn with_less(&self, number: usize, idle: Idle) -> Self {
        let mut less = self.clone();
        match idle {
            Idle::Off => less.credentials[number].mode = SyncMode::Off,
            Idle::Disabled => less.credentials[number].standing = Standing::Disabled,
        }
        less
    }
}

fn is_step(action: &Action) -> bool {
    matches!(action, Action::Verify(_) | Action::Push(_))
}

proptest! {
    #![proptest_config(config())]

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
            prop_assert!(!is_step(&after.action), "{:?} after {:?}", after, before);
        }
        prop_assert_eq!(&second, &scene.plan());
    }

    #[test]
    fn the_ends_of_the_calendar_do_not_stop_it(scene in scene()) {
        let (vault, directory) = (scene.vault(), scene.directory());
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let made = plan(&vault, &directory, &scene.memory, &scene.policy, now);
            let wanted = made.decisions.len();
            let (made, _) = guard(made, &vault, &directory, &scene.memory, &scene.policy, now);
            prop_assert_eq!(made.decisions.len(), wanted);
        }
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
    fn muting_a_client_ends_every_step_and_every_flag(mut scene in scene()) {
        scene.client.mute = Mute::Muted;
        for decision in scene.plan().decisions {
            prop_assert_eq!(decision.action, Action::Nothing);
            prop_assert!(decision.flags.is_empty());
        }
    }

    // Nothing that is switched off touches anything else, with two exceptions that are stated here:
    // another credential for the same account is no duplicate any more, and the breaker counts
    // anew, because it holds by how many writes are wanted and how many accounts are synced.
    #[test]
    fn switching_a_credential_off_changes_no_other_ones_rules(
        scene in scene(), number in any::<prop::sample::Index>(), idle in idle(),
    ) {
        prop_assume!(!scene.credentials.is_empty());
        let less = scene.with_less(number.index(scene.credentials.len()), idle);
        let switched = &scene.credentials[number.index(scene.credentials.len())];
        let before = scene.unguarded().decisions;
        for (before, after) in before.iter().zip(&less.unguarded().decisions) {
            if before.credential == switched.id {
                prop_assert_eq!(&after.action, &Action::Nothing);
                prop_assert!(after.flags.is_empty());
            } else if before.user_name != switched.user_name {
                prop_assert_eq!(before, after);
            } else if before.rule != Rule::Duplicate {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn switching_a_credential_off_adds_no_step_but_what_a_duplicate_or_the_breaker_held(
        scene in scene(), number in any::<prop::sample::Index>(), idle in idle(),
    ) {
        prop_assume!(!scene.credentials.is_empty());
        let less = scene.with_less(number.index(scene.credentials.len()), idle);
        let before = scene.plan().decisions;
        for (before, after) in before.iter().zip(&less.plan().decisions) {
            let was_a_duplicate = before.action == Action::Block(BlockedReason::Duplicate);
            let was_held = before.action == Action::Hold(HeldReason::MassChange);
            let was_second = before.action == Action::Hold(HeldReason::Unsafe);
            if is_step(&after.action) && before.action != after.action {
                prop_assert!(was_a_duplicate || was_held || was_second, "{:?} {:?}", before, after);
            }
        }
    }

    #[test]
    fn report_mismatches_writes_nothing_and_adds_no_write_elsewhere(
        scene in scene(), number in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!scene.credentials.is_empty());
        let mut less = scene.clone();
        let switched = &mut less.credentials[number.index(scene.credentials.len())];
        if switched.mode == SyncMode::Enabled {
            switched.mode = SyncMode::ReportMismatches;
        }
        let switched = switched.id;
        let before = scene.unguarded().decisions;
        for (before, after) in before.iter().zip(&less.unguarded().decisions) {
            if before.credential == switched {
                prop_assert!(!matches!(after.action, Action::Push(_) | Action::Hold(_)));
            } else {
                prop_assert_eq!(before, after);
            }
        }
    }

    #[test]
    fn an_unknown_never_raises_the_mismatch_flag(scene in scene()) {
        for decision in scene.unguarded().decisions {
            let known = scene.memory.credentials.get(&decision.credential);
            let stood = known.is_some_and(|it| it.raised.contains_key(&FlagKind::AdChange));
            let verdict = known.and_then(|it| it.verdict.as_ref()).map(|it| &it.verdict);
            if decision.flags.contains_key(&FlagKind::AdChange) && !stood {
                prop_assert_eq!(verdict, Some(&Verdict::Mismatch));
            }
        }
    }

    #[test]
    fn what_is_held_or_blocked_says_so_and_nothing_else_does(scene in scene()) {
        for decision in scene.plan().decisions {
            let held = decision.flags.contains_key(&FlagKind::Held);
            let blocked = decision.flags.contains_key(&FlagKind::Blocked);
            prop_assert_eq!(held, matches!(decision.action, Action::Hold(_)));
            prop_assert_eq!(blocked, matches!(decision.action, Action::Block(_)));
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
            .map(|it| own.as_ref().is_some_and(|own| own.user_name == it.user_name))
            .collect();
        prop_assert!(is_own.is_sorted());
    }
}
