//! All that a tool needs to embed the engine, in one import.

pub use async_trait::async_trait;
pub use futures::FutureExt;
pub use jiff::Timestamp;
pub use uuid::Uuid;

pub use crate::model::*;
pub use crate::plan::{HeldPlan, PlanRuling, Policy};
pub use crate::ports::*;
pub use crate::{CycleReport, Engine, EngineError, MemoryStore, Ports, Unwatched};
