//! One token for everybody, renewed early, asked for once however many wait for it.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::{AccessToken, ClaimsChallenge, Granted, TokenSource};
use crate::GraphError;

/// A token is renewed this long before its end, or a tenth of its life, whichever is less.
const EARLY: Duration = Duration::from_mins(5);

/// What was granted less than this ago is not asked for anew by a refusal: that would be a request for each of them.
const FRESH: Duration = Duration::from_mins(5);

/// The current token of one tenant.
pub(crate) struct TokenCache {
    source: Box<dyn TokenSource>,
    // Held while a token is asked for: whoever comes meanwhile waits and finds the outcome.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    failure: Option<Failure>,
    /// What the next token must have.
    challenge: Option<ClaimsChallenge>,
}

struct Current {
    token: AccessToken,
    renew_at: Instant,
    /// Until then it says what is permitted.
    fresh_until: Instant,
}

/// A failed attempt answers everybody who was waiting while it was made.
struct Failure {
    error: GraphError,
    at: Instant,
}

impl TokenCache {
    pub(crate) fn new(source: impl TokenSource + 'static) -> Self {
        Self {
            source: Box::new(source),
            state: Mutex::default(),
        }
    }

    /// A token that is valid now.
    pub(crate) async fn token(&self) -> Result<AccessToken, GraphError> {
        let asked_at = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(token) = state.valid(Instant::now()) {
            return Ok(token);
        }
        if let Some(error) = state.failed_since(asked_at) {
            return Err(error);
        }
        let outcome = self.source.acquire(state.challenge.as_ref()).await;
        state.take_in(asked_at, outcome)
    }

    /// Drops a token that Graph refused, unless it was already replaced. The next one is asked for with the claims
    /// of the challenge, if there was one.
    pub(crate) async fn renounce(&self, refused: &str, challenge: Option<ClaimsChallenge>) {
        let mut state = self.state.lock().await;
        state
            .current
            .take_if(|current| current.token.expose() == refused);
        if state.current.is_none() && challenge.is_some() {
            state.challenge = challenge;
        }
    }

    /// Drops a token by which too little is permitted, unless it is fresh: what an administrator granted since then
    /// stands only in a new one.
    pub(crate) async fn renounce_unless_fresh(&self) {
        let now = Instant::now();
        let mut state = self.state.lock().await;
        state.current.take_if(|current| now >= current.fresh_until);
    }

    /// As if the token had been granted a while ago.
    #[cfg(test)]
    pub(crate) async fn age(&self) {
        if let Some(current) = &mut self.state.lock().await.current {
            current.fresh_until = Instant::now();
        }
    }
}

impl State {
    fn valid(&self, now: Instant) -> Option<AccessToken> {
        let current = self.current.as_ref().filter(|c| now < c.renew_at)?;
        Some(current.token.clone())
    }

    fn failed_since(&self, asked_at: Instant) -> Option<GraphError> {
        let failure = self.failure.as_ref().filter(|f| asked_at <= f.at)?;
        Some(failure.error.clone())
    }

    fn take_in(
        &mut self,
        asked_at: Instant,
        outcome: Result<Granted, GraphError>,
    ) -> Result<AccessToken, GraphError> {
        match outcome {
            Ok(granted) => {
                self.failure = None;
                self.challenge = None;
                self.current = Some(Current {
                    token: granted.token.clone(),
                    renew_at: asked_at + used_for(granted.lifetime),
                    fresh_until: asked_at + FRESH,
                });
                Ok(granted.token)
            }
            Err(error) => {
                self.failure = Some(Failure {
                    error: error.clone(),
                    at: Instant::now(),
                });
                Err(error)
            }
        }
    }
}

