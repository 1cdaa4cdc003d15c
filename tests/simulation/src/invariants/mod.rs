//! What must hold at every step, each rule in a room of its own.

mod convergence;
mod flags;
mod journal;
mod lockout;
mod need;
mod order;
mod permission;
mod rate;
mod reports;
mod secrets;

pub(crate) use self::need::Effect;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sync_engine::model::{Asked, CredentialId, Domains, ObjectId, VaultVersion};
use sync_engine::plan::{HeldPlan, PlanRuling, Ruling};

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

/// A write that was written down and has no outcome yet.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    pub(crate) purpose: Purpose,
    pub(crate) why: String,
    pub(crate) asked: Asked,
    /// By the clock of its machine.
    pub(crate) at: Timestamp,
    /// The moment of the tenant that its agent knew.
    pub(crate) as_of: Moment,
    /// How many requests went out for it.
    pub(crate) sent: u32,
    /// Whether the password could have been tested instead.
    pub(crate) testable: bool,
    /// Whether the service said that it took it.
    pub(crate) took: bool,
}

/// What the rules remember.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Credentials that a person ever confirmed.
    pub(crate) confirmed: BTreeSet<CredentialId>,
    /// Writes that a person approved, and those that one rejected: object and version.
    approved: BTreeSet<(CredentialId, VaultVersion)>,
    rejected: BTreeMap<(CredentialId, VaultVersion), Moment>,
    domains: BTreeMap<AgentId, Domains>,
    clock_turned: Option<Moment>,
    clock_turned_by: u64,
    lockout: lockout::Failures,
    order: order::Newest,
    need: need::Writes,
    flags: flags::Quiet,
    reports: reports::Evidence,
    convergence: convergence::AtRest,
}

impl Watch {
    pub(crate) fn ruled(&mut self, plan: &HeldPlan, ruling: &PlanRuling, now: Moment) {
        for write in &plan.writes {
            let key = (write.credential, write.version);
            match ruling.ruling {
                Ruling::Approve => {
                    self.approved.insert(key);
                }
                Ruling::Reject => {
                    self.rejected.insert(key, now);
                }
            }
        }
    }

    pub(crate) fn clock_turned(&mut self, by: u64, now: Moment) {
        self.clock_turned = Some(now);
        self.clock_turned_by += by;
    }

    pub(crate) fn domains_known_to(&self, agent: AgentId) -> Domains {
        self.domains.get(&agent).cloned().unwrap_or_default()
    }
}

impl World {
    /// Whether a clock jumped lately, so that spans of time by it mean little.
    fn clock_is_doubtful(&self) -> bool {
        let turned = self.watch.clock_turned;
        turned.is_some_and(|at| self.now.since(at) < 2 * crate::time::DAY)
    }

    /// An agent read the domains: what it knows of them changes with that, and not before.
    pub(crate) fn domains_were_read(&mut self, agent: AgentId, domains: &Domains) {
        let before = self.watch.domains.insert(agent, domains.clone());
        if before.as_ref() != Some(domains) {
            self.everything_moved();
        }
    }

    /// Something about a credential changed.
    pub(crate) fn credential_moved(&mut self, id: CredentialId) {
        self.watch.flags.credential_moved(id, self.now);
    }

    /// Something about an account changed.
    pub(crate) fn account_moved(&mut self, id: ObjectId) {
        let user = self.tenant.user(id).and_then(|user| user.account());
        let Some(name) = user.map(|account| account.user_name.clone()) else {
            return self.everything_moved();
        };
        let entries = self.vault.entries().iter();
        let ids: Vec<_> = entries
            .filter(|(_, entry)| entry.credential.user_name == name)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            self.credential_moved(id);
        }
    }

    /// Something changed that may concern everything.
    pub(crate) fn everything_moved(&mut self) {
        self.watch.flags.everything_moved(self.now);
    }
}
