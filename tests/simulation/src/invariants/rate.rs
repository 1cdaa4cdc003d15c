//! No write more often than the rules allow: whatever goes wrong in the vault or in Entra ID, a
//! mistake reaches only so many accounts before a person looks.
//!
//! It is judged for each memory: an agent that lost its own cannot know what it did before.

use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::{Asked, MicrosoftSync, Mute, Standing, SyncMode};
use sync_engine::plan::Rule;

use super::{Intent, Invariant};
use crate::world::{AgentId, World};

const WINDOW: Duration = Duration::from_hours(1);

impl World {
    /// A write is intended.
    pub(super) fn check_rate(&mut self, id: AgentId, intent: &Intent) {
        let most = self.breaker_limit(id);
        let Some(agent) = self.agents.get_mut(&id) else {
            return;
        };
        if intent.asked == Asked::ByPerson || intent.why == Rule::Confirmed.why() {
            return;
        }
        let writes = &mut agent.stored.unapproved;
        writes.push((intent.at, intent.purpose.credential));
        let recent = writes.iter().filter(|(at, _)| is_recent(*at, intent.at));
        let recent = recent.count();
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

fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at).unsigned_abs() < WINDOW
}
