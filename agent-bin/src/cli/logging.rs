//! What is logged, and how: to standard error, as text or JSON, by a filter that can be changed.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

use super::{Cli, Command};

/// How to log.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// The filter of this process's log.
pub(super) struct Level(reload::Handle<EnvFilter, Registry>);

impl Level {
    /// Logs by another filter from now on, or says what is wrong with it.
    pub(super) fn change(&self, text: &str) -> Result<(), String> {
        let filter = parse(text)?;
        self.0.reload(filter).map_err(|error| error.to_string())
    }
}

/// Whether a text is a filter.
pub(super) fn filter(text: &str) -> Result<String, String> {
    parse(text).map(|_| text.to_owned())
}

fn parse(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| error.to_string())
}

/// Begins to log what the command line asks for.
pub(super) fn begin(cli: &Cli) -> Level {
    let usual = match cli.command {
        Command::Run { .. } => "info",
        _ => "off",
    };
    let filter = EnvFilter::new(cli.log.as_deref().unwrap_or(usual));
    let (filter, level) = reload::Layer::new(filter);
    let log = fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let log = match cli.log_format {
        Format::Text => log.boxed(),
        Format::Json => log.json().boxed(),
    };
    tracing_subscriber::registry().with(filter).with(log).init();
    Level(level)
}
