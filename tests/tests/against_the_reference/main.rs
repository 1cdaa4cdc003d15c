//! Holds the simulator's wire behaviour against captured answers, when `PASSPORTAL_REFERENCE` names
//! the folder that has them.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod graph;
mod rights;
mod shape;
mod sign_in;
mod world;
