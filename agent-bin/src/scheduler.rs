//! Runs one client's engine: a cycle whenever the vault changes, and at the latest every interval.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use passportal_client::wire::AgentState;
use sync_engine::model::StepKind;
use sync_engine::plan::{Decision, HeldPlan, PlanRuling};
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Engine, EngineError, Footing, Observer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Instrument as _, debug, debug_span};

use crate::causes::chain;
use crate::control::{Asker, Errand, Fault, Inbox};
use crate::pace::{FIRST_RETRY, Pause};
use crate::plan_news::{PlanNews, PlanWatch};
use crate::pulse::{LONGEST_STEP, at_each_step};
use crate::wiring::ClientAgent;

/// A wait without a change that ends sooner than this was no wait: the vault has no long poll.
const EARLY: Duration = Duration::from_secs(1);

/// How often.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// The longest time between two cycles.
    pub interval: Duration,
    /// The time between two full readings.
    pub full_read: Duration,
}

/// What came of a cycle.
pub type Cycled = Result<CycleReport, EngineError>;

/// Somebody who is told of every cycle of a client, and how long it took.
pub trait Witness: Send + Sync {
    /// A cycle ended.
    fn cycled(&self, client: &ClientAgent, cycled: Cycled, took: Duration);

    /// The client's schedule makes progress, and says so again within this time.
    fn shows_life(&self, client: &ClientAgent, again_within: Duration) {
        let _ = (client, again_within);
    }

    /// A held plan took a turn.
    fn plan_turned(&self, client: &ClientAgent, news: &PlanNews) {
        let _ = (client, news);
    }
}

/// Keeps one client in step until `stop`, and runs the errands that come in. A write in flight is finished; the
/// lease is given back.
pub async fn run(
    client: &ClientAgent,
    schedule: Schedule,
    witness: &dyn Witness,
    mut inbox: Inbox,
    stop: &CancellationToken,
) {
    let mut round = Round {
        client,
        engine: client.engine(),
        schedule,
        witness,
        stop,
        failures: 0,
        preflighted: false,
        served_elsewhere: None,
        plans: PlanWatch::default(),
    };
    while !stop.is_cancelled() {
        let pause = round.cycle(None).await;
        round.wait(pause, &mut inbox).await;
    }
    client.farewell().await;
}

struct Round<'a> {
    client: &'a ClientAgent,
    engine: Engine,
    schedule: Schedule,
    witness: &'a dyn Witness,
    stop: &'a CancellationToken,
    failures: u32,
    preflighted: bool,
    /// Who held the lease, where the last cycle stood by.
    served_elsewhere: Option<String>,
    plans: PlanWatch,
}

/// Whether a cycle has begun to act. Until then it only reads and reports, and can be given up at any moment.
#[derive(Default)]
struct Acts(AtomicBool);

impl Acts {
    fn have_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Observer for Acts {
    fn planned(&self, _steps: usize) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn finished(&self, _decision: &Decision, _kind: StepKind) {}
}

/// What a wait for a change of the vault came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watched {
    /// There is something to look at.
    Changed,
    /// There is not.
    Nothing,
}

