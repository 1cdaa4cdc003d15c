//! Months of the engine's life in seconds: worlds made from a seed, in which the real engine lives over
//! a vault, a directory, a memory and a clock that misbehave, while rules are checked at every step.

mod chance;
mod deed;
mod fault;
mod invariants;
mod life;
mod nature;
mod ports;
mod run;
mod time;
mod totals;
mod trace;
mod world;

pub use deed::{Deed, EntraDeed, VaultDeed};
pub use fault::Fault;
pub use invariants::{Invariant, Violation};
pub use nature::{GENERATOR, Wish};
pub use run::{Ran, Tamper, run, run_tampered};
pub use time::Moment;
pub use totals::Totals;
pub use trace::Telling;
