//! Worlds that once did not hold, and a few others: all of them hold.

#![expect(
    clippy::unwrap_used,
    reason = "a regression file that cannot be read is a failed test"
)]

use std::collections::BTreeSet;

use serde::Deserialize;
use simulation::{Telling, Wish, run};

/// The committed file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Regressions {
    #[serde(default)]
    world: Vec<Regression>,
}

/// A world that once did not hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Regression {
    seed: u64,
    days: u64,
    /// The version of the generator that it was found with.
    generator: u32,
    /// The rule that was broken.
    rule: String,
    /// What it found.
    found: String,
}

fn regressions() -> Vec<Regression> {
    let file: Regressions = toml::from_str(include_str!("../regressions.toml")).unwrap();
    file.world
}

fn holds(seed: u64, days: u64, why: &str) {
    let wish = Wish {
        seed,
        days,
        without: BTreeSet::new(),
    };
    let ran = run(&wish, Telling::Silent);
    assert_eq!(ran.violation, None, "world {seed} of {days} days ({why})");
}

#[test]
fn worlds_that_once_did_not_hold_do() {
    for world in regressions() {
        holds(world.seed, world.days, &world.found);
    }
}

#[test]
fn every_kept_world_tells_what_it_was_kept_for() {
    for world in regressions() {
        assert!(world.generator <= simulation::GENERATOR);
        assert!(!world.rule.is_empty() && !world.found.is_empty());
    }
}

#[test]
fn a_few_other_worlds_hold() {
    for seed in 9001..=9003 {
        holds(seed, 8, "fresh");
    }
}
