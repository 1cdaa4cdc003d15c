//! The vault port over Passportal's agent API, for one client.
//!
//! # Envelopes that do not open
//!
//! A sealed password opens only in its own place. One that does not was moved to another account,
//! altered, or sealed with a key that is not this client's. It must neither stop the work on the
//! other credentials nor be mistaken for a decision of a person. Therefore:
//!
//! - [`changes`](CredentialVault::changes) delivers it without facts, and the engine blocks it.
//! - [`password`](CredentialVault::password) answers `Superseded` for that version and all older
//!   ones. An error would end the whole cycle, and with it everybody else's.
//! - It is logged once for each version, by id; heartbeats say "failing" while there is one; and
//!   [`unreadable`](PassportalVault::unreadable) lists them.
//! - When the vault says that the client has another data key, or only when a full reading holds credentials and none opens, the key itself is wrong:
//!   [`VaultError::Sealed`].

mod freshness;
mod lease;
mod onlooker;
mod reading;
mod unreadable;

use std::fmt;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sync_engine::model::{
    AttemptNotice, CredentialId, Cursor, PasswordFacts, Report, ReportId, Standing, VaultChanges,
    VaultCredential, VaultVersion,
};
use sync_engine::plan::HeldPlan;
use sync_engine::ports::{CredentialVault, Lease, PasswordAnswer, VaultError, Wait};
use tracing::{info, warn};
use uuid::Uuid;

pub use self::onlooker::Onlooker;

use self::freshness::{Fresh, Freshness};
use self::reading::Reading;
use self::unreadable::Unreadable;
use crate::envelope::{DataKey, EnvelopeError, Field, Place};
use crate::wire::{self, AgentState, ChangedCredential, ChangesQuery, Heartbeat, credential_type};
use crate::{AgentApi, ApiError, TokenKeeper, convert};

const PAGE: u32 = 1000;
const LONGEST_WAIT_SECONDS: u64 = 60;
/// The vault takes this many entries in one request.
const BATCH: usize = 1000;

/// What an agent tells the vault of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentIdentity {
    /// The machine's host name, for people.
    pub host: String,
    /// The agent's version.
    pub version: String,
    /// The longest that one write may take: a successor waits that long.
    pub write_timeout: Duration,
    /// The longest time until it is heard again.
    pub interval: Duration,
    /// Which of the processes that hold this agent's token it is. A copy of the agent needs another one.
    pub instance: Uuid,
}

/// Why the vault is read.
#[derive(Clone, Copy, Debug)]
enum Reader {
    /// To act on it: what people said is heard.
    Acts,
    /// For a dry run.
    Looks,
}

/// One client's vault.
pub struct PassportalVault {
    api: AgentApi,
    key: DataKey,
    identity: AgentIdentity,
    keeper: Arc<dyn TokenKeeper>,
    state: Mutex<AgentState>,
    fresh: Freshness,
    unreadable: Unreadable,
    cannot_show_plans: Once,
}

impl PassportalVault {
    /// The vault of the client that `key` belongs to. A rotated token goes to `keeper`.
    pub fn new(
        api: AgentApi,
        key: DataKey,
        identity: AgentIdentity,
        keeper: Arc<dyn TokenKeeper>,
    ) -> Self {
        Self {
            api,
            key,
            identity,
            keeper,
            state: Mutex::new(AgentState::Running),
            fresh: Freshness::new(),
            unreadable: Unreadable::default(),
            cannot_show_plans: Once::new(),
        }
    }

    /// What the next heartbeats say of this agent's work.
    pub fn set_state(&self, state: AgentState) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// The credentials whose envelopes do not open.
    pub fn unreadable(&self) -> Vec<CredentialId> {
        self.unreadable.ids()
    }

    /// The client's active credentials of the type `Azure/Office365 Admin`, as the vault has them now.
    ///
    /// # Errors
    /// When the vault cannot be read.
    pub async fn administrators(&self) -> Result<Vec<VaultCredential>, VaultError> {
        let reading = self.read(Reader::Looks, None, Wait::No).await?;
        let (last, _, mut changed) = reading.finish()?;
        self.check_key(&last)?;
        changed.retain(|it| it.credential_type == credential_type::ADMIN);
        let opened = changed.into_iter().map(|it| {
            let facts = self.facts(&it).ok();
            convert::credential(it, facts)
        });
        Ok(opened
            .filter(|it| it.standing == Standing::Active)
            .collect())
    }

