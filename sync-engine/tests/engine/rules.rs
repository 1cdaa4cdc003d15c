//! The table of rules: the document says what the code does, and the planner tries the rows in the
//! order of the table.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

#[path = "../../examples/rules/document/mod.rs"]
mod document;

use std::collections::BTreeSet;

use crate::oracle::Case;
use crate::scenes::{Scene, config, scene};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use sync_engine::plan::Rule;

#[test]
fn the_document_of_the_rules_is_what_the_code_says() {
    let written = include_str!("../../../docs/rules.md");
    let hint = "run `cargo run -p sync-engine --example rules > docs/rules.md` and review it";
    assert_eq!(written, document::rules(), "{hint}");
}

#[test]
fn every_number_of_the_policy_is_explained() {
    let document = document::rules();
    let (_, numbers) = document.split_once("## The numbers").unwrap();
    assert!(
        numbers
            .lines()
            .filter(|line| line.starts_with("| `"))
            .count()
            >= 9
    );
    assert!(
        numbers.lines().all(|line| !line.ends_with("|  |")),
        "{numbers}"
    );
}

/// The rows whose conditions hold for each credential, first the one that applied.
fn rows(scene: &Scene) -> Vec<(Rule, Vec<Rule>)> {
    let directory = scene.directory();
    let decisions = scene.unguarded().decisions.into_iter();
    let rows = decisions.map(|it| {
        let rows = Case::new(scene, &directory, it.credential).rows();
        (it.rule, rows)
    });
    rows.collect()
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_first_row_whose_condition_holds_is_the_one_that_applies(scene in scene()) {
        for (applied, rows) in rows(&scene) {
            prop_assert_eq!(rows.first(), Some(&applied), "{:?}", rows);
        }
    }

    #[test]
    fn each_row_does_what_the_table_says_and_nothing_else(scene in scene()) {
        let directory = scene.directory();
        for decision in scene.unguarded().decisions {
            let case = Case::new(&scene, &directory, decision.credential);
            let effect = case.effect(decision.rule);
            prop_assert_eq!((decision.action, decision.flags), effect, "{:?}", decision.rule);
        }
    }
}

/// Scenes enough to meet everything that can be met; the same ones each time.
fn scenes(count: usize) -> impl Iterator<Item = Scene> {
    let seed = TestRng::from_seed(RngAlgorithm::XorShift, &[7; 16]);
    let mut runner = TestRunner::new_with_rng(config(), seed);
    (0..count).map(move |_| scene().new_tree(&mut runner).unwrap().current())
}

const ONLY_IN_REPORT_MISMATCHES: [Rule; 2] = [Rule::ReportKnown, Rule::ReportCheck];
const ONLY_IN_ENABLED: [Rule; 7] = [
    Rule::Confirmed,
    Rule::VaultChanged,
    Rule::KnownMatch,
    Rule::KnownMismatch,
    Rule::NotVerified,
    Rule::UnverifiableChanged,
    Rule::Unverifiable,
];
/// What is known of a password is one of these things. An agreement stands in for a Match where no
/// check is possible, so that [`Rule::KnownMatch`] goes with the last.
const KINDS_OF_KNOWLEDGE: [&[Rule]; 4] = [
    &[Rule::ReportKnown, Rule::KnownMatch],
    &[Rule::KnownMismatch],
    &[Rule::UnknownPasses, Rule::NotVerified],
    &[
        Rule::KnownMatch,
        Rule::UnverifiableChanged,
        Rule::Unverifiable,
    ],
];

/// Whether two rows can never hold at once.
fn exclude_each_other(one: Rule, other: Rule) -> bool {
    let report = |rule| ONLY_IN_REPORT_MISMATCHES.contains(&rule);
    let enabled = |rule| ONLY_IN_ENABLED.contains(&rule);
    let kinds = |rule| {
        KINDS_OF_KNOWLEDGE
            .iter()
            .filter(move |kind| kind.contains(&rule))
    };
    let is_knowledge = kinds(one).next().is_some() && kinds(other).next().is_some();
    report(one) && enabled(other)
        || enabled(one) && report(other)
        || is_knowledge && !kinds(one).any(|kind| kind.contains(&other))
}

#[test]
fn every_row_is_reached_and_wins_against_each_row_behind_it_that_can_hold_too() {
    let mut reached = BTreeSet::new();
    let mut met = BTreeSet::new();
    for (applied, rows) in scenes(4000).flat_map(|scene| rows(&scene)) {
        reached.insert(applied);
        met.extend(rows.iter().skip(1).map(|later| (applied, *later)));
    }
    assert_eq!(reached, BTreeSet::from(Rule::ALL));
    let can_meet: BTreeSet<_> = pairs()
        .filter(|(earlier, later)| !exclude_each_other(*earlier, *later))
        .collect();
    let unmet: Vec<_> = can_meet.difference(&met).collect();
    let unexpected: Vec<_> = met.difference(&can_meet).collect();
    assert!(
        unmet.is_empty() && unexpected.is_empty(),
        "{unmet:?} {unexpected:?}"
    );
}

/// Each row with each row behind it in the table.
fn pairs() -> impl Iterator<Item = (Rule, Rule)> {
    Rule::ALL
        .into_iter()
        .enumerate()
        .flat_map(|(number, earlier)| {
            let later = Rule::ALL.into_iter().skip(number + 1);
            later.map(move |later| (earlier, later))
        })
}
