//! Options of `passportal report`.

use clap::Args;
use jiff::Timestamp;
use passportal_client::wire::OverviewKind;

/// `passportal report NAME`.
#[derive(Args, Debug)]
pub(crate) struct ReportOptions {
    /// mismatches, unchanged-passwords, changes, sign-ins or client-audit.
    #[arg(value_name = "NAME")]
    pub(crate) report: OverviewKind,
    /// Only of this client, by name or id. client-audit needs one.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// unchanged-passwords: not changed for this many days (90 unless given).
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<u32>,
    /// Not before this time (2025-01-31T00:00:00Z); 30 days ago unless given.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Before this time; now unless given.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// End with status 3 when there are mismatches.
    #[arg(long)]
    pub(crate) exit_code: bool,
}
