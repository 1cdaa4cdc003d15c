//! The agent signs in with the vault's own `Azure/Office365 Admin` credential.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test should say where"
)]

mod office;
mod setting_up;
mod working;
