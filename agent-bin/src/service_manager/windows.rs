//! The service under Windows' service control manager: automatic start, recovery, an account of its own.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use windows_service::Error as ScmError;
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};

use super::{InstallOptions, NAME, ServiceManagerError, ServiceStatus};
use crate::causes::chain;
use crate::{access_list, event_log};

/// An account that Windows makes for this service alone; it has no password.
const OWN_ACCOUNT: &str = r"NT SERVICE\passportal-agent";
const DISPLAY_NAME: &str = "Passportal agent";
const DESCRIPTION: &str =
    "Keeps the passwords of a Passportal vault and Microsoft Entra ID the same.";

/// After a crash, and after one soon afterwards, and from then on.
const RESTARTS: [Duration; 3] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(5),
];
const CRASHES_FORGOTTEN: Duration = Duration::from_hours(24);

/// A write in flight is waited for, and its account of itself.
const LONGEST_STOP: Duration = Duration::from_mins(1);
const LONGEST_START: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Source: Microsoft, system error codes.
const NO_ERROR: u32 = 0;
const ACCESS_DENIED: i32 = 5;
const INVALID_LEVEL: i32 = 124;
const ALREADY_RUNNING: i32 = 1056;
const DOES_NOT_EXIST: i32 = 1060;
const NOT_ACTIVE: i32 = 1062;
const NEVER_STARTED: u32 = 1077;

pub(super) fn install(options: &InstallOptions) -> Result<(), ServiceManagerError> {
    let config = whole_path(&options.config)?;
    let account = options.account.as_ref();
    let password = account.and_then(|it| it.password.as_ref());
    let account = account.map_or(OWN_ACCOUNT, |it| &it.name);
    let info = info(&config, account, password)?;
    match change(&info) {
        Err(ServiceManagerError::NotInstalled) => create(&info, &config, account),
        changed => configure(&changed?, &config, account),
    }
}

fn change(info: &ServiceInfo) -> Result<Service, ServiceManagerError> {
    let service = open(ServiceAccess::all())?;
    service.change_config(info).map_err(refused("change"))?;
    Ok(service)
}

fn create(info: &ServiceInfo, config: &Path, account: &str) -> Result<(), ServiceManagerError> {
    let access = ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE;
    let service = manager(access)?
        .create_service(info, ServiceAccess::all())
        .map_err(refused("create"))?;
    let configured = configure(&service, config, account);
    if configured.is_err() {
        // The first error is the one to tell.
        let _ = service.delete();
        let _ = event_log::unregister();
    }
    configured
}

pub(super) fn uninstall() -> Result<(), ServiceManagerError> {
    stop()?;
    open(ServiceAccess::DELETE)?
        .delete()
        .map_err(refused("remove"))?;
    event_log::unregister().map_err(|error| told("remove", &error))
}

pub(super) fn start() -> Result<(), ServiceManagerError> {
    let service = open(ServiceAccess::START | ServiceAccess::QUERY_STATUS)?;
    match service.start::<OsString>(&[]) {
        Err(error) if code(&error) == Some(ALREADY_RUNNING) => {}
        started => started.map_err(refused("start"))?,
    }
    await_state(&service, ServiceState::Running, "start", LONGEST_START)
}

pub(super) fn stop() -> Result<(), ServiceManagerError> {
    let service = open(ServiceAccess::STOP | ServiceAccess::QUERY_STATUS)?;
    match service.stop() {
        Err(error) if code(&error) == Some(NOT_ACTIVE) => return Ok(()),
        asked => asked.map_err(refused("stop"))?,
    };
    await_state(&service, ServiceState::Stopped, "stop", LONGEST_STOP)
}

pub(super) fn status() -> Result<ServiceStatus, ServiceManagerError> {
    let service = match open(ServiceAccess::QUERY_STATUS) {
        Err(ServiceManagerError::NotInstalled) => return Ok(ServiceStatus::NotInstalled),
        opened => opened?,
    };
    let status = service.query_status().map_err(refused("show"))?;
    Ok(match status.current_state {
        ServiceState::Stopped => match status.exit_code {
            ServiceExitCode::Win32(NO_ERROR | NEVER_STARTED) => ServiceStatus::Stopped,
            ServiceExitCode::Win32(code) | ServiceExitCode::ServiceSpecific(code) => {
                let why = format!("exit code {code}");
                ServiceStatus::Failed { why }
            }
        },
        ServiceState::StartPending => ServiceStatus::Starting,
        ServiceState::StopPending => ServiceStatus::Stopping,
        ServiceState::Running
        | ServiceState::ContinuePending
        | ServiceState::PausePending
        | ServiceState::Paused => ServiceStatus::Running {
            pid: status.process_id,
        },
    })
}

