//! Options of the commands that work with the agent: plan, sync, plans and what people say about them, explain.
//! Setup's are the agent's own.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use sync_engine::model::{PlanId, UserPrincipalName};

/// What plan and sync have in common.
#[derive(Args, Debug)]
pub(crate) struct CycleOptions {
    /// End with status 3 when there are mismatches, 4 when something is held for approval.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Only this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

/// `passportal sync`.
#[derive(Args, Debug)]
pub(crate) struct SyncOptions {
    /// One cycle, instead of going on until Ctrl-C. Where the service runs, it runs the cycle.
    #[arg(long)]
    pub(crate) once: bool,
    #[command(flatten)]
    pub(crate) cycle: CycleOptions,
}

/// `passportal plans [PLAN]`.
#[derive(Args, Debug)]
pub(crate) struct PlansOptions {
    /// Show every write of this plan, by its id or the beginning of it; with `--output json` to save it.
    #[arg(value_name = "PLAN")]
    pub(crate) plan: Option<PlanName>,
    /// End with status 4 when a plan waits for approval.
    #[arg(long)]
    pub(crate) exit_code: bool,
    /// Only of this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

/// `passportal approve PLAN` and `passportal reject PLAN`.
#[derive(Args, Debug)]
pub(crate) struct RuleOptions {
    /// The plan, by its id or the beginning of it, as `passportal plans` shows it.
    #[arg(value_name = "PLAN")]
    pub(crate) plan: PlanName,
}

/// `passportal explain ACCOUNT`.
#[derive(Args, Debug)]
pub(crate) struct ExplainOptions {
    /// The account's user name, as in anna@contoso.com.
    #[arg(value_name = "ACCOUNT", value_parser = user_name)]
    pub(crate) account: UserPrincipalName,
    /// Only of this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

fn user_name(text: &str) -> Result<UserPrincipalName, &'static str> {
    let name = UserPrincipalName::new(text);
    match name.domain() {
        Some(domain) if !domain.is_empty() => Ok(name),
        _ => Err("write it as name@domain"),
    }
}

/// A plan's id, or the beginning of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlanName(String);

impl PlanName {
    pub(crate) fn is_of(&self, plan: PlanId) -> bool {
        plan.to_string().starts_with(&self.0)
    }

    /// The id, where it is written out.
    pub(crate) fn whole(&self) -> Option<PlanId> {
        self.0.parse().ok()
    }
}

impl FromStr for PlanName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const LENGTH: usize = 36;
        let name = text.trim().to_lowercase();
        let is_part = name.chars().all(|it| it.is_ascii_hexdigit() || it == '-');
        if name.is_empty() || name.len() > LENGTH || !is_part {
            return Err("a plan's id is like 3f2a9c1e-…; its beginning is enough");
        }
        Ok(Self(name))
    }
}

impl fmt::Display for PlanName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `passportal doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorOptions {
    /// Only this client, by its name in the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
}

/// `passportal organization-key CLIENT`.
#[derive(Args, Debug)]
pub(crate) struct OrganizationKeyOptions {
    /// The client, by its name in the configuration.
    #[arg(value_name = "CLIENT")]
    pub(crate) client: String,
    /// File with the new organization key, `-` for standard input. It never leaves this machine.
    #[arg(long, value_name = "FILE")]
    pub(crate) organization_key_file: PathBuf,
}

/// `passportal sign-in CLIENT`.
#[derive(Args, Debug)]
pub(crate) struct SignInOptions {
    /// The client, by its name in the configuration.
    #[arg(value_name = "CLIENT")]
    pub(crate) client: String,
}
