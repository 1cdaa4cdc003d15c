//! The commands: each reads its options, calls a library, and shows what came of it.

mod audit;
mod clients;
mod credential_tables;
mod credentials;
mod cycle;
mod doctor;
mod explain;
mod flags;
mod login;
mod organization_key;
mod plan;
mod plans;
mod report;
mod rule;
#[cfg(test)]
pub(crate) mod samples;
mod setup;
mod sign_in;
mod status;
pub(crate) mod sync;

use std::io::{self, Write as _};

use agent_bin::administrator::{ShowCode, show_in_words};
use agent_bin::config::{self, ClientConfig, Config, ConfigError, Overrides};
use agent_bin::handbook;
use clap::CommandFactory as _;
use sync_engine::plan::Ruling;

use crate::arguments::{Cli, Command, Format, Global};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, one_line};

/// Runs the command.
pub(crate) async fn run(cli: &Cli, output: &Output) -> anyhow::Result<Ending> {
    let global = &cli.global;
    // Before anything is done: afterwards it could not be told.
    if global.output == Format::Csv && !matches!(cli.command, Command::Report(_)) {
        let hint = "use --output table or --output json";
        return Err(Refusal::new("only `passportal report` writes CSV", hint).into());
    }
    match &cli.command {
        #[cfg(feature = "demo")]
        Command::Demo(options) => crate::demo::run(options, output).await,
        Command::Login(options) => login::run(options, global, output).await,
        Command::Setup(options) => setup::run(options, global, output).await,
        Command::SignIn(options) => sign_in::run(options, global, output).await,
        Command::OrganizationKey(options) => organization_key::run(options, global, output).await,
        Command::Status => status::run(global, output).await,
        Command::Doctor(options) => doctor::run(options, global, output).await,
        Command::Plan(options) => plan::run(options, global, output).await,
        Command::Sync(options) => sync::run(options, global, output).await,
        Command::Plans(options) => plans::run(options, global, output).await,
        Command::Approve(options) => rule::run(options, Ruling::Approve, global, output).await,
        Command::Reject(options) => rule::run(options, Ruling::Reject, global, output).await,
        Command::Explain(options) => explain::run(options, global, output).await,
        Command::Clients(command) => clients::run(command, global, output).await,
        Command::Credentials(command) => credentials::run(command, global, output).await,
        Command::Flags(command) => flags::run(command, global, output).await,
        Command::Report(options) => report::run(options, global, output).await,
        Command::Audit(command) => audit::run(command, global, output).await,
        Command::Completions { shell } => {
            handbook::write_completions(Cli::command(), *shell, io::stdout().lock())?;
            Ok(Ending::Done)
        }
        Command::ManPages { folder } => {
            handbook::write_man_pages(Cli::command(), folder)?;
            Ok(Ending::Done)
        }
    }
}

/// The agent's configuration, from file and environment.
fn load_config(global: &Global) -> Result<Config, ConfigError> {
    Config::load(&global.config, config::environment(), Overrides::none())
}

/// The client of this name in the agent's configuration.
fn configured_client<'a>(config: &'a Config, name: &str) -> anyhow::Result<&'a ClientConfig> {
    let wanted = name.trim();
    let mut clients = config.require_clients()?.iter();
    let found = clients.find(|it| it.name.eq_ignore_ascii_case(wanted));
    let found = found.ok_or_else(|| {
        let what = format!("the configuration has no client `{name}`");
        Refusal::new(what, "`passportal doctor` names those that it has")
    })?;
    Ok(found)
}

/// Shows a person where to enter which code, on standard error.
fn show_code() -> ShowCode {
    show_in_words(|text| {
        // Nobody can be told that standard error is gone.
        let _ = writeln!(io::stderr(), "{}", one_line(text));
    })
}
