//! The same seed makes the same world, step by step.

use simulation::{Telling, Wish, run};

fn short(seed: u64) -> Wish {
    Wish {
        days: 7,
        ..Wish::seed(seed)
    }
}

#[test]
fn the_same_seed_tells_the_same_story_twice() {
    let once = run(&short(5), Telling::Everything);
    let again = run(&short(5), Telling::Everything);
    assert!(once.trace.len() > 500, "the world is busy");
    assert_eq!(once.trace, again.trace);
    assert_eq!(once.totals, again.totals);
}

#[test]
fn telling_changes_nothing() {
    let told = run(&short(7), Telling::Everything);
    let silent = run(&short(7), Telling::Silent);
    assert_eq!(told.totals, silent.totals);
    assert!(silent.trace.is_empty());
}

#[test]
fn other_seeds_make_other_worlds() {
    let one = run(&short(1), Telling::Silent);
    let other = run(&short(2), Telling::Silent);
    assert_ne!(one.totals, other.totals);
}
