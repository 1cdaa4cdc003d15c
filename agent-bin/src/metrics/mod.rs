//! The agent's figures in the Prometheus text format. Labels are ids and fixed words, never names.

mod expiries;
mod families;
mod labels;
mod limits;
#[cfg(test)]
mod monitoring;
mod readings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use msgraph_sync::LimitUse;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use sync_engine::model::{ClientId, WriteAnswer};

pub use self::expiries::Expiries;
use self::families::Families;
use self::labels::{
    FAILED, FLAGS, OfClient, OfVersion, RESULTS, Result, STANDINGS, SUCCEEDED, VERDICTS, WithKind,
    WithOutcome, WithResult, WithVerdict,
};
pub(crate) use self::labels::{standing_word, verdict_word};
use self::readings::Readings;
use crate::numbers::CycleNumbers;
use crate::wiring::VERSION;

/// The agent's figures. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    families: Families,
    limits: Readings<LimitUse>,
    expiries: Readings<Expiries>,
    registry: Arc<Registry>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Everything at its beginning.
    pub fn new() -> Self {
        let families = Families::new();
        let limits = limits::readings();
        let expiries = expiries::readings();
        let mut registry = families.register();
        registry.register_collector(Box::new(limits.clone()));
        registry.register_collector(Box::new(expiries.clone()));
        let build = OfVersion { version: VERSION };
        families.build.get_or_create(&build).set(1);
        for result in RESULTS {
            families.reloads.get_or_create(&Result { result }).inc_by(0);
        }
        Self {
            families,
            limits,
            expiries,
            registry: Arc::new(registry),
        }
    }

    /// Shows from now on what a client uses of its tenant's limits.
    pub fn watch_limits(
        &self,
        client: ClientId,
        used: impl Fn() -> LimitUse + Send + Sync + 'static,
    ) {
        self.limits.watch(client, used);
    }

    /// Shows from now on until when a client's proofs of identity are good.
    pub fn watch_expiries(
        &self,
        client: ClientId,
        expiries: impl Fn() -> Expiries + Send + Sync + 'static,
    ) {
        self.expiries.watch(client, expiries);
    }

    /// Makes a client's counters visible from the start, so that a rate over its first event is right. It is looked at
    /// every `interval` at the latest.
    pub fn introduce(&self, client: ClientId, interval: Duration) {
        let families = &self.families;
        let label = OfClient::new(client);
        let longest = families.interval.get_or_create_owned(&label);
        longest.set(interval.as_secs_f64());
        drop(families.cycle_time.get_or_create(&label));
        drop(families.vault_to_entra.get_or_create(&label));
        for result in RESULTS {
            let labels = WithResult::new(client, result);
            families.cycles.get_or_create(&labels).inc_by(0);
        }
        for verdict in VERDICTS {
            let labels = WithVerdict::new(client, verdict);
            families.verifies.get_or_create(&labels).inc_by(0);
        }
        for answer in WriteAnswer::ALL {
            let labels = WithOutcome::of_write(client, answer);
            families.writes.get_or_create(&labels).inc_by(0);
        }
    }

    /// A client is served no more: nothing of it is shown.
    pub fn forget(&self, client: ClientId) {
        let families = &self.families;
        let label = OfClient::new(client);
        families.cycle_time.remove(&label);
        families.vault_to_entra.remove(&label);
        families.interval.remove(&label);
        for gauge in [
            &families.held,
            &families.blocked,
            &families.unsettled,
            &families.budget_spent,
            &families.tests_left,
            &families.last_success,
        ] {
            gauge.remove(&label);
        }
        for result in RESULTS {
            families.cycles.remove(&WithResult::new(client, result));
        }
        for verdict in VERDICTS {
            families.verifies.remove(&WithVerdict::new(client, verdict));
        }
        for answer in WriteAnswer::ALL {
            families
                .writes
                .remove(&WithOutcome::of_write(client, answer));
        }
        for outcome in STANDINGS {
            let labels = WithOutcome::of_standing(client, outcome);
            families.credentials.remove(&labels);
        }
        for kind in FLAGS {
            families.flags.remove(&WithKind::of_flag(client, kind));
        }
        self.limits.forget(client);
        self.expiries.forget(client);
    }

    /// A cycle ended well.
    pub fn cycle_finished(&self, client: ClientId, numbers: &CycleNumbers) {
        self.count_events(client, numbers);
        self.show_states(client, numbers);
    }

    /// A cycle failed. What stood before still stands, as far as anybody knows.
    pub fn cycle_failed(&self, client: ClientId, took: Duration) {
        self.count_cycle(client, FAILED, took);
    }

    /// So many clients of the configuration could not be started.
    pub fn clients_not_started(&self, count: usize) {
        self.families.not_started.set(number(count));
    }

    /// So many clients go on by an earlier configuration.
    pub fn clients_as_before(&self, count: usize) {
        self.families.as_before.set(number(count));
    }

    /// The configuration was read anew, and taken or not.
    pub fn configuration_read<T, E>(&self, read: &std::result::Result<T, E>) {
        let result = if read.is_ok() { SUCCEEDED } else { FAILED };
        self.families
            .reloads
            .get_or_create(&Result { result })
            .inc();
    }

    /// The whole in the `OpenMetrics` text format.
    pub fn text(&self) -> std::result::Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn count_events(&self, client: ClientId, numbers: &CycleNumbers) {
        let families = &self.families;
        self.count_cycle(client, SUCCEEDED, numbers.took);
        let applied = families
            .vault_to_entra
            .get_or_create_owned(&OfClient::new(client));
        for after in &numbers.applied_after {
            applied.observe(after.as_secs_f64());
        }
        for (answer, count) in &numbers.writes {
            let labels = WithOutcome::of_write(client, *answer);
            families.writes.get_or_create(&labels).inc_by(*count);
        }
        for (verdict, count) in &numbers.verdicts {
            let labels = WithVerdict::new(client, verdict);
            families.verifies.get_or_create(&labels).inc_by(*count);
        }
        for (kind, count) in &numbers.raised {
            let labels = WithKind::of_flag(client, *kind);
            families.flags.get_or_create(&labels).inc_by(*count);
        }
    }

    fn show_states(&self, client: ClientId, numbers: &CycleNumbers) {
        let families = &self.families;
        let label = OfClient::new(client);
        let set = |family: &Family<OfClient, Gauge>, value: i64| {
            family.get_or_create(&label).set(value);
        };
        set(&families.held, numbers.held.into());
        set(&families.blocked, numbers.blocked.into());
        set(&families.unsettled, numbers.unsettled.into());
        set(&families.budget_spent, numbers.budget_spent.into());
        set(&families.last_success, numbers.finished.as_second());
        match numbers.tests_left {
            Some(left) => set(&families.tests_left, left.into()),
            None => drop(families.tests_left.remove(&label)),
        }
        for outcome in STANDINGS {
            let count = numbers.standing.get(outcome).copied().unwrap_or_default();
            let labels = WithOutcome::of_standing(client, outcome);
            families
                .credentials
                .get_or_create(&labels)
                .set(count.into());
        }
    }

    fn count_cycle(&self, client: ClientId, result: &'static str, took: Duration) {
        let families = &self.families;
        let labels = WithResult::new(client, result);
        families.cycles.get_or_create(&labels).inc();
        let time = families
            .cycle_time
            .get_or_create_owned(&OfClient::new(client));
        time.observe(took.as_secs_f64());
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
