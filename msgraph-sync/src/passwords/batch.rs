//! Several writes in one request, each with an outcome of its own.
//!
//! Source: Microsoft Graph, "Combine multiple HTTP requests using JSON batching" and "Throttling guidance": items are
//! answered in any order, and each is throttled on its own.

mod items;

use std::collections::BTreeSet;
use std::time::Instant;

use reqwest::StatusCode;
use sync_engine::ports::{PasswordWrite, SetPassword};

use self::items::items;
use super::{SENT_WITHIN, no_answer, not_now, outcome};
use crate::calls::Call;
use crate::retry_after::UNNAMED;
use crate::session::Session;
use crate::token::ClaimsChallenge;
use crate::transport::Answer;

/// Items of a batch at the most. Source: as above.
const LARGEST_BATCH: usize = 20;

impl Session {
    /// Sets passwords, in one request where several are due. An outcome for each, in their order.
    pub(crate) async fn set_passwords(&self, writes: &[PasswordWrite]) -> Vec<SetPassword> {
        let not_after = Instant::now() + SENT_WITHIN;
        // Items run in any order: of two for one account, the older could end up as the last.
        let size = if name_one_account_twice(writes) {
            1
        } else {
            LARGEST_BATCH
        };
        let mut outcomes = Vec::with_capacity(writes.len());
        for batch in writes.chunks(size) {
            match batch {
                [alone] => {
                    let (id, password) = (alone.object, &alone.password);
                    outcomes.push(self.set_in_turn(id, password, not_after).await);
                }
                batch => outcomes.append(&mut self.set_together(batch, not_after).await),
            }
        }
        outcomes
    }

    /// Items whose token was refused had no effect; they travel once more, together, with a new token that has the claims
    /// that they demand.
    async fn set_together(&self, batch: &[PasswordWrite], not_after: Instant) -> Vec<SetPassword> {
        let count = u32::try_from(batch.len()).unwrap_or(u32::MAX);
        if let Err(wait) = self.governor().write(count).await {
            return batch.iter().map(|_| not_now(wait)).collect();
        }
        let ran = self.run(batch, not_after).await;
        let refused = ran.refused(batch);
        if refused.is_empty() {
            return ran.outcomes(batch);
        }
        self.renounce_for(batch, &ran).await;
        let again = self.set_again(&refused, not_after).await;
        ran.outcomes_with(again)
    }

    async fn set_again(&self, refused: &[PasswordWrite], not_after: Instant) -> Vec<SetPassword> {
        let pause = self.governor().in_use().writes_paused;
        match refused {
            refused if !pause.is_zero() => refused.iter().map(|_| not_now(pause)).collect(),
            [alone] => {
                let outcome = self.set_alone(alone.object, &alone.password, not_after);
                vec![outcome.await]
            }
            several => self.run(several, not_after).await.outcomes(several),
        }
    }

    async fn renounce_for(&self, batch: &[PasswordWrite], ran: &Ran) {
        let call = Call::SetPasswords(batch);
        self.renounce(&call, &ran.token, ran.challenge()).await;
    }

    /// Sends a batch, and reads what it says of each item.
    async fn run(&self, batch: &[PasswordWrite], not_after: Instant) -> Ran {
        let call = Call::SetPasswords(batch);
        match self.send_with_token(&call, Some(not_after)).await {
            Ok((answer, token)) if answer.status.is_success() => Ran {
                told: self.told(batch, &answer).await,
                token,
            },
            Ok((answer, _)) if is_refused_as_such(answer.status) => {
                tracing::warn!(
                    http.status = answer.status.as_u16(),
                    "a batch of passwords was refused as such; they are sent one by one"
                );
                Ran::of(self.one_by_one(batch, not_after).await)
            }
            Ok((answer, _)) => {
                self.hear_write(&answer);
                Ran::of(batch.iter().map(|write| outcome(write.object, &answer)))
            }
            Err(fault) => Ran::of(batch.iter().map(|write| no_answer(write.object, &fault))),
        }
    }

