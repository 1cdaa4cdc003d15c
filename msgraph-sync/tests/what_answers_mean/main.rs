//! What each answer of Microsoft's comes to: sent over the wire, acted on by the real engine, and told to
//! the vault. The outcomes, flags and words stand in two golden files, `snapshots/`.
//!
//! The golden files are reviewed against Microsoft's documentation and not made from the tables of this
//! crate: when one changes, look the answer up before accepting the change.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

mod reference;
mod sign_in;
mod world;
mod write;
