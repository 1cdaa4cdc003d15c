//! What happened so far, for tests that assert on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Everything since the start, summed and by tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// HTTP requests of every kind, those under `/_sim` excepted.
    pub requests: u64,
    /// Requests at a token endpoint.
    pub token_requests: u64,
    /// Password grants that named an account of the directory, whatever the answer.
    pub sign_ins: u64,
    /// Password grants that were answered as a wrong password (50126).
    pub failed_sign_ins: u64,
    /// Passwords set through Graph.
    pub writes: u64,
    /// Graph reads other than delta pages, batched ones included.
    pub reads: u64,
    /// Pages of `users/delta` that were served.
    pub delta_reads: u64,
    /// `$batch` requests.
    pub batches: u64,
    /// Graph calls that were answered with 429 because a limit was used up, batched ones included.
    pub throttled: u64,
    /// Faults that struck.
    pub faults: u64,
    /// By tenant name.
    pub tenants: BTreeMap<String, TenantCounters>,
}

/// What happened in one tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantCounters {
    /// As in [`Counters`].
    pub sign_ins: u64,
    /// As in [`Counters`].
    pub failed_sign_ins: u64,
    /// As in [`Counters`].
    pub writes: u64,
    /// As in [`Counters`].
    pub reads: u64,
    /// As in [`Counters`].
    pub delta_reads: u64,
    /// As in [`Counters`].
    pub throttled: u64,
    /// By user principal name; accounts that nothing happened to are left out.
    pub users: BTreeMap<String, UserCounters>,
}

/// What happened to one account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCounters {
    /// As in [`Counters`].
    pub sign_ins: u64,
    /// As in [`Counters`].
    pub failed_sign_ins: u64,
    /// As in [`Counters`].
    pub writes: u64,
}
