//! The sign-in test: at most one request, never repeated, judged by the verdict table.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use reqwest::StatusCode;
use sync_engine::model::{
    EdgeWhitespace, Password, SignIn, UnknownReason, UserPrincipalName, Verdict,
};

use self::door::Door;
use crate::retry_after::UNNAMED;
use crate::service_clock;
use crate::token::{AppIdentity, Refusal, TokenEndpoint, TokenFault};
use crate::transport::SendFault;
use crate::verdicts::{Counts, Scope, VerdictTable};

mod door;

/// The least that can be asked for. No token of a user is ever used.
const SCOPE: &str = "openid";

/// Tests passwords by signing in with them.
pub(crate) struct SignInTest {
    endpoint: Arc<TokenEndpoint>,
    app: AppIdentity,
    table: VerdictTable,
    door: Door,
    /// Codes that the table does not list and that were told already.
    unlisted: Mutex<BTreeSet<u32>>,
}

/// What one sign-in said, and of whom.
struct Judged {
    outcome: SignIn,
    scope: Scope,
}

impl SignInTest {
    pub(crate) fn new(endpoint: Arc<TokenEndpoint>, app: AppIdentity, table: VerdictTable) -> Self {
        Self {
            endpoint,
            app,
            table,
            door: Door::default(),
            unlisted: Mutex::default(),
        }
    }

    /// Signs in once with this name and password.
    pub(crate) async fn run(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        if password.facts().edge_whitespace == EdgeWhitespace::Present {
            return not_sent();
        }
        self.door.pass(self.ask(user_name, password)).await
    }

    async fn ask(&self, user_name: &UserPrincipalName, password: &Password) -> Judged {
        let answer = self
            .endpoint
            .password(&self.app, SCOPE, user_name, password)
            .await;
        match answer {
            Err(TokenFault::Refused(refusal)) => self.judge_refusal(&refusal),
            answer => of_the_account(outcome(answer.as_ref().err(), &self.table)),
        }
    }

    fn judge_refusal(&self, refusal: &Refusal) -> Judged {
        self.tell_unlisted(refusal);
        judge(refusal, &self.table)
    }

    /// A code that is not listed is worth one line: the table may have to learn it.
    fn tell_unlisted(&self, refusal: &Refusal) {
        let unlisted = refusal
            .codes
            .iter()
            .filter(|code| !self.table.lists(**code));
        let mut told = self.unlisted.lock().unwrap_or_else(PoisonError::into_inner);
        for code in unlisted {
            if told.insert(*code) {
                tracing::warn!(
                    request.id = refusal.request_id.as_deref(),
                    "Entra ID answered a sign-in test with AADSTS{code}, which the verdict table does not list: \
                     it says nothing about the password"
                );
            }
        }
    }
}

/// What a sign-in with a password that was sent says; `None` is a success.
pub(crate) fn outcome(fault: Option<&TokenFault>, table: &VerdictTable) -> SignIn {
    match fault {
        None => sign_in(Verdict::Match, Counts::No),
        Some(TokenFault::Refused(refusal)) => judge(refusal, table).outcome,
        Some(fault) => without_answer(fault),
    }
}

/// What can be said of a password that is not sent, because a sign-in may trim it.
pub(crate) fn not_sent() -> SignIn {
    unknown(UnknownReason::EdgeWhitespace, Counts::No)
}

fn judge(refusal: &Refusal, table: &VerdictTable) -> Judged {
    let (mut outcome, scope) = if refusal.codes.is_empty() {
        (without_codes(refusal.status), Scope::Account)
    } else {
        let ruling = table.rule(&refusal.codes);
        let outcome = SignIn {
            code: Some(ruling.code),
            ..sign_in(ruling.verdict, ruling.counts)
        };
        (outcome, ruling.scope)
    };
    outcome.retry_at = retry_at(refusal, &outcome.verdict);
    Judged { outcome, scope }
}

fn of_the_account(outcome: SignIn) -> Judged {
    Judged {
        outcome,
        scope: Scope::Account,
    }
}

/// Nothing that could be an answer of Entra ID's came back.
fn without_answer(fault: &TokenFault) -> SignIn {
    match fault {
        TokenFault::NoProof(_) | TokenFault::Send(SendFault::NotSent(_)) => {
            unknown(UnknownReason::Unavailable, Counts::No)
        }
        TokenFault::Send(SendFault::Lost(_) | SendFault::TooLarge(_)) => {
            unknown(UnknownReason::Unavailable, Counts::Yes)
        }
        TokenFault::NotUnderstood | TokenFault::Refused(_) => {
            unknown(UnknownReason::Inconclusive, Counts::Yes)
        }
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
