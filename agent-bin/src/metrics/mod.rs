//! The agent's figures in the Prometheus text format. Labels are ids and fixed words, never names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use msgraph_sync::LimitUse;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use sync_engine::model::{ClientId, FlagKind};

use crate::limit_metrics::LimitMetrics;

/// What one successful cycle of a client came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CycleNumbers {
    /// When it ended.
    pub finished: Timestamp,
    /// Passwords that were set.
    pub pushed: u64,
    /// Sign-in tests that answered Match.
    pub matched: u64,
    /// Sign-in tests that answered Mismatch.
    pub mismatched: u64,
    /// Sign-in tests that answered Unknown.
    pub unknown: u64,
    /// Flags that were raised anew.
    pub raised: BTreeMap<FlagKind, u64>,
    /// Credentials that are held now.
    pub held: u32,
    /// Credentials that are blocked now.
    pub blocked: u32,
    /// Writes whose effect is not visible now.
    pub unsettled: u32,
    /// Accounts whose budget of failed sign-ins is spent now.
    pub budget_spent: u32,
}

impl CycleNumbers {
    /// A cycle that did nothing.
    pub fn quiet(finished: Timestamp) -> Self {
        Self {
            finished,
            pushed: 0,
            matched: 0,
            mismatched: 0,
            unknown: 0,
            raised: BTreeMap::new(),
            held: 0,
            blocked: 0,
            unsettled: 0,
            budget_spent: 0,
        }
    }
}

/// The agent's figures. Clones share them.
#[derive(Clone)]
pub struct Metrics {
    families: Families,
    limits: LimitMetrics,
    registry: Arc<Registry>,
}

