//! Until when each client's proofs of identity are good, read anew for each scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use sync_engine::model::ClientId;

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

type Reading = Box<dyn Fn() -> Expiries + Send + Sync>;

/// The clients whose expiries are shown. Clones share them.
#[derive(Clone, Default)]
pub(super) struct ExpiryMetrics {
    clients: Arc<Mutex<BTreeMap<ClientId, Reading>>>,
}

impl fmt::Debug for ExpiryMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExpiryMetrics").finish_non_exhaustive()
    }
}

struct Figure {
    name: &'static str,
    help: &'static str,
    read: fn(&Expiries) -> Option<Timestamp>,
}

const FIGURES: [Figure; 3] = [
    Figure {
        name: "token_issued_timestamp_seconds",
        help: "Since when the agent has its token of the vault, as a Unix time",
        read: |it| it.token_issued,
    },
    Figure {
        name: "certificate_expiry_timestamp_seconds",
        help: "When the app's certificate expires, as a Unix time",
        read: |it| it.certificate,
    },
    Figure {
        name: "administrator_expiry_timestamp_seconds",
        help: "When the administrator's sign-in ends if it is not used any more, as a Unix time",
        read: |it| it.administrator,
    },
];

impl ExpiryMetrics {
    pub(super) fn watch(
        &self,
        client: ClientId,
        expiries: impl Fn() -> Expiries + Send + Sync + 'static,
    ) {
        self.lock().insert(client, Box::new(expiries));
    }

    pub(super) fn forget(&self, client: ClientId) {
        self.lock().remove(&client);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, Reading>> {
        // Every change is one insertion or removal, so the map is whole even if a thread died holding it.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for ExpiryMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let read = |(client, expiries): (&ClientId, &Reading)| (client.to_string(), expiries());
        let clients: Vec<_> = self.lock().iter().map(read).collect();
        for figure in &FIGURES {
            let mut family =
                encoder.encode_descriptor(figure.name, figure.help, None, MetricType::Gauge)?;
            for (client, expiries) in &clients {
                let Some(at) = (figure.read)(expiries) else {
                    continue;
                };
                let labels = [("client", client.as_str())];
                let one = family.encode_family(&labels)?;
                ConstGauge::new(at.as_second()).encode(one)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
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
