//! The log of a service of Windows, which has no standard error: a file a day beside the configuration, and the event log.

use std::path::Path;

use agent_bin::event_log::EventLog;
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::{Layer, Registry, fmt};

use super::{Cli, Format};

/// A fortnight.
const MOST_FILES: usize = 14;

pub(super) fn log(cli: &Cli) -> Box<dyn Layer<Registry> + Send + Sync> {
    // A log that cannot be written must not keep the agent from its work; the event log is there still.
    let file = file(&cli.config).ok().map(|file| {
        let layer = fmt::layer().with_ansi(false).with_writer(file);
        match cli.log_format {
            Format::Text => layer.boxed(),
            Format::Json => layer.json().boxed(),
        }
    });
    // Not an option's own `and_then`.
    Layer::<Registry>::and_then(file, EventLog::default()).boxed()
}

fn file(config: &Path) -> Result<std::sync::Mutex<RollingFileAppender>, InitError> {
    RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("agent")
        .filename_suffix("log")
        .max_log_files(MOST_FILES)
        .build(config.with_file_name("log"))
        .map(std::sync::Mutex::new)
}
