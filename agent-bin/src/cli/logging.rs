//! What is logged, and how: to standard error, as text or JSON.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::EnvFilter;

use super::{Cli, Command};

/// How to log.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// Whether a text is a filter.
pub(super) fn filter(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| error.to_string())
}

/// Begins to log what the command line asks for.
pub(super) fn begin(cli: &Cli) {
    let usual = match cli.command {
        Command::Run { .. } => "info",
        Command::Setup(_) | Command::CheckConfig => "off",
    };
    let filter = EnvFilter::new(cli.log.as_deref().unwrap_or(usual));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match cli.log_format {
        Format::Text => log.init(),
        Format::Json => log.json().init(),
    }
}
