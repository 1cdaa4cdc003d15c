//! Tells the service's cycles: to the metrics, to `/readyz`, and to the log.

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::{CycleReport, EngineError, Footing};
use tracing::{debug, info, warn};

use crate::listen::Health;
use crate::metrics::Metrics;
use crate::numbers::numbers;
use crate::scheduler::{Cycled, Witness, chain};
use crate::wiring::ClientAgent;

/// Where cycles are told to.
pub(crate) struct Telltale {
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
}

impl Witness for Telltale {
    fn cycled(&self, client: &ClientAgent, cycled: Cycled, took: Duration) {
        match cycled {
            Ok(report) => self.succeeded(client, &report, took),
            Err(error) => self.failed(client, &error),
        }
    }
}

impl Telltale {
    fn succeeded(&self, client: &ClientAgent, report: &CycleReport, took: Duration) {
        let client = client.id;
        let numbers = numbers(report, Timestamp::now());
        self.metrics.cycle_finished(client, &numbers);
        self.health.succeeded(client, Timestamp::now());
        if let Footing::Standby { holder, until } = &report.footing {
            info!(client.id = %client, "standing by: {holder} serves this client until {until}");
        } else if report.rows.iter().any(|row| row.done.is_some()) {
            let pushed = numbers.pushed;
            let verified = numbers.matched + numbers.mismatched + numbers.unknown;
            let ms = took.as_millis();
            info!(client.id = %client, cycle.id = %report.cycle, pushed, verified, ms,
                "cycle pushed {pushed} passwords and checked {verified} in {ms} ms");
        } else {
            debug!(client.id = %client, cycle.id = %report.cycle, "nothing to do");
        }
    }

    fn failed(&self, client: &ClientAgent, error: &EngineError) {
        let client = client.id;
        let why = chain(error);
        self.metrics.cycle_failed(client);
        self.health.failed(client, &why);
        warn!(client.id = %client, error = %why, "cycle failed: {why}");
    }
}
