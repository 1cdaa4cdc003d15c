//! The clients that the service serves now, and how a new configuration changes them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use state_store::StateDatabase;
use sync_engine::model::ClientId;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::error;
use uuid::Uuid;

use crate::config::Config;
use crate::control::{self, ClientTurn, Door, Doors, Expected, Fault, Reloaded, ReloadedClient};
use crate::health::Health;
use crate::metrics::Metrics;
use crate::proofs;
use crate::pulse::Pulses;
use crate::scheduler::{self, Schedule};
use crate::telltale::Telltale;
use crate::wiring::{ClientAgent, WiringError};
use crate::workshop::{Blueprint, Draft, Workshop, refuse_twins};

/// A client is ready while its last good cycle is at most so many intervals ago, and some slack.
const RECENT_INTERVALS: u32 = 3;
const SLACK: Duration = Duration::from_secs(30);

/// What all clients of a service share.
pub(crate) struct Premises {
    pub(crate) state: StateDatabase,
    pub(crate) instance: Uuid,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    pub(crate) pulses: Pulses,
    pub(crate) doors: Doors,
    pub(crate) stop: CancellationToken,
}

/// The clients that are served now.
pub(crate) struct Roster {
    premises: Premises,
    served: BTreeMap<ClientId, Served>,
    running: JoinSet<()>,
}

/// By the name that the configuration has for a client.
type Named<T> = (String, Result<T, WiringError>);

/// What is to be done about a client.
enum Next {
    Nothing,
    Serve {
        id: ClientId,
        blueprint: Box<Blueprint>,
    },
}

struct Served {
    /// As the configuration calls it.
    name: String,
    blueprint: Blueprint,
    door: Door,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Served {
    /// Whether the configuration means it by this name, as far as that can be told without its enrolment.
    fn is_called(&self, name: &str) -> bool {
        let client = &self.door.client;
        let in_the_vault = client.name.trim().to_lowercase();
        name == self.name
            || name.parse().is_ok_and(|id: ClientId| id == client.id)
            || name.trim().to_lowercase() == in_the_vault
    }
}

impl Roster {
    pub(crate) fn new(premises: Premises) -> Self {
        Self {
            premises,
            served: BTreeMap::new(),
            running: JoinSet::new(),
        }
    }

    /// A schedule that ended; `None` when none runs.
    pub(crate) async fn ended(&mut self) -> Option<Result<(), JoinError>> {
        self.running.join_next().await
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.served.is_empty()
    }

    /// Lets another process open the memory. No client is served from then on.
    pub(crate) async fn close_state(&self) {
        self.premises.state.clone().close().await;
    }

    /// Serves what the configuration says: new clients begin, changed ones begin anew once their cycle in flight is over,
    /// and those that are gone from it end. A client that cannot be served as it should be hinders no other.
    ///
    /// # Errors
    /// When the configuration as a whole cannot be used; nothing has changed then.
    pub(crate) async fn go_by(&mut self, workshop: &Workshop) -> Result<Reloaded, WiringError> {
        let clients = workshop.config().clients.iter();
        let drafts = clients.map(|client| (client.name.clone(), workshop.draft(client)));
        let drafts: Vec<Named<Draft>> = drafts.collect();
        let known = drafts.iter().filter_map(|(_, draft)| draft.as_ref().ok());
        refuse_twins(&known.collect::<Vec<_>>())?;
        let mut reloaded = Reloaded::default();
        self.end_all_but(&drafts, &mut reloaded).await;
        let next = drafts.into_iter().map(|(name, draft)| {
            let id = draft.as_ref().ok().map(Draft::id);
            (name, id, draft.and_then(|it| self.next(workshop, it)))
        });
        let next: Vec<_> = next.collect();
        for (client, id, next) in next {
            let turn = match next {
                Ok(Next::Nothing) => ClientTurn::Unchanged,
                Ok(Next::Serve { id, blueprint }) => {
                    self.serve(workshop, &client, id, *blueprint).await
                }
                Err(error) => self.not_served(&client, id, &error),
            };
            reloaded.clients.push(ReloadedClient { client, turn });
        }
        self.tell(&reloaded);
        Ok(reloaded)
    }

    /// Looks whether it can be done, so that a mistake does not end what works; and asks what runs to end, so that all
    /// that must begin anew end at the same time.
    fn next(&self, workshop: &Workshop, draft: Draft) -> Result<Next, WiringError> {
        let (id, blueprint) = (draft.id(), workshop.blueprint(&draft));
        let before = self.served.get(&id);
        if before.is_some_and(|served| served.blueprint == blueprint) {
            return Ok(Next::Nothing);
        }
        workshop.check(draft)?;
        if let Some(served) = before {
            served.stop.cancel();
        }
        let blueprint = Box::new(blueprint);
        Ok(Next::Serve { id, blueprint })
    }

    async fn serve(
        &mut self,
        workshop: &Workshop,
        name: &str,
        id: ClientId,
        blueprint: Blueprint,
    ) -> ClientTurn {
        let before = self.end(id).await;
        // Its secrets are read again: the schedule that ended may have been given a new token.
        let failed = match self.build(workshop, name) {
            Ok(client) => {
                self.begin(client, name.to_owned(), blueprint);
                return before.map_or(ClientTurn::Added, |_| ClientTurn::Changed);
            }
            Err(error) => error,
        };
        if let Some(before) = before {
            self.begin(before.door.client, before.name, before.blueprint);
        }
        self.not_served(name, Some(id), &failed)
    }

