//! What people do in the vault.

use std::collections::BTreeMap;

use sync_engine::model::{CredentialId, FlagKind, MicrosoftSync, Mute, Standing, SyncMode};
use sync_engine::plan::{HeldPlan, PlanRuling, Ruling, Word};

use super::{FollowUp, Happening, World};
use crate::deed::VaultDeed;
use crate::fault::Fault;
use crate::time::{HOUR, MINUTE, SECOND};

/// Part of every password of the simulation, so that a leak can be searched for.
pub(crate) const MARKER: &str = "5ecr3t";

const PEOPLE: [&str; 3] = ["ada@msp.example", "ben@msp.example", "cleo@msp.example"];

/// Makes passwords: none twice, unless somebody types the same one again.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    count: u64,
    earlier: BTreeMap<CredentialId, Vec<String>>,
}

impl Passwords {
    pub(crate) fn good(&mut self) -> String {
        self.count += 1;
        format!("Pw{}-{MARKER}-Aa!", self.count)
    }

    fn weak(&mut self) -> String {
        self.count += 1;
        format!("{}{MARKER}", self.count)
    }

    fn with_edge_space(&mut self) -> String {
        format!("{} ", self.good())
    }
}

impl World {
    pub(super) fn vault_deed(&mut self, deed: VaultDeed) {
        let ids: Vec<_> = self.vault.entries().keys().copied().collect();
        let Some(id) = self.will.pick(&ids).copied() else {
            return;
        };
        self.tell(|| format!("in the vault: {deed:?} {}", short(id)));
        match deed {
            VaultDeed::Type => self.type_new(id),
            VaultDeed::TypeWhatEntraHas => self.type_what_entra_has(id),
            VaultDeed::TypeWeak => {
                let weak = self.passwords.weak();
                self.type_password(id, &weak);
            }
            VaultDeed::TypeEdgeSpace => {
                let text = self.passwords.with_edge_space();
                self.type_password(id, &text);
            }
            VaultDeed::TypeEarlier => self.type_earlier(id),
            VaultDeed::SwitchMode => self.switch_mode(id),
            VaultDeed::Mute => self.mute(),
            VaultDeed::SyncNone => self.sync_none(),
            VaultDeed::SwitchStanding => self.switch_standing(id),
            VaultDeed::AddDuplicate => self.add_duplicate(id),
            VaultDeed::Confirm => self.confirm(),
            VaultDeed::ClearFlag => self.clear_flag(),
            VaultDeed::MassEdit => self.edit_many(&ids, 2 * SECOND),
            VaultDeed::Drip => self.edit_many(&ids, 3 * MINUTE),
            VaultDeed::Spoil => self.spoil(id),
            VaultDeed::Restore => self.restore(),
            VaultDeed::Rule => self.rule_waiting(),
        }
        self.wake_watchers();
    }

