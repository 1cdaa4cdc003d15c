//! The vault's `Azure/Office365 Admin` credential as the account that the agent signs in with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use msgraph_sync::{PasswordNotSent, PasswordTry, PersonPassword, SignInEnd};
use passportal_client::PassportalVault;
use sync_engine::model::{
    AttemptId, AttemptNotice, AttemptState, CredentialId, ObjectId, SignIn, SignInAttempt,
    UserPrincipalName, VaultCredential, VaultVersion, Verdict,
};
use sync_engine::plan::{AskedBy, OwnSignInRefused, Policy, may_sign_in};
use sync_engine::ports::{CredentialVault as _, PasswordAnswer, VaultError};
use tokio::time::Instant;
use uuid::Uuid;

use crate::config::MicrosoftConfig;

/// While a password is not sent, the vault is asked no more often than this: everything that wants a token asks.
const ASK_AGAIN: Duration = Duration::from_mins(1);

/// Whose password it is.
#[derive(Clone, Debug)]
pub(crate) enum Whose {
    /// This account's.
    This(UserPrincipalName),
    /// That of the only administrator in the vault.
    TheOnlyOne,
}

impl Whose {
    /// Before anybody has signed in.
    pub(crate) fn of(microsoft: &MicrosoftConfig) -> Self {
        let named = microsoft.administrator.clone();
        named.map_or(Self::TheOnlyOne, Self::This)
    }
}

/// What bounds the sign-ins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) asked_by: AskedBy,
    pub(crate) max_failed_per_day: u32,
    /// How long a new password may take to reach every replica.
    pub(crate) replication_grace: Duration,
}

impl Bounds {
    pub(crate) fn of(policy: &Policy, asked_by: AskedBy) -> Self {
        Self {
            asked_by,
            max_failed_per_day: policy.max_failed_per_day,
            replication_grace: policy.replication_grace,
        }
    }
}

/// Why the password is not sent.
#[derive(Clone, Debug, thiserror::Error)]
enum NotSent {
    #[error("the vault cannot be asked for it")]
    Vault(#[source] Arc<VaultError>),
    #[error("the vault has no active credential of type `Azure/Office365 Admin` for {0}")]
    NoneFor(UserPrincipalName),
    #[error("the vault has no active credential of type `Azure/Office365 Admin` for this client")]
    None,
    #[error(
        "the vault has several active credentials of type `Azure/Office365 Admin` for this client: {}",
        .0.join(", ")
    )]
    Several(Vec<String>),
    #[error(transparent)]
    Refused(#[from] OwnSignInRefused),
    #[error("a new one may still be on its way to all of Entra ID, until {until}")]
    Replicating { until: Timestamp },
    #[error("it changed this very moment")]
    Changed,
    #[error("the vault's copy of it does not open with this client's key")]
    Sealed,
}

impl NotSent {
    fn remedy(&self) -> &'static str {
        match self {
            Self::Vault(_) | Self::Changed | Self::Replicating { .. } => {
                "nothing: the agent tries again by itself"
            }
            Self::NoneFor(_) => {
                "store its password in the vault under that type, or take another account: `passportal sign-in CLIENT`"
            }
            Self::None => {
                "add one in the vault: an account of the tenant that may reset passwords and needs no second factor"
            }
            Self::Several(_) => "say which: set `administrator` to one of these user names",
            Self::Refused(OwnSignInRefused::Tried { .. }) => {
                "store the account's right password in the vault, or have this one sent again: `passportal sign-in CLIENT`"
            }
            Self::Refused(OwnSignInRefused::Spent { .. }) => {
                "store the account's right password in the vault, then `passportal sign-in CLIENT`, which may send one more a day"
            }
            Self::Refused(OwnSignInRefused::NeverAllowed) => {
                "set verification.max_failed_per_day to at least 1, or use another sign_in"
            }
            Self::Sealed => "give the credential its password once more in the vault",
        }
    }

    fn passes(&self) -> bool {
        matches!(
            self,
            Self::Vault(_) | Self::Changed | Self::Replicating { .. }
        )
    }
}

