//! The agent's own sign-in, from the adapter to the simulated tenant that verifies it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod certificate;
mod claims;
mod entra;
mod federated;
