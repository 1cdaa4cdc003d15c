//! Tells the service's cycles: to the metrics, to `/readyz`, to the log, and to the watchdog.

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::plan::PlanStanding;
use sync_engine::{CycleReport, EngineError, Footing};
use tracing::{debug, info, warn};

use crate::causes::chain;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::numbers::numbers;
use crate::plan_news::{PlanNews, Turn};
use crate::pulse::Pulse;
use crate::scheduler::{Cycled, Witness};
use crate::wiring::ClientAgent;

/// Where cycles are told to.
pub(crate) struct Telltale {
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) pulse: Pulse,
}

impl Witness for Telltale {
    fn cycled(&self, client: &ClientAgent, cycled: Cycled, took: Duration) {
        match cycled {
            Ok(report) => self.succeeded(client, &report, took),
            Err(error) => self.failed(client, &error, took),
        }
    }

    fn shows_life(&self, _client: &ClientAgent, again_within: Duration) {
        self.pulse.beat(again_within);
    }

    fn plan_turned(&self, client: &ClientAgent, news: &PlanNews) {
        let PlanNews { plan, turn } = news;
        let (client, id, writes) = (client.id, plan.id, plan.writes.len());
        match (turn, &plan.standing) {
            (Turn::Stands, PlanStanding::Waiting) => {
                warn!(client.id = %client, plan.id = %id, writes, "plan {id} of {writes} writes waits for approval");
            }
            (Turn::Stands, PlanStanding::Approved(word)) => {
                let by = &word.by;
                info!(client.id = %client, plan.id = %id, writes, by, "plan {id} of {writes} writes is approved by {by}");
            }
            (Turn::Stands, PlanStanding::Rejected(word)) => {
                let by = &word.by;
                info!(client.id = %client, plan.id = %id, writes, by, "plan {id} of {writes} writes is rejected by {by}");
            }
            (Turn::Over, PlanStanding::Waiting) => {
                info!(client.id = %client, plan.id = %id, "plan {id} expired: the world has moved");
            }
            (Turn::Over, PlanStanding::Approved(_) | PlanStanding::Rejected(_)) => {
                info!(client.id = %client, plan.id = %id, "plan {id} is over");
            }
        }
    }
}

impl Telltale {
    fn succeeded(&self, client: &ClientAgent, report: &CycleReport, took: Duration) {
        let client = client.id;
        let numbers = numbers(report, Timestamp::now(), took);
        self.metrics.cycle_finished(client, &numbers);
        self.health.succeeded(client, Timestamp::now());
        if let Footing::Standby { holder, until } = &report.footing {
            info!(client.id = %client, "standing by: {holder} serves this client until {until}");
        } else if report.rows.iter().any(|row| row.done.is_some()) {
            let (pushed, verified) = (numbers.pushed(), numbers.verified());
            let ms = took.as_millis();
            info!(client.id = %client, cycle.id = %report.cycle, pushed, verified, ms,
                "cycle pushed {pushed} passwords and checked {verified} in {ms} ms");
        } else {
            debug!(client.id = %client, cycle.id = %report.cycle, "nothing to do");
        }
    }

    fn failed(&self, client: &ClientAgent, error: &EngineError, took: Duration) {
        let client = client.id;
        let why = chain(error);
        self.metrics.cycle_failed(client, took);
        self.health.failed(client, &why);
        warn!(client.id = %client, error = %why, "cycle failed: {why}");
    }
}
