//! The world that the engines live in: what is true, what each agent could know of it, and what
//! happens next.

mod agent;
mod hands;
mod people;
mod tenant;
mod vault;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sync_engine::model::{
    CredentialId, ObjectId, Password, SignIn, UserPrincipalName, VaultVersion,
};
use sync_engine::ports::SetPassword;

pub(crate) use self::agent::{Agent, AgentId, Beginning, Stored};
pub(crate) use self::people::{MARKER, Passwords};
pub(crate) use self::tenant::{Culprit, Tenant, position};
pub(crate) use self::vault::{Entry, LeaseAnswer, Vault};

use crate::chance::Chance;
use crate::fault::Fault;
use crate::invariants::{Invariant, Violation, Watch};
use crate::nature::{Nature, Wish};
use crate::time::{Moment, Timeline, milliseconds};
use crate::totals::Totals;
use crate::trace::{Telling, Trace};

/// The world, as its parts share it. It is never kept locked over an await.
pub(crate) type Shared = Arc<Mutex<World>>;

/// What may happen next.
#[derive(Clone, Debug)]
pub(crate) enum Happening {
    /// Something that an agent waits for may be there.
    Wake { agent: AgentId, life: u64 },
    /// A process ends.
    Kill { agent: AgentId, life: u64 },
    /// A process ends for good.
    Retire(AgentId),
    /// A process starts.
    Start {
        agent: AgentId,
        beginning: Beginning,
    },
    /// A write reaches the directory.
    Land(u64),
    /// A sign-in test reaches the service.
    Arrive(u64),
    /// People do something to the vault or to the tenant.
    Deed,
    /// A deed that an earlier one entails.
    FollowUp(FollowUp),
    /// A clock jumps, an agent's memory is copied, a storm comes.
    Weather(Weather),
    /// From here on all is quiet.
    Tail,
    /// The world is at rest: what is not done by now never will be.
    Rest,
    /// The world ends.
    End,
}

/// A deed that an earlier one entails.
#[derive(Clone, Debug)]
pub(crate) enum FollowUp {
    Unmute,
    SyncAgain,
    Manage(String),
    Mend(CredentialId),
    Recreate(String),
    Cloud(ObjectId),
    Enable(ObjectId),
    Speak(ObjectId),
    RuleWaiting,
    TypeAnother(CredentialId),
    Fail(ObjectId),
    Undo(CredentialId),
}

/// What befalls machines.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Weather {
    Storm,
    Calm,
    Copies,
    Backup,
    ClockJump,
    ClockMended { agent: AgentId, by: i64 },
    SecondAgent,
    Crash,
    Morning,
}

/// A write on its way.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    pub(crate) agent: AgentId,
    pub(crate) object: ObjectId,
    pub(crate) password: String,
    /// The intent behind it; `None` where there was none.
    pub(crate) intent: Option<Purpose>,
    /// How often it takes effect.
    pub(crate) times: u32,
    pub(crate) refused: bool,
    /// What came of it, once it has landed.
    pub(crate) outcome: Option<SetPassword>,
    pub(crate) sent: Moment,
}

/// A sign-in test on its way.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) agent: AgentId,
    pub(crate) name: UserPrincipalName,
    pub(crate) password: Password,
    pub(crate) fault: Option<Fault>,
    /// What the service said, once it has.
    pub(crate) answer: Option<SignIn>,
}

/// Which version of which credential a write is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Purpose {
    pub(crate) object: ObjectId,
    pub(crate) credential: CredentialId,
    pub(crate) epoch: u128,
    pub(crate) version: VaultVersion,
}

/// The world.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) timeline: Timeline<Happening>,
    pub(crate) nature: Nature,
    /// Latencies and faults.
    pub(crate) luck: Chance,
    /// What people do.
    pub(crate) will: Chance,
    pub(crate) vault: Vault,
    pub(crate) tenant: Tenant,
    pub(crate) passwords: Passwords,
    pub(crate) agents: BTreeMap<AgentId, Agent>,
    pub(crate) flights: BTreeMap<u64, Flight>,
    pub(crate) visits: BTreeMap<u64, Visit>,
    /// Counts writes and sign-in tests.
    pub(crate) flown: u64,
    pub(crate) storm: bool,
    pub(crate) quiet: bool,
    pub(crate) watch: Watch,
    pub(crate) totals: Totals,
    pub(crate) trace: Trace,
    pub(crate) violation: Option<Violation>,
    pub(crate) ended: bool,
}

