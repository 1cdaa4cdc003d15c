//! Which page of a list that is too long to be counted.

use crate::vault::Part;

/// Pages that can be asked for; the search finds what is further away.
const LAST_PAGE: u64 = 10_000;

/// A page, and whether there is another one after it.
pub(super) struct Paging {
    pub(super) current: u64,
    pub(super) more: bool,
    lines: u64,
}

impl Paging {
    /// The page that is asked for, or the first.
    pub(super) fn new(asked: Option<u64>, lines: u64) -> Self {
        Self {
            current: asked.unwrap_or(1).clamp(1, LAST_PAGE),
            more: false,
            lines,
        }
    }

    /// What has to be read: one line more than is shown tells whether there is another page.
    pub(super) fn part(&self) -> Part {
        Part {
            after: (self.current - 1) * self.lines,
            most: self.lines + 1,
        }
    }

    /// Takes note of that line, and leaves it out.
    pub(super) fn cut<T>(&mut self, lines: &mut Vec<T>) {
        let most = usize::try_from(self.lines).unwrap_or(usize::MAX);
        self.more = lines.len() > most;
        lines.truncate(most);
    }
}
