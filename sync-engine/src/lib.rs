//! Keeps the passwords of a vault and a directory in step, safely.
//!
//! The engine decides ([`plan`](mod@plan)) and then acts ([`Engine::cycle`]). It reaches the world
//! only through four [`ports`]: a vault, a directory, a memory and a clock.

mod apply;
mod cycle;
mod engine;
pub mod explain;
mod memory_store;
pub mod model;
mod observe;
pub mod plan;
pub mod ports;
pub mod prelude;
mod read_only;
#[cfg(feature = "testing")]
pub mod testing;

pub use cycle::{CycleReport, Footing, Row};
pub use engine::{
    Engine, EngineError, Halt, Observer, Ports, RulingError, Share, Tally, Unwatched,
};
pub use memory_store::MemoryStore;
pub use read_only::ReadOnly;