/// Locks the world.
pub(crate) fn lock(world: &Shared) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    pub(crate) fn new(wish: &Wish, telling: Telling) -> Self {
        let nature = Nature::of(wish);
        let mut world = Self {
            now: Moment(0),
            timeline: Timeline::new(),
            luck: Chance::new(nature.seed, 2),
            will: Chance::new(nature.seed, 3),
            vault: Vault::new(milliseconds(nature.lease)),
            tenant: Tenant::default(),
            passwords: Passwords::default(),
            agents: BTreeMap::new(),
            flights: BTreeMap::new(),
            visits: BTreeMap::new(),
            flown: 0,
            storm: false,
            quiet: false,
            watch: Watch::default(),
            totals: Totals::one_world(),
            trace: Trace::new(telling),
            violation: None,
            ended: false,
            nature,
        };
        world.populate();
        world.foresee();
        world
    }

    pub(crate) fn tell(&mut self, words: impl FnOnce() -> String) {
        self.trace.tell(self.now, words);
    }

    pub(crate) fn book(&mut self, after: u64, what: Happening) {
        self.timeline.book(self.now.plus(after), what);
    }

    /// Counts a fault that happened.
    pub(crate) fn count(&mut self, fault: Fault) {
        self.totals.fault(fault);
    }

    /// Keeps the first violation; the world ends with it.
    pub(crate) fn violate(&mut self, invariant: Invariant, words: String) {
        self.tell(|| format!("VIOLATION of {invariant:?}: {words}"));
        if self.violation.is_none() {
            self.violation = Some(Violation {
                invariant,
                words,
                at: self.now,
                step: self.trace.steps(),
            });
        }
    }

    pub(crate) fn agent(&self, id: AgentId) -> Option<&Agent> {
        self.agents.get(&id)
    }

    /// The vault changed: whoever waits for that looks.
    pub(crate) fn wake_watchers(&mut self) {
        let waiting = self.agents.values().filter(|agent| agent.watches);
        let waiting: Vec<_> = waiting.map(|agent| (agent.id, agent.life)).collect();
        for (agent, life) in waiting {
            self.book(1, Happening::Wake { agent, life });
        }
    }

    /// Does what is due, except what agents do themselves.
    pub(crate) fn happen(&mut self, what: Happening) {
        match what {
            Happening::Land(flight) => self.land(flight),
            Happening::Arrive(visit) => self.arrive(visit),
            Happening::Deed => self.deed(),
            Happening::FollowUp(what) => self.follow_up(what),
            Happening::Weather(what) => self.weather(what),
            Happening::Tail => self.begin_tail(),
            Happening::Rest => self.begin_rest(),
            Happening::End => {
                self.check_end();
                self.ended = true;
            }
            Happening::Wake { .. }
            | Happening::Kill { .. }
            | Happening::Retire(_)
            | Happening::Start { .. } => {}
        }
    }

    /// A write reaches the directory.
    fn land(&mut self, id: u64) {
        let Some(flight) = self.flights.get(&id).cloned() else {
            return;
        };
        let outcome = self.outcome_of(&flight);
        if matches!(outcome, SetPassword::Accepted(_)) {
            for time in 0..flight.times {
                self.check_landing(&flight, time > 0);
                self.tenant
                    .set_password(flight.object, &flight.password, self.now);
                self.totals.writes += u64::from(time == 0);
            }
            self.after_landing(&flight);
        }
        self.tell(|| format!("write {id} of {} lands: {outcome:?}", flight.agent));
        if let Some(flight) = self.flights.get_mut(&id) {
            flight.outcome = Some(outcome);
        }
    }

    fn outcome_of(&self, flight: &Flight) -> SetPassword {
        use sync_engine::model::{Accepted, BlockedReason, Mastered};

        let user = self.tenant.user(flight.object);
        let Some(account) = user.and_then(|user| user.account()) else {
            return SetPassword::Gone;
        };
        if account.mastered == Mastered::OnPremises {
            return SetPassword::Refused(BlockedReason::OnPremises);
        }
        if flight.refused || !Tenant::takes(&flight.password) {
            return SetPassword::Refused(BlockedReason::Rejected);
        }
        // Completed by the answer, which states when it was sent.
        SetPassword::Accepted(Accepted {
            sent: flight.sent.stamp().0,
            answered: self.now.plus(1000).stamp().0,
        })
    }
}
