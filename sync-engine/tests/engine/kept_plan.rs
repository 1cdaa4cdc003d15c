//! A plan that is kept and brought up to date equals one that is made from nothing, whatever moved
//! in between: credentials, accounts, the memory, the client, the time.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::collections::BTreeMap;

use crate::scenes::{Scene, config, now, scene};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use sync_engine::model::*;
use sync_engine::plan::*;

/// What moves from one scene to the next: so many of what another scene holds.
#[derive(Clone, Debug)]
struct Turn {
    into: Scene,
    takes: Vec<bool>,
    later: SignedDuration,
}

/// A world that moves, and the plan that is kept of it.
struct Kept {
    vault: VaultView,
    directory: DirectoryView,
    memory: Memory,
    policy: Policy,
    now: Timestamp,
    planner: Planner,
}

fn turn() -> impl Strategy<Value = Turn> {
    let later = prop_oneof![
        3 => Just(0),
        4 => -120i64..7_200,
        2 => -90_000i64..900_000,
    ];
    let takes = proptest::collection::vec(any::<bool>(), 32);
    (scene(), takes, later).prop_map(|(into, takes, seconds)| Turn {
        into,
        takes,
        later: SignedDuration::from_secs(seconds),
    })
}

impl Kept {
    fn of(scene: &Scene) -> Self {
        Self {
            vault: scene.vault(),
            directory: scene.directory(),
            memory: scene.memory.clone(),
            policy: scene.policy.clone(),
            now: now(),
            planner: Planner::default(),
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs {
            vault: &self.vault,
            directory: &self.directory,
            memory: &self.memory,
            policy: &self.policy,
            now: self.now,
        }
    }

    /// Brings the kept plan up to date; returns what was looked at anew, and the whole.
    fn replan(&mut self) -> (Plan, Plan) {
        let mut planner = std::mem::take(&mut self.planner);
        let looked_at = planner.replan(self.inputs());
        let whole = planner.whole(&self.policy);
        self.planner = planner;
        (looked_at, whole)
    }

    fn drawn_anew(&self) -> Plan {
        let Inputs {
            vault,
            directory,
            memory,
            policy,
            now,
        } = self.inputs();
        plan(vault, directory, memory, policy, now)
    }

    fn take(&mut self, turn: &Turn) {
        let mut takes = turn.takes.iter().cycle().copied();
        let mut takes = || takes.next().unwrap();
        self.now = self.now.checked_add(turn.later).unwrap();
        self.move_vault(turn, &mut takes);
        self.move_directory(turn, &mut takes);
        self.move_memory(turn, &mut takes);
    }

    fn move_vault(&mut self, turn: &Turn, takes: &mut impl FnMut() -> bool) {
        let rarely = [takes(), takes(), takes()].iter().all(|it| *it);
        let changes = VaultChanges {
            epoch: self.vault.epoch,
            cursor: self.vault.cursor.clone(),
            extent: Extent::Changes,
            client: if rarely {
                turn.into.client.clone()
            } else {
                self.vault.client.clone()
            },
            credentials: {
                let news = turn.into.credentials.iter().filter(|_| takes());
                news.cloned().collect()
            },
            rulings: Vec::new(),
        };
        self.planner.mark(Moved::in_vault(&self.vault, &changes));
        self.vault.absorb(changes);
    }

    fn move_directory(&mut self, turn: &Turn, takes: &mut impl FnMut() -> bool) {
        let there = |id| turn.into.accounts.iter().any(|it| it.id == id);
        let all = (0..=u8::MAX).map(|number| ObjectId(crate::scenes::id(number)));
        let gone = all.filter(|id| self.directory.account(*id).is_some() && !there(*id));
        let changes = DirectoryChanges {
            link: self.directory.link().clone(),
            extent: Extent::Changes,
            removed: gone.filter(|_| takes()).collect(),
            accounts: turn
                .into
                .accounts
                .iter()
                .filter(|_| takes())
                .cloned()
                .collect(),
        };
        self.planner
            .mark(Moved::in_directory(&self.directory, &changes));
        self.directory.absorb(changes);
    }

    fn move_memory(&mut self, turn: &Turn, takes: &mut impl FnMut() -> bool) {
        let news: BTreeMap<_, _> = turn
            .into
            .memory
            .credentials
            .iter()
            .filter(|_| takes())
            .map(|(id, known)| (*id, known.clone()))
            .collect();
        self.planner.mark(Moved::credentials(news.keys().copied()));
        self.memory.credentials.extend(news);
        if takes() && takes() {
            self.memory.client = turn.into.memory.client.clone();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..config() })]

    #[test]
    fn a_kept_plan_equals_one_that_is_made_drawn_anew(
        first in scene(),
        turns in proptest::collection::vec(turn(), 1..4),
    ) {
        let mut kept = Kept::of(&first);
        prop_assert_eq!(kept.replan().1, kept.drawn_anew());
        for turn in &turns {
            kept.take(turn);
            let (looked_at, whole) = kept.replan();
            let wanted = kept.drawn_anew();
            let is_missing = |step: &&Decision| step.is_step() && !looked_at.decisions.contains(step);
            prop_assert_eq!(wanted.decisions.iter().find(is_missing), None);
            prop_assert_eq!(whole, wanted);
        }
    }

    #[test]
    fn what_did_not_move_is_not_looked_at(scene in scene()) {
        let mut kept = Kept::of(&scene);
        kept.replan();
        let (looked_at, _) = kept.replan();
        prop_assert!(looked_at.decisions.iter().all(Decision::is_step));
    }
}
