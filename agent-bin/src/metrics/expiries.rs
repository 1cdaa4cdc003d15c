//! Until when each client's proofs of identity are good.

use jiff::Timestamp;

use super::readings::{Figure, Labels, Readings, Value};

/// What is known of one client's proofs of identity; `None` where there is no such proof, or no end of it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expiries {
    /// Since when the agent has its token. The vault's token has no end: it is replaced once a week.
    pub token_issued: Option<Timestamp>,
    /// The end of the app's certificate.
    pub certificate: Option<Timestamp>,
    /// The end of the administrator's sign-in, if it is not used any more.
    pub administrator: Option<Timestamp>,
}

const FIGURES: [Figure<Expiries>; 3] = [
    Figure {
        name: "token_issued_timestamp_seconds",
        help: "Since when the agent has its token of the vault, as a Unix time",
        read: |it| known(it.token_issued),
    },
    Figure {
        name: "certificate_expiry_timestamp_seconds",
        help: "When the app's certificate expires, as a Unix time",
        read: |it| known(it.certificate),
    },
    Figure {
        name: "administrator_expiry_timestamp_seconds",
        help: "When the administrator's sign-in ends if it is not used any more, as a Unix time",
        read: |it| known(it.administrator),
    },
];

fn known(at: Option<Timestamp>) -> Vec<(Labels, Value)> {
    let value = at.map(|at| Value::At(at.as_second()));
    value
        .map(|value| (&[] as Labels, value))
        .into_iter()
        .collect()
}

/// Of no client yet.
pub(super) fn readings() -> Readings<Expiries> {
    Readings::new(&FIGURES)
}

#[cfg(test)]
mod tests {
    use sync_engine::model::ClientId;
    use uuid::Uuid;

    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn what_is_known_is_shown_and_nothing_else() {
        let metrics = Metrics::new();
        let client = ClientId(Uuid::from_u128(7));
        metrics.watch_expiries(client, || Expiries {
            certificate: Some(Timestamp::from_second(1_800_000_000).unwrap()),
            ..Expiries::default()
        });
        let text = metrics.text().unwrap();
        let label = format!("{{client=\"{client}\"}}");
        let lines: Vec<_> = text.lines().filter(|it| it.contains(&label)).collect();
        assert_eq!(
            lines,
            [format!(
                "passportal_agent_certificate_expiry_timestamp_seconds{label} 1800000000"
            )]
        );
    }
}
