//! What the agent remembers, in one database for all of its clients: a file of `SQLite`'s, or a
//! database on a `PostgreSQL` server.
//!
//! It holds no secret: the engine's memory, journal and reports carry ids, versions, times and
//! reasons, never a password. One process has the database at a time, so that two agents cannot
//! decide from the same memory.

mod access;
mod database;
mod error;
mod folder_owner;
mod postgres;
mod schema;
mod sqlite;
mod state_url;
mod store;
mod tables;

pub use access::Access;
pub use database::StateDatabase;
pub use error::{Holder, OpenError, Place};
pub use folder_owner::give_to_folder_owner;
pub use state_url::{PostgresUrl, StateUrl, database_path, file_url};
pub use store::ClientStore;
