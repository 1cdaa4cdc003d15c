//! One agent: its process, its machine's clock, its memory, and all that it could know.

use std::collections::BTreeMap;
use std::fmt;

use sync_engine::model::{
    AttemptId, CredentialId, DirectoryView, JournalEntry, Memory, ObjectId, Report, VaultView,
};
use sync_engine::plan::PlanRuling;

use super::Purpose;
use crate::invariants::{Effect, Granted, Heard, Hold, Intent, Write};
use crate::time::Moment;

/// One of the agents of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct AgentId(pub(crate) u8);

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "agent {}", self.0)
    }
}

/// With which memory a process starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// With its own.
    AsItWas,
    /// With a copy of some time ago.
    OldCopy,
    /// With none.
    Blank,
}

/// What an agent's machine keeps on its disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored {
    pub(crate) memory: Memory,
    pub(crate) journal: Vec<JournalEntry>,
    pub(crate) reports: Vec<Report>,
    /// Unapproved writes that this memory knows of.
    pub(crate) unapproved: Vec<(Moment, CredentialId)>,
    /// Writes that this memory knows of, and whether they may have been made.
    pub(crate) written: BTreeMap<Purpose, Effect>,
    /// The account that each credential is for, and in which epoch it was accepted.
    pub(crate) accepted: BTreeMap<CredentialId, (ObjectId, u128)>,
    /// Writes that must not be made until a person says so, or they move.
    pub(crate) held: BTreeMap<Write, Hold>,
    /// The last confirmation of each credential that its agent was told of.
    pub(crate) words: BTreeMap<CredentialId, Heard>,
}

/// What an agent was told: all that it could know.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) vault: Option<VaultView>,
    pub(crate) epoch: u128,
    /// When the vault answered.
    pub(crate) vault_at: Moment,
    pub(crate) directory: Option<DirectoryView>,
    /// The moment of the tenant that the directory's last answer showed.
    pub(crate) directory_as_of: Moment,
}

/// One agent.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) id: AgentId,
    /// Counts the processes.
    pub(crate) life: u64,
    pub(crate) alive: bool,
    /// Names the process to the vault: another one where its state file is not the one of before.
    pub(crate) instance: u64,
    /// The lease, as the vault granted it last.
    pub(crate) granted: Granted,
    /// How far its clock is ahead of the true time.
    pub(crate) ahead: i64,
    pub(crate) stalled_until: Option<Moment>,
    /// For how long it stood still since it was told of the vault.
    pub(crate) stalled_for: u64,
    /// Whether it waits for a change of the vault.
    pub(crate) watches: bool,
    pub(crate) stored: Stored,
    pub(crate) copies: Vec<Stored>,
    pub(crate) seen: Seen,
    pub(crate) commands: Vec<PlanRuling>,
    pub(crate) names: u128,
    pub(crate) intents: BTreeMap<CredentialId, Intent>,
    /// The last sign-in test that it wrote down for a credential, when, and how far its clock was ahead.
    pub(crate) attempts: BTreeMap<CredentialId, (AttemptId, Moment, i64)>,
    pub(crate) cycle_began: Moment,
}

impl Agent {
    pub(crate) fn new(id: AgentId, ahead: i64) -> Self {
        Self {
            id,
            life: 0,
            alive: false,
            instance: 0,
            granted: Granted::default(),
            ahead,
            stalled_until: None,
            stalled_for: 0,
            watches: false,
            stored: Stored::default(),
            copies: Vec::new(),
            seen: Seen::default(),
            commands: Vec::new(),
            names: 0,
            intents: BTreeMap::new(),
            attempts: BTreeMap::new(),
            cycle_began: Moment(0),
        }
    }

    /// A new process begins, which has seen nothing.
    pub(crate) fn begin(&mut self, beginning: Beginning, which: usize) {
        self.life += 1;
        self.alive = true;
        self.watches = false;
        self.stalled_until = None;
        self.seen = Seen::default();
        self.intents.clear();
        self.granted = Granted::default();
        if beginning != Beginning::AsItWas {
            self.instance = self.life;
        }
        match beginning {
            Beginning::AsItWas => {}
            Beginning::OldCopy => {
                if let Some(copy) = self.copies.get(which) {
                    self.stored = copy.clone();
                }
            }
            Beginning::Blank => self.stored = Stored::default(),
        }
    }

    pub(crate) fn end(&mut self) {
        self.alive = false;
        self.watches = false;
        self.commands.clear();
    }
}
