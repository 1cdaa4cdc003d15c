//! The setup wizard against a real vault and a simulated tenant, with somebody who answers it.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a failed test should say where"
)]

mod person;
mod walking;
mod wrong_answers;
