//! Windows' event log (Application): what an administrator must see without looking for it.

use std::fmt::{self, Write as _};
use std::io;
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use winsafe::{HEVENTLOG, HKEY, RegistryValue, co};

use crate::service_manager::NAME;
use said::Said;

mod said;

/// Where Windows looks for the sources of its log `Application`.
const SOURCES: &str = r"SYSTEM\CurrentControlSet\Services\EventLog\Application";
/// A library of Windows whose every message is the text that it is given.
const MESSAGES: &str = r"%SystemRoot%\System32\EventCreate.exe";
/// The same trouble, every cycle anew, is told once in this time.
const ONCE_IN: Duration = Duration::from_hours(1);

/// What happened, with the number under which an administrator finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    /// The service runs.
    Started = 1,
    /// It was stopped, and has ended what it was at.
    Stopped = 2,
    /// A warning of the log.
    Warning = 10,
    /// An error of the log, such as why it cannot run.
    Error = 11,
}

impl Happened {
    fn kind(self) -> co::EVENTLOG {
        match self {
            Self::Started | Self::Stopped => co::EVENTLOG::INFORMATION_TYPE,
            Self::Warning => co::EVENTLOG::WARNING_TYPE,
            Self::Error => co::EVENTLOG::ERROR_TYPE,
        }
    }
}

/// Tells it to the event log. Where that fails there is nobody else to tell.
pub fn tell(happened: Happened, text: &str) {
    let Ok(log) = HEVENTLOG::RegisterEventSource(None, NAME) else {
        return;
    };
    let _ = log.ReportEvent(happened.kind(), 0, happened as u32, None, &[text], &[]);
}

/// Names the service to the event log, so that it shows the texts as they are.
///
/// # Errors
/// When the registry refuses.
pub(crate) fn register() -> io::Result<()> {
    let source = format!(r"{SOURCES}\{NAME}");
    let (key, _) = HKEY::LOCAL_MACHINE
        .RegCreateKeyEx(
            &source,
            None,
            co::REG_OPTION::NON_VOLATILE,
            co::KEY::WRITE,
            None,
        )
        .map_err(refused)?;
    let messages = RegistryValue::ExpandSz(MESSAGES.to_owned());
    key.RegSetValueEx(Some("EventMessageFile"), messages)
        .map_err(refused)?;
    let kinds = co::EVENTLOG::ERROR_TYPE.raw()
        | co::EVENTLOG::WARNING_TYPE.raw()
        | co::EVENTLOG::INFORMATION_TYPE.raw();
    let kinds = RegistryValue::Dword(kinds.into());
    key.RegSetValueEx(Some("TypesSupported"), kinds)
        .map_err(refused)
}

/// Takes the name away. That there was none is no error.
///
/// # Errors
/// When the registry refuses.
pub(crate) fn unregister() -> io::Result<()> {
    match HKEY::LOCAL_MACHINE.RegDeleteKey(&format!(r"{SOURCES}\{NAME}")) {
        Err(co::ERROR::FILE_NOT_FOUND) => Ok(()),
        removed => removed.map_err(refused),
    }
}

fn refused(error: co::ERROR) -> io::Error {
    i32::try_from(error.raw())
        .map_or_else(|_| io::Error::other(error), io::Error::from_raw_os_error)
}

/// Tells the event log every warning and error of the log, the same one once an hour.
#[derive(Debug, Default)]
pub struct EventLog {
    said: Said,
}

impl<S: Subscriber> Layer<S> for EventLog {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let happened = match *event.metadata().level() {
            Level::ERROR => Happened::Error,
            Level::WARN => Happened::Warning,
            _ => return,
        };
        let mut text = Text::default();
        event.record(&mut text);
        if self.said.is_news(&text.0, Instant::now(), ONCE_IN) {
            tell(happened, &text.0);
        }
    }
}

/// The message, and the ids that it is about.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a string cannot fail.
        let _ = match field.name() {
            "message" => {
                let rest = std::mem::take(&mut self.0);
                write!(self.0, "{value:?}{rest}")
            }
            name => write!(self.0, "\n{name}: {value:?}"),
        };
    }
}
