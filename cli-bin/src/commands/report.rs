//! `passportal report`: a table that the vault makes.

use passportal_client::wire::{Overview, OverviewKind, OverviewQuery};

use crate::arguments::{Global, ReportOptions};
use crate::ending::Ending;
use crate::output::{Output, Paint, Sheet, Shown, Tone};
use crate::{lookup, session};

impl Shown for Overview {
    fn text(&self, paint: Paint) -> String {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        let mut sheet = Sheet::new(paint, &columns);
        for row in &self.rows {
            sheet.row(row.iter().map(|cell| (cell.clone(), Tone::Normal)));
        }
        let more = if self.cut_off {
            "\nthere are more rows: choose a shorter span or a client"
        } else {
            ""
        };
        let table = sheet.text_or("nothing to report");
        format!("{}: {}\n{table}{more}", self.report.title(), self.about)
    }

    fn csv(&self) -> Option<String> {
        Some(Self::csv(self))
    }
}

pub(super) async fn run(
    options: &ReportOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let person = session::resume(global.session.as_deref())?;
    let client = match &options.client {
        Some(name) => Some(lookup::client(&person, name).await?.id),
        None => None,
    };
    let query = OverviewQuery {
        client,
        days: options.days,
        from: options.from,
        until: options.until,
    };
    let report = person.overview(options.report, &query).await?;
    output.show(&report)?;
    let mismatched = report.report == OverviewKind::Mismatches && !report.rows.is_empty();
    if options.exit_code && mismatched {
        return Ok(Ending::Mismatches);
    }
    Ok(Ending::Done)
}
