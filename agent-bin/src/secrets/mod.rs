//! The agent's secrets: what enrolment left behind, and files that only the service can read.

mod administrator;
mod at_rest;
mod enrolment;
mod error;
mod read;

pub use administrator::Administrator;
pub use enrolment::{Enrolment, Kept, SecretFiles};
pub use error::SecretError;
pub(crate) use read::write;
pub use read::{SecretSources, read_secret_file};
