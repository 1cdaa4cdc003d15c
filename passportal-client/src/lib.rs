//! Passportal's HTTP API and the sealed envelope. This crate speaks and seals; it decides nothing.

mod agent_api;
pub mod audit;
mod convert;
pub mod core_dumps;
pub mod credential_table;
pub mod csv;
pub mod envelope;
mod error;
mod http;
pub mod one_time_code;
pub mod password_generator;
pub mod password_rule;
mod person;
mod region;
pub mod secret_file;
mod sign_in;
#[cfg(test)]
mod tests;
mod vault;
pub mod wire;

pub use agent_api::{AgentApi, RotateError, TokenKeeper};
pub use error::ApiError;
pub use http::HttpConfig;
pub use password_rule::PasswordRefusal;
pub use person::{PersonSession, SessionDetails, reach};
pub use region::{Region, UnknownRegion};
pub use secret_file::SecretFileError;
pub use sign_in::{ApiClient, ApiKey, BodyFormat};
pub use vault::{AgentIdentity, Onlooker, PassportalVault};
