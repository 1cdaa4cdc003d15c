//! What the engine knows of one credential and its account.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Case;
use crate::model::{
    Account, Agreed, Confirmation, CredentialId, DomainKind, FlagFact, FlagKind, ObjectId, PlanId,
    Refused, RememberedVerdict, ResetRole, VaultVersion,
};
use crate::plan::budget::DAY;
use crate::plan::eligibility::{fresh_confirmation, is_processed};
use crate::plan::{Action, Decision, HeldPlan, PlanStanding};

/// What the engine knows of one credential and its account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The account that the user name resolves to now.
    pub account: Option<KnownAccount>,
    /// The account behind the user name at first contact.
    pub first_contact: Option<ObjectId>,
    /// Other active credentials for the same account.
    pub rivals: Vec<CredentialId>,
    /// The last verdict.
    pub verdict: Option<KnownVerdict>,
    /// The version and stamp on which vault and account last agreed.
    pub agreed: Option<Agreed>,
    /// The last write.
    pub write: Option<KnownWrite>,
    /// The lockout budget of the account.
    pub sign_ins: SignIns,
    /// What must wait, and until when.
    pub pauses: Pauses,
    /// When this engine wrote over somebody else's change, within the last day.
    pub overwrites: Vec<Timestamp>,
    /// The version that Entra ID refused last.
    pub refused: Option<Refused>,
    /// A person's word for this version that waits to be acted on.
    pub confirmed: Option<Confirmation>,
    /// The held plan that a write of this password is part of.
    pub plan: Option<PartOfPlan>,
    /// The engine's flags that stand on it.
    pub flags: BTreeMap<FlagKind, FlagFact>,
}

/// An account, and who checks its password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownAccount {
    /// The account.
    pub account: Account,
    /// The kind of its domain; `None` where the tenant does not have that domain.
    pub domain: Option<DomainKind>,
    /// The role that the agent lacks for resetting it.
    #[serde(default)]
    pub lacking: Option<ResetRole>,
}

/// A verdict, and whether it still says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownVerdict {
    /// The verdict, with its time, source and code.
    pub verdict: RememberedVerdict,
    /// Whether it is about the password and the account as they are now.
    pub validity: Validity,
}

/// Whether a verdict is about the password and the account as they are now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// It is.
    Current,
    /// The version, the account or its stamp moved since.
    Outdated,
}

/// The last write of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownWrite {
    /// The version; `None` for a write of another account or of a vault's earlier history.
    pub version: Option<VaultVersion>,
    /// When it was sent.
    pub at: Timestamp,
    /// What became of it.
    pub state: WriteState,
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteState {
    /// It is over.
    Settled,
    /// Entra ID took it, and its new stamp is awaited.
    AwaitsStamp,
    /// Its answer never came: it may have taken effect.
    Ambiguous,
}

/// How many sign-in tests an account has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIns {
    /// Failed or unfinished tests within the last day, through all credentials of the account.
    pub used: usize,
    /// How many there may be.
    pub most: usize,
    /// When the next one is free, where none is now.
    pub next_free: Option<Timestamp>,
}

/// What must wait, and until when. Pauses that are over are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pauses {
    /// No sign-in test of this account: it answered "locked".
    pub account: Option<Timestamp>,
    /// No sign-in test in this tenant: several accounts answered "locked".
    pub tenant: Option<Timestamp>,
    /// No write: Entra ID asked for patience.
    pub write: Option<Timestamp>,
}

/// A held plan, as far as it is about one credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOfPlan {
    /// Which plan.
    pub plan: PlanId,
    /// When it was held.
    pub at: Timestamp,
    /// How many writes it holds.
    pub writes: usize,
    /// What a person said about it.
    pub standing: PlanStanding,
}

