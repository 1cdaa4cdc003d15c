//! Data goes to standard output as a table or JSON, everything else to standard error.

mod cycles;
mod plans;
mod progress;
mod sheet;
#[cfg(feature = "demo")]
mod tour;
mod words;

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use jiff::Timestamp;
use serde::Serialize;

use crate::arguments::Format;
use crate::failure::Told;

pub(crate) use cycles::{ClientCycle, Cycles};
pub(crate) use plans::{PlanLine, Plans, RuledPlan, WholePlan, short};
pub(crate) use progress::Bar;
pub(crate) use sheet::{Paint, Sheet, Tone};
#[cfg(feature = "demo")]
pub(crate) use tour::Tour;
pub(crate) use words::{one_line, time};

/// Data that a command shows: `Serialize` is what programs get, `text` what people see.
pub(crate) trait Shown: Serialize {
    fn text(&self, paint: Paint) -> String;

    /// For spreadsheets, where the data is a table with one meaning for each column.
    fn csv(&self) -> Option<String> {
        None
    }
}

/// Where a command writes to.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    paint: Paint,
    error_paint: Paint,
}

impl Output {
    /// This process's streams. Colours only on a terminal, and not where `NO_COLOR` is set.
    pub(crate) fn of_this_process(format: Format) -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && env::var_os("TERM").is_none_or(|term| term != "dumb");
        let paint = |terminal: bool| match (terminal, wanted) {
            (true, true) => Paint::Coloured,
            (true, false) => Paint::Uncoloured,
            (false, _) => Paint::Plain,
        };
        Self {
            format,
            paint: paint(io::stdout().is_terminal()),
            error_paint: paint(io::stderr().is_terminal()),
        }
    }

    /// Writes data.
    pub(crate) fn show(&self, data: &impl Shown) -> io::Result<()> {
        match self.format {
            Format::Table => self.write(&data.text(self.paint)),
            Format::Json => self.write(&serde_json::to_string_pretty(data)?),
            Format::Csv => self.pass(&data.csv().ok_or_else(no_csv)?),
        }
    }

    /// Writes what is new: for people only what happened, for programs everything on one line.
    pub(crate) fn show_news(&self, cycle: &ClientCycle, at: Timestamp) -> io::Result<()> {
        match self.format {
            Format::Table => self.write(&cycle.news(at, self.paint)),
            Format::Json => self.write(&serde_json::to_string(cycle)?),
            Format::Csv => Err(no_csv()),
        }
    }

    /// Writes text that has its line endings already, for another program.
    pub(crate) fn pass(&self, text: &str) -> io::Result<()> {
        match text.strip_suffix('\n') {
            Some(text) => self.write(text),
            None => Ok(()),
        }
    }

    /// Tells something that is not data.
    #[expect(clippy::unused_self, reason = "writing is the output's")]
    pub(crate) fn note(&self, text: &str) {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Tells why a command failed.
    pub(crate) fn complain(&self, told: &Told) {
        let mut stderr = io::stderr();
        let error = self.error_paint.tone(Tone::Bad, "error:");
        let _ = writeln!(stderr, "{error} {}", told.error);
        if let Some(hint) = &told.hint {
            let label = self.error_paint.tone(Tone::Faint, "hint:");
            let _ = writeln!(stderr, "{label} {hint}");
        }
    }

    #[expect(clippy::unused_self, reason = "writing is the output's")]
    fn write(&self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            // Whoever read us has seen enough (`passportal … | head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

fn no_csv() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this command writes no CSV: only reports do",
    )
}
