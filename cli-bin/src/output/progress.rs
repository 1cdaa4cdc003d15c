//! A bar on standard error while a cycle runs; invisible where that is no terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sync_engine::Observer;
use sync_engine::model::StepKind;
use sync_engine::plan::Decision;

const READING: &str = "{prefix} {spinner} {msg}";
const WORKING: &str = "{prefix} {bar:24} {pos}/{len} {msg}";
const TICK: Duration = Duration::from_millis(120);

/// Watches the cycle of one client.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn of(client: &str) -> Self {
        let bar = ProgressBar::new(0).with_prefix(super::one_line(client));
        set_style(&bar, READING);
        bar.set_message("reading");
        bar.enable_steady_tick(TICK);
        Self(bar)
    }
}

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("━╸─"));
    }
}

impl Observer for Bar {
    fn planned(&self, steps: usize) {
        set_style(&self.0, WORKING);
        self.0.inc_length(steps as u64);
    }

    fn finished(&self, decision: &Decision, kind: StepKind) {
        let done = match kind {
            StepKind::Verify => "checked",
            StepKind::Push => "pushed",
        };
        let account = super::one_line(decision.user_name.as_str());
        self.0.set_message(format!("{done} {account}"));
        self.0.inc(1);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