    /// Says farewell: the lease is free at once.
    pub async fn farewell(&self) -> Result<(), VaultError> {
        let heartbeat = self.heartbeat(AgentState::Stopping);
        self.api.heartbeat(&heartbeat).await?;
        Ok(())
    }

    fn heartbeat(&self, state: AgentState) -> Heartbeat {
        let identity = &self.identity;
        Heartbeat {
            version: identity.version.clone(),
            host: identity.host.clone(),
            state,
            write_timeout_seconds: whole_seconds(identity.write_timeout),
            interval_seconds: Some(whole_seconds(identity.interval)),
            instance: Some(identity.instance),
        }
    }

    fn state(&self) -> AgentState {
        if self.unreadable.is_empty() {
            *self.state.lock().unwrap_or_else(PoisonError::into_inner)
        } else {
            AgentState::Failing
        }
    }

    /// A token that cannot be replaced now is replaced at a later heartbeat.
    async fn rotate(&self) {
        match self.api.rotate(self.keeper.as_ref()).await {
            Ok(()) => info!("the agent's token was replaced"),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                warn!(
                    error,
                    "the agent's token was not replaced; the old one stays"
                );
            }
        }
    }

    async fn read_as(
        &self,
        reader: Reader,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        let reading = self.read(reader, since, wait).await?;
        self.understand(reading).await
    }

    /// Reads page after page; only the first may wait.
    async fn read(
        &self,
        reader: Reader,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<Reading, VaultError> {
        let mut query = ChangesQuery {
            cursor: since.map(|cursor| cursor.0.clone()),
            wait: seconds(wait),
            limit: Some(PAGE),
            instance: match reader {
                Reader::Acts => Some(self.identity.instance),
                Reader::Looks => None,
            },
        };
        let mut reading = Reading::default();
        loop {
            let page = self.api.changes(&query).await?;
            let (more, cursor) = (page.more, page.cursor.clone());
            reading.add(page)?;
            if !more {
                return Ok(reading);
            }
            if query.cursor.as_ref() == Some(&cursor) {
                return Err(reading::not_understood("a page leads to itself"));
            }
            query.cursor = Some(cursor);
            query.wait = 0;
        }
    }

    /// The password of an administrator, to sign in with: also where its mode is Off.
    ///
    /// # Errors
    /// When the vault cannot be asked.
    pub async fn administrator_password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        let purpose = wire::SecretPurpose::SignIn;
        self.current(credential, version, purpose).await
    }

    async fn current(
        &self,
        credential: CredentialId,
        version: VaultVersion,
        purpose: wire::SecretPurpose,
    ) -> Result<PasswordAnswer, VaultError> {
        if self.unreadable.covers(credential, version) {
            return Ok(PasswordAnswer::Superseded);
        }
        match self.fresh.newest(credential).await {
            Some(newest) if newest.version == version => Ok(self.opened(credential, &newest)),
            Some(newest) if newest.version > version => Ok(PasswordAnswer::Superseded),
            _ => self.ask(credential, version, purpose).await,
        }
    }

    async fn ask(
        &self,
        credential: CredentialId,
        version: VaultVersion,
        purpose: wire::SecretPurpose,
    ) -> Result<PasswordAnswer, VaultError> {
        let answer = match self.api.secret(credential.0, version.0, purpose).await {
            Err(ApiError::Conflict { .. } | ApiError::NotFound { .. }) => {
                return Ok(PasswordAnswer::Superseded);
            }
            other => other?,
        };
        if answer.version != version.0 {
            return Ok(PasswordAnswer::Superseded);
        }
        let sealed = Fresh::new(version, answer.user_name, answer.sealed);
        Ok(self.opened(credential, &sealed))
    }

    fn opened(&self, credential: CredentialId, fresh: &Fresh) -> PasswordAnswer {
        let place = place(credential, fresh.version, &fresh.user_name);
        match self.key.open(&place, &fresh.sealed) {
            Ok(password) => PasswordAnswer::Current(password),
            Err(why) => {
                self.unreadable.add(credential, fresh.version, why);
                PasswordAnswer::Superseded
            }
        }
    }

    /// Opens every envelope for what may be known of its password, and drops the password.
    async fn understand(&self, reading: Reading) -> Result<VaultChanges, VaultError> {
        let (last, extent, changed) = reading.finish()?;
        self.check_key(&last)?;
        self.fresh.begin(last.epoch).await;
        if extent == wire::Extent::Full {
            self.unreadable.keep_only(&changed);
        }
        let mut credentials = Vec::with_capacity(changed.len());
        let mut failures = Vec::new();
        for credential in changed {
            let facts = self.facts(&credential);
            if facts.is_ok() {
                self.unreadable.remove(CredentialId(credential.id));
                self.fresh.remember(last.epoch, &credential).await;
            }
            failures.extend(facts.err());
            credentials.push(convert::credential(credential, facts.ok()));
        }
        match failures.pop() {
            Some(why)
                if extent == wire::Extent::Full && failures.len() + 1 == credentials.len() =>
            {
                Err(VaultError::Sealed(Box::new(why)))
            }
            _ => Ok(convert::changes(last, extent.into(), credentials)),
        }
    }

    /// After the organization key was changed nothing opens until this agent gets the new data key.
    fn check_key(&self, changes: &wire::Changes) -> Result<(), VaultError> {
        match changes.client.key_id {
            Some(named) if named != self.key.id() => {
                Err(VaultError::Sealed(Box::new(EnvelopeError::OtherKey {
                    named,
                })))
            }
            _ => Ok(()),
        }
    }

    fn facts(&self, changed: &ChangedCredential) -> Result<PasswordFacts, EnvelopeError> {
        let (id, version) = (CredentialId(changed.id), VaultVersion(changed.version));
        self.key
            .open(&place(id, version, &changed.user_name), &changed.sealed)
            .map(|password| password.facts())
            .inspect_err(|why| self.unreadable.add(id, version, *why))
    }
}

