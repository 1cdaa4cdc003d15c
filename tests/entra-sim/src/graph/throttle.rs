//! Throttling of one application in one tenant: writes, and resource units, in a window that slides.
//!
//! Source: Microsoft Graph throttling limits, "Identity and access service limits". Microsoft names the numbers, the
//! costs and the headers, and a token bucket without its size; a window that slides is the strictest reading.

use std::collections::{HashMap, VecDeque};

use axum::http::Method;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::call::{Call, Caller};
use super::error::GraphError;
use crate::entra::access_token::Subject;
use crate::reply::Reply;
use crate::scenario::{TenantSpec, Throttling};
use crate::world::{TenantIndex, World};

/// Writes of an application in a tenant, and their window.
const WRITES: (u32, SignedDuration) = (3_000, SignedDuration::from_secs(150));
/// The window of resource units; how many depends on the tenant's size.
const UNIT_WINDOW: SignedDuration = SignedDuration::from_secs(10);
/// From this share of a limit on, answers say how much of it is used.
const TOLD_FROM: f64 = 0.8;
/// Refused calls count as well, up to this share of a limit: what is told ends there.
const COUNTED_TO: f64 = 1.8;

/// Who throttles whom.
#[derive(Debug)]
pub(crate) struct Throttle {
    tenants: Vec<Option<Throttling>>,
    usage: HashMap<(TenantIndex, Subject), Usage>,
    refused: HashMap<TenantIndex, u64>,
}

/// What one application used of a tenant's limits.
#[derive(Debug, Default)]
struct Usage {
    writes: Window,
    units: Window,
}

/// What was used within the last window.
#[derive(Debug, Default)]
struct Window {
    used: VecDeque<(Timestamp, u32)>,
    sum: u32,
}

/// A limit within a window.
#[derive(Debug, Clone, Copy)]
struct Limit {
    most: u32,
    window: SignedDuration,
    /// As `x-ms-throttle-scope` names it.
    scope: &'static str,
    /// As `x-ms-throttle-information` names it.
    information: &'static str,
}

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    units: u32,
    writes: u32,
}

/// A call that is let through, and what its answer says of the limits.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Admitted {
    units: Option<u32>,
    share: Option<f64>,
}

impl World {
    /// Counts a call towards its application's limits, or refuses it.
    pub(super) fn admit(
        &mut self,
        caller: &Caller,
        call: &Call,
        now: Timestamp,
    ) -> Result<Admitted, GraphError> {
        let (id, accounts) = {
            let tenant = self.tenant(caller.tenant);
            (tenant.id, tenant.size())
        };
        let who = (caller.tenant, caller.subject);
        let admitted = self.throttle.admit(who, accounts, call, now);
        admitted.map_err(|refusal| refusal.error(caller.subject, id))
    }
}

impl Throttle {
    pub(crate) fn new(tenants: &[TenantSpec]) -> Self {
        Self {
            tenants: tenants.iter().map(|tenant| tenant.throttling).collect(),
            usage: HashMap::new(),
            refused: HashMap::new(),
        }
    }

    /// How many calls a tenant has refused.
    pub(crate) fn refused(&self, tenant: TenantIndex) -> u64 {
        self.refused.get(&tenant).copied().unwrap_or_default()
    }

    fn admit(
        &mut self,
        who: (TenantIndex, Subject),
        accounts: usize,
        call: &Call,
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        let Some(throttling) = self.tenants.get(who.0.position()).copied().flatten() else {
            return Ok(Admitted::default());
        };
        let cost = Cost::of(call);
        let usage = self.usage.entry(who).or_default();
        let writes = usage
            .writes
            .take(Limit::writes(throttling), cost.writes, now);
        let units = usage
            .units
            .take(Limit::units(throttling, accounts), cost.units, now);
        let refused = writes.and_then(|writes| units.map(|units| writes.max(units)));
        match refused {
            Ok(share) => Ok(Admitted {
                units: Some(cost.units),
                share: (share > TOLD_FROM).then_some(share),
            }),
            Err(refusal) => {
                *self.refused.entry(who.0).or_default() += 1;
                Err(refusal)
            }
        }
    }
}

/// Too much was used.
#[derive(Debug, Clone, Copy)]
struct Refusal {
    limit: Limit,
    wait: SignedDuration,
}

impl Refusal {
    /// The answer for this application in this tenant.
    fn error(&self, subject: Subject, tenant: Uuid) -> GraphError {
        let (Subject::App(id) | Subject::User(id)) = subject;
        let begun = i64::from(self.wait.subsec_nanos() > 0);
        let whole_seconds = (self.wait.as_secs() + begun).max(1);
        GraphError::throttled()
            .header("retry-after", whole_seconds.to_string())
            .header(
                "x-ms-throttle-scope",
                format!("Tenant_Application/{}/{id}/{tenant}", self.limit.scope),
            )
            .header(
                "x-ms-throttle-information",
                self.limit.information.to_owned(),
            )
    }
}

impl Admitted {
    /// The headers of a regular answer.
    pub(super) fn onto(self, reply: Reply) -> Reply {
        let reply = match self.units {
            Some(units) => reply.with("x-ms-resource-unit", &units.to_string()),
            None => reply,
        };
        match self.share {
            Some(share) => reply.with("x-ms-throttle-limit-percentage", &format!("{share:.3}")),
            None => reply,
        }
    }
}

