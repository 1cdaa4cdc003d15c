//! How the wizard asks: one question at a time, whoever answers.

use std::fmt;

use secrecy::SecretString;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    /// The person ended the wizard.
    #[error("stopped by you")]
    ByPerson,
    /// The terminal does not work.
    #[error("the terminal cannot be used")]
    Terminal(#[source] std::io::Error),
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is asked.
    pub text: &'a str,
    /// What helps to answer it.
    pub help: &'a str,
}

impl<'a> Question<'a> {
    pub(super) fn new(text: &'a str, help: &'a str) -> Self {
        Self { text, help }
    }
}

/// Whoever answers the wizard's questions.
pub trait Asker {
    /// Tells something.
    fn say(&mut self, text: &str);

    /// A line; the usual answer where the line is empty.
    fn line(&mut self, question: Question<'_>, usual: Option<&str>) -> Result<String, Stopped>;

    /// Something that is not shown.
    fn secret(&mut self, question: Question<'_>) -> Result<SecretString, Stopped>;

    /// One of several, by its place; the first is the usual one.
    fn choice(&mut self, question: Question<'_>, of: &[String]) -> Result<usize, Stopped>;

    /// Yes or no.
    fn agrees(&mut self, question: Question<'_>, usual: bool) -> Result<bool, Stopped>;
}

/// Says that a step did not go along, and why.
pub(super) fn tell_fault(asker: &mut dyn Asker, fault: &dyn fmt::Display, hint: Option<&str>) {
    asker.say(&format!("✗ {fault}"));
    if let Some(hint) = hint {
        asker.say(&format!("  {hint}"));
    }
}
