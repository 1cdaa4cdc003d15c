//! The command line `passportal`: parses, calls, prints, and ends with a status that says how it went.

mod arguments;
mod commands;
#[cfg(feature = "demo")]
mod demo;
mod desk;
mod ending;
mod failure;
mod logging;
mod lookup;
mod organization;
mod output;
mod secret_file;
mod session;

use std::process::ExitCode;

use arguments::Cli;
use clap::Parser as _;
use ending::Ending;
use output::Output;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    logging::begin(cli.global.verbose);
    agent_bin::install_tls_provider();
    let output = Output::of_this_process(cli.global.output);
    if let Err(error) = passportal_client::core_dumps::disable() {
        output.note(&format!("note: core dumps could not be disabled: {error}"));
    }
    match commands::run(&cli, &output).await {
        Ok(ending) => ending.into(),
        Err(error) => {
            output.complain(&failure::Told::of(&error));
            Ending::of_error(&error).into()
        }
    }
}