fn used_for(lifetime: Duration) -> Duration {
    lifetime.saturating_sub(EARLY.min(lifetime / 10))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;

    /// Counts how often it is asked; yields in between, so that others come to wait.
    struct Counting {
        asked: Arc<AtomicU32>,
        lifetime: Duration,
        fails: bool,
    }

    #[async_trait]
    impl TokenSource for Counting {
        async fn acquire(&self, _: Option<&ClaimsChallenge>) -> Result<Granted, GraphError> {
            let n = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            for _ in 0..200 {
                tokio::task::yield_now().await;
            }
            if self.fails {
                return Err(GraphError::NotFound);
            }
            Ok(Granted {
                token: AccessToken::new(&format!("token-{n}")),
                lifetime: self.lifetime,
            })
        }
    }

    fn cache(lifetime: Duration, fails: bool) -> (Arc<TokenCache>, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let source = Counting {
            asked: Arc::clone(&asked),
            lifetime,
            fails,
        };
        (Arc::new(TokenCache::new(source)), asked)
    }

    async fn ask_at_once(cache: &Arc<TokenCache>, callers: u32) -> Vec<bool> {
        let waiting: Vec<_> = (0..callers)
            .map(|_| {
                let cache = Arc::clone(cache);
                tokio::spawn(async move { cache.token().await.is_ok() })
            })
            .collect();
        let mut outcomes = Vec::new();
        for task in waiting {
            outcomes.push(task.await.unwrap());
        }
        outcomes
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_hundred_callers_make_one_request() {
        let (cache, asked) = cache(HOUR, false);
        let outcomes = ask_at_once(&cache, 100).await;
        assert!(outcomes.into_iter().all(|ok| ok));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_hundred_callers_share_one_failure_and_the_next_one_tries_again() {
        let (cache, asked) = cache(HOUR, true);
        let outcomes = ask_at_once(&cache, 100).await;
        assert!(outcomes.into_iter().all(|ok| !ok));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(cache.token().await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_refused_token_is_replaced_once() {
        let (cache, asked) = cache(HOUR, false);
        let first = cache.token().await.unwrap();
        cache.renounce(first.expose(), None).await;
        assert_eq!(cache.token().await.unwrap().expose(), "token-2");
        // A second caller whose request was refused with the same old token.
        cache.renounce(first.expose(), None).await;
        assert_eq!(cache.token().await.unwrap().expose(), "token-2");
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_token_that_permits_too_little_is_replaced_once_it_is_no_longer_fresh() {
        let (cache, _) = cache(HOUR, false);
        cache.token().await.unwrap();
        cache.renounce_unless_fresh().await;
        assert_eq!(cache.token().await.unwrap().expose(), "token-1");
        cache.age().await;
        cache.renounce_unless_fresh().await;
        assert_eq!(cache.token().await.unwrap().expose(), "token-2");
        cache.renounce_unless_fresh().await;
        assert_eq!(cache.token().await.unwrap().expose(), "token-2");
    }

    #[tokio::test]
    async fn a_token_without_a_life_is_asked_for_each_time() {
        let (cache, asked) = cache(Duration::ZERO, false);
        cache.token().await.unwrap();
        cache.token().await.unwrap();
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    /// Remembers with which claims it was asked; fails as often as it is told to.
    struct Challenged {
        asked: Arc<std::sync::Mutex<Vec<Option<ClaimsChallenge>>>>,
        failures: AtomicU32,
    }

    #[async_trait]
    impl TokenSource for Challenged {
        async fn acquire(
            &self,
            challenge: Option<&ClaimsChallenge>,
        ) -> Result<Granted, GraphError> {
            let mut asked = self.asked.lock().unwrap();
            asked.push(challenge.cloned());
            let fails = self
                .failures
                .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                    left.checked_sub(1)
                });
            if asked.len() > 1 && fails.is_ok() {
                return Err(GraphError::NotFound);
            }
            Ok(Granted {
                token: AccessToken::new(&format!("token-{}", asked.len())),
                lifetime: HOUR,
            })
        }
    }

    #[tokio::test]
    async fn a_challenge_is_carried_until_a_token_is_granted_and_not_longer() {
        let asked = Arc::default();
        let cache = TokenCache::new(Challenged {
            asked: Arc::clone(&asked),
            // The first request, which needs no failure, uses one up.
            failures: AtomicU32::new(2),
        });
        let challenge = ClaimsChallenge::example();
        let first = cache.token().await.unwrap();
        cache
            .renounce(first.expose(), Some(challenge.clone()))
            .await;
        assert!(cache.token().await.is_err());
        let third = cache.token().await.unwrap();
        // Another call was refused with the old token, which is replaced by now.
        cache
            .renounce(first.expose(), Some(challenge.clone()))
            .await;
        cache.renounce(third.expose(), None).await;
        cache.token().await.unwrap();
        let expected = [None, Some(challenge.clone()), Some(challenge), None];
        assert_eq!(*asked.lock().unwrap(), expected);
    }

    #[test]
    fn a_token_is_renewed_early() {
        assert_eq!(used_for(HOUR), Duration::from_mins(55));
        assert_eq!(used_for(Duration::from_mins(10)), Duration::from_mins(9));
    }
}
