//! The state in a database on a `PostgreSQL` server.

mod connect;
mod fault;
mod lock;
mod session;
mod tables;

pub(crate) use session::Session;
pub(crate) use tables::SessionTables;
