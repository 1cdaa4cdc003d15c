//! The step in which the agent signs in to the tenant, in the way that the person chooses.

use std::path::{Path, PathBuf};

use passportal_client::wire::Client;
use secrecy::SecretString;
use uuid::Uuid;

use super::ask::Question;
use super::{Stopped, Wizard, WizardError, certificate, registration};
use crate::administrator::ShowCode;
use crate::config::SignIn;
use crate::durable_file::{self, Audience};
use crate::entry::{Entered, Entry};
use crate::outbound::Outbound;
use crate::secrets::SecretFiles;
use crate::setup::{NewSecret, SetupError, SetupRequest, refuse_the_powerless};

/// Everything that enrolling needs, and the tenant as it answered; `None` where only the enrolled agent can enter it.
pub(super) type Ready = (SetupRequest, Option<Entered>);

const WAYS: [(SignIn, &str); 5] = [
    (
        SignIn::Certificate,
        "Certificate of an app (recommended): the key stays on this machine",
    ),
    (
        SignIn::DeviceCode,
        "Administrator by device code: somebody signs in elsewhere, now and whenever it ends",
    ),
    (SignIn::ClientSecret, "Client secret of an app"),
    (
        SignIn::VaultAdmin,
        "The vault's Azure/Office365 Admin credential, where its account needs no second factor",
    ),
    (
        SignIn::Federated,
        "Federated credential: this machine's platform writes tokens into a file",
    ),
];

const HERE_ALREADY: &str = "I have one (PEM or PKCS#12)";
const MAKE_ONE: &str = "Make one now";

/// What to do after a sign-in that failed.
const AGAIN: [&str; 4] = [
    "Try again",
    "Change the app's id or its credential",
    "Sign in another way",
    "Stop here",
];

