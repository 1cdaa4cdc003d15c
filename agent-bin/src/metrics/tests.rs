//! What is counted and shown, and what is not.

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
    metrics.introduce(CLIENT, Duration::from_secs(45));

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
fn how_many_tests_are_left_is_shown_as_long_as_it_is_known() {
    let metrics = Metrics::new();
    metrics.cycle_finished(CLIENT, &busy(1_000));
    assert_eq!(value(&metrics, "sign_in_tests_left", &[]), Some(1));
    let now = Timestamp::from_second(2_000).unwrap();
    metrics.cycle_finished(CLIENT, &CycleNumbers::quiet(now));
    assert_eq!(value(&metrics, "sign_in_tests_left", &[]), None);
}

#[test]
fn a_client_that_is_served_no_more_leaves_no_line() {
    let metrics = Metrics::new();
    let empty = metrics.text().unwrap();
    metrics.introduce(CLIENT, Duration::from_secs(45));
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
    metrics.clients_as_before(2);

    let text = metrics.text().unwrap();
    for line in [
        "passportal_agent_configuration_reloads_total{result=\"failed\"} 1",
        "passportal_agent_configuration_reloads_total{result=\"succeeded\"} 0",
        "passportal_agent_clients_not_started 3",
        "passportal_agent_clients_as_before 2",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in {text}");
    }
}
