//! The server as a whole, over a port of loopback.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod access;
mod access_matrix;
mod account;
mod agents;
mod audit;
mod backup;
mod bulk_actions;
mod changes;
mod command_line;
mod crawl;
mod credential_details;
mod dashboard;
mod description;
mod downloads;
mod factor;
mod forward;
mod http_attacks;
mod imports;
mod lost_second_factor;
mod notices;
mod organization_key;
mod organization_key_change;
mod overviews;
mod passwords;
mod people;
mod plan_pages;
mod plans;
mod proxied;
mod public_clients;
mod raw_http;
mod real_client;
mod reports;
mod running;
mod search;
mod second_factor;
mod server_key;
mod sign_in;
mod sign_in_limits;
mod slow_requests;
mod snoozes;
mod support;
mod trends;
mod upgrade;
