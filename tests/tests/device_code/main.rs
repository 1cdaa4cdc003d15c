//! An administrator signs in by device code, and the agent acts for it.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod canary;
mod office;
mod setting_up;
mod working;
