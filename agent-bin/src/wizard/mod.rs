//! Setup as a conversation: the steps of the help page, each checked before the next one is asked.
//!
//! What options or an answers file say is not asked. Nothing is written before the last step but a certificate that the person
//! wanted, and a draft with the answers so far, which hold no secret.

mod ask;
mod certificate;
mod draft;
mod machine;
mod registration;
mod service;
mod sign_in;
mod tenant;
mod terminal;
mod vault;

use std::io::IsTerminal as _;
use std::path::Path;

use passportal_client::PersonSession;
use passportal_client::envelope::DataKey;
use passportal_client::wire::Client;
use secrecy::SecretString;

pub use self::ask::{Asker, Question, Stopped};
pub use self::machine::MachineFault;
pub use self::service::{Services, Then, ThisMachine};
pub use self::terminal::Terminal;

use self::ask::tell_fault;
use self::draft::Draft;
use crate::administrator::ShowCode;
use crate::config::{self, Config, Overrides};
use crate::outbound::Outbound;
use crate::secrets::SecretFiles;
use crate::setup::{self, Setup, SetupDone, SetupError};
use crate::setup_args::{ArgsError, SetupArgs};

/// Why the wizard did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WizardError {
    /// No answer.
    #[error("setup did not come to its end")]
    Stopped(#[from] Stopped),
    /// The machine.
    #[error("this machine cannot have an agent")]
    Machine(#[from] MachineFault),
    /// What the options say.
    #[error(transparent)]
    Args(#[from] ArgsError),
    /// The last step.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Another product.
    #[error("the local Active Directory sync is another product")]
    OtherIntegration,
}

impl WizardError {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Stopped(_) => Some("run it again: it goes on where it was".to_owned()),
            Self::Machine(source) => Some(source.hint().to_owned()),
            Self::Args(source) => Some(source.hint().to_owned()),
            Self::Setup(source) => source.hint(),
            Self::OtherIntegration => Some(
                "install Passportal's agent for it; accounts that it manages are recognised here, and left alone"
                    .to_owned(),
            ),
        }
    }

    /// Whether it is the command line that is wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Args(ArgsError::Missing { .. }))
    }

    /// Whether the person or the app was not let in.
    pub fn is_not_authorised(&self) -> bool {
        matches!(self, Self::Setup(source) if source.is_not_authorised())
    }
}

/// Sets up as the options say; at a terminal, where they leave something open, by asking for it.
///
/// # Errors
/// When it did not come to its end. Then nothing was enrolled.
pub async fn run_or_ask(
    args: SetupArgs,
    config_path: &Path,
    show_code: ShowCode,
) -> Result<(SetupDone, Then), WizardError> {
    let args = args.with_answers()?;
    let somebody_is_there = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if somebody_is_there && !args.missing().is_empty() {
        let person = (
            &mut Terminal as &mut dyn Asker,
            &ThisMachine as &dyn Services,
        );
        let asking = run(args, config_path, person, show_code);
        let (mut done, then) = Box::pin(asking).await?;
        // They were told where they were found.
        done.preflight.findings.clear();
        return Ok((done, then));
    }
    let done = setup::run(args.request(config_path, show_code)?).await?;
    Ok((done, Then::Start))
}

/// What was typed and is kept nowhere but where it belongs.
#[derive(Default)]
struct Typed {
    password: Option<SecretString>,
    organization_key: Option<SecretString>,
    client_secret: Option<SecretString>,
}

/// A conversation under way.
struct Wizard<'a> {
    args: SetupArgs,
    typed: Typed,
    path: &'a Path,
    asker: &'a mut dyn Asker,
    draft: Draft,
}

/// Asks for what `args` leave open, checks it, and enrols this machine for one client.
///
/// # Errors
/// When the person stops it, the machine cannot have an agent, or the last step fails. Everything else is asked anew.
pub async fn run(
    args: SetupArgs,
    config_path: &Path,
    (asker, services): (&mut dyn Asker, &dyn Services),
    show_code: ShowCode,
) -> Result<(SetupDone, Then), WizardError> {
    let draft = Draft::beside(config_path);
    let mut wizard = Wizard {
        args,
        typed: Typed::default(),
        path: config_path,
        asker,
        draft,
    };
    wizard.begin()?;
    let outbound = wizard.outbound()?;
    let http = wizard.vault(&outbound).await?;
    let session = wizard.person(&http).await?;
    let result = wizard.enrol(&outbound, &session, show_code).await;
    if let Err(error) = session.sign_out().await {
        tracing::debug!(%error, "the setup session could not be ended");
    }
    let done = result?;
    wizard.draft.remove();
    let then = wizard.service(services).await?;
    Ok((done, then))
}

