//! Figures of each client that are read anew for each scrape.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use sync_engine::model::ClientId;

type Reading<T> = Box<dyn Fn() -> T + Send + Sync>;

/// What is read of each client, and how it is shown. Clones share it.
pub(super) struct Readings<T: 'static> {
    clients: Arc<Mutex<BTreeMap<ClientId, Reading<T>>>>,
    figures: &'static [Figure<T>],
}

/// Labels beside the client.
pub(super) type Labels = &'static [(&'static str, &'static str)];

/// One figure of each client.
pub(super) struct Figure<T> {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    pub(super) read: fn(&T) -> Vec<(Labels, Value)>,
}

#[derive(Clone, Copy)]
pub(super) enum Value {
    Counted(u64),
    Now(f64),
    /// A Unix time.
    At(i64),
}

impl<T> Readings<T> {
    pub(super) fn new(figures: &'static [Figure<T>]) -> Self {
        Self {
            clients: Arc::default(),
            figures,
        }
    }

    pub(super) fn watch(&self, client: ClientId, read: impl Fn() -> T + Send + Sync + 'static) {
        self.lock().insert(client, Box::new(read));
    }

    pub(super) fn forget(&self, client: ClientId) {
        self.lock().remove(&client);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ClientId, Reading<T>>> {
        // Every change is one insertion or removal, so the map is whole even if a thread died holding it.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Readings<T> {
    fn clone(&self) -> Self {
        Self {
            clients: Arc::clone(&self.clients),
            figures: self.figures,
        }
    }
}

impl<T> fmt::Debug for Readings<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Readings").finish_non_exhaustive()
    }
}

impl<T: Default + 'static> Collector for Readings<T> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let read = |(client, reading): (&ClientId, &Reading<T>)| (client.to_string(), reading());
        let clients: Vec<_> = self.lock().iter().map(read).collect();
        for figure in self.figures {
            figure.encode(&clients, &mut encoder)?;
        }
        Ok(())
    }
}

impl<T: Default> Figure<T> {
    fn encode(
        &self,
        clients: &[(String, T)],
        encoder: &mut DescriptorEncoder<'_>,
    ) -> Result<(), fmt::Error> {
        let mut family = encoder.encode_descriptor(self.name, self.help, None, self.kind())?;
        for (client, known) in clients {
            for (more, value) in (self.read)(known) {
                let mut labels = vec![("client", client.as_str())];
                labels.extend_from_slice(more);
                let one = family.encode_family(&labels)?;
                match value {
                    Value::Counted(count) => ConstCounter::new(count).encode(one)?,
                    Value::Now(value) => ConstGauge::new(value).encode(one)?,
                    Value::At(second) => ConstGauge::new(second).encode(one)?,
                }
            }
        }
        Ok(())
    }

    fn kind(&self) -> MetricType {
        match (self.read)(&T::default()).first() {
            Some((_, Value::Counted(_))) => MetricType::Counter,
            _ => MetricType::Gauge,
        }
    }
}