impl From<NotSent> for PasswordNotSent {
    fn from(why: NotSent) -> Self {
        Self {
            remedy: why.remedy(),
            passes: why.passes(),
            why: Arc::new(why),
        }
    }
}

/// The administrator's credential in one client's vault.
pub(crate) struct VaultAdmin {
    vault: Arc<PassportalVault>,
    whose: Whose,
    bounds: Bounds,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When the end of the last sign-in was seen first, where a new password may be the reason.
    revoked: Option<(Instant, Timestamp)>,
    /// The last answer, while it is worth nothing to ask again.
    not_sent: Option<(Instant, NotSent)>,
    /// The one that was given out, until it ended.
    under_way: Option<Sent>,
}

/// A password that was given out.
struct Sent {
    credential: CredentialId,
    attempt: SignInAttempt,
}

impl VaultAdmin {
    pub(crate) fn new(vault: Arc<PassportalVault>, whose: Whose, bounds: Bounds) -> Self {
        Self {
            vault,
            whose,
            bounds,
            state: Mutex::default(),
        }
    }

    async fn try_next(&self, end: Option<SignInEnd>) -> Result<PasswordTry, NotSent> {
        self.wait_for_replicas(end)?;
        let credential = self.credential().await?;
        let now = Timestamp::now();
        let Bounds {
            asked_by,
            max_failed_per_day,
            ..
        } = self.bounds;
        may_sign_in(&credential, asked_by, max_failed_per_day, now)?;
        let password = match self.password(&credential).await? {
            PasswordAnswer::Current(password) => password,
            PasswordAnswer::Superseded if credential.facts.is_none() => {
                return Err(NotSent::Sealed);
            }
            PasswordAnswer::Superseded => return Err(NotSent::Changed),
        };
        let attempt = attempt(credential.version, now);
        self.note(credential.id, attempt.clone()).await?;
        let id = attempt.id;
        self.with_state(|state| {
            state.under_way = Some(Sent {
                credential: credential.id,
                attempt,
            });
        });
        Ok(PasswordTry {
            attempt: id,
            user_name: credential.user_name,
            password,
        })
    }

    /// What revokes a sign-in is a new password mostly: until each replica has it, Entra ID may refuse it as wrong.
    fn wait_for_replicas(&self, end: Option<SignInEnd>) -> Result<(), NotSent> {
        if end != Some(SignInEnd::Revoked) || self.bounds.asked_by == AskedBy::Person {
            return Ok(());
        }
        let grace = self.bounds.replication_grace;
        let (seen, at) = self.with_state(|state| {
            *state
                .revoked
                .get_or_insert_with(|| (Instant::now(), Timestamp::now()))
        });
        if seen.elapsed() >= grace {
            return Ok(());
        }
        let until = at.checked_add(grace).unwrap_or(at);
        Err(NotSent::Replicating { until })
    }

    async fn credential(&self) -> Result<VaultCredential, NotSent> {
        let there = self.vault.administrators().await.map_err(unavailable)?;
        choose(there, &self.whose)
    }

    async fn password(&self, credential: &VaultCredential) -> Result<PasswordAnswer, NotSent> {
        let vault = &self.vault;
        let answer = vault.administrator_password(credential.id, credential.version);
        answer.await.map_err(unavailable)
    }

    async fn note(&self, credential: CredentialId, attempt: SignInAttempt) -> Result<(), NotSent> {
        let notice = AttemptNotice {
            credential,
            attempt,
        };
        self.vault
            .note_attempts(&[notice])
            .await
            .map_err(unavailable)
    }

    fn with_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why it was not sent a moment ago.
    fn still_not_sent(&self) -> Option<NotSent> {
        self.with_state(|state| {
            let (at, why) = state.not_sent.as_ref()?;
            (at.elapsed() < ASK_AGAIN).then(|| why.clone())
        })
    }
}

#[async_trait]
impl PersonPassword for VaultAdmin {
    async fn next(&self, end: Option<SignInEnd>) -> Result<PasswordTry, PasswordNotSent> {
        if let Some(why) = self.still_not_sent() {
            return Err(why.into());
        }
        let given = self.try_next(end).await;
        let not_sent = given.as_ref().err().filter(|why| !why.passes());
        let not_sent = not_sent.map(|why| (Instant::now(), why.clone()));
        self.with_state(|state| state.not_sent = not_sent);
        Ok(given?)
    }

