//! What was said lately, so that it is not said again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Texts, and when they were said.
#[derive(Debug, Default)]
pub(super) struct Said(Mutex<BTreeMap<String, Instant>>);

impl Said {
    /// Whether a text was not said within this time before `now`. It is taken as said.
    pub(super) fn is_news(&self, text: &str, now: Instant, within: Duration) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        said.retain(|_, when| now.saturating_duration_since(*when) < within);
        if said.contains_key(text) {
            return false;
        }
        said.insert(text.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_text_is_news_again_only_after_its_time() {
        let said = Said::default();
        let hour = Duration::from_hours(1);
        let now = Instant::now();
        assert!(said.is_news("cycle failed", now, hour));
        assert!(!said.is_news("cycle failed", now + hour / 2, hour));
        assert!(said.is_news("another", now + hour / 2, hour));
        assert!(said.is_news("cycle failed", now + hour, hour));
    }
}
