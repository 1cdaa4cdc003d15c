//! Every rule fires when what it forbids is done on purpose: the engine's ports or its numbers are
//! tampered with, and the harness notices.

mod tampered;

use simulation::{Invariant, Tamper, Telling, Wish, run_tampered};

/// The rules that break in a few worlds in which the engine is tampered with.
fn broken(tamper: Tamper) -> Vec<Invariant> {
    let worlds = (1..=6).map(|seed| Wish {
        days: 8,
        ..Wish::seed(seed)
    });
    let rans = worlds.map(|wish| run_tampered(&wish, Telling::Silent, tamper));
    rans.filter_map(|ran| Some(ran.violation?.invariant))
        .collect()
}

fn fires(rule: Invariant, tamper: Tamper) {
    let broken = broken(tamper);
    assert!(broken.contains(&rule), "only {broken:?} broke");
}

#[test]
fn nothing_fires_where_nothing_is_tampered_with() {
    assert_eq!(broken(|ports, policy| (ports, policy)), []);
}

#[test]
fn a_budget_that_is_ignored() {
    fires(Invariant::Lockout, |ports, mut policy| {
        policy.max_failed_per_day = 50;
        (ports, policy)
    });
}

#[test]
fn sign_in_tests_that_the_vault_is_not_told_of() {
    fires(Invariant::Lockout, tampered::vault::<tampered::Forgetful>);
}

#[test]
fn old_passwords_handed_out() {
    fires(Invariant::Order, tampered::vault::<tampered::Stale>);
}

#[test]
fn modes_mutes_and_standings_that_are_ignored() {
    fires(Invariant::Permission, tampered::vault::<tampered::Eager>);
}

#[test]
fn wrong_password_answered_to_every_test() {
    fires(Invariant::Need, tampered::directory::<tampered::NeverRight>);
}

#[test]
fn writes_that_are_repeated() {
    fires(Invariant::Need, tampered::directory::<tampered::Twice>);
}

#[test]
fn a_breaker_that_never_trips() {
    fires(Invariant::Rate, |ports, mut policy| {
        policy.breaker_minimum = 1000;
        (ports, policy)
    });
}

#[test]
fn mismatches_that_are_not_flagged() {
    fires(Invariant::Flags, tampered::vault::<tampered::Silent>);
}

#[test]
fn mismatches_flagged_that_nobody_saw() {
    fires(Invariant::Flags, tampered::vault::<tampered::Alarmed>);
}

#[test]
fn writes_that_are_put_off_for_ever() {
    fires(
        Invariant::Convergence,
        tampered::directory::<tampered::Never>,
    );
}

#[test]
fn writes_without_an_intent_in_the_journal() {
    fires(Invariant::Journal, tampered::store::<tampered::NoIntents>);
}

#[test]
fn writes_that_are_claimed_and_not_made() {
    fires(Invariant::Journal, tampered::directory::<tampered::Claimed>);
}

#[test]
fn right_password_answered_to_every_test() {
    fires(
        Invariant::Reports,
        tampered::directory::<tampered::AlwaysRight>,
    );
}

#[test]
fn a_password_in_the_journal() {
    fires(Invariant::Secrets, tampered::leaking);
}

#[test]
fn a_lease_that_is_granted_to_two() {
    let broken = broken_pairs(tampered::vault::<tampered::Generous>);
    assert!(!broken.is_empty());
}

/// Worlds with two agents are few: more of them are tried.
fn broken_pairs(tamper: Tamper) -> Vec<Invariant> {
    let worlds = (1..=40).map(|seed| Wish {
        days: 8,
        ..Wish::seed(seed)
    });
    worlds
        .filter_map(|wish| run_tampered(&wish, Telling::Silent, tamper).violation)
        .map(|violation| violation.invariant)
        .take(1)
        .collect()
}
