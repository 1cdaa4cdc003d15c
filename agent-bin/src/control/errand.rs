//! What the socket asks of a running engine: carried to its schedule, and the answer back.

use sync_engine::CycleReport;
use sync_engine::plan::{HeldPlan, PlanRuling};
use tokio::sync::{mpsc, oneshot};

use super::Fault;

/// More than people ask at once; whoever comes later waits.
const ROOM: usize = 16;

/// Where an answer goes to. It may have gone away.
pub(crate) type Asker<T> = oneshot::Sender<Result<T, Fault>>;

/// Something that only the engine at work can do.
#[derive(Debug)]
pub(crate) enum Errand {
    /// A cycle at once.
    Sync(Asker<CycleReport>),
    /// A person's word about a plan.
    Rule(PlanRuling, Asker<HeldPlan>),
}

/// Sends errands to one client's schedule.
#[derive(Clone, Debug)]
pub struct Errands(mpsc::Sender<Errand>);

/// Where one client's schedule takes its errands from.
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Errand>);

/// The way to a client's schedule: the sender, and the end that the schedule holds.
pub fn errands() -> (Errands, Inbox) {
    let (sender, receiver) = mpsc::channel(ROOM);
    (Errands(sender), Inbox(receiver))
}

impl Errands {
    pub(super) async fn sync(&self) -> Result<CycleReport, Fault> {
        self.send(Errand::Sync).await
    }

    pub(super) async fn rule(&self, ruling: PlanRuling) -> Result<HeldPlan, Fault> {
        self.send(|asker| Errand::Rule(ruling, asker)).await
    }

    async fn send<T>(&self, errand: impl FnOnce(Asker<T>) -> Errand) -> Result<T, Fault> {
        let (asker, answer) = oneshot::channel();
        let sent = self.0.send(errand(asker)).await;
        match (sent, answer.await) {
            (Ok(()), Ok(answer)) => answer,
            _ => Err(Fault::service_ends()),
        }
    }
}

impl Inbox {
    /// One that nothing ever comes into.
    pub fn empty() -> Self {
        errands().1
    }

    /// The next errand, when there is one. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Errand {
        match self.0.recv().await {
            Some(errand) => errand,
            None => std::future::pending().await,
        }
    }
}