    fn build(&self, workshop: &Workshop, name: &str) -> Result<Arc<ClientAgent>, WiringError> {
        let premises = &self.premises;
        let draft = workshop.draft_of(name)?;
        let checked = workshop.check(draft)?;
        let client = workshop.build(checked, &premises.state, premises.instance)?;
        let secrets = workshop.secrets().clone();
        let expiries = proofs::expiries(&client, secrets);
        premises.metrics.watch_expiries(client.id, expiries);
        Ok(Arc::new(client))
    }

    fn begin(&mut self, client: Arc<ClientAgent>, name: String, blueprint: Blueprint) {
        let schedule = schedule(blueprint.config());
        let Premises {
            metrics,
            health,
            pulses,
            ..
        } = &self.premises;
        let recent = schedule.interval.saturating_mul(RECENT_INTERVALS) + SLACK;
        health.expect(client.id, recent);
        metrics.introduce(client.id, schedule.interval);
        let directory = Arc::clone(&client.directory);
        metrics.watch_limits(client.id, move || directory.limit_use());
        let telltale = Telltale {
            metrics: metrics.clone(),
            health: health.clone(),
            pulse: pulses.begin(client.id),
        };
        let (errands, inbox) = control::errands();
        let (stop, ended) = (self.premises.stop.child_token(), CancellationToken::new());
        let served = Served {
            name,
            blueprint,
            stop: stop.clone(),
            ended: ended.clone(),
            door: Door {
                client: Arc::clone(&client),
                errands,
                health: health.clone(),
                expected: Expected {
                    begun: Timestamp::now(),
                    interval: schedule.interval,
                },
            },
        };
        self.served.insert(client.id, served);
        self.running.spawn(async move {
            let _tells_that_it_ended = ended.drop_guard();
            scheduler::run(&client, schedule, &telltale, inbox, &stop).await;
        });
    }

    /// Ends a client's schedule, and waits until its cycle in flight is over and its lease is given back.
    async fn end(&mut self, id: ClientId) -> Option<Served> {
        let served = self.served.remove(&id)?;
        served.stop.cancel();
        served.ended.cancelled().await;
        Some(served)
    }

    async fn end_all_but(&mut self, drafts: &[Named<Draft>], reloaded: &mut Reloaded) {
        let stays = |served: &Served, id| {
            drafts.iter().any(|(name, draft)| match draft {
                Ok(draft) => draft.id() == id,
                Err(_) => served.is_called(name),
            })
        };
        let served = self.served.iter();
        let gone = served.filter(|(id, served)| !stays(served, **id));
        let gone: Vec<_> = gone.map(|(id, _)| *id).collect();
        for id in &gone {
            if let Some(served) = self.served.get(id) {
                served.stop.cancel();
            }
        }
        for id in gone {
            if let Some(Served { name, .. }) = self.end(id).await {
                self.premises.metrics.forget(id);
                self.premises.health.forget(id);
                let turn = ClientTurn::Removed;
                reloaded.clients.push(ReloadedClient { client: name, turn });
            }
        }
    }

    /// As it should be. Without an id it is known by what it is called alone.
    fn not_served(&mut self, name: &str, id: Option<ClientId>, error: &WiringError) -> ClientTurn {
        let fault = Fault::of(error);
        let mut served = self.served.iter_mut();
        let is_it = |it: ClientId, served: &Served| {
            id.map_or_else(|| served.is_called(name), |id| id == it)
        };
        if let Some((_, before)) = served.find(|(id, served)| is_it(**id, served)) {
            error!("client `{name}` goes on as before: {fault}");
            // The configuration may call it otherwise now.
            name.clone_into(&mut before.name);
            ClientTurn::GoesOnAsBefore(fault)
        } else {
            error!("client `{name}` is not served: {fault}");
            ClientTurn::NotStarted(fault)
        }
    }

    /// To the socket, `/readyz` and the metrics.
    fn tell(&self, reloaded: &Reloaded) {
        let premises = &self.premises;
        let clients = reloaded.clients.iter();
        let not_started = clients.filter_map(|it| match &it.turn {
            ClientTurn::NotStarted(fault) => Some((it.client.clone(), fault.to_string())),
            _ => None,
        });
        let not_started: BTreeMap<_, _> = not_started.collect();
        premises.metrics.clients_not_started(not_started.len());
        let turns = reloaded.clients.iter().map(|it| &it.turn);
        let as_before = turns.filter(|it| matches!(it, ClientTurn::GoesOnAsBefore(_)));
        premises.metrics.clients_as_before(as_before.count());
        premises.health.not_started(not_started);
        let in_order = reloaded.clients.iter().filter_map(|it| {
            let mut served = self.served.values();
            Some(served.find(|served| served.name == it.client)?.door.clone())
        });
        premises.doors.replace(in_order.collect());
    }
}

fn schedule(config: &Config) -> Schedule {
    Schedule {
        interval: config.sync.interval,
        full_read: config.sync.full_read,
    }
}