/// The service starts in another folder.
fn whole_path(config: &Path) -> Result<PathBuf, ServiceManagerError> {
    let missing = || ServiceManagerError::NoConfiguration {
        path: config.to_owned(),
    };
    if !config.is_file() {
        return Err(missing());
    }
    std::path::absolute(config).map_err(|_| missing())
}

fn info(
    config: &Path,
    account: &str,
    password: Option<&SecretString>,
) -> Result<ServiceInfo, ServiceManagerError> {
    let program = std::env::current_exe().map_err(|error| told("create", &error))?;
    Ok(ServiceInfo {
        name: NAME.into(),
        display_name: DISPLAY_NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program,
        launch_arguments: vec![
            "--config".into(),
            config.into(),
            "run".into(),
            "--service".into(),
        ],
        dependencies: Vec::new(),
        account_name: Some(account.into()),
        account_password: password.map(|it| it.expose_secret().into()),
    })
}

fn configure(service: &Service, config: &Path, account: &str) -> Result<(), ServiceManagerError> {
    service
        .set_description(DESCRIPTION)
        .and_then(|()| set_recovery(service))
        .and_then(|()| where_known(service.set_preshutdown_timeout(LONGEST_STOP)))
        .map_err(refused("configure"))?;
    event_log::register().map_err(|error| told("name to the event log", &error))?;
    prepare_folder(config, account)
}

fn set_recovery(service: &Service) -> windows_service::Result<()> {
    service.update_failure_actions(ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(CRASHES_FORGOTTEN),
        reboot_msg: None,
        command: None,
        actions: Some(RESTARTS.map(restart_after).into()),
    })?;
    where_known(service.set_failure_actions_on_non_crash_failures(true))
}

fn restart_after(delay: Duration) -> ServiceAction {
    ServiceAction {
        action_type: ServiceActionType::Restart,
        delay,
    }
}

/// Older systems do not know every setting, and are none the worse for it.
fn where_known(set: windows_service::Result<()>) -> windows_service::Result<()> {
    match set {
        Err(error) if code(&error) == Some(INVALID_LEVEL) => Ok(()),
        set => set,
    }
}

/// Whoever could write into the folder before could have the service do their will.
fn prepare_folder(config: &Path, account: &str) -> Result<(), ServiceManagerError> {
    let folder = config.parent().unwrap_or(config);
    access_list::only_for(folder, account).map_err(|source| ServiceManagerError::File {
        path: folder.to_owned(),
        source,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a command that does nothing else meanwhile"
)]
fn await_state(
    service: &Service,
    goal: ServiceState,
    action: &'static str,
    patience: Duration,
) -> Result<(), ServiceManagerError> {
    let mut waited = Duration::ZERO;
    loop {
        let status = service.query_status().map_err(refused("show"))?;
        if status.current_state == goal {
            return Ok(());
        }
        if status.current_state == ServiceState::Stopped {
            let (ServiceExitCode::Win32(code) | ServiceExitCode::ServiceSpecific(code)) =
                status.exit_code;
            return Err(ServiceManagerError::Ended { code });
        }
        if waited >= patience {
            let seconds = patience.as_secs();
            return Err(ServiceManagerError::TooSlow { action, seconds });
        }
        thread::sleep(LOOK_AGAIN);
        waited += LOOK_AGAIN;
    }
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, ServiceManagerError> {
    ServiceManager::local_computer(None::<OsString>, access).map_err(refused("show"))
}

fn open(access: ServiceAccess) -> Result<Service, ServiceManagerError> {
    manager(ServiceManagerAccess::CONNECT)?
        .open_service(NAME, access)
        .map_err(refused("show"))
}

fn code(error: &ScmError) -> Option<i32> {
    match error {
        ScmError::Winapi(source) => source.raw_os_error(),
        _ => None,
    }
}

fn refused(action: &'static str) -> impl Fn(ScmError) -> ServiceManagerError {
    move |error| match &error {
        ScmError::Winapi(source) => told(action, source),
        other => ServiceManagerError::Refused {
            action,
            said: chain(other),
        },
    }
}

fn told(action: &'static str, error: &io::Error) -> ServiceManagerError {
    match error.raw_os_error() {
        Some(ACCESS_DENIED) => ServiceManagerError::NotPrivileged,
        Some(DOES_NOT_EXIST) => ServiceManagerError::NotInstalled,
        _ => ServiceManagerError::Refused {
            action,
            said: error.to_string(),
        },
    }
}