impl Case<'_> {
    pub(super) fn known(&self) -> Known {
        Known {
            account: self.account.map(|account| KnownAccount {
                account: account.clone(),
                domain: self.directory.domain_kind(&account.user_name),
                lacking: self.directory.lacking_role(account.id),
            }),
            first_contact: self.own.object,
            rivals: self.rivals(),
            verdict: self.verdict(),
            agreed: self.own.agreed,
            write: self.write(),
            sign_ins: self.sign_ins(),
            pauses: self.pauses(),
            overwrites: self.overwrites(),
            refused: self.own.refused.clone(),
            confirmed: self.confirmed().cloned(),
            plan: self.plan(),
            flags: self.decision.flags.clone(),
        }
    }

    fn rivals(&self) -> Vec<CredentialId> {
        let Some(account) = self.account else {
            return Vec::new();
        };
        let credentials = self.vault.credentials.values();
        credentials
            .filter(|it| it.id != self.decision.credential && it.user_name == account.user_name)
            .filter(|it| is_processed(self.client, it))
            .map(|it| it.id)
            .collect()
    }

    fn verdict(&self) -> Option<KnownVerdict> {
        let verdict = self.own.verdict.clone()?;
        let current = self.account.is_some_and(|account| {
            let version = self.decision.version;
            let known = self.own.verdict_for(account.id, version, account.stamp);
            known.is_some()
        });
        let validity = if current {
            Validity::Current
        } else {
            Validity::Outdated
        };
        Some(KnownVerdict { verdict, validity })
    }

    fn write(&self) -> Option<KnownWrite> {
        if let Some(pending) = &self.own.pending {
            let state = match pending.accepted {
                Some(_) => WriteState::AwaitsStamp,
                None => WriteState::Ambiguous,
            };
            let (version, at) = (Some(pending.version), pending.since);
            return Some(KnownWrite { version, at, state });
        }
        let written = self.own.written?;
        Some(KnownWrite {
            version: Some(written.version).filter(|it| *it > VaultVersion(0)),
            at: written.at,
            state: WriteState::Settled,
        })
    }

    fn sign_ins(&self) -> SignIns {
        let object = self.account.map(|account| account.id).or(self.own.object);
        let known = self.memory.credentials.values();
        let mut free: Vec<_> = known
            .flat_map(|known| &known.attempts)
            .filter(|it| Some(it.object) == object && it.state.counts())
            .filter_map(|it| it.at.checked_add(DAY).ok())
            .filter(|end| *end > self.now)
            .collect();
        free.sort_unstable();
        let most = self.policy.max_failed_per_day as usize;
        let over = free.len().checked_sub(most);
        SignIns {
            used: free.len(),
            most,
            next_free: over.and_then(|over| free.get(over)).copied(),
        }
    }

    fn pauses(&self) -> Pauses {
        let ahead = |until: &Timestamp| *until > self.now;
        let object = self.account.map(|account| account.id);
        let known = self.memory.credentials.values();
        let of_account = known
            .filter(|it| it.object.is_some() && it.object == object)
            .filter_map(|it| it.paused_until);
        let tenant = self.memory.client.verification_paused_until;
        Pauses {
            account: of_account.max().filter(ahead),
            tenant: tenant.filter(ahead),
            write: self.own.retry_at.filter(ahead),
        }
    }

    fn overwrites(&self) -> Vec<Timestamp> {
        let mut overwrites = self.own.overwrites.clone();
        overwrites.sort_unstable();
        overwrites
    }

    fn confirmed(&self) -> Option<&Confirmation> {
        let credential = self.credential?;
        fresh_confirmation(credential, self.own)?;
        credential.confirmed.as_ref()
    }

    /// The plan that holds this very write. One that waits comes before one that was ruled on.
    fn plan(&self) -> Option<PartOfPlan> {
        let plans = self.memory.plans.values();
        let about = plans.filter(|plan| plan.writes.iter().any(|it| self.is_this_write(it)));
        let plan = about.max_by_key(|plan| (plan.is_waiting(), plan.at))?;
        Some(part(plan))
    }

    fn is_this_write(&self, write: &Decision) -> bool {
        let Action::Push(target) = write.action else {
            return false;
        };
        let same = self
            .account
            .is_some_and(|account| account.id == target.object && account.stamp == target.stamp);
        same && write.credential == self.decision.credential
            && write.version == self.decision.version
    }
}

fn part(plan: &HeldPlan) -> PartOfPlan {
    PartOfPlan {
        plan: plan.id,
        at: plan.at,
        writes: plan.writes.len(),
        standing: plan.standing.clone(),
    }
}
