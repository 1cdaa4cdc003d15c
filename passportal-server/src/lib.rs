//! The embedded, self-hosted vault: JSON API, server-rendered dashboard, SQLite storage.
//!
//! It keeps passwords sealed and never calls Microsoft. [`init`] makes a vault, [`Server`] serves it.

mod account;
mod api;
mod api_key;
mod audit_command;
mod authenticator;
mod backup;
mod caller_address;
mod dashboard;
mod data_dir;
mod database;
mod downloads;
mod flag_times;
mod forward;
mod init;
mod lock;
mod notices;
mod organization_key;
mod password_hash;
mod people_command;
mod proof;
mod request_id;
mod restore;
mod routes;
mod security_headers;
mod serve;
mod serve_error;
mod server_key;
mod sign_in_limit;
mod slow_clients;
mod state;
mod token;
mod turns;
mod user_agent;
mod vault;

pub use api_key::{ApiKeyError, create_api_key};
pub use audit_command::{AuditError, export_audit, verify_audit};
pub use backup::{BackedUp, BackupError, WithServerKey, backup};
pub use forward::{Forwarding, NotASyslogServer, SyslogServer};
pub use init::{InitError, InitRequest, Initialised, init};
pub use lock::Holder;
pub use people_command::{PeopleError, reset_password, reset_second_factor};
pub use restore::{KeySource, RestoreError, Restored, restore};
pub use routes::paths;
pub use serve::{ServeConfig, Server, TlsFiles};
pub use serve_error::ServeError;
