//! The service's own command line: parses, calls, and turns the result into an exit status.

mod error;
mod logging;
mod moved;
mod service;
mod steered;
#[cfg(windows)]
mod under_windows;

use std::io::{self, IsTerminal as _, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use agent_bin::administrator::show_in_words;
use agent_bin::causes::chain;
use agent_bin::config::{self, Config, Overrides};
use agent_bin::handbook;
use agent_bin::health_check;
use agent_bin::service::{self as agent, ServiceError};
use agent_bin::setup_args::SetupArgs;
use agent_bin::signals::{self, Hangups};
use agent_bin::steering::Steering;
use agent_bin::wizard::{self, Then};
use clap::{CommandFactory as _, Parser, Subcommand};
use error::CommandError;
use passportal_client::core_dumps;
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
    /// Enrols this machine for one client; at a terminal it asks for what the options leave open.
    Setup(Box<SetupArgs>),
    /// Reads the configuration and says what is wrong with it.
    CheckConfig,
    /// Installs, starts, stops or removes the service, or says how it is.
    #[command(subcommand)]
    Service(service::Command),
    /// Packs this machine's agent into a file, behind a passphrase, to move it to another machine.
    Export {
        /// The file to write.
        file: PathBuf,
        /// A file with the passphrase.
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
    },
    /// Unpacks an agent that was exported on another machine.
    Import {
        /// The file to read.
        file: PathBuf,
        /// A file with the passphrase.
        #[arg(long, value_name = "FILE")]
        passphrase_file: PathBuf,
    },
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
    /// Has the running service go by the configuration as it is now, as SIGHUP does.
    Reload,
    /// Has the running service log by another filter, until it ends.
    LogLevel {
        /// A `tracing` filter: `info`, `debug`, `msgraph_sync=trace,info`.
        #[arg(value_name = "FILTER", value_parser = logging::filter)]
        filter: String,
    },
}

pub(crate) async fn run() -> ExitCode {
    let cli = Cli::parse();
    if let Err(error) = core_dumps::disable() {
        remark(&format!("core dumps could not be disabled: {error}"));
    }
    agent_bin::install_tls_provider();
    let logging = logging::begin(&cli);
    let done = execute(cli, logging.filter.clone()).await;
    logging.end().await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            error.status()
        }
    }
}

async fn execute(cli: Cli, log: logging::LogFilter) -> Result<(), CommandError> {
    match cli.command {
        #[cfg(windows)]
        Command::Run {
            listen,
            service: true,
        } => Ok(under_windows::serve(cli.config, listen, log).await?),
        Command::Run { listen, .. } => serve_here(cli.config, listen, log).await,
        Command::Setup(args) => {
            let (done, then) = wizard::run_or_ask(*args, &cli.config, show_in_words(say)).await?;
            for finding in &done.preflight.findings {
                remark(&format!("{finding}; {}", finding.remedy()));
            }
            let path = done.config_path.display();
            tell(&format!(
                "enrolled for client {}; configuration in {path}",
                done.client
            ));
            if then == Then::RunHere {
                return serve_here(cli.config, None, log).await;
            }
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
        Command::Export {
            file,
            passphrase_file,
        } => moved::export(&cli.config, &file, &passphrase_file),
        Command::Import {
            file,
            passphrase_file,
        } => moved::import(&cli.config, &file, &passphrase_file),
        Command::Healthcheck => {
            let config = Config::load(&cli.config, config::environment(), Overrides::none())?;
            Ok(health_check::run(config.listen).await?)
        }
        Command::Completions { shell } => {
            let out = io::stdout().lock();
            Ok(handbook::write_completions(Cli::command(), shell, out)?)
        }
        Command::ManPages { folder } => Ok(handbook::write_man_pages(Cli::command(), &folder)?),
        Command::Reload => steered::reload(&cli.config).await,
        Command::LogLevel { filter } => steered::log_level(&cli.config, filter).await,
    }
}

/// Runs the agent in this terminal, or wherever else it was started, until it is told to stop.
async fn serve_here(
    config_path: PathBuf,
    listen: Option<String>,
    log: logging::LogFilter,
) -> Result<(), CommandError> {
    let stop = signals::stop_on_signals().map_err(ServiceError::Signals)?;
    let announce = |address| tell(&format!("listening on http://{address}"));
    serve(config_path, listen, log, (stop, announce)).await
}

/// Runs the agent until `stop`.
async fn serve(
    config_path: PathBuf,
    listen: Option<String>,
    log: logging::LogFilter,
    (stop, announce): (CancellationToken, impl FnOnce(SocketAddr)),
) -> Result<(), CommandError> {
    // Before anything else: until it is watched for, SIGHUP ends the process.
    let mut hangups = Hangups::of_this_process().map_err(ServiceError::Signals)?;
    if io::stdin().is_terminal() {
        hangups = hangups.that_stop(stop.clone());
    }
    let overrides = listen.map_or_else(Overrides::none, |address| {
        Overrides::none().set("--listen", "listen.address", address)
    });
    let read = move || Config::load(&config_path, config::environment(), overrides.clone());
    let config = read()?;
    config.require_clients()?;
    let steering = Steering {
        read_anew: Box::new(read),
        log_by: Box::new(move |filter| log.change(filter)),
        hangups,
    };
    Ok(agent::run_steered(&config, steering, stop, announce).await?)
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
    complain_of(&chain(error), Some(&error.hint()));
}

fn complain_of(what: &str, hint: Option<&str>) {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "error: {what}");
    if let Some(hint) = hint {
        let _ = writeln!(err, "hint: {hint}");
    }
}
