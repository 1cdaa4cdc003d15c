//! What happened in a world, line by line.

use crate::time::Moment;

/// Whether a run keeps what happened. Telling costs time, and any run can be made again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    /// Nothing is kept.
    #[default]
    Silent,
    /// Every step.
    Everything,
}

/// What happened in a world.
#[derive(Debug)]
pub(crate) struct Trace {
    telling: Telling,
    lines: Vec<String>,
    steps: u64,
}

impl Trace {
    pub(crate) fn new(telling: Telling) -> Self {
        Self {
            telling,
            lines: Vec::new(),
            steps: 0,
        }
    }

    /// Tells a step. The words are made only where somebody listens.
    pub(crate) fn tell(&mut self, now: Moment, words: impl FnOnce() -> String) {
        self.steps += 1;
        if self.telling == Telling::Everything {
            self.lines
                .push(format!("{:>7} {now} {}", self.steps, words()));
        }
    }

    /// How many steps there were.
    pub(crate) fn steps(&self) -> u64 {
        self.steps
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
