//! What is logged, and how: to standard error, as text or JSON, for systemd's journal in its form, and by a filter that can be
//! changed; a service of Windows has a file and the event log instead.

#[cfg(windows)]
mod of_service;
mod traces;

use std::fmt;
use std::io::{self, IsTerminal as _};

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

use self::traces::Traces;
use super::{Cli, Command};

/// How to log.
#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

/// What was begun.
pub(super) struct Logging {
    /// The log's filter.
    pub(super) filter: LogFilter,
    traces: Option<Traces>,
}

impl Logging {
    /// Tells what is not told yet.
    pub(super) async fn end(self) {
        if let Some(traces) = self.traces {
            traces.end().await;
        }
    }
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

/// Begins to log what the command line asks for, and a service to tell traces.
pub(super) fn begin(cli: &Cli) -> Logging {
    let (usual, traces) = match cli.command {
        Command::Run { .. } => ("info", Traces::of_environment()),
        _ => ("off", None),
    };
    let filter = EnvFilter::new(cli.log.as_deref().unwrap_or(usual));
    let (filter, handle) = reload::Layer::new(filter);
    // The filter is the log's alone: what is traced does not depend on it.
    tracing_subscriber::registry()
        .with(log(cli).with_filter(filter))
        .with(traces.as_ref().map(Traces::layer))
        .init();
    Logging {
        filter: LogFilter(handle),
        traces,
    }
}

fn log(cli: &Cli) -> Box<dyn Layer<Registry> + Send + Sync> {
    #[cfg(windows)]
    if let Command::Run { service: true, .. } = cli.command {
        return of_service::log(cli);
    }
    let log = tracing_subscriber::fmt::layer()
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match (cli.log_format, is_journal()) {
        (Format::Text, false) => log.boxed(),
        (Format::Text, true) => log.without_time().map_event_format(ForJournal).boxed(),
        (Format::Json, false) => log.json().boxed(),
        (Format::Json, true) => log
            .json()
            .without_time()
            .map_event_format(ForJournal)
            .boxed(),
    }
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
