//! The figures that cycles move, each with its name and its help.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::labels::{OfClient, OfVersion, Result, WithKind, WithOutcome, WithResult, WithVerdict};

type Times = Family<OfClient, Histogram, fn() -> Histogram>;

/// What cycles move. Clones share it.
#[derive(Clone)]
pub(super) struct Families {
    pub(super) cycles: Family<WithResult, Counter>,
    pub(super) cycle_time: Times,
    pub(super) vault_to_entra: Times,
    pub(super) writes: Family<WithOutcome, Counter>,
    pub(super) verifies: Family<WithVerdict, Counter>,
    pub(super) flags: Family<WithKind, Counter>,
    pub(super) credentials: Family<WithOutcome, Gauge>,
    pub(super) held: Family<OfClient, Gauge>,
    pub(super) blocked: Family<OfClient, Gauge>,
    pub(super) unsettled: Family<OfClient, Gauge>,
    pub(super) budget_spent: Family<OfClient, Gauge>,
    pub(super) tests_left: Family<OfClient, Gauge>,
    pub(super) last_success: Family<OfClient, Gauge>,
    pub(super) interval: Family<OfClient, Gauge<f64, AtomicU64>>,
    pub(super) not_started: Gauge,
    pub(super) as_before: Gauge,
    pub(super) reloads: Family<Result, Counter>,
    pub(super) build: Family<OfVersion, Gauge>,
}

/// From a quiet cycle over a warm connection to a full reading of a large tenant.
fn cycle_times() -> Histogram {
    Histogram::new([0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0])
}

/// From the long poll's answer to a write that waited for its turn, or for a person.
fn change_times() -> Histogram {
    Histogram::new([
        0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 86_400.0,
    ])
}

impl Families {
    pub(super) fn new() -> Self {
        Self {
            cycles: Family::default(),
            cycle_time: Family::new_with_constructor(cycle_times),
            vault_to_entra: Family::new_with_constructor(change_times),
            writes: Family::default(),
            verifies: Family::default(),
            flags: Family::default(),
            credentials: Family::default(),
            held: Family::default(),
            blocked: Family::default(),
            unsettled: Family::default(),
            budget_spent: Family::default(),
            tests_left: Family::default(),
            last_success: Family::default(),
            interval: Family::default(),
            not_started: Gauge::default(),
            as_before: Gauge::default(),
            reloads: Family::default(),
            build: Family::default(),
        }
    }

    pub(super) fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix("passportal_agent");
        self.register_events(&mut registry);
        self.register_states(&mut registry);
        registry
    }

    fn register_events(&self, registry: &mut Registry) {
        registry.register("cycles", "Cycles by result", self.cycles.clone());
        registry.register_with_unit(
            "cycle_duration",
            "How long cycles took, whatever came of them",
            Unit::Seconds,
            self.cycle_time.clone(),
        );
        registry.register_with_unit(
            "vault_change_to_applied",
            "From a password's change in the vault until Entra ID took it",
            Unit::Seconds,
            self.vault_to_entra.clone(),
        );
        registry.register(
            "writes",
            "Password writes by what came of them",
            self.writes.clone(),
        );
        registry.register(
            "verifies",
            "Sign-in tests by verdict",
            self.verifies.clone(),
        );
        registry.register("flags_raised", "Flags raised by kind", self.flags.clone());
        registry.register(
            "configuration_reloads",
            "Readings of the configuration while the agent ran, by result",
            self.reloads.clone(),
        );
    }

    fn register_states(&self, registry: &mut Registry) {
        let mut state = |name: &str, help: &str, gauge: &Family<OfClient, Gauge>| {
            registry.register(name, help, gauge.clone());
        };
        state(
            "held",
            "Credentials that wait for a person's approval",
            &self.held,
        );
        state("blocked", "Credentials that are left alone", &self.blocked);
        state(
            "unsettled_writes",
            "Writes whose effect is not visible yet",
            &self.unsettled,
        );
        state(
            "sign_in_budget_spent",
            "Accounts whose budget of failed sign-in tests is spent",
            &self.budget_spent,
        );
        state(
            "sign_in_tests_left",
            "Failed sign-in tests that the account with the fewest left may still have today",
            &self.tests_left,
        );
        state(
            "last_successful_cycle_timestamp_seconds",
            "When the last successful cycle ended, as a Unix time",
            &self.last_success,
        );
        registry.register_with_unit(
            "sync_interval",
            "The longest time between two cycles",
            Unit::Seconds,
            self.interval.clone(),
        );
        registry.register(
            "credentials",
            "Credentials by how they stand",
            self.credentials.clone(),
        );
        registry.register(
            "clients_not_started",
            "Clients of the configuration that could not be started",
            self.not_started.clone(),
        );
        registry.register(
            "clients_as_before",
            "Clients that go on by an earlier configuration, because the new one cannot be used for them",
            self.as_before.clone(),
        );
        registry.register("build_info", "The agent's version", self.build.clone());
    }
}