#[async_trait]
impl CredentialVault for PassportalVault {
    async fn lease(&self) -> Result<Lease, VaultError> {
        let before = Timestamp::now();
        let answer = self.api.heartbeat(&self.heartbeat(self.state())).await?;
        let after = Timestamp::now();
        if answer.rotate_token {
            self.rotate().await;
        }
        Ok(lease::by_this_clock(answer.lease, before, after))
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        self.read_as(Reader::Acts, since, wait).await
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        let purpose = wire::SecretPurpose::Sync;
        self.current(credential, version, purpose).await
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        for batch in notices.chunks(BATCH) {
            let notices = batch.iter().cloned().map(Into::into).collect();
            self.api.note_attempts(&wire::Attempts { notices }).await?;
        }
        Ok(())
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        for (index, batch) in report.entries.chunks(BATCH).enumerate() {
            let part = convert::report(part_id(report.id, index), batch, self.identity.instance);
            self.api.report(&part).await.map_err(led_by_another)?;
        }
        Ok(())
    }

    async fn show_plans(&self, plans: &[HeldPlan]) -> Result<(), VaultError> {
        let shown = convert::shown(plans, self.identity.instance);
        match self.api.show_plans(&shown).await {
            // A vault of an earlier version. People can still rule on plans at the agent.
            Err(ApiError::NotFound { .. }) => {
                self.cannot_show_plans
                    .call_once(|| warn!("this vault cannot show held plans; its agent can"));
                Ok(())
            }
            other => other.map_err(led_by_another),
        }
    }
}

/// Another agent took the lease meanwhile: what was to be told is told when this one leads again.
fn led_by_another(error: ApiError) -> VaultError {
    match error {
        ApiError::Conflict { .. } => VaultError::Unavailable(Box::new(error)),
        other => other.into(),
    }
}

impl fmt::Debug for PassportalVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PassportalVault({})", self.key.client())
    }
}

fn place(credential: CredentialId, version: VaultVersion, user_name: &str) -> Place<'_> {
    Place {
        credential: credential.0,
        field: Field::Password,
        version: version.0,
        user_name,
    }
}

/// Never less than the duration.
fn whole_seconds(duration: Duration) -> u32 {
    let seconds = duration.as_millis().div_ceil(1000);
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// A little less than a second is a wait, too.
fn seconds(wait: Wait) -> u32 {
    let seconds = match wait {
        Wait::No => 0,
        Wait::UpTo(duration) => duration.as_secs().clamp(1, LONGEST_WAIT_SECONDS),
    };
    u32::try_from(seconds).unwrap_or(0)
}

/// The vault takes each id once, so each part of a report needs its own: always the same one.
fn part_id(report: ReportId, index: usize) -> Uuid {
    if index == 0 {
        return report.0;
    }
    let digest = Sha256::new()
        .chain_update(report.0.as_bytes())
        .chain_update(index.to_be_bytes())
        .finalize();
    let mut bytes = [0; 16];
    bytes
        .iter_mut()
        .zip(digest)
        .for_each(|(to, from)| *to = from);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
