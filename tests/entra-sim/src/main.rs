//! The binary `entra-sim`: a simulated tenant on a port, until it is told to stop.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use entra_sim::{Scenario, ScenarioError, ServeError, Simulator, TlsFiles};
use jiff::SignedDuration;
use tracing_subscriber::EnvFilter;

/// Simulates Entra ID sign-in and Microsoft Graph for tests and demonstrations.
#[derive(Parser)]
#[command(name = "entra-sim", version)]
struct Arguments {
    /// Where to listen; port 0 lets the system choose.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The scenario, a .toml or .json file.
    #[arg(long)]
    scenario: PathBuf,
    /// Certificate chain (PEM); with it the simulator speaks https.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The address that links name, where clients come through a proxy.
    #[arg(long)]
    public_url: Option<String>,
    /// How far the service's clock is off, such as 1h or -1h.
    #[arg(long, default_value = "0s", allow_hyphen_values = true)]
    clock_offset: SignedDuration,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_writer(std::io::stderr)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let scenario = Scenario::load(&arguments.scenario)?;
    let simulator = Simulator::new(scenario, arguments.clock_offset);
    if let Some(url) = &arguments.public_url {
        simulator.set_public_url(url);
    }
    let tls = arguments
        .tls_cert
        .zip(arguments.tls_key)
        .map(|(cert, key)| TlsFiles { cert, key });
    let end = end_signal().context("could not watch for signals")?;
    let listening = entra_sim::bind(simulator, arguments.listen, tls)?;
    announce(&listening.url()).context("could not write to standard output")?;
    listening.run(end).await?;
    Ok(())
}

/// Ends on SIGINT and SIGTERM; watched from before the port is announced.
#[cfg(unix)]
fn end_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
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

/// Ends on Ctrl-C.
#[cfg(not(unix))]
fn end_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

fn announce(url: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "listening on {url}")?;
    output.flush()
}

#[expect(
    clippy::print_stderr,
    reason = "the binary's one place that prints errors"
)]
fn complain(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
    eprintln!("hint: {}", hint(error));
}

fn hint(error: &anyhow::Error) -> &'static str {
    if let Some(ScenarioError::Invalid { .. }) = error.downcast_ref() {
        return "correct the key at that line; the crate's documentation lists every key of a scenario";
    }
    if error.is::<ScenarioError>() {
        return "name a readable .toml or .json file with --scenario";
    }
    match error.downcast_ref() {
        Some(ServeError::Bind { .. }) => {
            "choose another port with --listen, or port 0 to let the system choose"
        }
        Some(ServeError::Pem { .. } | ServeError::Tls(_)) => {
            "--tls-cert takes a PEM certificate chain, --tls-key its unencrypted PEM key"
        }
        _ => "run with RUST_LOG=debug to see more",
    }
}
