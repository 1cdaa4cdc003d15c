//! Ctrl-C and SIGTERM, as one future and as a token.

use std::io;

use tokio_util::sync::CancellationToken;

/// A token that Ctrl-C and SIGTERM cancel.
///
/// # Errors
/// When the system's signals cannot be heard.
pub fn stop_on_signals() -> io::Result<CancellationToken> {
    let end = end_signal()?;
    let stop = CancellationToken::new();
    let stopper = stop.clone();
    tokio::spawn(async move {
        end.await;
        stopper.cancel();
    });
    Ok(stop)
}

/// Completes on SIGINT or SIGTERM. Both are watched from the moment this is called, not only once
/// the future is first polled.
///
/// # Errors
/// When the system's signals cannot be heard.
#[cfg(unix)]
pub fn end_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Completes on Ctrl-C and Ctrl-Break, when the console is closed, and when the machine shuts down.
///
/// # Errors
/// When the system's signals cannot be heard.
#[cfg(not(unix))]
pub fn end_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
    let (mut interrupt, mut interrupt_too) = (ctrl_c()?, ctrl_break()?);
    let (mut close, mut shutdown) = (ctrl_close()?, ctrl_shutdown()?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = interrupt_too.recv() => {}
            _ = close.recv() => {}
            _ = shutdown.recv() => {}
        }
    })
}
