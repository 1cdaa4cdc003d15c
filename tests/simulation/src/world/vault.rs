//! The vault as it truly is: credentials with all their passwords, what agents told, and the lease.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use sync_engine::model::{
    AttemptId, AttemptNotice, AttemptState, ClearedFlag, ClientId, ClientSettings, Confirmation,
    CredentialId, Cursor, Extent, FlagFact, FlagKind, Password, Report, ReportEntry, ReportId,
    SignInAttempt, Stamp, Standing, SyncMode, VaultChanges, VaultCredential, VaultEpoch,
    VaultVersion,
};
use sync_engine::plan::{HeldPlan, PlanRuling};
use uuid::Uuid;

use crate::time::Moment;
use crate::world::AgentId;

/// One stored password.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) credential: VaultCredential,
    pub(crate) password: String,
    /// Whether its envelope opens.
    pub(crate) opens: bool,
    attempts: BTreeMap<AttemptId, SignInAttempt>,
    cleared: BTreeMap<FlagKind, (VaultVersion, Option<Stamp>)>,
    sequence: u64,
}

/// Who may write.
#[derive(Clone, Debug)]
pub(crate) struct LeaseHeld {
    pub(crate) agent: AgentId,
    instance: u64,
    pub(crate) until: Moment,
    writes_from: Moment,
    write_timeout: u64,
}

/// The vault's answer about the lease, in durations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LeaseAnswer {
    Granted { remaining: u64, writes_after: u64 },
    Elsewhere { holder: AgentId, remaining: u64 },
}

/// All that a backup holds.
#[derive(Clone, Debug)]
struct Shelf {
    client: ClientSettings,
    client_sequence: u64,
    entries: BTreeMap<CredentialId, Entry>,
    rulings: Vec<PlanRuling>,
    shown: Vec<HeldPlan>,
    taken: BTreeSet<ReportId>,
    told: BTreeMap<CredentialId, ReportEntry>,
    lease: Option<LeaseHeld>,
}

/// The vault as it truly is.
#[derive(Debug)]
pub(crate) struct Vault {
    /// How long a lease lasts without being renewed.
    lease: u64,
    epoch: u128,
    sequence: u64,
    shelf: Shelf,
    backups: Vec<Shelf>,
    /// Every password that was ever current, by epoch, credential and version.
    passwords: BTreeMap<(u128, CredentialId, VaultVersion), String>,
}

impl Vault {
    pub(crate) fn new(lease: u64) -> Self {
        let id = ClientId(Uuid::from_u128(0xC0_0000));
        Self {
            lease,
            epoch: 1,
            sequence: 1,
            shelf: Shelf {
                client: ClientSettings::new(id, "Contoso"),
                client_sequence: 1,
                entries: BTreeMap::new(),
                rulings: Vec::new(),
                shown: Vec::new(),
                taken: BTreeSet::new(),
                told: BTreeMap::new(),
                lease: None,
            },
            backups: Vec::new(),
            passwords: BTreeMap::new(),
        }
    }

    pub(crate) fn epoch(&self) -> u128 {
        self.epoch
    }

    pub(crate) fn client(&self) -> &ClientSettings {
        &self.shelf.client
    }

    pub(crate) fn entries(&self) -> &BTreeMap<CredentialId, Entry> {
        &self.shelf.entries
    }

    pub(crate) fn entry(&self, id: CredentialId) -> Option<&Entry> {
        self.shelf.entries.get(&id)
    }

    pub(crate) fn lease_held(&self) -> Option<&LeaseHeld> {
        self.shelf.lease.as_ref()
    }

    pub(crate) fn shown(&self) -> &[HeldPlan] {
        &self.shelf.shown
    }

    /// What was told of a credential last.
    pub(crate) fn told(&self, id: CredentialId) -> Option<&ReportEntry> {
        self.shelf.told.get(&id)
    }

    /// The password of a version of an epoch.
    pub(crate) fn password_of(
        &self,
        epoch: u128,
        id: CredentialId,
        version: VaultVersion,
    ) -> Option<&str> {
        self.passwords
            .get(&(epoch, id, version))
            .map(String::as_str)
    }

    /// The versions of an epoch that this was the password of.
    pub(crate) fn versions_of(
        &self,
        epoch: u128,
        id: CredentialId,
        password: &str,
    ) -> Vec<VaultVersion> {
        let all = (epoch, id, VaultVersion(0))..=(epoch, id, VaultVersion(u64::MAX));
        let texts = self.passwords.range(all);
        texts
            .filter(|(_, text)| text.as_str() == password)
            .map(|((_, _, version), _)| *version)
            .collect()
    }

    pub(crate) fn knows_attempt(&self, id: AttemptId) -> bool {
        let mut entries = self.shelf.entries.values();
        entries.any(|entry| entry.attempts.contains_key(&id))
    }

    // What people do.

