//! The command line as people type it.

mod agent;
mod audit;
mod report;
mod vault;

use std::path::PathBuf;

use agent_bin::config::DEFAULT_PATH;
use agent_bin::setup_args::SetupArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use agent::{
    CycleOptions, DoctorOptions, ExplainOptions, OrganizationKeyOptions, PlanName, PlansOptions,
    RuleOptions, SignInOptions, SyncOptions,
};
pub(crate) use audit::{AuditCommand, ExportAudit, ListAudit, VerifyAudit};
pub(crate) use report::ReportOptions;
pub(crate) use vault::{
    AddClient, AddCredential, ClearFlags, ClientsCommand, CredentialsCommand, ExportCredentials,
    FlagsCommand, ImportCredentials, ListFlags, LoginOptions, Named, OwnModeWord, SetClient,
    SetMode, SetPassword,
};

/// Keeps the passwords of a Passportal vault and Microsoft Entra ID in step.
#[derive(Debug, Parser)]
#[command(
    name = "passportal",
    version,
    after_help = "Exit status: 0 done, 1 failed, 2 usage, 3 done but there are mismatches, \
                  4 held for approval, 5 not authorised (3 and 4 only with --exit-code)."
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Args, Debug)]
pub(crate) struct Global {
    /// The agent's configuration.
    #[arg(long, global = true, value_name = "FILE", default_value = DEFAULT_PATH, help_heading = "Global options")]
    pub(crate) config: PathBuf,
    /// Where the session with the vault is kept, instead of `PASSPORTAL_SESSION_FILE` or the
    /// user's configuration folder.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Global options"
    )]
    pub(crate) session: Option<PathBuf>,
    /// How data is written to standard output.
    #[arg(
        long,
        global = true,
        value_name = "FORMAT",
        default_value = "table",
        help_heading = "Global options"
    )]
    pub(crate) output: Format,
    /// Log to standard error; twice or three times for more.
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
}

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets: reports only.
    Csv,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole product on this machine: a vault, a simulated tenant, an agent.
    #[cfg(feature = "demo")]
    Demo(DemoOptions),
    /// Sign in to the vault as a person.
    Login(LoginOptions),
    /// Enrol this machine's agent for one client.
    Setup(Box<SetupArgs>),
    /// Sign an administrator in anew by device code, for a client that the agent acts in as a person.
    SignIn(SignInOptions),
    /// Give this machine's agent the new data key of a client, after the organization key was changed.
    OrganizationKey(OrganizationKeyOptions),
    /// Show how the agent, its clients and its service are.
    Status,
    /// Check the set-up from end to end, and name each fault with its remedy.
    Doctor(DoctorOptions),
    /// Show what the next cycle would do, and do nothing.
    Plan(CycleOptions),
    /// Bring Entra ID in step with the vault.
    Sync(SyncOptions),
    /// Show the plans that wait for approval, or every write of one.
    Plans(PlansOptions),
    /// Let exactly the writes of a held plan pass.
    Approve(RuleOptions),
    /// Keep exactly the writes of a held plan from being made.
    Reject(RuleOptions),
    /// Tell what is known of an account, which rule applies, and what happens next.
    Explain(ExplainOptions),
    /// Clients of the organization.
    #[command(subcommand)]
    Clients(ClientsCommand),
    /// Stored passwords.
    #[command(subcommand)]
    Credentials(CredentialsCommand),
    /// Flags on credentials.
    #[command(subcommand)]
    Flags(FlagsCommand),
    /// Reports: mismatches, unchanged-passwords, changes, sign-ins, client-audit.
    Report(ReportOptions),
    /// The audit trail of the vault.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Print the completions for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Write the man pages.
    #[command(hide = true)]
    ManPages {
        /// Where to.
        folder: PathBuf,
    },
}

/// `passportal demo`.
#[cfg(feature = "demo")]
#[derive(Args, Debug)]
pub(crate) struct DemoOptions {
    /// End after the tour instead of staying up.
    #[arg(long)]
    pub(crate) once: bool,
    /// Accounts that agree, beside those of the tour.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u16).range(..=5000))]
    pub(crate) accounts: u16,
    /// Where everything is kept; made anew by each demo.
    #[arg(long, value_name = "DIR", default_value = "passportal-demo")]
    pub(crate) data_dir: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    // The default paths in them are those of Unix.
    #[cfg(all(unix, feature = "demo"))]
    #[test]
    fn the_help_is_as_reviewed() {
        let mut command = Cli::command().term_width(100);
        insta::assert_snapshot!(command.render_help());
    }

    #[cfg(unix)]
    #[test]
    fn the_help_of_setup_is_as_reviewed() {
        let mut command = Cli::command().term_width(100);
        command.build();
        let setup = command.find_subcommand_mut("setup").unwrap();
        insta::assert_snapshot!(setup.render_help());
    }

    #[test]
    fn no_option_takes_a_secret_itself() {
        fn check(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let secret = ["password", "organization_key", "client_secret", "token"]
                    .iter()
                    .any(|word| name.contains(word));
                assert!(
                    !secret || name.ends_with("_file"),
                    "{} takes {name}",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }

    #[test]
    fn wrong_usage_ends_with_2() {
        for line in [
            "passportal",
            "passportal frobnicate",
            "passportal login --email a@b.c --password-file p",
            "passportal login --base-url https://v --region us --email a@b.c --password-file p",
            "passportal login --region mars --email a@b.c --password-file p",
            "passportal clients set Contoso --mute --unmute",
            "passportal flags clear",
            "passportal approve",
            "passportal reject not-a-plan",
            "passportal plans 3f2a9c1e-0000-0000-0000-0000000000001",
            "passportal explain anna",
        ] {
            let error = Cli::try_parse_from(line.split(' ')).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line}");
        }
    }
}
