//! Options of `passportal audit`.

use clap::{Args, Subcommand};
use jiff::Timestamp;
use passportal_client::audit::{AuditFormat, is_hash};

/// `passportal audit …`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show lines, the latest first.
    List(ListAudit),
    /// Read every line and compute the chain here: status 1 where a line was changed or is missing.
    Verify(VerifyAudit),
    /// Write every line to standard output, the earliest first.
    Export(ExportAudit),
}

/// Which lines.
#[derive(Args, Debug)]
pub(crate) struct ListAudit {
    /// Of this person or agent: any part of the name.
    #[arg(long)]
    pub(crate) who: Option<String>,
    /// With this in what was done, or with exactly this subject.
    #[arg(long)]
    pub(crate) what: Option<String>,
    /// Only of this client, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) client: Option<String>,
    /// Not before this time (2025-01-31T00:00:00Z).
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<Timestamp>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    /// Lines at the most.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
}

#[derive(Args, Debug)]
pub(crate) struct VerifyAudit {
    /// A hash that was printed earlier and kept elsewhere: the trail must still have it.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    pub(crate) contains: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct ExportAudit {
    /// json (an object on each line), csv, or cef.
    #[arg(long)]
    pub(crate) format: AuditFormat,
}

fn hash(text: &str) -> Result<String, &'static str> {
    let text = text.to_ascii_lowercase();
    is_hash(&text)
        .then_some(text)
        .ok_or("not a hash: it has 64 hexadecimal digits")
}
