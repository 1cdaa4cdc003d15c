//! Tells the vault what came of a cycle, so that neither a crash nor a lost answer loses it.

use super::sight::is_untouched;
use super::{Engine, EngineError};
use crate::apply::Done;
use crate::cycle::Row;
use crate::model::{Report, ReportEntry, ReportId, Reported};
use crate::plan::Moved;

/// Entries in one report at the most.
const REPORT_SIZE: usize = 500;

impl Engine {
    /// Tells the vault what changed, and after another agent's term everything, and remembers that it was told. The report is
    /// kept until the vault has it, so that a lost answer loses nothing.
    pub(super) async fn report(&mut self, rows: &[Row], done: &Done) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        let untold = std::mem::take(&mut self.untold);
        let sight = self.sight()?;
        let is_news = |row: &Row| untold.contains(&row.credential) || sight.is_news(row);
        let news: Vec<ReportEntry> = rows
            .iter()
            .filter(|row| !is_untouched(row, done) && is_news(row))
            .map(|row| row.entry(now))
            .collect();
        self.untold = untold;
        for entries in news.chunks(REPORT_SIZE) {
            let report = Report {
                id: ReportId(self.ports.clock.new_id()),
                entries: entries.to_vec(),
            };
            self.ports.store.keep_report(&report).await?;
            self.remember_reported(&report).await?;
        }
        self.flush_reports().await
    }

    async fn remember_reported(&mut self, report: &Report) -> Result<(), EngineError> {
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        let mut told = Vec::new();
        for entry in &report.entries {
            self.untold.remove(&entry.credential);
            if let Some(known) = memory.credentials.get_mut(&entry.credential) {
                known.raised.clone_from(&entry.flags);
                known.reported = Some(Reported {
                    version: entry.version,
                    outcome: entry.outcome.clone(),
                });
                told.push(known.clone());
            }
        }
        let ids = told.iter().map(|known| known.id);
        self.planner.mark(Moved::credentials(ids));
        Ok(self.ports.store.save_credentials(&told).await?)
    }

    pub(super) async fn flush_reports(&self) -> Result<(), EngineError> {
        for report in self.ports.store.kept_reports().await? {
            self.ports.vault.report(&report).await?;
            self.ports.store.drop_report(report.id).await?;
        }
        Ok(())
    }
}
