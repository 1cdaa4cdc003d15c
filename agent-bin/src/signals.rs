//! Ctrl-C and SIGTERM, as one future.

use std::io;

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
