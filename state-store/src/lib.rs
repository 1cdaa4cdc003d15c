//! What the agent remembers, in one `SQLite` file for all of its clients.
//!
//! It holds no secret: the engine's memory, journal and reports carry ids, versions, times and
//! reasons, never a password. One process has the file at a time, so that two agents cannot
//! decide from the same memory.

mod database;
mod error;
mod location;
mod lock;
mod schema;
mod store;

pub use database::StateDatabase;
pub use error::OpenError;
pub use location::database_path;
pub use store::SqliteStore;
