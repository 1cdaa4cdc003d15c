//! What many worlds come to.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use crate::deed::Deed;
use crate::fault::Fault;

/// The counts of one world, or of many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Worlds.
    pub worlds: u64,
    /// What people did.
    pub events: u64,
    /// Steps that the invariants looked at.
    pub steps: u64,
    /// Cycles that were begun.
    pub cycles: u64,
    /// Cycles that ended with an error.
    pub failed_cycles: u64,
    /// Processes that were started.
    pub lives: u64,
    /// Writes that took effect.
    pub writes: u64,
    /// Sign-in tests that reached the service.
    pub sign_ins: u64,
    /// Those that failed and were counted.
    pub failed_sign_ins: u64,
    /// Plans that a person ruled on.
    pub rulings: u64,
    /// Reports that the vault took.
    pub reports: u64,
    /// Those of them that said again what the vault had been told last.
    pub repeated_reports: u64,
    /// Accounts that we alone locked out.
    pub lockouts_by_us: u64,
    /// Accounts that others had nearly locked out, and one test of ours did.
    pub lockouts_shared: u64,
    /// Accounts that others locked out.
    pub lockouts_by_others: u64,
    /// Older versions written after newer ones.
    pub stale_writes: u64,
    /// Writes to accounts that had the password already, without an excuse.
    pub unneeded_writes: u64,
    /// The same, where the password cannot be checked and a person changed it or asked for it.
    pub unverifiable_writes: u64,
    /// The same, where nobody could know: a replica lagged, or the process was gone.
    pub unknowable_writes: u64,
    /// Confirmations that a second agent, or an older copy of a memory, acted on once more.
    pub confirmations_of_two: u64,
    /// Leases that were overstepped because a clock was turned.
    pub leases_bent_by_clocks: u64,
    /// Budgets that were exceeded because a clock was turned by hours.
    pub budgets_bent_by_clocks: u64,
    /// Sign-in tests that a stale replica answered with what is no longer true.
    pub misled: u64,
    /// How often each kind of fault happened.
    pub faults: Kinds<Fault>,
    /// How often each kind of deed was done.
    pub deeds: Kinds<Deed>,
}

/// How often each kind of something happened, and in how many worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds<K>(BTreeMap<K, (u64, u64)>);

/// Each kind of fault and of deed must occur in at least this share of the worlds.
const SHARE: u64 = 5;

impl Totals {
    pub(crate) fn one_world() -> Self {
        Self {
            worlds: 1,
            ..Self::default()
        }
    }

    pub(crate) fn fault(&mut self, fault: Fault) {
        self.faults.count(fault);
    }

    pub(crate) fn deed(&mut self, deed: Deed) {
        if !deed.is_fault() {
            self.deeds.count(deed);
        }
    }

    /// The kinds of faults and deeds that too few worlds had.
    pub fn too_rare(&self) -> Vec<String> {
        let faults = self
            .faults
            .too_rare(Fault::ALL.iter().copied(), self.worlds);
        let deeds = self.deeds.too_rare(Deed::all(), self.worlds);
        faults.chain(deeds).collect()
    }
}

impl<K: Ord + Copy + fmt::Display> Kinds<K> {
    fn count(&mut self, kind: K) {
        let (count, worlds) = self.0.entry(kind).or_default();
        *count += 1;
        *worlds = 1;
    }

    fn of(&self, kind: K) -> (u64, u64) {
        self.0.get(&kind).copied().unwrap_or_default()
    }

    fn too_rare(&self, all: impl Iterator<Item = K>, worlds: u64) -> impl Iterator<Item = String> {
        all.filter(move |kind| self.of(*kind).1 * 100 < worlds * SHARE)
            .map(|kind| kind.to_string())
    }

    fn lines(
        &self,
        f: &mut fmt::Formatter<'_>,
        all: impl Iterator<Item = K>,
        sum: u64,
    ) -> fmt::Result {
        for kind in all {
            let (count, worlds) = self.of(kind);
            let share = worlds * 100 / sum.max(1);
            let name = kind.to_string();
            writeln!(f, "  {name:<28}{count:>12}{worlds:>12} {share:>3} %")?;
        }
        Ok(())
    }
}

impl<K> Default for Kinds<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> AddAssign for Kinds<K> {
    fn add_assign(&mut self, other: Self) {
        for (kind, (count, worlds)) in other.0 {
            let sum = self.0.entry(kind).or_default();
            sum.0 += count;
            sum.1 += worlds;
        }
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.worlds += other.worlds;
        self.events += other.events;
        self.steps += other.steps;
        self.cycles += other.cycles;
        self.failed_cycles += other.failed_cycles;
        self.lives += other.lives;
        self.writes += other.writes;
        self.sign_ins += other.sign_ins;
        self.failed_sign_ins += other.failed_sign_ins;
        self.rulings += other.rulings;
        self.reports += other.reports;
        self.repeated_reports += other.repeated_reports;
        self.lockouts_by_us += other.lockouts_by_us;
        self.lockouts_shared += other.lockouts_shared;
        self.lockouts_by_others += other.lockouts_by_others;
        self.stale_writes += other.stale_writes;
        self.unneeded_writes += other.unneeded_writes;
        self.unverifiable_writes += other.unverifiable_writes;
        self.unknowable_writes += other.unknowable_writes;
        self.budgets_bent_by_clocks += other.budgets_bent_by_clocks;
        self.confirmations_of_two += other.confirmations_of_two;
        self.leases_bent_by_clocks += other.leases_bent_by_clocks;
        self.misled += other.misled;
        self.faults += other.faults;
        self.deeds += other.deeds;
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [
            ("worlds", self.worlds),
            ("events", self.events),
            ("steps checked", self.steps),
            ("cycles", self.cycles),
            ("  failed", self.failed_cycles),
            ("processes", self.lives),
            ("writes", self.writes),
            ("sign-in tests", self.sign_ins),
            ("  failed and counted", self.failed_sign_ins),
            ("rulings on plans", self.rulings),
            ("reports", self.reports),
            ("  that repeat the last", self.repeated_reports),
            ("lockouts by us", self.lockouts_by_us),
            ("lockouts by others", self.lockouts_by_others),
            ("  with one test of ours", self.lockouts_shared),
            ("stale writes", self.stale_writes),
            ("unneeded writes", self.unneeded_writes),
            ("  unverifiable, allowed", self.unverifiable_writes),
            ("  that nobody could know", self.unknowable_writes),
            ("misled by stale replicas", self.misled),
            ("confirmations acted on twice", self.confirmations_of_two),
            ("leases bent by clocks", self.leases_bent_by_clocks),
            ("budgets bent by clocks", self.budgets_bent_by_clocks),
        ];
        for (name, count) in lines {
            writeln!(f, "{name:<30}{count:>12}")?;
        }
        writeln!(f, "{:<30}{:>12}{:>18}", "faults", "times", "in worlds")?;
        self.faults
            .lines(f, Fault::ALL.iter().copied(), self.worlds)?;
        writeln!(f, "{:<30}{:>12}{:>18}", "deeds", "times", "in worlds")?;
        self.deeds.lines(f, Deed::all(), self.worlds)
    }
}
