//! The sign-in test: at most one request, never repeated, judged by the verdict table.

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::StatusCode;
use sync_engine::model::{
    EdgeWhitespace, Password, SignIn, UnknownReason, UserPrincipalName, Verdict,
};

use crate::retry_after::UNNAMED;
use crate::service_clock;
use crate::token::{AppIdentity, Refusal, TokenEndpoint, TokenFault};
use crate::transport::SendFault;
use crate::verdicts::{Counts, VerdictTable};

/// The least that can be asked for. No token of a user is ever used.
const SCOPE: &str = "openid";

/// Tests passwords by signing in with them.
pub(crate) struct SignInTest {
    pub(crate) endpoint: Arc<TokenEndpoint>,
    pub(crate) app: AppIdentity,
    pub(crate) table: VerdictTable,
}

impl SignInTest {
    /// Signs in once with this name and password.
    pub(crate) async fn run(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        if password.facts().edge_whitespace == EdgeWhitespace::Present {
            return unknown(UnknownReason::EdgeWhitespace, Counts::No);
        }
        let answer = self
            .endpoint
            .password(&self.app, SCOPE, user_name, password)
            .await;
        match answer {
            Ok(()) => sign_in(Verdict::Match, Counts::No),
            Err(fault) => self.judge(&fault),
        }
    }

    fn judge(&self, fault: &TokenFault) -> SignIn {
        match fault {
            TokenFault::NoProof(_) | TokenFault::Send(SendFault::NotSent(_)) => {
                unknown(UnknownReason::Unavailable, Counts::No)
            }
            TokenFault::Send(SendFault::Lost(_) | SendFault::TooLarge) => {
                unknown(UnknownReason::Unavailable, Counts::Yes)
            }
            TokenFault::NotUnderstood => unknown(UnknownReason::Inconclusive, Counts::Yes),
            TokenFault::Refused(refusal) => self.judge_refusal(refusal),
        }
    }

    fn judge_refusal(&self, refusal: &Refusal) -> SignIn {
        let mut outcome = if refusal.codes.is_empty() {
            without_codes(refusal.status)
        } else {
            let ruling = self.table.rule(&refusal.codes);
            SignIn {
                code: Some(ruling.code),
                ..sign_in(ruling.verdict, ruling.counts)
            }
        };
        outcome.retry_at = retry_at(refusal, &outcome.verdict);
        outcome
    }
}

/// An answer of something in front of the token endpoint, or of one that is broken. Only a 429 says
/// that the password was not looked at.
fn without_codes(status: StatusCode) -> SignIn {
    if status == StatusCode::TOO_MANY_REQUESTS {
        unknown(UnknownReason::Throttled, Counts::No)
    } else if status.is_server_error() {
        unknown(UnknownReason::Unavailable, Counts::Yes)
    } else {
        unknown(UnknownReason::Inconclusive, Counts::Yes)
    }
}

fn retry_at(refusal: &Refusal, verdict: &Verdict) -> Option<Timestamp> {
    match verdict {
        Verdict::Unknown(UnknownReason::Throttled) => {
            Some(service_clock::after(refusal.wait.unwrap_or(UNNAMED)))
        }
        Verdict::Unknown(_) => refusal.wait.map(service_clock::after),
        Verdict::Match | Verdict::Mismatch => None,
    }
}

fn unknown(reason: UnknownReason, counts: Counts) -> SignIn {
    sign_in(Verdict::Unknown(reason), counts)
}

fn sign_in(verdict: Verdict, counts: Counts) -> SignIn {
    SignIn {
        verdict,
        counted: counts == Counts::Yes,
        code: None,
        retry_at: None,
    }
}

#[cfg(test)]
mod tests;
