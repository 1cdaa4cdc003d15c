//! What kind of world a seed makes: how big, how busy, how unlucky.

use std::collections::BTreeSet;
use std::time::Duration;

use sync_engine::plan::{Policy, Verification};

use crate::chance::Chance;
use crate::fault::Fault;
use crate::time::{DAY, HOUR, MINUTE, SECOND};

/// The version of the generator. It is raised whenever the same seed begins to make another world,
/// so that a kept seed tells whether it still shows what it was kept for.
pub const GENERATOR: u32 = 3;

/// What a person at the command line asks of a world.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Which world.
    pub seed: u64,
    /// How long it lasts, in simulated days. The last three of them are quiet.
    pub days: u64,
    /// Kinds of faults that it must not have.
    pub without: BTreeSet<Fault>,
}

impl Wish {
    /// A world of 30 days with all its faults.
    pub fn seed(seed: u64) -> Self {
        Self {
            seed,
            days: 30,
            without: BTreeSet::new(),
        }
    }
}

/// What kind of world it is.
#[derive(Clone, Debug)]
pub(crate) struct Nature {
    pub(crate) seed: u64,
    pub(crate) end: u64,
    /// From here on nobody touches anything, and nothing goes wrong.
    pub(crate) tail: u64,
    pub(crate) accounts: u64,
    /// The mean time between two people's deeds.
    pub(crate) event_gap: u64,
    pub(crate) interval: Duration,
    /// How long a lease lasts.
    pub(crate) lease: Duration,
    pub(crate) policy: Policy,
    /// Faults in a million calls, when nothing is especially wrong.
    pub(crate) fault_rate: u64,
    /// The mean time between two storms, in which faults are many times as frequent.
    pub(crate) storm_gap: u64,
    /// How long a change usually takes to reach the replicas that are read.
    pub(crate) lag: u64,
    pub(crate) skew: i64,
    pub(crate) faults: BTreeSet<Fault>,
}

/// The quiet end of a world: longer than the day for which a spent budget or a lockout may keep an
/// account waiting, with a day on top in which nothing may happen any more.
pub(crate) const TAIL: u64 = 3 * DAY;

/// Faults that are kinds of worlds rather than accidents, and how many of a hundred have them.
const OF_A_WORLD: [(Fault, u64); 2] = [(Fault::SecondAgent, 25), (Fault::ClockSkew, 35)];

/// How many of a hundred worlds have one of the other faults at all: never having one is a kind
/// of world, too.
const USUAL: u64 = 65;

impl Nature {
    pub(crate) fn of(wish: &Wish) -> Self {
        let chance = &mut Chance::new(wish.seed, 1);
        let faults = Fault::ALL
            .iter()
            .filter(|fault| {
                let special = OF_A_WORLD.iter().find(|(it, _)| it == *fault);
                chance.percent(special.map_or(USUAL, |(_, part)| *part))
            })
            .filter(|fault| !wish.without.contains(fault))
            .copied()
            .collect();
        let pace = chance.weighted(&PACES).unwrap_or(Pace::Usual);
        let days = wish.days.max(6);
        let end = days * DAY;
        let tail = end - TAIL;
        let events = chance.between(220, 500) * days / 30;
        let interval = interval(chance, pace);
        Self {
            seed: wish.seed,
            end,
            tail,
            accounts: accounts(chance),
            event_gap: tail / events.max(1),
            interval,
            lease: match pace {
                Pace::Usual | Pace::SlowAndApart => LEASE,
                Pace::Slow => interval * 5 / 2,
            },
            policy: policy(chance),
            fault_rate: chance.between(200, 6000),
            storm_gap: chance.between(1, 10) * DAY,
            lag: chance.below(8 * SECOND),
            skew: skew(chance),
            faults,
        }
    }

    /// Whether a lease ends before the next cycle renews it, so that agents take turns.
    pub(crate) fn lease_lapses(&self) -> bool {
        self.interval + Duration::from_secs(10) > self.lease
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// How often an agent looks, compared with its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    /// As real agents do. Most of their cycles find nothing, so there are few such worlds.
    Usual,
    /// Seldom, and the lease lasts as much longer: one term goes on over many cycles.
    Slow,
    /// Seldom, so that each cycle begins a new term, as after an hour without the vault.
    SlowAndApart,
}

const PACES: [(u64, Pace); 3] = [(5, Pace::Usual), (60, Pace::Slow), (35, Pace::SlowAndApart)];

/// The lease as the real vault grants it.
const LEASE: Duration = Duration::from_mins(2);

fn interval(chance: &mut Chance, pace: Pace) -> Duration {
    let seconds = match pace {
        Pace::Usual => chance.between(45, 100),
        // What matters is what happens, not how often nothing does.
        Pace::Slow | Pace::SlowAndApart => chance
            .weighted(&[(2, 300), (20, 900), (48, 1800), (30, 3600)])
            .unwrap_or(3600),
    };
    Duration::from_secs(seconds)
}

/// In some worlds so many that the breaker's share is more than its minimum.
fn accounts(chance: &mut Chance) -> u64 {
    if chance.percent(8) {
        chance.between(60, 80)
    } else {
        chance.between(20, 40)
    }
}

fn policy(chance: &mut Chance) -> Policy {
    Policy {
        verification: if chance.percent(5) {
            Verification::SwitchedOff
        } else {
            Verification::Allowed
        },
        max_failed_per_day: u32::try_from(chance.between(1, 3)).unwrap_or(2),
        write_timeout: Duration::from_mins(1),
        ..Policy::default()
    }
}

fn skew(chance: &mut Chance) -> i64 {
    let most = if chance.percent(70) {
        2 * MINUTE
    } else {
        3 * HOUR
    };
    let size = i64::try_from(chance.below(most)).unwrap_or(0);
    if chance.percent(50) { size } else { -size }
}
