//! An error as it travels over the socket: its words, what to do next, and whose fault it is.

use std::error::Error;

use serde::{Deserialize, Serialize};
use sync_engine::RulingError;

use crate::advice;
use crate::causes::chain;

/// Why something was not done. Plain data, so that it reads the same on both sides of the socket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}")]
pub struct Fault {
    error: String,
    #[serde(default)]
    hint: Option<String>,
    #[serde(default)]
    kind: FaultKind,
}

/// What a caller can tell apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FaultKind {
    NotAuthorised,
    #[default]
    #[serde(other)]
    Failed,
}

impl Fault {
    /// This failed; `hint` says what to do next.
    pub fn new(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: Some(hint.into()),
            kind: FaultKind::Failed,
        }
    }

    /// The caller is not allowed. On Windows the pipe itself lets nobody else in.
    #[cfg(any(unix, test))]
    pub(crate) fn refusal(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            kind: FaultKind::NotAuthorised,
            ..Self::new(error, hint)
        }
    }

    /// An error with its causes.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self {
            error: chain(error),
            hint: advice::hint(error),
            kind: if advice::is_not_authorised(error) {
                FaultKind::NotAuthorised
            } else {
                FaultKind::Failed
            },
        }
    }

    /// Why a person's word about a plan was not taken.
    pub fn of_ruling(error: &RulingError) -> Self {
        let hint = match error {
            RulingError::Expired { waiting, .. } => match waiting {
                Some(now) => format!(
                    "the world has moved: plan {now} waits now; `passportal plans {now}` shows it"
                ),
                None => "the world has moved: no plan waits now".to_owned(),
            },
            RulingError::AlreadyRuled { .. } => {
                "`passportal plans` shows the plans and what was said about them".to_owned()
            }
            RulingError::Store(_) => return Self::of(error),
        };
        Self::new(chain(error), hint)
    }

    /// Nobody is there any more to answer.
    pub(crate) fn service_ends() -> Self {
        Self::new(
            "the service is about to end, or begins with this client anew",
            "run it again in a moment; `passportal status` shows whether the service runs",
        )
    }

    /// A person's word that the agent which leads should hear, and not this one.
    pub(crate) fn standing_by(holder: &str) -> Self {
        Self::new(
            format!("this agent stands by: the agent on {holder} serves the client"),
            format!("rule on the plan at the dashboard, or with `passportal` on {holder}"),
        )
    }

    /// The same, called by the client that it befell.
    #[must_use]
    pub fn at_client(mut self, client: &str) -> Self {
        self.error = format!("client `{client}`: {}", self.error);
        self
    }

    /// What to do next, where something is known.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Whether the caller is not allowed.
    pub fn is_not_authorised(&self) -> bool {
        self.kind == FaultKind::NotAuthorised
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sync_engine::EngineError;
    use sync_engine::model::PlanId;
    use sync_engine::ports::VaultError;
    use uuid::Uuid;

    #[test]
    fn a_fault_is_the_same_on_both_sides() {
        let error = EngineError::Vault(VaultError::NotAuthorised("revoked".into()));
        let fault = Fault::of(&error);
        assert!(fault.is_not_authorised());
        assert!(fault.to_string().ends_with("revoked"), "{fault}");
        assert!(fault.hint().unwrap().contains("enrol it again"));
        let there: Fault = serde_json::from_str(&serde_json::to_string(&fault).unwrap()).unwrap();
        assert_eq!(there, fault);
    }

    #[test]
    fn a_kind_that_a_newer_service_knows_is_a_failure() {
        let newer = r#"{"error":"no","hint":null,"kind":"something_new","more":1}"#;
        let fault: Fault = serde_json::from_str(newer).unwrap();
        assert!(!fault.is_not_authorised());
    }

    #[test]
    fn an_expired_plan_names_the_one_that_waits_now() {
        let [old, now] = [1, 2].map(|n| PlanId(Uuid::from_u128(n)));
        let waiting = Some(now);
        let fault = Fault::of_ruling(&RulingError::Expired { plan: old, waiting });
        assert!(fault.to_string().contains(&old.to_string()), "{fault}");
        let hint = fault.hint().unwrap();
        assert!(hint.contains(&format!("plan {now} waits now")), "{hint}");
    }
}
