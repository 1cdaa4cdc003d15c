//! The adapter's whole dialogue with Entra ID and Graph.
//!
//! By itself each test has a simulator of its own. `tests/adapter/run` lets the same suite speak to one
//! that other hands stand before: a proxy that holds every message against Microsoft's contract, or
//! Microsoft's own host names in a network of their own. The tests then share its tenants, so that no two of them
//! write to one account. `PASSPORTAL_ADAPTER` says which: `default-endpoints`, or
//! the addresses of authority and Graph with a comma between; `PASSPORTAL_ADAPTER_CA` the authority that it trusts.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod pages;
mod reads;
mod sign_in;
mod standing;
mod world;
mod writes;
