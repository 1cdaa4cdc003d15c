//! Options of the commands that work with the agent: plan and sync. Setup's are the agent's own.

use clap::Args;

/// What plan and sync have in common.
#[derive(Args, Debug)]
pub(crate) struct CycleOptions {
    /// End with status 3 when there are mismatches, 4 when something is held.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Only this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

/// `passportal sync`.
#[derive(Args, Debug)]
pub(crate) struct SyncOptions {
    /// One cycle, instead of going on until Ctrl-C.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) cycle: CycleOptions,
}
