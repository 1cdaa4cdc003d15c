//! `run --service`: the same as `run`, under Windows' service control manager.

use std::path::PathBuf;
use std::pin::pin;

use agent_bin::causes::chain;
use agent_bin::event_log::{self, Happened};
use agent_bin::service_control::{self, Ended, ServiceControlLine};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::error::CommandError;
use super::logging::LogFilter;

/// Serves until the service is stopped.
pub(super) async fn serve(
    config: PathBuf,
    listen: Option<String>,
    log: LogFilter,
) -> Result<(), windows_service::Error> {
    let runtime = Handle::current();
    let served = tokio::task::spawn_blocking(move || {
        service_control::serve(move |line, stop| {
            let ended = runtime.block_on(agent(config, listen, log, (line, stop)));
            account_for(&ended)
        })
    });
    // It ends in no other way than by returning.
    served.await.unwrap_or(Ok(()))
}

async fn agent(
    config: PathBuf,
    listen: Option<String>,
    log: LogFilter,
    (line, stop): (ServiceControlLine, CancellationToken),
) -> Result<(), CommandError> {
    let announce = |address| {
        line.running();
        event_log::tell(
            Happened::Started,
            &format!("The agent runs. It answers on http://{address}."),
        );
    };
    let mut serving = pin!(super::serve(config, listen, log, (stop.clone(), announce)));
    tokio::select! {
        ended = &mut serving => ended,
        () = stop.cancelled() => {
            line.stopping();
            serving.await
        }
    }
}

fn account_for(ended: &Result<(), CommandError>) -> Ended {
    match ended {
        Ok(()) => {
            event_log::tell(Happened::Stopped, "The agent has stopped.");
            Ended::Well
        }
        // The event log tells the log's errors, too.
        Err(error) => {
            tracing::error!("the agent cannot run: {}; {}", chain(error), error.hint());
            Ended::Badly
        }
    }
}
