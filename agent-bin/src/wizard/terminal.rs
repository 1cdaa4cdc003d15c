//! A person at a terminal.

use std::io::Write as _;

use inquire::validator::{StringValidator, Validation};
use inquire::{
    Confirm, CustomUserError, InquireError, Password, PasswordDisplayMode, Select, Text,
};
use secrecy::SecretString;

use super::ask::{Asker, Question, Stopped};

/// The terminal of this process: questions and words go to standard error, so that standard output stays data.
#[derive(Debug, Default)]
pub struct Terminal;

impl Asker for Terminal {
    fn say(&mut self, text: &str) {
        // A terminal that went away is noticed at the next question.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    fn line(&mut self, question: Question<'_>, usual: Option<&str>) -> Result<String, Stopped> {
        let mut text = Text::new(question.text).with_help_message(question.help);
        if let Some(usual) = usual {
            text = text.with_default(usual);
        }
        let answer = text.with_validator(NotEmpty).prompt();
        answer.map(|line| line.trim().to_owned()).map_err(stopped)
    }

    fn secret(&mut self, question: Question<'_>) -> Result<SecretString, Stopped> {
        let answer = Password::new(question.text)
            .with_help_message(question.help)
            .with_display_mode(PasswordDisplayMode::Masked)
            .with_validator(NotEmpty)
            .without_confirmation()
            .prompt();
        answer.map(SecretString::from).map_err(stopped)
    }

    fn choice(&mut self, question: Question<'_>, of: &[String]) -> Result<usize, Stopped> {
        let answer = Select::new(question.text, of.to_vec())
            .with_help_message(question.help)
            .raw_prompt();
        answer.map(|chosen| chosen.index).map_err(stopped)
    }

    fn agrees(&mut self, question: Question<'_>, usual: bool) -> Result<bool, Stopped> {
        let answer = Confirm::new(question.text)
            .with_help_message(question.help)
            .with_default(usual)
            .prompt();
        answer.map_err(stopped)
    }
}

#[derive(Clone)]
struct NotEmpty;

impl StringValidator for NotEmpty {
    fn validate(&self, input: &str) -> Result<Validation, CustomUserError> {
        Ok(if input.trim().is_empty() {
            Validation::Invalid("an answer is needed here".into())
        } else {
            Validation::Valid
        })
    }
}

fn stopped(error: InquireError) -> Stopped {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => Stopped::ByPerson,
        InquireError::IO(error) => Stopped::Terminal(error),
        other => Stopped::Terminal(std::io::Error::other(other)),
    }
}
