//! Logs go to standard error, and only when asked for.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// Begins to log: nothing but errors by default, more with each `-v`, or exactly what `RUST_LOG` says.
pub(crate) fn begin(verbose: u8) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        EnvFilter::new(match verbose {
            0 => "off",
            1 => "warn,agent_bin=info,sync_engine=info,passportal_client=info,msgraph_sync=info",
            2 => {
                "info,agent_bin=debug,sync_engine=debug,passportal_client=debug,msgraph_sync=debug"
            }
            _ => "trace",
        })
    });
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
}
