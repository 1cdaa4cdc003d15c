//! The audit trail's chain of hashes, and its lines as JSON, CSV and CEF.

mod chain;
mod export;

pub use chain::{AuditHead, BrokenChain, Chain, hash_after, is_hash};
pub use export::{AuditFormat, UnknownFormat};
