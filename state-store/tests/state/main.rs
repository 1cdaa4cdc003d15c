//! The agent's memory as the agent meets it, in a file and on a real `PostgreSQL` server.
//!
//! The server is the one that `TEST_POSTGRES_OF_PASSPORTAL` names; `tests/postgres/run` starts one.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

mod contract;
mod engine;
mod kinds;
mod postgres;
mod released;
mod samples;
mod server;
mod sqlite;
