//! Nothing written, and nothing signed in to, that was forbidden as far as the agent could know.
//!
//! What an agent could know is what vault and directory last answered it: the rule is judged by a
//! view that is put together from those answers, not by the engine's own. And that must not be old:
//! a write begins within minutes of the last word of the vault, the time not counted for which the
//! process stood still.

use sync_engine::model::{
    Account, AccountAccess, AccountKind, DomainKind, Mastered, MicrosoftSync, Mute, ObjectId,
    Password, Standing, SyncMode, UserPrincipalName, VaultCredential,
};

use super::{Intent, Invariant};
use crate::time::MINUTE;
use crate::world::{Agent, AgentId, Flight, World};

/// How old the vault's last word may be when a step begins.
const KNOWLEDGE_IS_GOOD_FOR: u64 = 15 * MINUTE;

impl World {
    /// An agent is about to send a write.
    pub(crate) fn check_write_starts(
        &mut self,
        id: AgentId,
        object: ObjectId,
        password: &Password,
    ) -> Flight {
        let intent = self.intent_for(id, object, password);
        self.check_lease(id, "writes");
        self.check_alone(id, object);
        match &intent {
            None => {
                let words = format!("{id} writes to {object} without an intent in its journal");
                self.violate(Invariant::Journal, words);
            }
            Some(intent) => {
                if let Err(why) = self.may_write(id, intent) {
                    let words = format!("{id} writes {:?}: {why}", intent.purpose);
                    self.violate(Invariant::Permission, words);
                }
                if let Err(why) = self.has_consent(id, intent) {
                    let words = format!("{id} writes {:?}: {why}", intent.write);
                    self.violate(Invariant::Consent, words);
                }
            }
        }
        self.tell(|| {
            format!(
                "{id} writes to {object}: {:?}",
                intent.as_ref().map(|it| &it.why)
            )
        });
        Flight {
            agent: id,
            object,
            password: password.expose().to_owned(),
            intent: intent.map(|intent| intent.purpose),
            times: 1,
            refused: false,
            outcome: None,
            sent: self.now,
        }
    }

    /// The intent behind a write, which is about to be sent.
    fn intent_for(&mut self, id: AgentId, object: ObjectId, password: &Password) -> Option<Intent> {
        let epoch = self.vault.epoch();
        let intents = &self.agents.get(&id)?.intents;
        // A write to the same account that was interrupted has an intent, too: what is sent tells which one it is.
        let found = intents.values().filter_map(|intent| {
            let purpose = intent.purpose;
            // The password is asked for after the intent is written down, and may be of a backup
            // that was restored in between.
            let epochs = [purpose.epoch, epoch];
            let found = epochs.into_iter().find_map(|epoch| {
                let credential = purpose.credential;
                let version = purpose.version;
                let versions = self.vault.versions_of(epoch, credential, password.expose());
                let version = versions
                    .iter()
                    .rfind(|it| **it == version)
                    .or(versions.last());
                version.map(|version| (epoch, *version))
            })?;
            (purpose.object == object).then_some((purpose, found, intent.at))
        });
        let (purpose, (epoch, version), _) =
            found.max_by_key(|(purpose, (_, version), at)| (*version == purpose.version, *at))?;
        if version != purpose.version {
            let words = format!("{id} writes version {version} in place of {purpose:?}");
            self.violate(Invariant::Order, words);
        }
        let intent = self
            .agents
            .get_mut(&id)?
            .intents
            .get_mut(&purpose.credential)?;
        intent.purpose.epoch = epoch;
        intent.sent += 1;
        let intent = intent.clone();
        if intent.sent > 1 {
            let words = format!("{id} sends {purpose:?} twice");
            self.violate(Invariant::Need, words);
        }
        Some(intent)
    }

    fn may_write(&self, id: AgentId, intent: &Intent) -> Result<(), String> {
        let agent = self.agents.get(&id).ok_or("there is no such agent")?;
        let purpose = intent.purpose;
        let credential = self.may_touch(agent, purpose.credential)?;
        if credential.mode != SyncMode::Enabled {
            return Err(format!("its mode is {:?}", credential.mode));
        }
        let directory = agent
            .seen
            .directory
            .as_ref()
            .ok_or("it never read accounts")?;
        let account = directory.account(purpose.object);
        let account = account.ok_or("there is no such account")?;
        if directory.resolve(&credential.user_name).map(|it| it.id) != Some(account.id) {
            return Err("the user name is another account's".to_owned());
        }
        Self::is_uncontested(agent, credential, account)?;
        Ok(())
    }

