//! A guided tour on the terminal: numbered steps, and what came of each.

use std::io;

use super::{Output, Paint, Tone};
use crate::arguments::Format;

/// A tour. In JSON its words go to standard error, so that standard output holds data only.
pub(crate) struct Tour<'a> {
    output: &'a Output,
    step: u32,
}

impl<'a> Tour<'a> {
    pub(crate) fn new(output: &'a Output) -> Self {
        Self { output, step: 0 }
    }

    /// Begins the next step.
    pub(crate) fn step(&mut self, title: &str) -> io::Result<()> {
        self.step += 1;
        let number = self.step;
        self.say("")?;
        self.say(
            &self
                .paint()
                .tone(Tone::Strong, &format!("{number}  {title}")),
        )
    }

    /// A line of the step.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        match text {
            "" => self.say(""),
            text => self.say(&format!("   {text}")),
        }
    }

    /// What came of something, in its tone.
    pub(crate) fn result(&self, tone: Tone, word: &str, text: &str) -> io::Result<()> {
        let word = self.paint().tone(tone, word);
        self.say(&format!("   {word}  {text}"))
    }

    /// Names and their values, one a line.
    pub(crate) fn values(&self, values: &[(&str, &str)]) -> io::Result<()> {
        let width = values.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in values {
            self.line(&format!("{name:width$}  {value}"))?;
        }
        Ok(())
    }

    fn say(&self, text: &str) -> io::Result<()> {
        match self.output.format {
            Format::Table => self.output.write(text),
            Format::Json | Format::Csv => {
                self.output.note(text);
                Ok(())
            }
        }
    }

    fn paint(&self) -> Paint {
        match self.output.format {
            Format::Table => self.output.paint,
            Format::Json | Format::Csv => self.output.error_paint,
        }
    }
}
