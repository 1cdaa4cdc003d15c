//! The vault's steps: where it is, who signs in, which client, and the organization key.

use passportal_client::envelope::DataKey;
use passportal_client::wire::{Client, MicrosoftSync};
use passportal_client::{HttpConfig, PersonSession, reach};
use url::Url;

use super::ask::Question;
use super::{Wizard, WizardError};
use crate::config::Region;
use crate::outbound::Outbound;
use crate::secrets::{SecretFiles, read_secret_file};
use crate::setup::{SetupError, open_data_key};
use crate::wiring::vault_http;

const ELSEWHERE: &str = "A vault of your own, at another address";
const NONE: &str = "none";

impl Wizard<'_> {
    /// Where the vault is: it is asked before anybody signs in.
    pub(super) async fn vault(&mut self, outbound: &Outbound) -> Result<HttpConfig, WizardError> {
        self.heading(3, "Passportal");
        loop {
            if self.args.base_url.is_none() && self.args.region.is_none() {
                self.ask_for_vault()?;
            }
            let url = self.args.vault_url();
            let http = match vault_http(&url, outbound) {
                Ok(http) => reach(&http).await.map(|()| http),
                Err(error) => Err(error),
            };
            match http {
                Ok(http) => {
                    self.well(&format!("{url} answers"));
                    self.keep();
                    return Ok(http);
                }
                Err(error) => {
                    let hint = "check the address, the network and the proxy (--proxy-url); a private authority goes into --extra-ca";
                    self.not_well(&error, Some(hint));
                    (self.args.base_url, self.args.region) = (None, None);
                }
            }
        }
    }

    fn ask_for_vault(&mut self) -> Result<(), WizardError> {
        let question = Question::new("Where is your Passportal?", "the region of its address");
        let mut of: Vec<_> = Region::ALL.iter().map(|it| it.label().to_owned()).collect();
        of.push(ELSEWHERE.to_owned());
        let chosen = self.asker.choice(question, &of)?;
        self.args.region = Region::ALL.get(chosen).copied();
        while self.args.region.is_none() && self.args.base_url.is_none() {
            let question = Question::new("Its address:", "https://vault.example");
            let line = self.asker.line(question, None)?;
            match Url::parse(&line) {
                Ok(url) => self.args.base_url = Some(url),
                Err(error) => self.not_well(&error, Some("write it with https:// before it")),
            }
        }
        Ok(())
    }

    /// The person whose session everything else in the vault is done with. The password is used once.
    pub(super) async fn person(&mut self, http: &HttpConfig) -> Result<PersonSession, WizardError> {
        self.heading(4, "Sign-in to Passportal");
        loop {
            let (email, password) = self.email_and_password()?;
            let code = self.one_time_code()?;
            match PersonSession::sign_in(http, &email, &password, code.as_deref()).await {
                Ok((session, details)) => {
                    let organization = &details.organization_name;
                    self.well(&format!("signed in to {organization}"));
                    self.typed.password = Some(password);
                    self.keep();
                    return Ok(session);
                }
                Err(error) => {
                    let error = SetupError::from(error);
                    self.not_well(&error, error.hint().as_deref());
                    self.args.email = None;
                    self.args.password_file = None;
                    self.args.one_time_code = None;
                }
            }
        }
    }

    fn email_and_password(&mut self) -> Result<(String, secrecy::SecretString), WizardError> {
        let email = if let Some(email) = &self.args.email {
            email.clone()
        } else {
            let question = Question::new("E-mail:", "of an organization administrator");
            let email = self.asker.line(question, None)?;
            self.args.email = Some(email.clone());
            email
        };
        if let Some(file) = &self.args.password_file {
            match read_secret_file(file) {
                Ok(password) => return Ok((email, password)),
                Err(error) => {
                    let hint = error.hint().to_owned();
                    self.not_well(&error, Some(&hint));
                    self.args.password_file = None;
                }
            }
        }
        let question = Question::new("Password:", "used once, and not kept");
        Ok((email, self.asker.secret(question)?))
    }

    fn one_time_code(&mut self) -> Result<Option<String>, WizardError> {
        if self.args.one_time_code.is_some() {
            return Ok(self.args.one_time_code.clone());
        }
        let question = Question::new("One-time code:", "where the account has a second factor");
        let code = self.asker.line(question, Some(NONE))?;
        Ok((code != NONE).then_some(code))
    }

    /// One of the clients that have Microsoft sync on, the company vault included.
    pub(super) async fn client(&mut self, session: &PersonSession) -> Result<Client, WizardError> {
        self.heading(5, "Client");
        loop {
            let clients = session.clients().await.map_err(SetupError::from)?;
            if self.args.client.is_none() {
                let on: Vec<_> = self.enrollable(&clients);
                if on.is_empty() {
                    self.asker.say(
                        "No client that is not enrolled here has Microsoft sync on. Switch it on in the dashboard: Clients > Edit.",
                    );
                    let question = Question::new("Look again?", "after you have switched it on");
                    if self.asker.agrees(question, true)? {
                        continue;
                    }
                    return Err(super::Stopped::ByPerson.into());
                }
                let question = Question::new("For which client?", "those with Microsoft sync on");
                let names: Vec<_> = on.iter().map(|it| label(it)).collect();
                let chosen = self.asker.choice(question, &names)?;
                self.args.client = on.get(chosen).map(|it| it.name.clone());
            }
            let wanted = self.args.client.clone().unwrap_or_default();
            match self.chosen(&clients, &wanted) {
                Ok(client) => {
                    self.well(&format!(
                        "{}: {} credential(s)",
                        client.name, client.credentials
                    ));
                    self.keep();
                    return Ok(client);
                }
                Err(error) => {
                    self.not_well(&error, error.hint().as_deref());
                    self.args.client = None;
                }
            }
        }
    }

    fn chosen(&self, clients: &[Client], wanted: &str) -> Result<Client, SetupError> {
        let client = crate::setup::choose(clients, wanted)?;
        if self.is_enrolled(&client) {
            return Err(SetupError::AlreadyEnrolled {
                client: client.name,
            });
        }
        Ok(client)
    }

    fn enrollable<'c>(&self, clients: &'c [Client]) -> Vec<&'c Client> {
        let mut on: Vec<_> = clients
            .iter()
            .filter(|it| it.sync == MicrosoftSync::EntraId && !self.is_enrolled(it))
            .collect();
        on.sort_by_key(|it| (!it.company_vault, it.name.to_lowercase()));
        on
    }

    fn is_enrolled(&self, client: &Client) -> bool {
        let secrets = SecretFiles::beside(&self.args.state_url());
        let found = secrets.load_enrolment(&client.id.to_string());
        found.is_ok_and(|it| it.is_some())
    }

    /// It opens the client's data key, which proves it right; the key itself is not kept.
    pub(super) async fn organization_key(
        &mut self,
        client: &Client,
    ) -> Result<DataKey, WizardError> {
        self.heading(6, "Organization key");
        loop {
            let key = if let Some(file) = &self.args.organization_key_file {
                read_secret_file(file).map_err(SetupError::from)
            } else {
                let help =
                    "it is not sent anywhere: it opens the client's data key on this machine";
                Ok(self
                    .asker
                    .secret(Question::new("Organization key:", help))?)
            };
            let opened = match key {
                Ok(key) => open_data_key(&key, client).await.map(|it| (key, it)),
                Err(error) => Err(error),
            };
            match opened {
                Ok((key, data_key)) => {
                    self.well("it opens the client's data key");
                    self.typed.organization_key = Some(key);
                    self.keep();
                    return Ok(data_key);
                }
                Err(error) => {
                    self.not_well(&error, error.hint().as_deref());
                    self.args.organization_key_file = None;
                }
            }
        }
    }
}

fn label(client: &Client) -> String {
    let kind = if client.company_vault {
        " (company vault)"
    } else {
        ""
    };
    format!("{}{kind}", client.name)
}
