//! The server as a whole, over a port of loopback.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod agents;
mod audit;
mod backup;
mod changes;
mod command_line;
mod crawl;
mod credential_details;
mod dashboard;
mod description;
mod forward;
mod http_attacks;
mod imports;
mod overviews;
mod passwords;
mod plan_pages;
mod plans;
mod public_clients;
mod raw_http;
mod real_client;
mod reports;
mod running;
mod search;
mod sign_in;
mod snoozes;
mod support;
mod upgrade;