    /// What a batch that ran says of each item. One that it does not answer may have been done.
    async fn told(&self, batch: &[PasswordWrite], answer: &Answer) -> Vec<Told> {
        let mut items = items(answer);
        for item in items.values().flatten() {
            self.hear_write(item);
            self.heed_refusal(item).await;
        }
        let mut told = Vec::with_capacity(batch.len());
        for (place, write) in batch.iter().enumerate() {
            let Some(item) = items.remove(&place.to_string()).flatten() else {
                told.push(Told::Outcome(SetPassword::Ambiguous));
                continue;
            };
            told.push(match item.status {
                StatusCode::UNAUTHORIZED => Told::TokenRefused(item),
                StatusCode::FAILED_DEPENDENCY => Told::Outcome(not_now(UNNAMED)),
                _ => Told::Outcome(outcome(write.object, &item)),
            });
        }
        told
    }

    /// For a batch that had no effect at all.
    async fn one_by_one(&self, batch: &[PasswordWrite], not_after: Instant) -> Vec<SetPassword> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            outcomes.push(self.set_after_batch(write, not_after).await);
        }
        outcomes
    }

    /// A write whose turn came with its batch, unless the service wants no writes by now.
    async fn set_after_batch(&self, write: &PasswordWrite, not_after: Instant) -> SetPassword {
        let pause = self.governor().in_use().writes_paused;
        if !pause.is_zero() {
            return not_now(pause);
        }
        self.set_alone(write.object, &write.password, not_after)
            .await
    }
}

/// What a batch came to.
struct Ran {
    /// In the order of its writes.
    told: Vec<Told>,
    /// The token that it was sent with; none where no item says that it was refused.
    token: String,
}

/// What a batch says of one write.
enum Told {
    Outcome(SetPassword),
    /// It had no effect.
    TokenRefused(Answer),
}

impl Ran {
    fn of(outcomes: impl IntoIterator<Item = SetPassword>) -> Self {
        Self {
            told: outcomes.into_iter().map(Told::Outcome).collect(),
            token: String::new(),
        }
    }

    /// The writes whose token was refused.
    fn refused(&self, batch: &[PasswordWrite]) -> Vec<PasswordWrite> {
        let pairs = self.told.iter().zip(batch);
        pairs
            .filter(|(told, _)| matches!(told, Told::TokenRefused(_)))
            .map(|(_, write)| write.clone())
            .collect()
    }

    /// The claims that the first of them demands.
    fn challenge(&self) -> Option<ClaimsChallenge> {
        self.told.iter().find_map(|told| match told {
            Told::TokenRefused(item) => ClaimsChallenge::of(&item.headers),
            Told::Outcome(_) => None,
        })
    }

    /// An outcome for each; a token that was refused is not answered any more.
    fn outcomes(self, batch: &[PasswordWrite]) -> Vec<SetPassword> {
        let pairs = self.told.into_iter().zip(batch);
        pairs
            .map(|(told, write)| match told {
                Told::Outcome(outcome) => outcome,
                Told::TokenRefused(item) => outcome(write.object, &item),
            })
            .collect()
    }

    /// An outcome for each, where those whose token was refused came to `again`, in their order.
    fn outcomes_with(self, again: Vec<SetPassword>) -> Vec<SetPassword> {
        let mut again = again.into_iter();
        let told = self.told.into_iter();
        told.map(|told| match told {
            Told::Outcome(outcome) => outcome,
            // Each has its own; without one, nothing is known.
            Told::TokenRefused(_) => again.next().unwrap_or(SetPassword::Ambiguous),
        })
        .collect()
    }
}

/// Whether batching itself was refused, for reasons that are not the passwords': no item was run.
fn is_refused_as_such(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::FORBIDDEN
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::PAYLOAD_TOO_LARGE
    )
}

fn name_one_account_twice(batch: &[PasswordWrite]) -> bool {
    let mut seen = BTreeSet::new();
    !batch.iter().all(|write| seen.insert(write.object))
}

#[cfg(test)]
mod tests;
