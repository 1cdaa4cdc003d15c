//! The service's own command line: parses, calls, and turns the result into an exit status.

mod error;
mod logging;
mod service;
#[cfg(windows)]
mod under_windows;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use agent_bin::administrator::show_in_words;
use agent_bin::causes::chain;
use agent_bin::config::{self, Config, Overrides};
use agent_bin::core_dumps;
use agent_bin::handbook;
use agent_bin::health_check;
use agent_bin::service::{self as agent, ServiceError};
use agent_bin::setup;
use agent_bin::setup_args::SetupArgs;
use agent_bin::signals;
use clap::{CommandFactory as _, Parser, Subcommand};
use error::CommandError;
use tokio_util::sync::CancellationToken;

/// Keeps the passwords of a Passportal vault and Microsoft Entra ID the same.
#[derive(Parser)]
#[command(version, name = "passportal-agent")]
struct Cli {
    /// The configuration file.
    #[arg(long, global = true, value_name = "FILE", default_value = config::DEFAULT_PATH)]
    config: PathBuf,
    /// What to log, as a `tracing` filter: `info`, `debug`, `msgraph_sync=trace`. The service logs `info` when nothing
    /// is said, the other commands nothing.
    #[arg(long, global = true, value_name = "FILTER", value_parser = logging::filter)]
    log: Option<String>,
    /// How to log.
    #[arg(long, global = true, value_name = "text|json", default_value = "text")]
    log_format: logging::Format,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs until Ctrl-C or SIGTERM.
    Run {
        /// Where to answer /healthz, /readyz and /metrics, instead of `listen.address`.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<String>,
        /// Under Windows' service control manager.
        #[cfg(windows)]
        #[arg(long, hide = true)]
        service: bool,
    },
    /// Enrols this machine for one client.
    Setup(Box<SetupArgs>),
    /// Reads the configuration and says what is wrong with it.
    CheckConfig,
    /// Installs, starts, stops or removes the service, or says how it is.
    #[command(subcommand)]
    Service(service::Command),
    /// Asks the running agent whether it is alive.
    Healthcheck,
    /// Prints the completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Writes the man pages.
    #[command(hide = true)]
    ManPages {
        /// Where to.
        folder: PathBuf,
    },
}

pub(crate) async fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = core_dumps::disable() {
        remark(&format!("core dumps could not be disabled: {error}"));
    }
    logging::begin(&cli);
    agent_bin::install_tls_provider();
    match execute(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            error.status()
        }
    }
}

async fn execute(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        #[cfg(windows)]
        Command::Run {
            listen,
            service: true,
        } => Ok(under_windows::serve(cli.config, listen).await?),
        Command::Run { listen, .. } => {
            let stop = signals::stop_on_signals().map_err(ServiceError::Signals)?;
            let announce = |address| tell(&format!("listening on http://{address}"));
            serve(&cli.config, listen, stop, announce).await
        }
        Command::Setup(args) => {
            let done = setup::run(args.request(&cli.config, show_in_words(say))?).await?;
            for finding in &done.preflight.findings {
                remark(&format!("{finding}; {}", finding.remedy()));
            }
            let path = done.config_path.display();
            tell(&format!(
                "enrolled for client {}; configuration in {path}",
                done.client
            ));
            Ok(())
        }
        Command::CheckConfig => {
            let config = Config::load(&cli.config, config::environment(), Overrides::none())?;
            let clients = config.require_clients()?.len();
            config.verdict_table()?;
            tell(&format!(
                "{}: good, {clients} client(s)",
                cli.config.display()
            ));
            Ok(())
        }
        Command::Service(command) => service::run(command, cli.config),
        Command::Healthcheck => {
            let config = Config::load(&cli.config, config::environment(), Overrides::none())?;
            Ok(health_check::run(config.listen).await?)
        }
        Command::Completions { shell } => {
            let out = io::stdout().lock();
            Ok(handbook::write_completions(Cli::command(), shell, out)?)
        }
        Command::ManPages { folder } => Ok(handbook::write_man_pages(Cli::command(), &folder)?),
    }
}

/// Runs the agent until `stop`.
async fn serve(
    config: &Path,
    listen: Option<String>,
    stop: CancellationToken,
    announce: impl FnOnce(SocketAddr),
) -> Result<(), CommandError> {
    let overrides = listen.map_or_else(Overrides::none, |address| {
        Overrides::none().set("--listen", "listen.address", address)
    });
    let config = Config::load(config, config::environment(), overrides)?;
    config.require_clients()?;
    Ok(agent::run(&config, stop, announce).await?)
}

/// A reader that went away ends nothing.
fn tell(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// What is worth knowing, although nothing failed.
fn remark(text: &str) {
    say(&format!("note: {text}"));
}

fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn complain(error: &CommandError) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "error: {}", chain(error));
    let _ = writeln!(err, "hint: {}", error.hint());
}
