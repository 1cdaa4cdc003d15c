//! What is logged, and how: to standard error, as text or JSON, for systemd's journal in its form, and by a filter that can be
//! changed; a service of Windows has a file and the event log instead.

#[cfg(windows)]
mod of_service;

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use super::{Cli, Command};

/// How to log.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// The filter of this process's log.
#[derive(Clone)]
pub(super) struct LogFilter(reload::Handle<EnvFilter, Registry>);

impl LogFilter {
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
pub(super) fn begin(cli: &Cli) -> LogFilter {
    let usual = match cli.command {
        Command::Run { .. } => "info",
        _ => "off",
    };
    let filter = EnvFilter::new(cli.log.as_deref().unwrap_or(usual));
    #[cfg(windows)]
    if let Command::Run { service: true, .. } = cli.command {
        return of_service::begin(filter, cli);
    }
    let (filter, handle) = reload::Layer::new(filter);
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let log = match (cli.log_format, is_journal()) {
        (Format::Text, false) => log.boxed(),
        (Format::Text, true) => log.without_time().map_event_format(ForJournal).boxed(),
        (Format::Json, false) => log.json().boxed(),
        (Format::Json, true) => log
            .json()
            .without_time()
            .map_event_format(ForJournal)
            .boxed(),
    };
    tracing_subscriber::registry().with(filter).with(log).init();
    LogFilter(handle)
}

/// Whether standard error is the journal. Source: `systemd.exec(5)`, `$JOURNAL_STREAM`.
#[cfg(unix)]
fn is_journal() -> bool {
    let Some(stream) = std::env::var_os("JOURNAL_STREAM") else {
        return false;
    };
    rustix::fs::fstat(io::stderr())
        .is_ok_and(|it| stream.to_str() == Some(&format!("{}:{}", it.st_dev, it.st_ino)))
}

#[cfg(not(unix))]
fn is_journal() -> bool {
    false
}

/// The journal has times of its own, and reads a line's priority from its beginning. Source: `sd-daemon(3)`.
struct ForJournal<F>(F);

impl<S, N, F> FormatEvent<S, N> for ForJournal<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(context, writer, event)
    }
}

/// Source: `syslog(3)`.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        _ => 7,
    }
}