impl Limit {
    fn writes(throttling: Throttling) -> Self {
        Self {
            most: throttling.writes.map_or(WRITES.0, u32::from),
            window: WRITES.1 / divisor(throttling),
            scope: "Write",
            information: "WriteLimitExceeded",
        }
    }

    fn units(throttling: Throttling, accounts: usize) -> Self {
        Self {
            most: throttling
                .resource_units
                .map_or_else(|| units_of(accounts), u32::from),
            window: UNIT_WINDOW / divisor(throttling),
            scope: "ReadWrite",
            information: "ResourceUnitLimitExceeded",
        }
    }
}

fn divisor(throttling: Throttling) -> i32 {
    i32::try_from(throttling.scale.get()).unwrap_or(i32::MAX)
}

/// Small tenants have under 50 accounts, large ones above 500.
fn units_of(accounts: usize) -> u32 {
    match accounts {
        0..50 => 3_500,
        50..=500 => 5_000,
        _ => 8_000,
    }
}

impl Cost {
    /// What is not listed costs 1; `$select` and a small `$top` each take one off, down to 1.
    fn of(call: &Call) -> Self {
        if call.method != Method::GET {
            return Self {
                units: 1,
                writes: 1,
            };
        }
        let base = match call.segments().as_slice() {
            ["users"] => 2_u32,
            _ => 1,
        };
        let selects = u32::from(call.query.get("select").is_some());
        let top = call.query.get("top").and_then(|top| top.parse().ok());
        let is_small = u32::from(top.is_some_and(|top: u32| top < 20));
        Self {
            units: base.saturating_sub(selects + is_small).max(1),
            writes: 0,
        }
    }
}

impl Window {
    /// Counts a cost. Returns the share of the limit that is used, or how long there is no room.
    fn take(&mut self, limit: Limit, cost: u32, now: Timestamp) -> Result<f64, Refusal> {
        self.forget(now - limit.window);
        if cost == 0 {
            return Ok(0.0);
        }
        let fits = self.sum + cost <= limit.most;
        if fits || f64::from(self.sum + cost) <= f64::from(limit.most) * COUNTED_TO {
            self.used.push_back((now, cost));
            self.sum += cost;
        }
        if fits {
            return Ok(f64::from(self.sum) / f64::from(limit.most));
        }
        let free_at = self.free_at(limit, cost);
        Err(Refusal {
            limit,
            wait: free_at.duration_since(now),
        })
    }

    fn forget(&mut self, before: Timestamp) {
        while let Some((at, cost)) = self.used.front().copied() {
            if at > before {
                return;
            }
            self.used.pop_front();
            self.sum -= cost;
        }
    }

    /// When this much fits again, if nothing more is asked for.
    fn free_at(&self, limit: Limit, cost: u32) -> Timestamp {
        let mut left = self.sum;
        for (at, used) in &self.used {
            left -= used;
            if left + cost <= limit.most {
                return *at + limit.window;
            }
        }
        self.used.back().map_or(Timestamp::MIN, |(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;

    use super::*;

    const LIMIT: Limit = Limit {
        most: 10,
        window: SignedDuration::from_secs(150),
        scope: "Write",
        information: "WriteLimitExceeded",
    };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second).unwrap()
    }

    fn cost(method: Method, path: &str, query: &str) -> Cost {
        Cost::of(&Call::new(
            method,
            path,
            query,
            HeaderMap::new(),
            Vec::new(),
        ))
    }

    #[test]
    fn the_window_slides_and_says_when_there_is_room_again() {
        let mut window = Window::default();
        for second in 0..10 {
            assert!(window.take(LIMIT, 1, at(second)).is_ok(), "{second}");
        }
        let refused = window.take(LIMIT, 1, at(20)).unwrap_err();
        // The refused one counts too: the first two must leave.
        assert_eq!(refused.wait, SignedDuration::from_secs(131));
        assert!(window.take(LIMIT, 1, at(150)).is_err());
        assert!(window.take(LIMIT, 1, at(153)).is_ok());
    }

    #[test]
    fn what_is_refused_counts_up_to_its_end() {
        let mut window = Window::default();
        for _ in 0..100 {
            let _ = window.take(LIMIT, 1, at(0));
        }
        assert_eq!(window.sum, 18);
        assert!((window.take(LIMIT, 1, at(150)).unwrap() - 0.1).abs() < 0.001);
    }

    #[test]
    fn a_call_costs_what_is_documented() {
        let read = |units| Cost { units, writes: 0 };
        assert_eq!(cost(Method::GET, "users", ""), read(2));
        assert_eq!(cost(Method::GET, "users", "$top=999"), read(2));
        assert_eq!(cost(Method::GET, "users", "$select=id"), read(1));
        assert_eq!(cost(Method::GET, "users", "$select=id&$top=1"), read(1));
        assert_eq!(cost(Method::GET, "users/delta", ""), read(1));
        assert_eq!(
            cost(Method::PATCH, "users/x", ""),
            Cost {
                units: 1,
                writes: 1
            }
        );
    }

    #[test]
    fn a_larger_tenant_has_more_units() {
        assert_eq!(
            [49, 50, 500, 501].map(units_of),
            [3_500, 5_000, 5_000, 8_000]
        );
    }
}
