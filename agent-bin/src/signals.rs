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

/// Completes on Ctrl-C.
///
/// # Errors
/// When the system's signals cannot be heard.
#[cfg(not(unix))]
pub fn end_signal() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}
