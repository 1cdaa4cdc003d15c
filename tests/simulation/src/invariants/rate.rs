//! No write more often than the rules allow: whatever goes wrong in the vault or in Entra ID, a
//! mistake reaches only so many accounts before a person looks.
//!
//! It is judged for each memory: an agent that lost its own cannot know what it did before. An hour is
//! one of true time; only where the agent's clock was turned forward since a write, the agent's hour
//! was over as much earlier. A write counts from when it was decided, which may be a slow disk earlier
//! than when it is intended for good.

use sync_engine::model::{MicrosoftSync, Mute, Standing, SyncMode};

use super::{Intent, Invariant};
use crate::time::{HOUR, MINUTE, Moment};
use crate::world::{AgentId, World};

impl World {
    /// A write is intended.
    pub(super) fn check_rate(&mut self, id: AgentId, intent: &Intent) {
        let most = self.breaker_limit(id);
        if intent.is_approved || intent.word.is_ok() {
            return;
        }
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        let writes = &mut agent.stored.unapproved;
        writes.retain(|(at, _)| self.now.since(*at) < HOUR);
        writes.push((intent.at, intent.purpose.credential));
        let is_recent = |at: Moment| {
            let clock = &self.watch.clock;
            self.now.since(at) + clock.turned_forward(id, at, self.now) < HOUR - MINUTE
        };
        let recent = writes.iter().filter(|(at, _)| is_recent(*at)).count();
        if recent > most {
            let words = format!("{id} makes {recent} unapproved writes within an hour");
            self.violate(Invariant::Rate, words);
        }
    }

    /// A write that was intended was certainly not made.
    pub(super) fn give_back(&mut self, id: AgentId, intent: &Intent) {
        let gone = (intent.at, intent.purpose.credential);
        if let Some(agent) = self.agents.get_mut(&id) {
            agent.stored.unapproved.retain(|it| *it != gone);
        }
    }

    fn breaker_limit(&self, id: AgentId) -> usize {
        let policy = &self.nature.policy;
        let vault = self.agents.get(&id).and_then(|it| it.seen.vault.as_ref());
        let synced = vault.map_or(0, |vault| {
            let unmuted = vault.client.mute == Mute::Unmuted;
            let synced = vault.client.sync == MicrosoftSync::EntraId;
            let credentials = vault.credentials.values().filter(|it| {
                unmuted && synced && it.standing == Standing::Active && it.mode != SyncMode::Off
            });
            credentials.count()
        });
        let share = synced * policy.breaker_percent as usize / 100;
        share.max(policy.breaker_minimum as usize)
    }
}