impl Round<'_> {
    /// One cycle, also told to whoever asked for it.
    async fn cycle(&mut self, asker: Option<Asker<CycleReport>>) -> Pause {
        let began = Instant::now();
        let span =
            debug_span!("cycle", passportal.client.id = %self.client.id, otel.status_code = Empty);
        let Some(cycled) = self.try_cycle().instrument(span.clone()).await else {
            return Pause::Retrying(Duration::ZERO);
        };
        if cycled.is_err() {
            span.record("otel.status_code", "ERROR");
        }
        if let Some(asker) = asker {
            let told = cycled.as_ref().map(CycleReport::clone);
            // Whoever went away needs no answer.
            let _ = asker.send(told.map_err(|error| Fault::of(error)));
        }
        self.note_footing(&cycled);
        let pause = Pause::after(&cycled, self.failures, self.schedule.interval);
        self.failures = if cycled.is_ok() { 0 } else { self.failures + 1 };
        self.client.vault.set_state(match &cycled {
            Ok(_) => AgentState::Running,
            Err(_) => AgentState::Failing,
        });
        self.witness.cycled(self.client, cycled, began.elapsed());
        self.look_at_plans().await;
        pause
    }

    /// A cycle that failed says nothing about the lease.
    fn note_footing(&mut self, cycled: &Cycled) {
        let Ok(report) = cycled else {
            return;
        };
        self.served_elsewhere = match &report.footing {
            Footing::Standby { holder, .. } => Some(holder.clone()),
            Footing::Leader | Footing::Preview => None,
        };
    }

    /// A memory that cannot be read is told by the cycle that needs it.
    async fn look_at_plans(&mut self) {
        let Ok(plans) = self.engine.plans().await else {
            return;
        };
        for news in self.plans.look(plans) {
            self.witness.plan_turned(self.client, &news);
        }
    }

    /// As [`Self::attempt`], while its progress is told.
    async fn try_cycle(&mut self) -> Option<Cycled> {
        let (client, witness) = (self.client, self.witness);
        let goes_on = || witness.shows_life(client, LONGEST_STEP);
        // A cycle's future is too large to be passed on.
        at_each_step(Box::pin(self.attempt()), goes_on).await
    }

    /// `None` when a request to stop came while it only read, which takes its time where nobody answers.
    async fn attempt(&mut self) -> Option<Cycled> {
        if !self.preflighted {
            let preflight = self.client.preflight();
            if let Err(error) = self.stop.run_until_cancelled(preflight).await? {
                return Some(Err(error));
            }
            self.preflighted = true;
        }
        if self.is_full_read_due() {
            self.engine.read_all_next();
        }
        let halt = self.engine.halt();
        let acts = Acts::default();
        let mut cycle = pin!(self.engine.cycle(Wait::No, &acts));
        match self.stop.run_until_cancelled(cycle.as_mut()).await {
            None if acts.have_begun() => {
                halt.request();
                Some(cycle.await)
            }
            cycled => cycled,
        }
    }

    fn is_full_read_due(&self) -> bool {
        self.engine.last_full_read().is_some_and(|last| {
            Timestamp::now().duration_since(last).unsigned_abs() >= self.schedule.full_read
        })
    }

    /// Ends early when the vault changes, when a person ruled on a plan, and on a request to stop. Errands only
    /// interrupt it.
    async fn wait(&mut self, mut pause: Pause, inbox: &mut Inbox) {
        let mut end = pause.end();
        while !self.stop.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            self.witness.shows_life(self.client, left + LONGEST_STEP);
            let errand = tokio::select! {
                () = self.idle(pause, end) => return,
                errand = inbox.next() => errand,
            };
            match errand {
                Errand::Sync(asker) if asker.is_closed() => {}
                Errand::Sync(asker) => {
                    pause = self.cycle(Some(asker)).await;
                    end = pause.end();
                }
                Errand::Rule(ruling, asker) => {
                    let ruled = self.rule(&ruling).await;
                    let is_taken = ruled.is_ok();
                    let _ = asker.send(ruled);
                    if is_taken {
                        return;
                    }
                }
            }
        }
    }

    /// While it stands by its plans are of another time: a word about one would do nothing now, and something that
    /// nobody expects once this agent takes over.
    async fn rule(&mut self, ruling: &PlanRuling) -> Result<HeldPlan, Fault> {
        if let Some(holder) = &self.served_elsewhere {
            return Err(Fault::standing_by(holder));
        }
        let ruled = self.engine.rule(ruling).await;
        self.look_at_plans().await;
        ruled.map_err(|error| Fault::of_ruling(&error))
    }

    /// Until `end`, or until there is something to look at. Dropping the future loses nothing.
    async fn idle(&mut self, pause: Pause, end: Instant) {
        if let Pause::Retrying(_) = pause {
            return self
                .sleep(end.saturating_duration_since(Instant::now()))
                .await;
        }
        // The vault may answer before the time is over; then it is asked for the rest.
        while !self.stop.is_cancelled() {
            let began = Instant::now();
            let asked = end.saturating_duration_since(began);
            if self.watch(asked).await == Watched::Changed {
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            if began.elapsed() < asked.min(EARLY) {
                return self.sleep(left).await;
            }
            if left < EARLY {
                return;
            }
        }
    }

    async fn watch(&mut self, most: Duration) -> Watched {
        let changed = tokio::select! {
            changed = self.engine.await_change(most) => changed,
            () = self.stop.cancelled() => return Watched::Nothing,
        };
        match changed {
            Ok(true) => Watched::Changed,
            Ok(false) => Watched::Nothing,
            // The next cycle meets the same failure, and tells it.
            Err(error) => {
                debug!(client.id = %self.client.id, error = %chain(&error), "waiting for a change failed");
                self.sleep(FIRST_RETRY).await;
                Watched::Changed
            }
        }
    }

    async fn sleep(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
