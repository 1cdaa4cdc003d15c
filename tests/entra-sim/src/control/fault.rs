//! Faults on order: a status instead of an effect, or an effect whose answer is lost.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A fault that strikes the next requests under a path.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The beginning of the path, such as `/v1.0/users` or `/contoso.com/oauth2`.
    pub path_prefix: String,
    /// Only this method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The status to answer with; without one the connection is dropped, unless the fault is only a delay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// How long the request is held, on the side of its effect that `when` names. Alone, it makes a slow service: the
    /// answer is the usual one, only late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<SignedDuration>,
    /// How many requests it strikes.
    #[serde(default = "once")]
    pub count: u32,
    /// Seconds for a `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Before the effect, which then never happens, or after it.
    #[serde(default)]
    pub when: When,
    /// The answer's JSON; what the real service answers with that status when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Further headers of the answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
}

/// On which side of its effect a request fails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Nothing happens.
    #[default]
    Before,
    /// Everything happens, only the answer is another or none.
    After,
}

fn once() -> u32 {
    1
}

/// The faults that still wait, and how many have struck.
#[derive(Debug, Default)]
pub(crate) struct ArmedFaults {
    waiting: Vec<Fault>,
    struck: u64,
}

impl ArmedFaults {
    pub(crate) fn new(waiting: Vec<Fault>) -> Self {
        Self { waiting, struck: 0 }
    }

    pub(crate) fn arm(&mut self, fault: Fault) {
        self.waiting.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }

    pub(crate) fn struck(&self) -> u64 {
        self.struck
    }

    /// The fault that strikes this request, if any, used up by one.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.strike_if(method, path, |_| true)
    }

    /// As [`Self::strike`] for a request inside a batch, which cannot lose its connection alone.
    pub(crate) fn strike_batched(&mut self, method: &str, path: &str) -> Option<Fault> {
        self.strike_if(method, path, |fault| fault.status.is_some())
    }

    fn strike_if(
        &mut self,
        method: &str,
        path: &str,
        fits: impl Fn(&Fault) -> bool,
    ) -> Option<Fault> {
        let hit = self
            .waiting
            .iter_mut()
            .find(|fault| fault.count > 0 && fault.hits(method, path) && fits(fault))?;
        hit.count -= 1;
        let fault = hit.clone();
        self.struck += 1;
        self.waiting.retain(|fault| fault.count > 0);
        Some(fault)
    }
}

impl Fault {
    fn hits(&self, method: &str, path: &str) -> bool {
        let method_fits = self
            .method
            .as_deref()
            .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        method_fits && path.starts_with(&self.path_prefix)
    }

    /// Whether it ends in the usual answer.
    pub(crate) fn only_delays(&self) -> bool {
        self.delay.is_some() && self.status.is_none()
    }

    /// How long to hold the request; zero for a delay into the past.
    pub(crate) fn hold(&self) -> Duration {
        let delay = self.delay.unwrap_or(SignedDuration::ZERO);
        Duration::try_from(delay).unwrap_or(Duration::ZERO)
    }
}
