//! The agent as Windows' service control manager sees it: starting, running, stopping, stopped.

use std::ffi::OsString;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windows_service::service::{
    ServiceControl, ServiceControlAccept, ServiceExitCode, ServiceState, ServiceStatus, ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::{Result, define_windows_service, service_dispatcher};

use crate::service_manager::NAME;

/// How long the manager may wait for the next word: a write in flight is waited for.
const LONGEST_STEP: Duration = Duration::from_mins(1);
/// What `sc query` shows of a service that could not run; the event log says why.
const COULD_NOT_RUN: u32 = 1;

/// How the service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it was asked to.
    Well,
    /// It could not go on, and should be tried again.
    Badly,
}

/// This process's line to the service control manager.
#[derive(Clone, Copy, Debug)]
pub struct ServiceControlLine(ServiceStatusHandle);

type Work = Box<dyn FnOnce(ServiceControlLine, CancellationToken) -> Ended + Send>;

/// Windows calls a function that knows nothing of who asked for it.
static WORK: Mutex<Option<Work>> = Mutex::new(None);

/// Does the work as a service, on a thread that Windows makes for it, until it has ended. The token is cancelled when the service,
/// or the machine, is to end.
///
/// # Errors
/// When it was not the service control manager that started this process.
pub fn serve(
    work: impl FnOnce(ServiceControlLine, CancellationToken) -> Ended + Send + 'static,
) -> Result<()> {
    *work_to_do() = Some(Box::new(work));
    service_dispatcher::start(NAME, service_main)
}

define_windows_service!(service_main, serve_once);

fn serve_once(_arguments: Vec<OsString>) {
    let Some(work) = work_to_do().take() else {
        return;
    };
    let stop = CancellationToken::new();
    // Without a line there is nobody to serve and nobody to tell.
    let Ok(line) = ServiceControlLine::open(stop.clone()) else {
        return;
    };
    line.say(ServiceState::StartPending, ServiceExitCode::NO_ERROR);
    let exit_code = match work(line, stop) {
        Ended::Well => ServiceExitCode::NO_ERROR,
        Ended::Badly => ServiceExitCode::ServiceSpecific(COULD_NOT_RUN),
    };
    line.say(ServiceState::Stopped, exit_code);
}

fn work_to_do() -> std::sync::MutexGuard<'static, Option<Work>> {
    WORK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ServiceControlLine {
    fn open(stop: CancellationToken) -> Result<Self> {
        service_control_handler::register(NAME, move |control| match control {
            ServiceControl::Stop | ServiceControl::Preshutdown => {
                stop.cancel();
                ServiceControlHandlerResult::NoError
            }
            ServiceControl::Interrogate => ServiceControlHandlerResult::NoError,
            _ => ServiceControlHandlerResult::NotImplemented,
        })
        .map(Self)
    }

    /// It runs, and may be stopped.
    pub fn running(self) {
        self.say(ServiceState::Running, ServiceExitCode::NO_ERROR);
    }

    /// It ends what it is at.
    pub fn stopping(self) {
        self.say(ServiceState::StopPending, ServiceExitCode::NO_ERROR);
    }

    /// A manager that is not there any more ends nothing.
    fn say(self, state: ServiceState, exit_code: ServiceExitCode) {
        let controls_accepted = match state {
            ServiceState::Running => ServiceControlAccept::STOP | ServiceControlAccept::PRESHUTDOWN,
            _ => ServiceControlAccept::empty(),
        };
        let wait_hint = match state {
            ServiceState::StartPending | ServiceState::StopPending => LONGEST_STEP,
            _ => Duration::ZERO,
        };
        let _ = self.0.set_service_status(ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted,
            exit_code,
            checkpoint: 0,
            wait_hint,
            process_id: None,
        });
    }
}