    pub(crate) fn add(&mut self, user_name: &str, mode: SyncMode, password: &str) -> CredentialId {
        self.sequence += 1;
        let count = self.shelf.entries.len() as u128 + 1;
        let id = CredentialId(Uuid::from_u128(0xCED0_0000 + count));
        let secret = Password::new(password);
        let credential = VaultCredential::new(id, user_name, mode, &secret);
        let entry = Entry {
            credential,
            password: password.to_owned(),
            opens: true,
            attempts: BTreeMap::new(),
            cleared: BTreeMap::new(),
            sequence: self.sequence,
        };
        self.shelf.entries.insert(id, entry);
        self.keep_password(id, "founder@msp.example");
        id
    }

    fn keep_password(&mut self, id: CredentialId, by: &str) {
        let Some(entry) = self.shelf.entries.get_mut(&id) else {
            return;
        };
        entry.credential.changed_by = Some(by.to_owned());
        let key = (self.epoch, id, entry.credential.version);
        self.passwords.insert(key, entry.password.clone());
    }

    /// Changes a credential so that agents hear of it.
    pub(crate) fn change(&mut self, id: CredentialId, act: impl FnOnce(&mut Entry)) {
        self.sequence += 1;
        if let Some(entry) = self.shelf.entries.get_mut(&id) {
            entry.sequence = self.sequence;
            act(entry);
        }
    }

    pub(crate) fn type_password(&mut self, id: CredentialId, password: &str, by: &str) {
        self.change(id, |entry| {
            password.clone_into(&mut entry.password);
            entry.opens = true;
            entry.credential.facts = Some(Password::new(password).facts());
            entry.credential.version.0 += 1;
        });
        self.keep_password(id, by);
    }

    pub(crate) fn set_mode(&mut self, id: CredentialId, mode: SyncMode) {
        self.change(id, |entry| entry.credential.mode = mode);
    }

    pub(crate) fn set_standing(&mut self, id: CredentialId, standing: Standing) {
        self.change(id, |entry| entry.credential.standing = standing);
    }

    pub(crate) fn confirm(&mut self, id: CredentialId, at: Timestamp, by: &str) {
        self.change(id, |entry| {
            let version = entry.credential.version;
            let by = Some(by.to_owned());
            entry.credential.confirmed = Some(Confirmation { version, at, by });
        });
    }

    pub(crate) fn spoil(&mut self, id: CredentialId) {
        self.change(id, |entry| {
            entry.opens = false;
            entry.credential.facts = None;
        });
    }

    pub(crate) fn mend(&mut self, id: CredentialId) {
        self.change(id, |entry| {
            entry.opens = true;
            entry.credential.facts = Some(Password::new(entry.password.as_str()).facts());
        });
    }

    /// A person takes a flag down: it stays down until its fact changes.
    pub(crate) fn clear_flag(&mut self, id: CredentialId, kind: FlagKind) {
        self.change(id, |entry| {
            if let Some(fact) = entry.credential.raised.remove(&kind) {
                entry.cleared.insert(kind, (fact.version, fact.stamp));
            }
        });
    }

    pub(crate) fn set_client(&mut self, act: impl FnOnce(&mut ClientSettings)) {
        self.sequence += 1;
        self.shelf.client_sequence = self.sequence;
        act(&mut self.shelf.client);
    }

    pub(crate) fn rule(&mut self, ruling: PlanRuling) {
        self.sequence += 1;
        self.shelf.client_sequence = self.sequence;
        self.shelf.rulings.push(ruling);
    }

    pub(crate) fn back_up(&mut self) {
        self.backups.push(self.shelf.clone());
        if self.backups.len() > 6 {
            self.backups.remove(0);
        }
    }

    /// Puts a backup back. Its history is another one from here on. Returns whether there was one.
    pub(crate) fn restore(&mut self, which: usize) -> bool {
        let Some(backup) = self.backups.get(which) else {
            return false;
        };
        // Who leads now is no fact of the past: a restore must not grant the lease twice.
        let lease = self.shelf.lease.take();
        self.shelf = backup.clone();
        self.shelf.lease = lease;
        self.epoch += 1;
        self.sequence += 1;
        self.shelf.client_sequence = self.sequence;
        let ids: Vec<_> = self.shelf.entries.keys().copied().collect();
        for id in ids {
            let by = self.shelf.entries.get(&id);
            let by = by.and_then(|entry| entry.credential.changed_by.clone());
            self.keep_password(id, &by.unwrap_or_default());
            self.change(id, |_| {});
        }
        true
    }

    pub(crate) fn backups(&self) -> u64 {
        self.backups.len() as u64
    }

    // What agents ask.

    pub(crate) fn ask_lease(
        &mut self,
        (agent, instance): (AgentId, u64),
        write_timeout: u64,
        now: Moment,
    ) -> LeaseAnswer {
        let writes_from = match &self.shelf.lease {
            Some(lease) if (lease.agent, lease.instance) == (agent, instance) => lease.writes_from,
            Some(lease) if lease.until > now => {
                return LeaseAnswer::Elsewhere {
                    holder: lease.agent,
                    remaining: lease.until.since(now),
                };
            }
            Some(lease) => lease.writes_from.max(lease.until.plus(lease.write_timeout)),
            None => now,
        };
        self.shelf.lease = Some(LeaseHeld {
            agent,
            instance,
            until: now.plus(self.lease),
            writes_from,
            write_timeout,
        });
        LeaseAnswer::Granted {
            remaining: self.lease,
            writes_after: writes_from.since(now),
        }
    }

