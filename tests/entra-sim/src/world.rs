//! Everything that changes while the simulator runs, behind one lock.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::control::fault::ArmedFaults;
use crate::counters::{Counters, TenantCounters};
use crate::directory::tenant::{Tenant, folded};
use crate::entra::access_token::TokenLedger;
use crate::entra::device_code::DeviceCodes;
use crate::entra::refresh_token::RefreshTokens;
use crate::graph::throttle::Throttle;
use crate::scenario::Scenario;

/// Where a tenant stands in its world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TenantIndex(usize);

impl TenantIndex {
    pub(crate) fn position(self) -> usize {
        self.0
    }
}

/// The simulated tenants and what happened to them.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) tokens: TokenLedger,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) device_codes: DeviceCodes,
    pub(crate) faults: ArmedFaults,
    pub(crate) throttle: Throttle,
    pub(crate) requests: u64,
    pub(crate) token_requests: u64,
    pub(crate) batches: u64,
    tenants: Vec<Tenant>,
    by_name: HashMap<String, TenantIndex>,
}

impl World {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let throttle = Throttle::new(&scenario.tenants);
        let tenants: Vec<Tenant> = scenario.tenants.into_iter().map(Tenant::new).collect();
        let mut by_name = HashMap::new();
        for (index, tenant) in tenants.iter().enumerate() {
            by_name.insert(tenant.id.to_string(), TenantIndex(index));
            by_name.extend(
                tenant
                    .domains
                    .iter()
                    .map(|domain| (folded(&domain.name), TenantIndex(index))),
            );
        }
        Self {
            tokens: TokenLedger::default(),
            refresh_tokens: RefreshTokens::default(),
            device_codes: DeviceCodes::default(),
            faults: ArmedFaults::new(scenario.faults),
            throttle,
            requests: 0,
            token_requests: 0,
            batches: 0,
            tenants,
            by_name,
        }
    }

    /// A tenant by its id, its name or one of its domains.
    pub(crate) fn find(&self, key: &str) -> Option<TenantIndex> {
        self.by_name.get(&folded(key)).copied()
    }

    #[expect(
        clippy::expect_used,
        reason = "an index is only made by `new`, and tenants are never taken away"
    )]
    pub(crate) fn tenant(&self, index: TenantIndex) -> &Tenant {
        self.tenants.get(index.0).expect("a tenant at its index")
    }

    #[expect(
        clippy::expect_used,
        reason = "an index is only made by `new`, and tenants are never taken away"
    )]
    pub(crate) fn tenant_mut(&mut self, index: TenantIndex) -> &mut Tenant {
        self.tenants
            .get_mut(index.0)
            .expect("a tenant at its index")
    }

    /// Lets password changes that have replicated become visible.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        for tenant in &mut self.tenants {
            tenant.settle(now);
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        let mut sum = Counters {
            requests: self.requests,
            token_requests: self.token_requests,
            batches: self.batches,
            faults: self.faults.struck(),
            ..Counters::default()
        };
        for (index, tenant) in self.tenants.iter().enumerate() {
            let counters = TenantCounters {
                throttled: self.throttle.refused(TenantIndex(index)),
                ..tenant.counters()
            };
            sum.throttled += counters.throttled;
            sum.sign_ins += counters.sign_ins;
            sum.failed_sign_ins += counters.failed_sign_ins;
            sum.writes += counters.writes;
            sum.reads += counters.reads;
            sum.delta_reads += counters.delta_reads;
            sum.tenants.insert(tenant.name.clone(), counters);
        }
        sum
    }
}