impl Wizard<'_> {
    pub(super) async fn sign_in(
        &mut self,
        outbound: &Outbound,
        client: &Client,
        show_code: ShowCode,
    ) -> Result<Ready, WizardError> {
        loop {
            self.ask_for_way()?;
            self.ask_for_credential()?;
            self.ask_for_app()?;
            self.keep();
            let entered = match self.request(&show_code) {
                Ok(request) => enter(&request, outbound, client)
                    .await
                    .map(|it| (request, it))
                    .map_err(WizardError::from),
                Err(error) => Err(error),
            };
            match entered {
                Ok(ready) => {
                    self.tell(&ready);
                    return Ok(ready);
                }
                Err(error) => self.think_again(&error)?,
            }
        }
    }

    fn way(&self) -> SignIn {
        let word = self.args.sign_in.as_deref();
        word.and_then(SignIn::named).unwrap_or_default()
    }

    fn ask_for_way(&mut self) -> Result<(), WizardError> {
        let word = self.args.sign_in.as_deref();
        if word.and_then(SignIn::named).is_some() {
            return Ok(());
        }
        let question = Question::new("How does the agent sign in to Microsoft?", "");
        let chosen = self
            .asker
            .choice(question, &WAYS.map(|(_, label)| label.to_owned()))?;
        self.args.sign_in = WAYS.get(chosen).map(|(way, _)| way.to_string());
        Ok(())
    }

    fn ask_for_credential(&mut self) -> Result<(), WizardError> {
        match self.way() {
            SignIn::Certificate => self.ask_for_certificate(),
            SignIn::ClientSecret => {
                let is_there = self.args.client_secret_file.is_some();
                if is_there || self.typed.client_secret.is_some() {
                    return Ok(());
                }
                self.show_registration(None)?;
                let help =
                    "its value, not its id; it is kept in a file that only the service can read";
                let secret = self.asker.secret(Question::new("Client secret:", help))?;
                self.typed.client_secret = Some(secret);
                Ok(())
            }
            SignIn::Federated => {
                if self.args.federated_token_file.is_none() {
                    self.show_registration(None)?;
                    let help = "what AZURE_FEDERATED_TOKEN_FILE names for other programs";
                    let line = self.asker.line(Question::new("Token file:", help), None)?;
                    self.args.federated_token_file = Some(PathBuf::from(line));
                }
                Ok(())
            }
            SignIn::DeviceCode | SignIn::VaultAdmin => {
                if self.args.client_id.is_none() {
                    self.show_registration(None)?;
                }
                Ok(())
            }
        }
    }

    fn ask_for_certificate(&mut self) -> Result<(), WizardError> {
        if self.args.certificate.is_some() {
            return Ok(());
        }
        let question = Question::new("Which certificate?", "RSA, 2048 to 4096 bits");
        let of = [MAKE_ONE, HERE_ALREADY].map(str::to_owned);
        if self.asker.choice(question, &of)? == 1 {
            let help = "key and certificate in one file";
            let line = self.asker.line(Question::new("Its file:", help), None)?;
            let path = PathBuf::from(line);
            if matches!(
                path.extension().and_then(|it| it.to_str()),
                Some("pfx" | "p12")
            ) {
                let help = "PKCS#12 has one; a file that only the service can read";
                let line = self
                    .asker
                    .line(Question::new("A file with its password:", help), None)?;
                self.args.certificate_password_file = Some(PathBuf::from(line));
            }
            self.args.certificate = Some(path);
            return Ok(());
        }
        match certificate::make(&self.secret_stem(), &self.stem(), "passportal-agent") {
            Ok(made) => {
                self.well(&format!(
                    "key and certificate: {}\n  certificate to upload: {}\n\n{}",
                    made.private.display(),
                    made.public.display(),
                    made.pem
                ));
                self.args.certificate = Some(made.private);
                self.show_registration(Some(&made.public))
            }
            Err(error) => {
                self.not_well(&error, Some("make one yourself, or sign in another way"));
                self.ask_for_certificate()
            }
        }
    }

    /// How the app registration is made, for whoever has none yet.
    fn show_registration(&mut self, public: Option<&Path>) -> Result<(), WizardError> {
        let help = "if not, the steps are shown, and a script is written that does them";
        let question = Question::new(
            "Is the agent's app registered in the tenant, with all of this?",
            help,
        );
        if public.is_none() && self.asker.agrees(question, true)? {
            return Ok(());
        }
        let tenant = self.args.tenant.clone().unwrap_or_default();
        self.asker.say(&registration::steps(self.way(), public));
        let script = registration::script(&tenant, self.way(), public);
        let path = self.stem().with_extension("register-app.ps1");
        match durable_file::replace(&path, script.as_bytes(), Audience::Everyone) {
            Ok(()) => self.asker.say(&format!(
                "\n  The same as a script, to be run by a Global Administrator: {}",
                path.display()
            )),
            Err(error) => self.not_well(&error, None),
        }
        Ok(())
    }

    fn ask_for_app(&mut self) -> Result<(), WizardError> {
        while self.args.client_id.is_none() {
            let help = "Overview > Application (client) ID";
            let line = self
                .asker
                .line(Question::new("The app's client id:", help), None)?;
            if Uuid::try_parse(&line).is_ok() {
                self.args.client_id = Some(line);
            } else {
                self.asker.say(
                    "✗ that is no client id: it looks like 7b1c6a1e-6d0a-4c57-9a53-2f1b8a0f00a1",
                );
            }
        }
        Ok(())
    }

    /// The request as it would be enrolled with.
    fn request(&mut self, show_code: &ShowCode) -> Result<SetupRequest, WizardError> {
        let path = self.secret_stem().with_extension("client-secret");
        let secret = self.typed.client_secret.clone();
        let secret = secret.filter(|_| self.way() == SignIn::ClientSecret);
        let mut args = self.args.clone();
        if secret.is_some() {
            args.client_secret_file = Some(path.clone());
        }
        let (config, client) = args.config(self.path)?;
        let typed = |secret: &Option<SecretString>| secret.clone().unwrap_or_default();
        Ok(SetupRequest {
            config_path: self.path.to_owned(),
            config,
            client,
            email: self.args.email.clone().unwrap_or_default(),
            password: typed(&self.typed.password),
            one_time_code: None,
            organization_key: typed(&self.typed.organization_key),
            new_secret: secret.map(|secret| NewSecret { path, secret }),
            show_code: ShowCode::clone(show_code),
        })
    }

    fn tell(&mut self, (_, entered): &Ready) {
        match entered {
            Some(entered) => {
                self.well("the agent signs in, and may do what it has to");
                for finding in &entered.preflight.findings {
                    self.asker
                        .say(&format!("  note: {finding}; {}", finding.remedy()));
                }
            }
            None => self
                .asker
                .say("The agent signs in once it is enrolled: only then does the vault give it the password."),
        }
    }

    fn think_again(&mut self, error: &WizardError) -> Result<(), WizardError> {
        self.not_well(error, error.hint().as_deref());
        let question = Question::new("What now?", "consent and roles take a minute to count");
        match self.asker.choice(question, &AGAIN.map(str::to_owned))? {
            0 => return Ok(()),
            1 => {}
            2 => self.args.sign_in = None,
            _ => return Err(Stopped::ByPerson.into()),
        }
        self.args.client_id = None;
        self.args.client_secret_file = None;
        self.args.certificate = None;
        self.args.certificate_password_file = None;
        self.args.federated_token_file = None;
        self.typed.client_secret = None;
        Ok(())
    }

    /// Beside the configuration, by the client's name: what is for others.
    fn stem(&self) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        folder.join(self.plain_name())
    }

    /// In the folder from which systemd loads what only root reads: what is for the service.
    fn secret_stem(&self) -> PathBuf {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        folder.join("secrets").join(self.plain_name())
    }

    fn plain_name(&self) -> String {
        let client = self.args.client.as_deref().unwrap_or("client");
        let plain = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '-'
            }
        };
        client.chars().map(plain).collect()
    }
}

async fn enter(
    request: &SetupRequest,
    outbound: &Outbound,
    client: &Client,
) -> Result<Option<Entered>, SetupError> {
    let secrets = SecretFiles::beside(&request.config.state.url);
    let verdict_table = request.config.verdict_table()?;
    let entry = Entry::prepare(request, outbound, &secrets, verdict_table.as_ref())?;
    let entered = entry.enter(request, outbound).await?;
    if let Some(entered) = &entered {
        refuse_the_powerless(&entered.preflight, client, &request.client)?;
    }
    Ok(entered)
}
