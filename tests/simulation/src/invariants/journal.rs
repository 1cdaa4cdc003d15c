//! The journal explains every write: before the request who wants it and why, and afterwards what
//! came of it. It never claims a write that was not made.

use sync_engine::model::{Asked, CredentialMemory, JournalEntry, Phase, StepKind, VaultCredential};
use sync_engine::plan::Rule;
use sync_engine::ports::SetPassword;

use super::{Answer, Intent, Invariant, Write};
use crate::time::Moment;
use crate::world::{AgentId, Purpose, World};

/// How the journal says that a write was taken.
const TOOK: &str = "Entra ID took the password";

/// How it says that a test was answered clearly.
const CLEAR: [&str; 2] = ["Entra ID accepts", "Entra ID does not accept"];

impl World {
    /// An entry was made durable.
    pub(crate) fn check_entry(
        &mut self,
        agent: AgentId,
        entry: &JournalEntry,
        memories: &[CredentialMemory],
    ) {
        self.check_secret("journal", entry);
        self.tell(|| {
            format!(
                "{agent} journals {:?} {:?} of {} version {}: {} (by {:?})",
                entry.step,
                entry.phase,
                crate::world::World::short(entry.credential),
                entry.version,
                entry.why,
                entry.by
            )
        });
        let known = memories.iter().find(|known| known.id == entry.credential);
        match (entry.step, entry.phase) {
            (StepKind::Push, Phase::Intent) => self.check_intent(agent, entry, known),
            (StepKind::Push, Phase::Outcome) => self.check_outcome(agent, entry, known),
            (StepKind::Verify, Phase::Intent) => self.test_is_written_down(agent, entry, known),
            (StepKind::Verify, Phase::Outcome) => {
                // Anything else than a clear answer leaves the credential unchecked.
                if !CLEAR.iter().any(|clear| entry.why.starts_with(clear)) {
                    self.credential_moved(entry.credential);
                }
            }
        }
    }

    fn check_intent(
        &mut self,
        id: AgentId,
        entry: &JournalEntry,
        known: Option<&CredentialMemory>,
    ) {
        let as_of = self.known_as_of(id);
        let testable = self.is_testable(id, entry);
        let word = if entry.why == Rule::Confirmed.why() {
            self.use_word(id, entry.credential, entry.version)
        } else {
            Err("nobody confirmed it")
        };
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        let pending = known.and_then(|known| known.pending.as_ref());
        let purpose = Purpose {
            object: entry.object,
            credential: entry.credential,
            epoch: agent.seen.epoch,
            version: entry.version,
        };
        let write = Write {
            purpose,
            stamp: entry.stamp,
        };
        let intent = Intent {
            purpose,
            write,
            word,
            is_approved: self.watch.words.are_for(&write),
            why: entry.why.clone(),
            asked: pending.map_or(Asked::ByRule, |pending| pending.asked),
            at: self.now,
            as_of,
            sent: 0,
            testable,
            answer: Answer::None,
        };
        agent.intents.insert(entry.credential, intent.clone());
        let seen = agent.seen.vault.as_ref();
        let credential = seen.and_then(|vault| vault.credentials.get(&entry.credential));
        if let Some(credential) = credential
            && let Err(expected) = is_signed(entry, &intent, credential)
        {
            let words = format!(
                "a write is journaled as by {:?}, not by {expected}",
                entry.by
            );
            self.violate(Invariant::Journal, words);
        }
        if pending.is_none() {
            let words = "a write is journaled whose memory does not expect it".to_owned();
            self.violate(Invariant::Journal, words);
        }
        self.check_rate(id, &intent);
        self.check_repetition(id, &intent);
    }

    fn check_outcome(
        &mut self,
        id: AgentId,
        entry: &JournalEntry,
        known: Option<&CredentialMemory>,
    ) {
        let agent = self.agents.get_mut(&id);
        let intent = agent.and_then(|agent| agent.intents.remove(&entry.credential));
        let Some(intent) = intent.filter(|intent| intent.purpose.version == entry.version) else {
            let words = format!("an outcome is journaled without an intent: {}", entry.why);
            return self.violate(Invariant::Journal, words);
        };
        if entry.why.starts_with(TOOK) && intent.answer != Answer::Took {
            let words = "the journal claims a write that the service did not take".to_owned();
            self.violate(Invariant::Journal, words);
        }
        if known.is_some_and(|known| known.pending.is_none()) {
            if intent.answer == Answer::Took {
                let words = "a write that was taken is not awaited".to_owned();
                self.violate(Invariant::Journal, words);
            }
            if intent.answer != Answer::Refused {
                self.word_still_counts(id, &intent);
            }
            self.was_not_written(id, intent.purpose);
            self.give_back(id, &intent);
        }
    }

    fn test_is_written_down(
        &mut self,
        id: AgentId,
        entry: &JournalEntry,
        known: Option<&CredentialMemory>,
    ) {
        let newest = known.and_then(|known| known.attempts.last());
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        if let Some(attempt) = newest {
            // The disk may have taken its time.
            let at = Moment::when_shown(attempt.at, agent.ahead);
            let test = (attempt.id, at, agent.ahead);
            agent.attempts.insert(entry.credential, test);
        }
    }

    /// The service answered a write.
    pub(crate) fn write_answered(&mut self, agent: AgentId, outcome: &SetPassword, flight: u64) {
        let answer = match outcome {
            SetPassword::Accepted(_) => Answer::Took,
            SetPassword::Refused(_) => Answer::Refused,
            SetPassword::Gone | SetPassword::NotNow { .. } | SetPassword::Ambiguous => Answer::None,
        };
        let purpose = self.flights.get(&flight).and_then(|it| it.intent);
        let agent = self.agents.get_mut(&agent);
        let intents = agent.map(|agent| &mut agent.intents);
        if let (Some(purpose), Some(intents)) = (purpose, intents)
            && let Some(intent) = intents.get_mut(&purpose.credential)
        {
            intent.answer = answer;
        }
    }

    /// A memory is made durable.
    pub(crate) fn check_memory(&mut self, id: AgentId, known: &CredentialMemory) {
        self.check_secret("memory", known);
        let Some(object) = known.object else {
            return self.check_word(id, known, false);
        };
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        // A new epoch is first contact again.
        let now = (object, agent.seen.epoch);
        let before = agent.stored.accepted.insert(known.id, now);
        let moved = before.is_some_and(|(other, epoch)| other != object && epoch == now.1);
        self.check_word(id, known, moved);
    }
}

/// Whether the entry names the person behind the write.
fn is_signed(
    entry: &JournalEntry,
    intent: &Intent,
    credential: &VaultCredential,
) -> Result<(), String> {
    let changed = [Rule::VaultChanged.why(), Rule::UnverifiableChanged.why()];
    let confirmed = credential.confirmed.as_ref().and_then(|it| it.by.as_ref());
    let expected = if intent.why == Rule::Confirmed.why() {
        confirmed
    } else if intent.asked == Asked::ByPerson {
        // Approved: somebody must be named, whoever it was.
        return entry.by.as_ref().map(|_| ()).ok_or("somebody".to_owned());
    } else if changed.contains(&intent.why.as_str()) {
        credential.changed_by.as_ref()
    } else {
        None
    };
    if entry.by.as_ref() == expected || (intent.asked == Asked::ByPerson && entry.by.is_some()) {
        Ok(())
    } else {
        Err(format!("{expected:?}"))
    }
}
