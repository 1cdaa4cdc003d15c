//! A tenant that lets no sign-in test reach a password, or wants none for a while, is found once, and not account by
//! account.

use std::future::Future;
use std::time::{Duration, Instant};

use sync_engine::model::{SignIn, UnknownReason, Verdict};
use tokio::sync::Mutex;

use super::Judged;
use crate::service_clock;
use crate::verdicts::Scope;

/// A closed door is tried again after this long: somebody may have mended the tenant.
const CLOSED_FOR: Duration = Duration::from_hours(1);

/// Whether the tenant lets sign-in tests through.
#[derive(Default)]
pub(super) struct Door(Mutex<State>);

#[derive(Default)]
enum State {
    /// Not tried yet: one test goes first, and the others wait for what it finds.
    #[default]
    Untried,
    Open,
    Closed {
        answer: SignIn,
        until: Instant,
    },
    /// The token endpoint wants no test for a while.
    Throttled {
        answer: SignIn,
        until: Instant,
    },
}

impl Door {
    /// Makes this test, or answers it as the tenant answered the last one.
    pub(super) async fn pass(&self, test: impl Future<Output = Judged>) -> SignIn {
        let mut state = self.0.lock().await;
        match &*state {
            State::Closed { answer, until } | State::Throttled { answer, until }
                if Instant::now() < *until =>
            {
                return answer.clone();
            }
            State::Open => drop(state),
            State::Untried | State::Closed { .. } | State::Throttled { .. } => {
                let judged = test.await;
                *state = state.after(&judged);
                return judged.outcome;
            }
        }
        let judged = test.await;
        if judged.is_about_all() {
            let mut state = self.0.lock().await;
            *state = state.after(&judged);
        }
        judged.outcome
    }
}

impl Judged {
    fn is_throttled(&self) -> bool {
        self.outcome.verdict == Verdict::Unknown(UnknownReason::Throttled)
    }

    /// Whether any other account would get the same answer now.
    fn is_about_all(&self) -> bool {
        self.scope == Scope::Tenant || self.is_throttled()
    }
}

impl State {
    /// Anything but a word about the whole tenant leaves the door open: a network that fails must not
    /// make all tests wait for one another.
    fn after(&self, judged: &Judged) -> Self {
        if judged.is_throttled() {
            Self::throttled(judged)
        } else if judged.scope == Scope::Tenant {
            self.closed(judged)
        } else {
            Self::Open
        }
    }

    /// Whoever asks before the time is over is throttled for longer, and finds out nothing.
    fn throttled(judged: &Judged) -> Self {
        let answer = SignIn {
            counted: false,
            ..judged.outcome.clone()
        };
        let wait = answer
            .retry_at
            .map(|at| at.duration_since(service_clock::now()));
        let wait = wait.and_then(|wait| Duration::try_from(wait).ok());
        Self::Throttled {
            answer,
            until: Instant::now() + wait.unwrap_or_default(),
        }
    }

    fn closed(&self, judged: &Judged) -> Self {
        let answer = SignIn {
            counted: false,
            retry_at: Some(service_clock::after(CLOSED_FOR)),
            ..judged.outcome.clone()
        };
        if !matches!(self, Self::Closed { .. }) {
            let code = answer.code.unwrap_or_default();
            tracing::warn!(
                "the tenant lets no sign-in test reach a password (AADSTS{code}): no password can be checked. It is not \
                 tried account by account, but once an hour; `passportal doctor` says what to do"
            );
        }
        Self::Closed {
            answer,
            until: Instant::now() + CLOSED_FOR,
        }
    }
}