    /// Whether this process leads.
    pub(crate) fn is_held_by(&self, agent: AgentId, instance: u64, now: Moment) -> bool {
        let lease = self.shelf.lease.as_ref();
        lease.is_some_and(|it| (it.agent, it.instance) == (agent, instance) && it.until > now)
    }

    /// Whether another process leads: then the vault takes no report of this one.
    pub(crate) fn is_held_by_another(&self, agent: AgentId, instance: u64, now: Moment) -> bool {
        let lease = self.shelf.lease.as_ref();
        lease.is_some_and(|it| (it.agent, it.instance) != (agent, instance) && it.until > now)
    }

    /// Whether an agent with this cursor has something to hear.
    pub(crate) fn has_news(&self, cursor: &Cursor) -> bool {
        self.position(Some(cursor)) != Some(self.sequence)
    }

    fn position(&self, cursor: Option<&Cursor>) -> Option<u64> {
        let (epoch, sequence) = cursor?.0.split_once(':')?;
        let epoch: u128 = epoch.parse().ok()?;
        let sequence = sequence.parse().ok()?;
        (epoch == self.epoch).then_some(sequence)
    }

    pub(crate) fn changes(&self, since: Option<&Cursor>, now: Moment) -> VaultChanges {
        let from = self.position(since);
        let changed = self
            .shelf
            .entries
            .values()
            .filter(|entry| from.is_none_or(|from| entry.sequence > from));
        VaultChanges {
            epoch: VaultEpoch(Uuid::from_u128(0xE90C_0000 + self.epoch)),
            cursor: Cursor(format!("{}:{}", self.epoch, self.sequence)),
            extent: from.map_or(Extent::Full, |_| Extent::Changes),
            client: self.shelf.client.clone(),
            credentials: changed.map(|entry| entry.as_told(now)).collect(),
            rulings: self.shelf.rulings.clone(),
        }
    }

    pub(crate) fn note_attempts(&mut self, notices: &[AttemptNotice]) {
        for notice in notices {
            let Some(entry) = self.shelf.entries.get_mut(&notice.credential) else {
                continue;
            };
            // A state that is known stays: a late "open" does not make it unknown again.
            let known = entry
                .attempts
                .entry(notice.attempt.id)
                .or_insert_with(|| notice.attempt.clone());
            if known.state == AttemptState::Open {
                known.state = notice.attempt.state;
            }
        }
    }

    /// Takes a report, once. Returns whether it was new.
    pub(crate) fn take(&mut self, report: &Report) -> bool {
        if !self.shelf.taken.insert(report.id) {
            return false;
        }
        for news in &report.entries {
            if let Some(entry) = self.shelf.entries.get_mut(&news.credential) {
                entry.hear(news);
                self.shelf.told.insert(news.credential, news.clone());
            }
        }
        true
    }

    pub(crate) fn show(&mut self, plans: &[HeldPlan]) {
        self.shelf.shown = plans.to_vec();
    }
}

impl Entry {
    fn as_told(&self, now: Moment) -> VaultCredential {
        // Two days, because an agent's clock may be off by hours.
        let days = Duration::from_hours(48);
        let lately = now.true_time().checked_sub(days).unwrap_or(Timestamp::MIN);
        let attempts = self.attempts.values().filter(|it| {
            it.version == self.credential.version || (it.at > lately && it.state.counts())
        });
        let cleared = self.cleared.iter().map(|(kind, (version, stamp))| {
            let (version, stamp) = (*version, *stamp);
            (*kind, ClearedFlag { version, stamp })
        });
        VaultCredential {
            attempts: attempts.cloned().collect(),
            cleared: cleared.collect(),
            ..self.credential.clone()
        }
    }

    fn hear(&mut self, news: &ReportEntry) {
        use sync_engine::model::Outcome;

        let cleared = &self.cleared;
        let stands = |(kind, fact): (&FlagKind, &FlagFact)| {
            (cleared.get(kind) != Some(&(fact.version, fact.stamp))).then(|| (*kind, fact.clone()))
        };
        self.credential.raised = news.flags.iter().filter_map(stands).collect();
        let done = matches!(news.outcome, Outcome::Pushed | Outcome::Matched);
        let confirmed = self.credential.confirmed.as_ref();
        if done && confirmed.is_some_and(|it| it.version == news.version) {
            self.credential.confirmed = None;
        }
    }

    /// The sign-in tests that the vault was told of.
    pub(crate) fn attempts(&self) -> impl Iterator<Item = &SignInAttempt> {
        self.attempts.values()
    }

    /// Whether a person took this very flag down.
    pub(crate) fn is_cleared(
        &self,
        kind: FlagKind,
        version: VaultVersion,
        stamp: Option<Stamp>,
    ) -> bool {
        self.cleared.get(&kind) == Some(&(version, stamp))
    }
}
