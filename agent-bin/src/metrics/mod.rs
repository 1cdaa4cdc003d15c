//! The agent's figures in the Prometheus text format. Labels are ids and fixed words, never names.

mod expiries;
mod families;
mod labels;
mod limits;
#[cfg(test)]
mod monitoring;

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
use self::expiries::ExpiryMetrics;
use self::families::Families;
use self::labels::{
    FAILED, FLAGS, OfClient, OfVersion, RESULTS, Result, STANDINGS, SUCCEEDED, VERDICTS, WithKind,
    WithOutcome, WithResult, WithVerdict,
};
pub(crate) use self::labels::{standing_word, verdict_word};
use self::limits::LimitMetrics;
use crate::numbers::CycleNumbers;
use crate::wiring::VERSION;

/// The agent's figures. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    families: Families,
    limits: LimitMetrics,
    expiries: ExpiryMetrics,
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
        let limits = LimitMetrics::default();
        let expiries = ExpiryMetrics::default();
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

    /// Makes a client's counters visible from the start, so that a rate over its first event is right.
    pub fn introduce(&self, client: ClientId) {
        let families = &self.families;
        let label = OfClient::new(client);
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
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.families.not_started.set(count);
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
        if let Some(left) = numbers.tests_left {
            set(&families.tests_left, left.into());
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use sync_engine::model::FlagKind;
    use uuid::Uuid;

    use super::*;

    const CLIENT: ClientId = ClientId(Uuid::from_u128(0xc));

    /// The value of a line `name{…} value` that has every one of these labels.
    fn value(metrics: &Metrics, name: &str, labels: &[&str]) -> Option<i64> {
        let text = metrics.text().unwrap();
        let beginning = format!("passportal_agent_{name}{{");
        let line = text.lines().find(|line| {
            line.starts_with(&beginning)
                && labels.iter().all(|label| line.contains(label))
                && line.contains(&format!("client=\"{CLIENT}\""))
        })?;
        line.rsplit(' ').next()?.parse().ok()
    }

    fn busy(finished: i64) -> CycleNumbers {
        CycleNumbers {
            took: Duration::from_secs(7),
            writes: BTreeMap::from([(WriteAnswer::Accepted, 2), (WriteAnswer::PutOff, 1)]),
            applied_after: vec![Duration::from_secs(1), Duration::from_secs(40)],
            verdicts: BTreeMap::from([("match", 3), ("mismatch", 1), ("unknown", 4)]),
            standing: BTreeMap::from([("matched", 11), ("held", 6)]),
            tests_left: Some(1),
            raised: BTreeMap::from([(FlagKind::AdChange, 1), (FlagKind::Blocked, 5)]),
            held: 6,
            blocked: 7,
            unsettled: 8,
            budget_spent: 9,
            ..CycleNumbers::quiet(Timestamp::from_second(finished).unwrap())
        }
    }

    #[test]
    fn events_add_up_and_states_are_the_latest() {
        let metrics = Metrics::new();
        metrics.cycle_finished(CLIENT, &busy(1_000));
        let later = CycleNumbers {
            held: 1,
            ..busy(2_000)
        };
        metrics.cycle_finished(CLIENT, &later);

        let value = |name, labels: &[&str]| value(&metrics, name, labels);
        assert_eq!(value("cycles_total", &["result=\"succeeded\""]), Some(2));
        assert_eq!(value("writes_total", &["outcome=\"accepted\""]), Some(4));
        assert_eq!(value("writes_total", &["outcome=\"put_off\""]), Some(2));
        assert_eq!(value("cycle_duration_seconds_count", &[]), Some(2));
        assert_eq!(
            value("cycle_duration_seconds_bucket", &["le=\"5.0\""]),
            Some(0)
        );
        assert_eq!(
            value("cycle_duration_seconds_bucket", &["le=\"10.0\""]),
            Some(2)
        );
        let applied = "vault_change_to_applied_seconds_bucket";
        assert_eq!(value(applied, &["le=\"1.0\""]), Some(2));
        assert_eq!(value(applied, &["le=\"60.0\""]), Some(4));
        assert_eq!(value("credentials", &["outcome=\"matched\""]), Some(11));
        assert_eq!(value("credentials", &["outcome=\"failed\""]), Some(0));
        assert_eq!(value("sign_in_tests_left", &[]), Some(1));
        assert_eq!(value("verifies_total", &["verdict=\"match\""]), Some(6));
        assert_eq!(value("verifies_total", &["verdict=\"mismatch\""]), Some(2));
        assert_eq!(value("verifies_total", &["verdict=\"unknown\""]), Some(8));
        assert_eq!(
            value("flags_raised_total", &["kind=\"ad_change\""]),
            Some(2)
        );
        assert_eq!(value("flags_raised_total", &["kind=\"blocked\""]), Some(10));
        assert_eq!(value("held", &[]), Some(1));
        assert_eq!(value("blocked", &[]), Some(7));
        assert_eq!(value("unsettled_writes", &[]), Some(8));
        assert_eq!(value("sign_in_budget_spent", &[]), Some(9));
        assert_eq!(
            value("last_successful_cycle_timestamp_seconds", &[]),
            Some(2_000)
        );
    }

    #[test]
    fn a_failed_cycle_counts_and_leaves_the_states_as_they_were() {
        let metrics = Metrics::new();
        metrics.cycle_finished(CLIENT, &busy(1_000));
        metrics.clone().cycle_failed(CLIENT, Duration::ZERO);

        assert_eq!(
            value(&metrics, "cycles_total", &["result=\"failed\""]),
            Some(1)
        );
        assert_eq!(
            value(&metrics, "cycles_total", &["result=\"succeeded\""]),
            Some(1)
        );
        assert_eq!(value(&metrics, "held", &[]), Some(6));
        assert_eq!(
            value(&metrics, "last_successful_cycle_timestamp_seconds", &[]),
            Some(1_000)
        );
    }

    #[test]
    fn a_client_is_visible_before_its_first_event_but_claims_no_success() {
        let metrics = Metrics::new();
        metrics.introduce(CLIENT);

        let accepted = &["outcome=\"accepted\""];
        assert_eq!(value(&metrics, "writes_total", accepted), Some(0));
        assert_eq!(
            value(&metrics, "cycles_total", &["result=\"failed\""]),
            Some(0)
        );
        assert_eq!(
            value(&metrics, "last_successful_cycle_timestamp_seconds", &[]),
            None
        );
    }
    #[test]
    fn a_client_that_is_served_no_more_leaves_no_line() {
        let metrics = Metrics::new();
        let empty = metrics.text().unwrap();
        metrics.introduce(CLIENT);
        metrics.cycle_finished(CLIENT, &busy(1_000));
        metrics.cycle_failed(CLIENT, Duration::ZERO);
        metrics.watch_limits(CLIENT, LimitUse::default);
        metrics.watch_expiries(CLIENT, Expiries::default);

        metrics.forget(CLIENT);

        assert_eq!(metrics.text().unwrap(), empty);
    }

    #[test]
    fn readings_of_the_configuration_and_clients_that_did_not_start_are_shown() {
        let metrics = Metrics::new();
        metrics.configuration_read(&Err::<(), ()>(()));
        metrics.clients_not_started(3);

        let text = metrics.text().unwrap();
        for line in [
            "passportal_agent_configuration_reloads_total{result=\"failed\"} 1",
            "passportal_agent_configuration_reloads_total{result=\"succeeded\"} 0",
            "passportal_agent_clients_not_started 3",
        ] {
            assert!(text.lines().any(|it| it == line), "{line} in {text}");
        }
    }
}
