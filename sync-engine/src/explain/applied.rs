//! Which rule applied to one credential, and why here.

use serde::{Deserialize, Serialize};

use super::words::{Moments, version_words};
use super::{Case, Known, WriteState};
use crate::model::{
    BlockedReason, HeldReason, MicrosoftSync, Mute, Standing, SyncMode, Verdict, VerdictSource,
};
use crate::plan::{Action, Pause, PauseReason, Rule};

/// The rule that applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Its name.
    pub rule: Rule,
    /// When it applies, in the words of the table of rules.
    pub condition: String,
    /// What the engine does then, in the words of the table of rules.
    pub action: String,
    /// Why it applies here.
    pub here: String,
    /// What stopped it on its way, where something did.
    pub but: Option<String>,
}

impl Case<'_> {
    pub(super) fn applied(&self, known: &Known) -> Applied {
        let rule = self.decision.rule;
        Applied {
            rule,
            condition: rule.condition().to_owned(),
            action: rule.action().to_owned(),
            here: self.why_here(rule, known),
            but: self.but(),
        }
    }

    /// What stopped a write that the rule asked for.
    fn but(&self) -> Option<String> {
        match self.decision.action {
            Action::Hold(HeldReason::Unverifiable(_)) => None,
            Action::Hold(reason) => Some(reason.to_string()),
            Action::Block(
                reason @ (BlockedReason::Policy(_)
                | BlockedReason::Rejected
                | BlockedReason::NotAllowed
                | BlockedReason::RoleMissing(_)),
            ) => Some(reason.to_string()),
            Action::Wait(Pause {
                why: PauseReason::Patience,
                ..
            }) => Some("Entra ID asked to try again later".to_owned()),
            _ => None,
        }
    }

    fn why_here(&self, rule: Rule, known: &Known) -> String {
        match rule {
            Rule::NotProcessed => self.why_not_processed().to_owned(),
            Rule::NotOurs | Rule::Unreadable => self.why_blocked(),
            Rule::IdentityChanged => self.why_identity_changed(known),
            Rule::Duplicate => why_duplicate(known),
            Rule::Unsettled => self.why_unsettled(known),
            Rule::VaultChanged => self.why_vault_changed(known),
            Rule::Confirmed => self.why_confirmed(known),
            Rule::UnverifiableChanged | Rule::Unverifiable => self.why_unverifiable(rule),
            Rule::UnknownPasses | Rule::ReportCheck | Rule::NotVerified => self.why_check(known),
            Rule::ReportKnown | Rule::KnownMatch | Rule::KnownMismatch => self.why_known(known),
        }
    }

    pub(super) fn moments(&self) -> Moments {
        Moments::new(self.now)
    }

    fn why_not_processed(&self) -> &'static str {
        let standing = self.credential.map(|it| it.standing);
        if self.client.mute == Mute::Muted {
            "the client is muted"
        } else if self.client.sync == MicrosoftSync::None {
            "the client's Microsoft sync is None"
        } else if standing == Some(Standing::Disabled) {
            "the credential is disabled"
        } else {
            "the credential's mode is Off"
        }
    }

    fn why_blocked(&self) -> String {
        match self.decision.action {
            Action::Block(reason) => reason.to_string(),
            _ => self.decision.rule.why().to_owned(),
        }
    }

    fn why_identity_changed(&self, known: &Known) -> String {
        match (known.first_contact, self.account) {
            (Some(first), Some(now)) => format!(
                "at first contact the user name belonged to account {first}, now it belongs to {}",
                now.id
            ),
            _ => BlockedReason::IdentityChanged.to_string(),
        }
    }

    fn why_unsettled(&self, known: &Known) -> String {
        let Some(write) = known.write else {
            return self.decision.rule.why().to_owned();
        };
        let at = self.moments().at(write.at);
        let version = version_words(write.version);
        match write.state {
            WriteState::Ambiguous => format!(
                "{version} was sent at {at} and the answer was lost: it may have taken effect"
            ),
            WriteState::AwaitsStamp | WriteState::Settled => format!(
                "{version} was sent at {at}, Entra ID took it, and the account's new stamp is not visible yet"
            ),
        }
    }

    fn why_vault_changed(&self, known: &Known) -> String {
        let (now, before) = (self.decision.version, known.agreed.map(|it| it.version));
        format!(
            "the vault has version {now}, both sides last agreed on {}, and the account's password has not changed since",
            version_words(before)
        )
    }

    fn why_confirmed(&self, known: &Known) -> String {
        let Some(confirmed) = &known.confirmed else {
            return self.decision.rule.why().to_owned();
        };
        let by = confirmed.by.as_deref().unwrap_or("a person");
        let at = self.moments().at(confirmed.at);
        format!("{by} confirmed version {} at {at}", confirmed.version)
    }

    fn why_unverifiable(&self, rule: Rule) -> String {
        let baseline = self
            .own
            .baseline
            .filter(|_| rule == Rule::UnverifiableChanged);
        let Some(baseline) = baseline else {
            return match self.decision.action {
                Action::Hold(reason) => reason.to_string(),
                _ => rule.why().to_owned(),
            };
        };
        let now = self.decision.version;
        if baseline.mode == SyncMode::Enabled {
            return format!(
                "the password cannot be checked, and the vault has version {now}, no longer {}",
                baseline.version
            );
        }
        let mode = baseline.mode.label();
        format!("the password cannot be checked, and a person changed the mode from {mode}")
    }

    fn why_check(&self, known: &Known) -> String {
        match self.decision.action {
            Action::Wait(pause) => match pause.why {
                PauseReason::Unknown(why) => why.to_string(),
                PauseReason::Unsettled | PauseReason::Patience => {
                    self.decision.rule.why().to_owned()
                }
            },
            _ if self.current_verdict(known).is_some() => {
                "the last verdict is due to be checked again".to_owned()
            }
            _ => self.decision.rule.why().to_owned(),
        }
    }

    fn why_known(&self, known: &Known) -> String {
        if let (Some(verdict), Some(it)) = (self.current_verdict(known), &known.verdict) {
            let said = verdict_words(verdict, it.verdict.source);
            return format!("{said}, since {}", self.moments().at(it.verdict.at));
        }
        match self.decision.action {
            Action::Wait(pause) => match pause.why {
                PauseReason::Unknown(why) => why.to_string(),
                PauseReason::Unsettled | PauseReason::Patience => {
                    self.decision.rule.why().to_owned()
                }
            },
            _ => "both sides agreed on this version, and the account's password has not changed since"
                .to_owned(),
        }
    }

    fn current_verdict<'k>(&self, known: &'k Known) -> Option<&'k Verdict> {
        let account = self.account?;
        let it = &known.verdict.as_ref()?.verdict;
        let current = self
            .own
            .verdict_for(account.id, self.decision.version, account.stamp);
        current.map(|_| &it.verdict)
    }
}

fn why_duplicate(known: &Known) -> String {
    let rivals: Vec<_> = known.rivals.iter().map(ToString::to_string).collect();
    match rivals.as_slice() {
        [] => BlockedReason::Duplicate.to_string(),
        [one] => format!("credential {one} names the same account"),
        _ => format!("credentials {} name the same account", rivals.join(", ")),
    }
}

fn verdict_words(verdict: &Verdict, source: VerdictSource) -> String {
    match (verdict, source) {
        (Verdict::Match, VerdictSource::Push) => {
            "this engine set the password, and its stamp was seen".to_owned()
        }
        (Verdict::Match, VerdictSource::SignIn) => "Entra ID accepts the password".to_owned(),
        (Verdict::Mismatch, _) => "Entra ID does not accept the password".to_owned(),
        (Verdict::Unknown(why), _) => why.to_string(),
    }
}
