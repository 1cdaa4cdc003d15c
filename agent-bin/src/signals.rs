//! Ctrl-C and SIGTERM, as one future and as a token; and SIGHUP.

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

/// The signals to read the configuration anew: SIGHUP, where there is one.
#[derive(Debug)]
pub struct Hangups(#[cfg(unix)] Option<tokio::signal::unix::Signal>);

impl Hangups {
    /// Those of this process. From now on SIGHUP does not end it any more.
    ///
    /// # Errors
    /// When the system's signals cannot be heard.
    pub fn of_this_process() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self(Some(signal(SignalKind::hangup())?)))
        }
        #[cfg(not(unix))]
        Ok(Self())
    }

    /// None, ever.
    pub fn none() -> Self {
        Self(
            #[cfg(unix)]
            None,
        )
    }

    /// Has the next one cancel `stop` instead: where a program runs in a terminal, that is what closing it means.
    #[must_use]
    pub fn that_stop(mut self, stop: CancellationToken) -> Self {
        tokio::spawn(async move {
            self.next().await;
            stop.cancel();
        });
        Self::none()
    }

    /// The next one. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signal) = &mut self.0
            && signal.recv().await.is_some()
        {
            return;
        }
        std::future::pending::<()>().await;
    }
}
