//! Whole conversations with the simulator over a loopback socket.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed test should say where"
)]

mod assertions;
mod audits;
mod batch;
mod binary;
mod claims;
mod control;
mod delta;
mod device_code;
mod discovery;
mod password_grant;
mod refresh_tokens;
mod roles;
mod scenario_file;
mod set_password;
mod support;
mod throttling;
mod tls;
mod tokens;
mod users;
