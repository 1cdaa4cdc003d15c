//! The agent: configuration, secrets, wiring, scheduling and service, as a library.

#[cfg(windows)]
mod access_list;
pub mod administrator;
pub mod advice;
pub mod causes;
pub mod clock;
mod companions;
pub mod config;
pub mod control;
pub mod doctor;
mod durable_file;
mod entry;
#[cfg(windows)]
pub mod event_log;
pub mod handbook;
pub mod health;
pub mod health_check;
mod helmsman;
mod instance;
pub mod listen;
pub mod metrics;
pub mod moving;
pub mod new_organization_key;
pub mod numbers;
pub mod outbound;
mod pace;
pub mod plan_news;
pub mod private_folder;
mod proofs;
mod pulse;
mod roster;
pub mod scheduler;
pub mod secrets;
pub mod service;
#[cfg(windows)]
pub mod service_control;
pub mod service_manager;
pub mod setup;
pub mod setup_args;
pub mod sign_in_anew;
pub mod signals;
pub mod steering;
mod supervisor;
mod telltale;
pub mod tenant;
mod token_keeper;
mod vault_admin;
pub mod wiring;
pub mod wizard;
mod workshop;

/// Makes ring the one TLS provider of this process. Calling it again changes nothing.
pub fn install_tls_provider() {
    // A provider that is there already is this one: no other is compiled in.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
