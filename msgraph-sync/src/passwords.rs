//! The one write: setting an account's password, alone or with others, and what its answer means.

mod batch;

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use sync_engine::model::{BlockedReason, ObjectId, Password};
use sync_engine::ports::SetPassword;

use crate::calls::Call;
use crate::governor::Kind;
use crate::retry_after::{UNNAMED, retry_after};
use crate::service_clock;
use crate::session::{CallFault, Session, Stated};
use crate::transport::{Answer, REQUEST_TIMEOUT, SendFault};

/// No request leaves later than this after the write was started.
const SENT_WITHIN: Duration = Duration::from_secs(30);

/// From the start of a write until it certainly has no request under way any more. A lease that
/// covers a write must last this long.
pub const LONGEST_WRITE: Duration = SENT_WITHIN.saturating_add(REQUEST_TIMEOUT);

/// What a write costs in resource units. Source: Microsoft Graph throttling limits, identity and access.
const WRITE_UNITS: NonZeroU32 = NonZeroU32::MIN;

/// A refusal that has nothing to do with the password is tried again after this long.
const LATER: Duration = Duration::from_mins(5);

/// Texts by which a 400 says that the account is mastered on-premises. Graph has no code for it.
/// Source: Microsoft Graph, "Update user"; the service's own text.
const ON_PREMISES_TEXTS: [&str; 2] = ["on-premises mastered", "directory sync"];

impl Session {
    /// Sets a password. The request is sent once; again only after a 401, which had no effect.
    pub(crate) async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        let not_after = Instant::now() + SENT_WITHIN;
        self.set_in_turn(id, password, not_after).await
    }

    async fn set_in_turn(
        &self,
        id: ObjectId,
        password: &Password,
        not_after: Instant,
    ) -> SetPassword {
        match self.governor().write(1).await {
            Ok(()) => self.set_alone(id, password, not_after).await,
            Err(wait) => not_now(wait),
        }
    }

    /// One write whose turn has come.
    async fn set_alone(
        &self,
        id: ObjectId,
        password: &Password,
        not_after: Instant,
    ) -> SetPassword {
        let call = Call::SetPassword { id, password };
        match self.send(&call, Some(not_after)).await {
            Ok(answer) => {
                self.hear_write(&answer);
                outcome(id, &answer)
            }
            Err(fault) => no_answer(id, &fault),
        }
    }

    fn hear_write(&self, answer: &Answer) {
        let governor = self.governor();
        governor.hear(Kind::Write, WRITE_UNITS, answer.status, &answer.headers);
    }
}

fn not_now(wait: Duration) -> SetPassword {
    SetPassword::NotNow {
        retry_at: service_clock::after(wait),
    }
}

fn no_answer(id: ObjectId, fault: &CallFault) -> SetPassword {
    match fault {
        CallFault::NotBuilt(error) => {
            tracing::warn!(
                account.id = %id,
                error = error as &dyn std::error::Error,
                "the password of account {id} was not sent"
            );
            not_now(error.asked_wait().unwrap_or(UNNAMED))
        }
        CallFault::TooLate | CallFault::Send(SendFault::NotSent(_)) => not_now(UNNAMED),
        CallFault::Send(SendFault::Lost(_) | SendFault::TooLarge(_)) => SetPassword::Ambiguous,
    }
}

fn outcome(id: ObjectId, answer: &Answer) -> SetPassword {
    let stated = Stated::of(answer);
    let status = answer.status;
    if !status.is_success() {
        let fault = stated.fault(status, &answer.headers);
        tracing::info!(
            account.id = %id,
            http.status = status.as_u16(),
            "the password of account {id} was not taken ({fault})"
        );
    }
    match status {
        _ if status.is_success() => {
            SetPassword::Accepted(service_clock::accepted(answer.date, answer.elapsed))
        }
        StatusCode::BAD_REQUEST if stated.is_of_graph() => {
            SetPassword::Refused(refusal(&stated.message))
        }
        StatusCode::FORBIDDEN if stated.is_of_graph() => {
            SetPassword::Refused(BlockedReason::NotAllowed)
        }
        StatusCode::NOT_FOUND if stated.is_about_a_missing_object() => SetPassword::Gone,
        StatusCode::TOO_MANY_REQUESTS => not_now(retry_after(&answer.headers).unwrap_or(UNNAMED)),
        // Whether a failing server did it before it failed, nobody knows.
        _ if status.is_server_error() => SetPassword::Ambiguous,
        // A 400 or 403 of something between us and Graph, too: it had no effect, and says nothing for good.
        _ => not_now(retry_after(&answer.headers).unwrap_or(LATER)),
    }
}

/// Graph says neither which rule a password breaks, nor, by a code, that it is not Graph's to set.
fn refusal(message: &str) -> BlockedReason {
    let message = message.to_ascii_lowercase();
    if ON_PREMISES_TEXTS.iter().any(|text| message.contains(text)) {
        BlockedReason::OnPremises
    } else {
        BlockedReason::Rejected
    }
}

#[cfg(test)]
mod tests;