#[derive(Clone, Default)]
struct Families {
    cycles: Family<CycleLabels, Counter>,
    pushes: Family<ClientLabel, Counter>,
    verifies: Family<VerdictLabels, Counter>,
    flags: Family<FlagLabels, Counter>,
    held: Family<ClientLabel, Gauge>,
    blocked: Family<ClientLabel, Gauge>,
    unsettled: Family<ClientLabel, Gauge>,
    budget_spent: Family<ClientLabel, Gauge>,
    last_success: Family<ClientLabel, Gauge>,
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
        let families = Families::default();
        let limits = LimitMetrics::default();
        let mut registry = families.register();
        registry.register_collector(Box::new(limits.clone()));
        Self {
            families,
            limits,
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

    /// Makes a client's counters visible from the start, so that a rate over its first event is right.
    pub fn introduce(&self, client: ClientId) {
        let label = ClientLabel::of(client);
        self.families.pushes.get_or_create(&label).inc_by(0);
        for result in [CycleResult::Succeeded, CycleResult::Failed] {
            self.count_cycle(client, result, 0);
        }
        for verdict in [
            VerdictWord::Match,
            VerdictWord::Mismatch,
            VerdictWord::Unknown,
        ] {
            self.count_verifies(client, verdict, 0);
        }
    }

    /// A cycle ended well.
    pub fn cycle_finished(&self, client: ClientId, numbers: &CycleNumbers) {
        let label = ClientLabel::of(client);
        let families = &self.families;
        self.count_cycle(client, CycleResult::Succeeded, 1);
        families.pushes.get_or_create(&label).inc_by(numbers.pushed);
        self.count_verifies(client, VerdictWord::Match, numbers.matched);
        self.count_verifies(client, VerdictWord::Mismatch, numbers.mismatched);
        self.count_verifies(client, VerdictWord::Unknown, numbers.unknown);
        for (kind, count) in &numbers.raised {
            let labels = FlagLabels {
                client: label.client.clone(),
                kind: FlagWord(*kind),
            };
            families.flags.get_or_create(&labels).inc_by(*count);
        }
        let set = |family: &Family<ClientLabel, Gauge>, value: i64| {
            family.get_or_create(&label).set(value);
        };
        set(&families.held, numbers.held.into());
        set(&families.blocked, numbers.blocked.into());
        set(&families.unsettled, numbers.unsettled.into());
        set(&families.budget_spent, numbers.budget_spent.into());
        set(&families.last_success, numbers.finished.as_second());
    }

    /// A cycle failed. What stood before still stands, as far as anybody knows.
    pub fn cycle_failed(&self, client: ClientId) {
        self.count_cycle(client, CycleResult::Failed, 1);
    }

    /// The whole in the `OpenMetrics` text format.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }

    fn count_cycle(&self, client: ClientId, result: CycleResult, count: u64) {
        let labels = CycleLabels {
            client: client.to_string(),
            result,
        };
        self.families.cycles.get_or_create(&labels).inc_by(count);
    }

    fn count_verifies(&self, client: ClientId, verdict: VerdictWord, count: u64) {
        let labels = VerdictLabels {
            client: client.to_string(),
            verdict,
        };
        self.families.verifies.get_or_create(&labels).inc_by(count);
    }
}

impl Families {
    fn register(&self) -> Registry {
        let mut registry = Registry::with_prefix("passportal_agent");
        registry.register("cycles", "Cycles by result", self.cycles.clone());
        registry.register("pushes", "Passwords set in Entra ID", self.pushes.clone());
        registry.register(
            "verifies",
            "Sign-in tests by verdict",
            self.verifies.clone(),
        );
        registry.register("flags_raised", "Flags raised by kind", self.flags.clone());
        registry.register(
            "held",
            "Credentials that wait for a person's approval",
            self.held.clone(),
        );
        registry.register(
            "blocked",
            "Credentials that are left alone",
            self.blocked.clone(),
        );
        registry.register(
            "unsettled_writes",
            "Writes whose effect is not visible yet",
            self.unsettled.clone(),
        );
        registry.register(
            "sign_in_budget_spent",
            "Accounts whose budget of failed sign-in tests is spent",
            self.budget_spent.clone(),
        );
        registry.register(
            "last_successful_cycle_timestamp_seconds",
            "When the last successful cycle ended, as a Unix time",
            self.last_success.clone(),
        );
        registry
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClientLabel {
    client: String,
}

impl ClientLabel {
    fn of(client: ClientId) -> Self {
        Self {
            client: client.to_string(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CycleLabels {
    client: String,
    result: CycleResult,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VerdictLabels {
    client: String,
    verdict: VerdictWord,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FlagLabels {
    client: String,
    kind: FlagWord,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum CycleResult {
    Succeeded,
    Failed,
}

impl EncodeLabelValue for CycleResult {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(
            &match self {
                Self::Succeeded => "succeeded",
                Self::Failed => "failed",
            },
            encoder,
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum VerdictWord {
    Match,
    Mismatch,
    Unknown,
}

impl EncodeLabelValue for VerdictWord {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(
            &match self {
                Self::Match => "match",
                Self::Mismatch => "mismatch",
                Self::Unknown => "unknown",
            },
            encoder,
        )
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct FlagWord(FlagKind);

impl EncodeLabelValue for FlagWord {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        EncodeLabelValue::encode(
            &match self.0 {
                FlagKind::AdChange => "ad_change",
                FlagKind::Held => "held",
                FlagKind::Blocked => "blocked",
            },
            encoder,
        )
    }
}

#[cfg(test)]
mod tests {
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
            pushed: 2,
            matched: 3,
            mismatched: 1,
            unknown: 4,
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
        assert_eq!(value("pushes_total", &[]), Some(4));
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
        metrics.clone().cycle_failed(CLIENT);

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

        assert_eq!(value(&metrics, "pushes_total", &[]), Some(0));
        assert_eq!(
            value(&metrics, "cycles_total", &["result=\"failed\""]),
            Some(0)
        );
        assert_eq!(
            value(&metrics, "last_successful_cycle_timestamp_seconds", &[]),
            None
        );
    }
}
