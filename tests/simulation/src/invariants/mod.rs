//! What must hold at every step, each rule in a room of its own.

mod clock;
mod consent;
mod convergence;
mod flags;
mod journal;
mod lease;
mod lockout;
mod need;
mod order;
mod permission;
mod rate;
mod reports;
mod secrets;

pub(crate) use self::consent::{Heard, Hold, Write};
pub(crate) use self::lease::Granted;
pub(crate) use self::need::Effect;

use std::collections::BTreeMap;

use jiff::Timestamp;
use sync_engine::model::{Asked, CredentialId, Domains, ObjectId, UserPrincipalName};
use sync_engine::plan::PlanRuling;

use crate::time::Moment;
use crate::world::{AgentId, Purpose, World};

/// A rule that must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// See [`Invariant::words`].
    Lockout,
    /// See [`Invariant::words`].
    Order,
    /// See [`Invariant::words`].
    Permission,
    /// See [`Invariant::words`].
    Consent,
    /// See [`Invariant::words`].
    Lease,
    /// See [`Invariant::words`].
    Need,
    /// See [`Invariant::words`].
    Rate,
    /// See [`Invariant::words`].
    Flags,
    /// See [`Invariant::words`].
    Convergence,
    /// See [`Invariant::words`].
    Journal,
    /// See [`Invariant::words`].
    Reports,
    /// See [`Invariant::words`].
    Secrets,
}

impl Invariant {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Lockout => {
                "no account is locked out by us, nor tested more often than its budget"
            }
            Self::Order => "no older version of a password is written after a newer one",
            Self::Permission => {
                "nothing is written or signed in to that the vault or the directory, as last read, forbids"
            }
            Self::Consent => {
                "nothing is written that waits for a person or was rejected, and no person's word counts twice"
            }
            Self::Lease => {
                "a step is begun only by the agent that truly holds the lease, while it outlasts the step"
            }
            Self::Need => {
                "no write to an account that already had the password, and none repeated blindly"
            }
            Self::Rate => "no more unapproved writes within an hour than the breaker allows",
            Self::Flags => "every lasting mismatch is flagged, and only a mismatch is",
            Self::Convergence => {
                "once nothing goes wrong any more, everything comes to rest, and is right or says why not"
            }
            Self::Journal => "the journal explains every write, with who and why",
            Self::Reports => "the vault is told what is true",
            Self::Secrets => "no password leaves in a journal, a report or a memory",
        }
    }
}

/// A rule that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// What happened instead.
    pub words: String,
    /// When.
    pub at: Moment,
    /// At which step of the world.
    pub step: u64,
}

/// What the service said to a write, as far as its agent heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing, or that it was not done.
    None,
    /// That it took it.
    Took,
    /// That it refuses this password.
    Refused,
}

/// A write that was written down and has no outcome yet.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) purpose: Purpose,
    pub(crate) why: String,
    pub(crate) asked: Asked,
    /// The write, as its agent knew the vault when it was intended.
    pub(crate) write: Write,
    /// The confirmation behind it, or why there is none.
    pub(crate) word: Result<Timestamp, &'static str>,
    /// Whether a person approved exactly this write as part of a plan.
    pub(crate) is_approved: bool,
    /// When.
    pub(crate) at: Moment,
    /// The moment of the tenant that its agent knew.
    pub(crate) as_of: Moment,
    /// How many requests went out for it.
    pub(crate) sent: u32,
    /// Whether the password could have been tested instead.
    pub(crate) testable: bool,
    /// What the service said to it.
    pub(crate) answer: Answer,
}

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    words: consent::Words,
    domains: BTreeMap<AgentId, Domains>,
    clock: clock::Turns,
    lease: lease::Bent,
    lockout: lockout::Failures,
    order: order::Newest,
    need: need::Writes,
    flags: flags::Quiet,
    reports: reports::Evidence,
    convergence: convergence::AtRest,
}

impl Watch {
    pub(crate) fn ruled(&mut self, ruling: &PlanRuling) {
        self.words.ruled(ruling);
    }

    pub(crate) fn clock_turned(&mut self, agent: AgentId, by: i64, now: Moment) {
        self.clock.turn(agent, by, now);
        if by < 0 {
            self.flags.clock_fell_back(agent);
        }
    }

    pub(crate) fn domains_known_to(&self, agent: AgentId) -> Domains {
        self.domains.get(&agent).cloned().unwrap_or_default()
    }
}

impl World {
    /// An agent read the domains: what it knows of them changes with that, and not before.
    pub(crate) fn domains_were_read(&mut self, agent: AgentId, domains: &Domains) {
        let before = self.watch.domains.insert(agent, domains.clone());
        if before.as_ref() != Some(domains) {
            self.everything_moved();
        }
    }

    /// Something about a credential changed, and with it whether others of its account are duplicates.
    pub(crate) fn credential_moved(&mut self, id: CredentialId) {
        self.watch.flags.credential_moved(id, self.now);
        if let Some(entry) = self.vault.entry(id) {
            let name = entry.credential.user_name.clone();
            self.name_moved(&name);
        }
    }

    /// Something about an account changed.
    pub(crate) fn account_moved(&mut self, id: ObjectId) {
        let user = self.tenant.user(id).and_then(|user| user.account());
        let Some(name) = user.map(|account| account.user_name.clone()) else {
            return self.everything_moved();
        };
        self.name_moved(&name);
    }

    fn name_moved(&mut self, name: &UserPrincipalName) {
        let entries = self.vault.entries().iter();
        for (id, _) in entries.filter(|(_, entry)| entry.credential.user_name == *name) {
            self.watch.flags.credential_moved(*id, self.now);
        }
    }

    /// Something changed that may concern everything.
    pub(crate) fn everything_moved(&mut self) {
        self.watch.flags.everything_moved(self.now);
    }
}
