//! HTTP as every part of this crate uses it: addresses and trust, calls, answers, repetition.

mod answer;
mod call;
mod config;
mod transport;

pub use config::HttpConfig;

pub(crate) use call::Call;
pub(crate) use transport::Transport;
