//! Every rule fires when what it forbids is done on purpose: the engine's ports or its numbers are
//! tampered with, and the harness notices.

mod tampered;

use simulation::{Invariant, Tamper, Telling, Wish, run_tampered};

/// Small worlds, most of them with long intervals.
fn worlds(count: u64) -> impl Iterator<Item = Wish> {
    (1..=count).map(|seed| Wish {
        days: 7,
        ..Wish::seed(seed)
    })
}

/// The rules that break in worlds in which the engine is tampered with, one after the other.
fn broken(tamper: Tamper, count: u64) -> impl Iterator<Item = Invariant> {
    let rans = worlds(count).map(move |wish| run_tampered(&wish, Telling::Silent, tamper));
    rans.filter_map(|ran| Some(ran.violation?.invariant))
}

fn fires(rule: Invariant, tamper: Tamper) {
    fires_within(10, rule, tamper);
}

fn fires_within(count: u64, rule: Invariant, tamper: Tamper) {
    let mut seen = Vec::new();
    for it in broken(tamper, count) {
        seen.push(it);
        if it == rule {
            break;
        }
    }
    assert_eq!(seen.last(), Some(&rule), "only {seen:?} broke");
}

#[test]
fn nothing_fires_where_nothing_is_tampered_with() {
    let broken: Vec<_> = broken(|ports, policy| (ports, policy), 2).collect();
    assert_eq!(broken, []);
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
    // Worlds with two agents are few.
    fires_within(60, Invariant::Lease, tampered::vault::<tampered::Generous>);
}

#[test]
fn plans_that_nobody_approved() {
    fires_within(40, Invariant::Consent, tampered::vault::<tampered::Yes>);
}

#[test]
fn held_plans_that_are_forgotten() {
    fires_within(40, Invariant::Consent, tampered::store::<tampered::NoPlans>);
}

#[test]
fn confirmations_that_outlive_their_version() {
    fires_within(40, Invariant::Consent, tampered::vault::<tampered::Lasting>);
}

#[test]
fn writes_of_the_last_hour_that_are_forgotten() {
    fires_within(40, Invariant::Rate, tampered::store::<tampered::NoWrites>);
}