    async fn ended(&self, attempt: AttemptId, outcome: &SignIn) {
        let sent = self.with_state(|state| {
            if outcome.verdict == Verdict::Match {
                state.revoked = None;
            }
            state.under_way.take_if(|it| it.attempt.id == attempt)
        });
        let Some(sent) = sent else { return };
        let closed = SignInAttempt {
            state: outcome.attempt_state(),
            ..sent.attempt
        };
        if let Err(error) = self.note(sent.credential, closed).await {
            // It stays open there, which counts as failed: the safe side.
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the vault did not take the outcome of the agent's own sign-in"
            );
        }
    }
}

/// The engine finds out which account it was, and at which stamp, from the credential's user name.
fn attempt(version: VaultVersion, at: Timestamp) -> SignInAttempt {
    SignInAttempt {
        id: AttemptId(Uuid::new_v4()),
        object: ObjectId::NOT_KNOWN,
        version,
        stamp: None,
        at,
        state: AttemptState::Open,
    }
}

fn choose(mut there: Vec<VaultCredential>, whose: &Whose) -> Result<VaultCredential, NotSent> {
    if let Whose::This(name) = whose {
        let mut same = there.into_iter().filter(|it| it.user_name == *name);
        return same.next().ok_or_else(|| NotSent::NoneFor(name.clone()));
    }
    match (there.pop(), there.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            there.push(last);
            let names = there.iter().map(|it| it.user_name.as_str().to_owned());
            Err(NotSent::Several(names.collect()))
        }
        (None, _) => Err(NotSent::None),
    }
}

fn unavailable(error: VaultError) -> NotSent {
    NotSent::Vault(Arc::new(error))
}

#[cfg(test)]
mod tests {
    use sync_engine::model::{Password, SyncMode};

    use super::*;

    fn credential(number: u128, name: &str) -> VaultCredential {
        let id = CredentialId(Uuid::from_u128(number));
        VaultCredential::new(id, name, SyncMode::Off, &Password::new("Some-Passw0rd"))
    }

    fn chosen(there: &[&str], whose: &Whose) -> Result<String, String> {
        let there = there.iter().zip(1..);
        let there = there.map(|(name, number)| credential(number, name));
        match choose(there.collect(), whose) {
            Ok(it) => Ok(it.user_name.as_str().to_owned()),
            Err(why) => Err(format!("{why}; {}", why.remedy())),
        }
    }

    #[test]
    fn the_only_administrator_is_taken_and_of_several_the_one_that_is_named() {
        const ONE: &str = "admin@contoso.com";
        const OTHER: &str = "boss@contoso.com";
        let only = Whose::TheOnlyOne;
        let named = Whose::This(UserPrincipalName::new("Admin@Contoso.com"));
        assert_eq!(chosen(&[ONE], &only).as_deref(), Ok(ONE));
        assert_eq!(chosen(&[OTHER, ONE], &named).as_deref(), Ok(ONE));
        let several = chosen(&[ONE, OTHER], &only).unwrap_err();
        assert!(
            several.contains("admin@contoso.com, boss@contoso.com"),
            "{several}"
        );
        assert!(several.contains("set `administrator`"), "{several}");
        assert!(
            chosen(&[], &only)
                .unwrap_err()
                .contains("no active credential")
        );
        let none = chosen(&[OTHER], &named).unwrap_err();
        assert!(none.contains("for Admin@Contoso.com"), "{none}");
    }

    #[test]
    fn what_passes_by_itself_is_told_apart_from_what_a_person_must_do() {
        let tried = NotSent::from(OwnSignInRefused::Tried {
            at: Timestamp::UNIX_EPOCH,
        });
        let told = PasswordNotSent::from(tried);
        assert!(!told.passes && told.remedy.contains("passportal sign-in"));
        let changed = PasswordNotSent::from(NotSent::Changed);
        assert!(changed.passes);
    }
}