    fn somebody(&mut self) -> &'static str {
        self.will
            .pick(&PEOPLE)
            .copied()
            .unwrap_or("ada@msp.example")
    }

    fn type_password(&mut self, id: CredentialId, password: &str) {
        if self
            .vault
            .entry(id)
            .is_some_and(|it| it.password == password)
        {
            return;
        }
        let by = self.somebody();
        self.vault.type_password(id, password, by);
        let earlier = self.passwords.earlier.entry(id).or_default();
        earlier.push(password.to_owned());
        self.credential_moved(id);
    }

    pub(super) fn type_new(&mut self, id: CredentialId) {
        let password = self.passwords.good();
        self.type_password(id, &password);
    }

    fn type_what_entra_has(&mut self, id: CredentialId) {
        let name = self
            .vault
            .entry(id)
            .map(|it| it.credential.user_name.clone());
        let object = name.and_then(|name| self.tenant.resolve(name.as_str()));
        let user = object.and_then(|object| self.tenant.user(object));
        if let Some(password) = user.map(|user| user.password().to_owned()) {
            self.type_password(id, &password);
        }
    }

    fn type_earlier(&mut self, id: CredentialId) {
        let earlier = self.passwords.earlier.get(&id).cloned().unwrap_or_default();
        if let Some(password) = self.will.pick(&earlier).cloned() {
            self.type_password(id, &password);
        }
    }

    fn switch_mode(&mut self, id: CredentialId) {
        let modes = [
            (5, SyncMode::Enabled),
            (3, SyncMode::ReportMismatches),
            (1, SyncMode::Off),
        ];
        let mode = self.will.weighted(&modes).unwrap_or(SyncMode::Enabled);
        self.vault.set_mode(id, mode);
        self.credential_moved(id);
    }

    fn mute(&mut self) {
        self.vault.set_client(|client| client.mute = Mute::Muted);
        self.everything_moved();
        let hours = self.will.between(1, 20);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::Unmute));
    }

    fn sync_none(&mut self) {
        self.vault
            .set_client(|client| client.sync = MicrosoftSync::None);
        self.everything_moved();
        let hours = self.will.between(1, 20);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::SyncAgain));
    }

    fn switch_standing(&mut self, id: CredentialId) {
        let standing = self.vault.entry(id).map(|it| it.credential.standing);
        let other = match standing {
            Some(Standing::Active) => Standing::Disabled,
            _ => Standing::Active,
        };
        self.vault.set_standing(id, other);
        self.everything_moved();
        if other == Standing::Disabled {
            let hours = self.will.between(1, 60);
            self.book(hours * HOUR, Happening::FollowUp(FollowUp::Undo(id)));
        }
    }

    fn add_duplicate(&mut self, id: CredentialId) {
        let Some(entry) = self.vault.entry(id) else {
            return;
        };
        let name = entry.credential.user_name.as_str().to_owned();
        let password = self.passwords.good();
        let id = self.vault.add(&name, SyncMode::Enabled, &password);
        self.everything_moved();
        let hours = self.will.between(2, 60);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::Undo(id)));
    }

    /// Mostly of something that waits for it.
    fn confirm(&mut self) {
        let waits = |id: &CredentialId| {
            let raised = self.vault.entry(*id).map(|it| &it.credential.raised);
            raised.is_some_and(|raised| {
                raised.contains_key(&FlagKind::Held) || raised.contains_key(&FlagKind::Blocked)
            })
        };
        let mut ids: Vec<_> = self.vault.entries().keys().copied().collect();
        let waiting: Vec<_> = ids.iter().copied().filter(waits).collect();
        if !waiting.is_empty() && !self.will.percent(10) {
            ids = waiting;
        }
        let Some(id) = self.will.pick(&ids).copied() else {
            return;
        };
        let by = self.somebody();
        let at = self.now.true_time();
        self.tell(|| format!("in the vault: {by} confirms {}", short(id)));
        self.vault.confirm(id, at, by);
        self.credential_moved(id);
    }

    fn clear_flag(&mut self) {
        let entries = self.vault.entries().iter();
        let flagged: Vec<_> = entries
            .flat_map(|(id, it)| it.credential.raised.keys().map(|kind| (*id, *kind)))
            .collect();
        if let Some((id, kind)) = self.will.pick(&flagged).copied() {
            self.vault.clear_flag(id, kind);
        }
    }

    /// Many edits, one after the other: at once they trip the breaker, and as a drip, too.
    fn edit_many(&mut self, ids: &[CredentialId], apart: u64) {
        let count = self.will.between(8, 30);
        for step in 0..count {
            if let Some(id) = self.will.pick(ids).copied() {
                let after = step * apart + self.will.below(apart);
                self.book(after, Happening::FollowUp(FollowUp::TypeAnother(id)));
            }
        }
    }

    fn spoil(&mut self, id: CredentialId) {
        if !self.nature.has(Fault::EnvelopeSpoilt) {
            return;
        }
        self.count(Fault::EnvelopeSpoilt);
        self.vault.spoil(id);
        self.credential_moved(id);
        let hours = self.will.between(1, 48);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::Mend(id)));
    }

    fn restore(&mut self) {
        let which = self.will.below(self.vault.backups());
        if !self.nature.has(Fault::VaultRestored)
            || !self.vault.restore(usize::try_from(which).unwrap_or(0))
        {
            return;
        }
        self.count(Fault::VaultRestored);
        self.tell(|| "a backup of the vault is restored".to_owned());
        self.everything_moved();
    }

    /// People look at the plan that waits, some time after it was shown.
    pub(crate) fn plans_were_shown(&mut self) {
        if !self.quiet && self.vault.shown().iter().any(HeldPlan::is_waiting) {
            let after = self.will.between(5 * MINUTE, 8 * HOUR);
            self.book(after, Happening::FollowUp(FollowUp::RuleWaiting));
        }
    }

    pub(super) fn rule_waiting(&mut self) {
        let Some(plan) = self.vault.shown().iter().find(|plan| plan.is_waiting()) else {
            return;
        };
        let plan = plan.clone();
        if self.will.percent(20) {
            return;
        }
        let ruling = if self.will.percent(70) {
            Ruling::Approve
        } else {
            Ruling::Reject
        };
        let word = Word {
            by: self.somebody().to_owned(),
            at: self.now.true_time(),
        };
        let said = PlanRuling {
            plan: plan.id,
            ruling,
            word,
        };
        self.tell(|| format!("a person rules on plan {}: {ruling:?}", plan.id));
        self.watch.ruled(&said);
        self.totals.rulings += 1;
        // In the dashboard, or at the command line of one of the agents.
        let agents: Vec<_> = self.agents.keys().copied().collect();
        match self.will.pick(&agents).copied() {
            Some(agent) if self.will.percent(40) => {
                if let Some(agent) = self.agents.get_mut(&agent) {
                    agent.commands.push(said);
                }
                self.wake_watchers();
            }
            _ => {
                self.vault.rule(said);
                self.wake_watchers();
            }
        }
    }
}

/// The end of a credential's id, for the trace.
pub(crate) fn short(id: CredentialId) -> String {
    format!("credential {}", id.0.as_u128() & 0xFFFF)
}
