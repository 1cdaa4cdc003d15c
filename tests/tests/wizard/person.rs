//! Somebody who answers: each answer names a part of the question that it is meant for.

use std::collections::VecDeque;
use std::time::Duration;

use agent_bin::administrator::{ShowCode, show_in_words};
use agent_bin::service_manager::{
    Account, AccountError, InstallOptions, Look, ServiceManagerError, ServiceStatus,
};
use agent_bin::setup::SetupDone;
use agent_bin::setup_args::SetupArgs;
use agent_bin::wizard::{self, Asker, Question, Services, Stopped, Then, WizardError};
use integration_tests::World;
use secrecy::SecretString;
use url::Url;

/// One answer of a person.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A line, or something that is not shown.
    Line(&'static str, String),
    /// The choice whose label begins so.
    Choice(&'static str, &'static str),
    /// Yes or no.
    Agrees(&'static str, bool),
    /// Ctrl-C at this question.
    Stop(&'static str),
}

pub(crate) fn line(question: &'static str, answer: impl Into<String>) -> Answer {
    Answer::Line(question, answer.into())
}

pub(crate) fn choice(question: &'static str, label: &'static str) -> Answer {
    Answer::Choice(question, label)
}

/// A person with answers in order, and everything that was said to it.
#[derive(Default)]
pub(crate) struct Person {
    answers: VecDeque<Answer>,
    pub(crate) heard: Vec<String>,
    pub(crate) asked: Vec<String>,
}

impl Person {
    pub(crate) fn with(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self {
            answers: answers.into_iter().collect(),
            ..Self::default()
        }
    }

    fn next(&mut self, question: Question<'_>) -> Result<Answer, Stopped> {
        self.asked.push(question.text.to_owned());
        let answer = self.answers.pop_front();
        let answer = answer.unwrap_or_else(|| panic!("nothing to answer to: {}", question.text));
        let (Answer::Line(meant, _)
        | Answer::Choice(meant, _)
        | Answer::Agrees(meant, _)
        | Answer::Stop(meant)) = &answer;
        assert!(
            question.text.contains(meant),
            "asked {:?}, heard so far {:#?}, and the answer is {answer:?}",
            question.text,
            self.heard
        );
        match answer {
            Answer::Stop(_) => Err(Stopped::ByPerson),
            answer => Ok(answer),
        }
    }

    /// What was said, as one text.
    pub(crate) fn transcript(&self) -> String {
        self.heard.join("\n")
    }

    pub(crate) fn is_done(&self) -> bool {
        self.answers.is_empty()
    }
}

impl Asker for Person {
    fn say(&mut self, text: &str) {
        self.heard.push(text.to_owned());
    }

    fn line(&mut self, question: Question<'_>, _: Option<&str>) -> Result<String, Stopped> {
        match self.next(question)? {
            Answer::Line(_, answer) => Ok(answer),
            other => panic!("{question:?} wants a line, not {other:?}"),
        }
    }

    fn secret(&mut self, question: Question<'_>) -> Result<SecretString, Stopped> {
        self.line(question, None).map(SecretString::from)
    }

    fn choice(&mut self, question: Question<'_>, of: &[String]) -> Result<usize, Stopped> {
        let Answer::Choice(_, label) = self.next(question)? else {
            panic!("{question:?} wants a choice");
        };
        let chosen = of.iter().position(|it| it.starts_with(label));
        Ok(chosen.unwrap_or_else(|| panic!("no {label:?} among {of:?}")))
    }

    fn agrees(&mut self, question: Question<'_>, _: bool) -> Result<bool, Stopped> {
        match self.next(question)? {
            Answer::Agrees(_, answer) => Ok(answer),
            other => panic!("{question:?} wants yes or no, not {other:?}"),
        }
    }
}

/// What a test's world needs instead of Microsoft's own addresses.
pub(crate) fn options(world: &World) -> SetupArgs {
    let state = world.folder().join("agent").join("state.db");
    SetupArgs {
        authority: Some(Url::parse(&world.entra_url).unwrap()),
        graph: Some(Url::parse(&world.entra_url).unwrap()),
        state_url: Some(format!("sqlite://{}", state.display())),
        ..SetupArgs::default()
    }
}

/// A machine without a service manager, or one whose service never works.
pub(crate) enum Machine {
    WithoutServices,
    ThatNeverWorks,
}

/// The only account of either machine.
pub(crate) const KNOWN_ACCOUNT: &str = "sync";

impl Services for Machine {
    fn look(&self, account: &Account) -> Result<Look, AccountError> {
        let name = account.name.clone();
        if name != KNOWN_ACCOUNT {
            return Err(AccountError::Unknown { name });
        }
        match self {
            Self::WithoutServices => Ok(Look::Good),
            Self::ThatNeverWorks => Ok(Look::NotTold {
                why: "no domain controller answers".to_owned(),
            }),
        }
    }

    fn install(&self, options: &InstallOptions) -> Result<(), ServiceManagerError> {
        let account = options.account.as_ref();
        assert!(account.is_none_or(|it| it.name == KNOWN_ACCOUNT));
        match self {
            Self::WithoutServices => Err(ServiceManagerError::NoServiceManager),
            Self::ThatNeverWorks => Ok(()),
        }
    }

    fn start(&self) -> Result<(), ServiceManagerError> {
        Ok(())
    }

    fn status(&self) -> Result<ServiceStatus, ServiceManagerError> {
        Ok(ServiceStatus::NotInstalled)
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(10)
    }
}

pub(crate) async fn walk(world: &World, person: &mut Person) -> Result<SetupDone, WizardError> {
    let no_code = show_in_words(|text| panic!("{text}"));
    walk_with(world, person, options(world), no_code).await
}

pub(crate) async fn walk_with(
    world: &World,
    person: &mut Person,
    args: SetupArgs,
    show_code: ShowCode,
) -> Result<SetupDone, WizardError> {
    let machine = (
        person as &mut dyn Asker,
        &Machine::WithoutServices as &dyn Services,
    );
    let (done, then) = wizard::run(args, &world.config_path(), machine, show_code).await?;
    assert_eq!(then, Then::Start);
    Ok(done)
}