    /// Whether nothing forbids to touch a credential's account at all.
    fn may_touch<'a>(
        &'a self,
        agent: &'a Agent,
        id: sync_engine::model::CredentialId,
    ) -> Result<&'a VaultCredential, String> {
        let vault = agent.seen.vault.as_ref().ok_or("it never read the vault")?;
        let age = self.now.since(agent.seen.vault_at);
        if age.saturating_sub(agent.stalled_for) > KNOWLEDGE_IS_GOOD_FOR {
            return Err(format!("it read the vault {age} ms ago"));
        }
        if vault.client.mute == Mute::Muted {
            return Err("the client is muted".to_owned());
        }
        if vault.client.sync == MicrosoftSync::None {
            return Err("the client's sync is None".to_owned());
        }
        let credential = vault.credentials.get(&id).ok_or("no such credential")?;
        if credential.standing == Standing::Disabled {
            return Err("the credential is disabled".to_owned());
        }
        if credential.mode == SyncMode::Off {
            return Err("its mode is Off".to_owned());
        }
        let directory = agent
            .seen
            .directory
            .as_ref()
            .ok_or("it never read accounts")?;
        let account = directory.resolve(&credential.user_name);
        let account = account.ok_or("no account has this name")?;
        let domain = directory.domain_kind(&credential.user_name);
        match account {
            Account {
                kind: AccountKind::Guest,
                ..
            } => Err("a guest".to_owned()),
            Account {
                access: AccountAccess::Disabled,
                ..
            } => Err("disabled".to_owned()),
            Account {
                mastered: Mastered::OnPremises,
                ..
            } => Err("on-premises".to_owned()),
            _ if domain != Some(DomainKind::Managed) => Err("not managed".to_owned()),
            _ => Ok(credential),
        }
    }

    /// Whether no other credential claims the account, or a person chose this one.
    fn is_uncontested(
        agent: &Agent,
        credential: &VaultCredential,
        account: &Account,
    ) -> Result<(), String> {
        let (Some(vault), Some(directory)) = (&agent.seen.vault, &agent.seen.directory) else {
            return Err("it read nothing".to_owned());
        };
        let claims = vault.credentials.values().filter(|it| {
            it.standing == Standing::Active
                && it.mode != SyncMode::Off
                && directory.resolve(&it.user_name).map(|it| it.id) == Some(account.id)
        });
        let claims: Vec<_> = claims.collect();
        if claims.len() > 1 && !agent.stored.is_chosen(credential, claims.into_iter()) {
            return Err("two credentials name this account".to_owned());
        }
        Ok(())
    }

    /// An agent is about to sign in.
    pub(crate) fn check_sign_in_starts(
        &mut self,
        id: AgentId,
        name: &UserPrincipalName,
        password: &Password,
    ) {
        self.check_lease(id, "signs in");
        let Some(test) = self.test_of(id, name, password) else {
            let words = format!("{id} signs in as {name} without having written it down");
            return self.violate(Invariant::Lockout, words);
        };
        if !self.vault.knows_attempt(test.attempt.id) && !self.watch_restore_excuses() {
            let words = format!("{id} signs in as {name} before the vault knows of it");
            self.violate(Invariant::Lockout, words);
        }
        let Some(agent) = self.agents.get(&id) else {
            return;
        };
        let verdict = self
            .may_touch(agent, test.credential)
            .and_then(|credential| {
                let directory = agent.seen.directory.as_ref();
                let account = directory.and_then(|it| it.resolve(&credential.user_name));
                let account = account.ok_or("no account has this name")?;
                Self::is_uncontested(agent, credential, account)
            });
        if let Err(why) = verdict {
            self.violate(
                Invariant::Permission,
                format!("{id} signs in as {name}: {why}"),
            );
        }
    }

    /// A vault that was restored a moment ago has forgotten what it was told.
    fn watch_restore_excuses(&self) -> bool {
        self.agents
            .values()
            .any(|agent| agent.seen.epoch != self.vault.epoch())
    }
}