impl Wizard<'_> {
    /// What does not depend on any answer, and the answers of an earlier run.
    fn begin(&mut self) -> Result<(), WizardError> {
        self.asker
            .say("This sets up the agent that keeps a vault's passwords and Microsoft Entra ID the same.");
        self.heading(1, "System requirements");
        machine::examine(&self.args.places(self.path))?;
        self.well("64-bit system, and room and rights to write");
        self.resume()?;
        self.join_what_is_there()?;
        self.heading(2, "Integration");
        self.integration()
    }

    fn integration(&mut self) -> Result<(), WizardError> {
        let question = Question::new(
            "Which integration do you want to install?",
            "accounts that a local Active Directory manages are recognised, and left alone",
        );
        let of = ["Azure AD / Office 365 sync", "Local Active Directory sync"];
        match self.asker.choice(question, &of.map(str::to_owned))? {
            0 => Ok(()),
            _ => Err(WizardError::OtherIntegration),
        }
    }

    /// A further client goes to the vault and the memory that the others have.
    fn join_what_is_there(&mut self) -> Result<(), WizardError> {
        if !self.path.exists() {
            return Ok(());
        }
        let there = Config::load(self.path, config::environment(), Overrides::none());
        let there = there.map_err(SetupError::from)?;
        self.well(&format!(
            "this machine's agent serves {} client(s) of {}; this adds one",
            there.clients.len(),
            there.passportal.base_url
        ));
        self.args.region = None;
        self.args.base_url = Some(there.passportal.base_url);
        self.args.state_url = Some(there.state.url);
        Ok(())
    }

    fn resume(&mut self) -> Result<(), WizardError> {
        let Some(earlier) = self.draft.load() else {
            return Ok(());
        };
        let question = Question::new(
            "Setup was begun before. Go on with its answers?",
            "each of them is checked again; passwords were not kept",
        );
        if self.asker.agrees(question, true)? {
            self.args = self.args.clone().or(earlier);
        }
        Ok(())
    }

    async fn enrol(
        &mut self,
        outbound: &Outbound,
        session: &PersonSession,
        show_code: ShowCode,
    ) -> Result<SetupDone, WizardError> {
        let client = self.client(session).await?;
        let data_key = self.organization_key(&client).await?;
        self.tenant(outbound).await?;
        let request = self.sign_in(outbound, &client, show_code).await?;
        self.finish(outbound, session, &client, &data_key, request)
            .await
    }

    async fn finish(
        &mut self,
        outbound: &Outbound,
        session: &PersonSession,
        client: &Client,
        data_key: &DataKey,
        (request, entered): sign_in::Ready,
    ) -> Result<SetupDone, WizardError> {
        self.heading(8, "Enrolment");
        let secrets = SecretFiles::beside(&request.config.state.url);
        let verdict_table = request.config.verdict_table().map_err(SetupError::from)?;
        let setup = Setup {
            request: &request,
            secrets: &secrets,
            outbound,
            verdict_table: verdict_table.as_ref(),
            session,
        };
        let done = setup.complete(client, data_key, entered).await?;
        self.well(&format!(
            "{} is enrolled; configuration in {}",
            done.client,
            done.config_path.display()
        ));
        Ok(done)
    }

    /// What every connection needs, from the options.
    fn outbound(&self) -> Result<Outbound, WizardError> {
        let config = self.args.config_without_client(self.path);
        let config = config.map_err(SetupError::from)?;
        Ok(Outbound::of(&config).map_err(SetupError::from)?)
    }

    fn heading(&mut self, number: u8, title: &str) {
        self.asker.say(&format!("\nStep {number} of 9: {title}"));
    }

    fn well(&mut self, text: &str) {
        self.asker.say(&format!("✓ {text}"));
    }

    fn not_well(&mut self, fault: &dyn std::error::Error, hint: Option<&str>) {
        tell_fault(self.asker, &crate::causes::chain(fault), hint);
    }

    /// An answer that passed its check is kept for another run.
    fn keep(&mut self) {
        if let Err(error) = self.draft.save(&self.args) {
            tracing::debug!(%error, "the answers so far could not be kept");
        }
    }
}
