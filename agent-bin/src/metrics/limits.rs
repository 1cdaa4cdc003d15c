//! What each client uses of Microsoft Graph's limits.

use msgraph_sync::LimitUse;

use super::readings::{Figure, Labels, Readings, Value};

const READ: Labels = &[("kind", "read")];
const WRITE: Labels = &[("kind", "write")];

const FIGURES: [Figure<LimitUse>; 7] = [
    Figure {
        name: "graph_writes_allowed",
        help: "Password writes that the limits let through",
        read: |used| vec![(&[], Value::Counted(used.writes))],
    },
    Figure {
        name: "graph_writes_put_off",
        help: "Password writes that found no room within the limits and are tried later",
        read: |used| vec![(&[], Value::Counted(used.writes_put_off))],
    },
    Figure {
        name: "graph_throttled",
        help: "Answers of Microsoft Graph with status 429",
        read: |used| {
            vec![
                (READ, Value::Counted(used.throttled_reads)),
                (WRITE, Value::Counted(used.throttled_writes)),
            ]
        },
    },
    Figure {
        name: "graph_resource_units",
        help: "Resource units that Microsoft Graph counted",
        read: |used| vec![(&[], Value::Counted(used.resource_units))],
    },
    Figure {
        name: "graph_writes_waiting",
        help: "Password writes that wait for their turn",
        read: |used| vec![(&[], Value::Now(exact(used.writes_waiting)))],
    },
    Figure {
        name: "graph_limit_used_ratio",
        help: "Share of its limit that Microsoft Graph last named, from 0.8 on; 0 below",
        read: |used| {
            vec![
                (READ, Value::Now(used.read_limit_used)),
                (WRITE, Value::Now(used.write_limit_used)),
            ]
        },
    },
    Figure {
        name: "graph_writes_paused_seconds",
        help: "For how long Microsoft Graph wants no write",
        read: |used| vec![(&[], Value::Now(used.writes_paused.as_secs_f64()))],
    },
];

/// A gauge is a float; what waits is never near the number at which it would be inexact.
fn exact(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Of no client yet.
pub(super) fn readings() -> Readings<LimitUse> {
    Readings::new(&FIGURES)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sync_engine::model::ClientId;
    use uuid::Uuid;

    use crate::metrics::Metrics;

    use super::*;

    #[test]
    fn every_figure_is_shown_for_each_client_as_it_is_now() {
        let metrics = Metrics::new();
        let used = LimitUse {
            writes: 1,
            writes_waiting: 2,
            writes_put_off: 3,
            resource_units: 4,
            throttled_writes: 5,
            throttled_reads: 6,
            write_limit_used: 0.85,
            read_limit_used: 1.5,
            writes_paused: Duration::from_millis(2_500),
        };
        let (busy, idle) = (ClientId(Uuid::from_u128(1)), ClientId(Uuid::from_u128(2)));
        metrics.watch_limits(busy, move || used);
        metrics.watch_limits(idle, LimitUse::default);
        let text = metrics.text().unwrap();
        let lines = |client: ClientId| -> Vec<String> {
            let name = format!("client=\"{client}\"");
            let of_it = text.lines().filter(|line| line.contains(&name));
            of_it
                .map(|line| {
                    line.replace("passportal_agent_graph_", "")
                        .replace(&name, "")
                })
                .collect()
        };
        assert_eq!(
            lines(busy),
            [
                "writes_allowed_total{} 1",
                "writes_put_off_total{} 3",
                "throttled_total{,kind=\"read\"} 6",
                "throttled_total{,kind=\"write\"} 5",
                "resource_units_total{} 4",
                "writes_waiting{} 2.0",
                "limit_used_ratio{,kind=\"read\"} 1.5",
                "limit_used_ratio{,kind=\"write\"} 0.85",
                "writes_paused_seconds{} 2.5",
            ]
        );
        assert_eq!(lines(idle).len(), 9);
        assert_eq!(
            text.matches("# TYPE passportal_agent_graph_throttled counter")
                .count(),
            1
        );
    }
}
