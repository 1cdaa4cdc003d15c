//! Passportal's HTTP API and the sealed envelope. This crate speaks and seals; it decides nothing.

mod agent_api;
mod convert;
pub mod envelope;
mod error;
mod http;
mod person;
mod region;
mod sign_in;
#[cfg(test)]
mod tests;
mod vault;
pub mod wire;

pub use agent_api::{AgentApi, RotateError, TokenKeeper};
pub use error::ApiError;
pub use http::HttpConfig;
pub use person::{PersonSession, SessionDetails};
pub use region::{Region, UnknownRegion};
pub use sign_in::{ApiClient, ApiKey, BodyFormat};
pub use vault::{AgentIdentity, PassportalVault};
