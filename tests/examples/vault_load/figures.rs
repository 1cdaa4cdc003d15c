//! Times, by what they were taken of.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Times, by what they were taken of.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<&'static str, Vec<Duration>>);

impl Figures {
    pub(crate) fn add(&mut self, what: &'static str, time: Duration) {
        self.0.entry(what).or_default().push(time);
    }

    pub(crate) fn join(&mut self, others: Self) {
        for (what, times) in others.0 {
            self.0.entry(what).or_default().extend(times);
        }
    }
}

/// The time within which this share of them was.
fn within(sorted: &[Duration], percent: usize) -> f64 {
    let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(place).map_or(0.0, Duration::as_secs_f64) * 1_000.0
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:12} {:>7} {:>9} {:>9} {:>9}",
            "page", "visits", "median", "95 %", "slowest"
        )?;
        for (what, times) in &self.0 {
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let [median, most, slowest] = [50, 95, 100].map(|percent| within(&sorted, percent));
            writeln!(
                f,
                "{what:12} {:>7} {median:>6.1} ms {most:>6.1} ms {slowest:>6.1} ms",
                sorted.len()
            )?;
        }
        Ok(())
    }
}
