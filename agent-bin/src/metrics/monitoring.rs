//! The dashboard and the alert rules that are shipped name only what `/metrics` has.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use msgraph_sync::LimitUse;
use sync_engine::model::{ClientId, WriteAnswer};
use uuid::Uuid;

use super::*;

const SHIPPED: [&str; 3] = [
    "grafana/passportal-agent.json",
    "prometheus/passportal-agent.rules.yml",
    "prometheus/passportal-agent.rules.test.yml",
];

/// Everything that an agent can show.
fn whole() -> String {
    let metrics = Metrics::new();
    let client = ClientId(Uuid::from_u128(1));
    let now = Timestamp::now();
    metrics.introduce(client, Duration::from_secs(45));
    metrics.watch_limits(client, LimitUse::default);
    metrics.watch_expiries(client, move || Expiries {
        token_issued: Some(now),
        certificate: Some(now),
        administrator: Some(now),
    });
    let numbers = CycleNumbers {
        raised: FLAGS.into_iter().map(|kind| (kind, 1)).collect(),
        writes: BTreeMap::from([(WriteAnswer::Accepted, 1)]),
        applied_after: vec![Duration::from_secs(1)],
        tests_left: Some(2),
        ..CycleNumbers::quiet(now)
    };
    metrics.cycle_finished(client, &numbers);
    metrics.text().unwrap()
}

fn shipped(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn is_of_a_name(it: char) -> bool {
    it.is_ascii_alphanumeric() || it == '_'
}

/// The names of metrics in a text.
fn names(text: &str) -> Vec<&str> {
    let places = text.match_indices("passportal_agent_");
    let rest = places.map(|(place, _)| text.split_at(place).1);
    rest.filter_map(|rest| rest.split(|it| !is_of_a_name(it)).next())
        .collect()
}

/// Labels with the value that is asked for, as `result="failed"`, from both kinds of quotation.
fn labels(text: &str) -> Vec<String> {
    let text = text.replace("\\\"", "\"");
    let (mut labels, mut rest) = (Vec::new(), text.as_str());
    while let Some((before, after)) = rest.split_once("=\"") {
        let key = before.rsplit(|it| !is_of_a_name(it)).next().unwrap();
        let (value, after) = after.split_once('"').unwrap();
        labels.push(format!("{key}=\"{value}\""));
        rest = after;
    }
    labels
}

#[test]
fn every_metric_that_is_shipped_is_one_that_the_agent_has() {
    let whole = whole();
    for file in SHIPPED {
        let text = shipped(file);
        let names = names(&text);
        assert!(names.len() > 5, "{file} names {names:?}");
        for name in names {
            let begins = |line: &str| {
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with(['{', ' ']))
            };
            assert!(whole.lines().any(begins), "{file} names {name}\n{whole}");
        }
    }
}

#[test]
fn every_label_that_is_asked_for_is_one_that_the_agent_has() {
    let whole = whole();
    let text = SHIPPED.map(shipped).concat();
    let wanted = labels(&text).into_iter();
    // Of the scrape itself, and of the tests' own clients.
    let foreign = ["job=", "instance=", "client="];
    let wanted: Vec<_> = wanted
        .filter(|it| !foreign.iter().any(|key| it.starts_with(key)))
        .collect();
    assert!(wanted.len() > 5, "{wanted:?}");
    for label in wanted {
        assert!(whole.contains(&label), "{label}\n{whole}");
    }
}

#[test]
fn every_alert_is_seen_to_fire() {
    let rules = shipped("prometheus/passportal-agent.rules.yml");
    let tests = shipped("prometheus/passportal-agent.rules.test.yml");
    let fires = |alert: &str| {
        let mut tried = tests.split("alertname: ").skip(1);
        tried.any(|it| {
            let name = it.lines().next();
            name == Some(alert) && it.contains("exp_labels")
        })
    };
    let alerts: Vec<_> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in alerts {
        assert!(fires(alert), "{alert} is not tried");
    }
}
