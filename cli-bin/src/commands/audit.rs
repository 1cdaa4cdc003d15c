//! `passportal audit`: the lines of the audit trail, and the proof that they are as they were written.

use passportal_client::PersonSession;
use passportal_client::audit::{AuditHead, Chain};
use passportal_client::wire::{AuditLine, AuditQuery};
use serde::Serialize;

use crate::arguments::{AuditCommand, ExportAudit, Global, ListAudit, VerifyAudit};
use crate::ending::Ending;
use crate::failure::Refusal;
use crate::output::{Output, Paint, Sheet, Shown, Tone, time};
use crate::{lookup, session};

#[derive(Debug, Serialize)]
struct Lines {
    lines: Vec<AuditLine>,
}

impl Shown for Lines {
    fn text(&self, paint: Paint) -> String {
        let headings = ["line", "time", "who", "what", "client", "subject", "from"];
        let mut sheet = Sheet::new(paint, &headings);
        for line in &self.lines {
            sheet.row([
                (line.line.to_string(), Tone::Faint),
                (time(line.at), Tone::Normal),
                (line.who.clone(), Tone::Normal),
                (line.what.clone(), Tone::Normal),
                (line.client_name.clone().unwrap_or_default(), Tone::Normal),
                (line.subject.clone(), Tone::Faint),
                (line.address.clone().unwrap_or_default(), Tone::Faint),
            ]);
        }
        sheet.text_or("no lines")
    }
}

/// The head of a chain whose every line is right.
#[derive(Debug, Serialize)]
struct Verified {
    head: AuditHead,
}

impl Shown for Verified {
    fn text(&self, _paint: Paint) -> String {
        let AuditHead { line, hash } = &self.head;
        format!("{line} lines, all as they were written\nhead: {hash}")
    }
}

pub(super) async fn run(
    command: &AuditCommand,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let person = session::resume(global.session.as_deref())?;
    match command {
        AuditCommand::List(options) => {
            let lines = list(&person, options).await?;
            output.show(&Lines { lines })?;
        }
        AuditCommand::Verify(options) => {
            let head = verify(&person, options).await?;
            output.show(&Verified { head })?;
        }
        AuditCommand::Export(options) => export(&person, options, output).await?,
    }
    Ok(Ending::Done)
}

async fn list(person: &PersonSession, options: &ListAudit) -> anyhow::Result<Vec<AuditLine>> {
    let client = match &options.client {
        Some(name) => Some(lookup::client(person, name).await?.id),
        None => None,
    };
    let query = AuditQuery {
        who: options.who.clone(),
        what: options.what.clone(),
        client,
        from: options.from,
        until: options.until,
        limit: Some(options.limit),
        ..AuditQuery::default()
    };
    Ok(person.audit(&query).await?)
}

/// The next lines after one, the earliest first.
async fn page_after(person: &PersonSession, last: u64) -> anyhow::Result<Vec<AuditLine>> {
    let query = AuditQuery {
        after: Some(last),
        limit: Some(AuditQuery::MOST),
        ..AuditQuery::default()
    };
    Ok(person.audit(&query).await?)
}

/// Computes every hash on this machine: the vault's word is not enough.
async fn verify(person: &PersonSession, options: &VerifyAudit) -> anyhow::Result<AuditHead> {
    let mut chain = Chain::default();
    let mut found = options.contains.is_none();
    loop {
        let lines = page_after(person, chain.head().line).await?;
        if lines.is_empty() {
            break;
        }
        for line in &lines {
            chain.take(line).map_err(broken)?;
            found |= options.contains.as_ref() == Some(&line.hash);
        }
    }
    if !found {
        return Err(Refusal::new(
            "no line of the audit trail has the hash that was kept",
            "it is another trail, or its end was cut off and replaced: compare with the vault's backups",
        )
        .into());
    }
    Ok(chain.head().clone())
}

fn broken(error: impl std::fmt::Display) -> Refusal {
    Refusal::new(
        error.to_string(),
        "keep a copy of the vault's folder, and compare with the last good backup",
    )
}

async fn export(
    person: &PersonSession,
    options: &ExportAudit,
    output: &Output,
) -> anyhow::Result<()> {
    let format = options.format;
    output.pass(&format.heading())?;
    let mut last = 0;
    loop {
        let lines = page_after(person, last).await?;
        let Some(end) = lines.last() else {
            return Ok(());
        };
        last = end.line;
        let text: String = lines.iter().map(|line| format.line(line)).collect();
        output.pass(&text)?;
    }
}
