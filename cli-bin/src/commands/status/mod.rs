//! `passportal status`: how the agent, its clients and its service are.

mod words;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use agent_bin::config::{ClientConfig, Config};
use agent_bin::control::{
    AskError, ClientAnswer, ControlError, Cycles, Reach, Recall, Remembered, Told, Want,
};
use agent_bin::secrets::SecretFiles;
use agent_bin::wiring::WiringError;
use serde::Serialize;
use state_store::OpenError;
use sync_engine::model::ClientId;

use crate::arguments::Global;
use crate::desk::{Desk, told};
use crate::ending::Ending;
use crate::failure;
use crate::output::{Output, one_line};

/// The service is on this machine: it answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// How everything is.
#[derive(Debug, Serialize)]
struct Status {
    configuration: PathBuf,
    vault: String,
    service: Service,
    state: State,
    clients: Vec<ClientStatus>,
}

/// What the service's endpoint tells.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
enum Service {
    Ready,
    NotReady {
        why: String,
    },
    /// It does not run, or it listens elsewhere.
    NoAnswer {
        address: SocketAddr,
    },
}

/// Whether the agent's memory can be looked at.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
enum State {
    Open,
    /// The running service has it, and told.
    Served,
    InUse {
        why: String,
    },
    /// Somebody has it, and does not answer.
    Silent {
        why: String,
    },
    Unusable {
        why: String,
    },
    /// A client that is not enrolled has no memory.
    NotOpened,
}

#[derive(Debug, Serialize)]
struct ClientStatus {
    /// Known once it is enrolled: its name may be another one at the vault.
    #[serde(skip)]
    id: Option<ClientId>,
    client: String,
    tenant: String,
    enrolled: bool,
    /// Whether the running service serves it; `None` where no service told.
    #[serde(skip_serializing_if = "Option::is_none")]
    served: Option<bool>,
    /// How its cycles go in the running service.
    #[serde(skip_serializing_if = "Option::is_none")]
    cycles: Option<Cycles>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<Reach>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Remembered>,
}

pub(super) async fn run(global: &Global, output: &Output) -> anyhow::Result<Ending> {
    let config = super::load_config(global)?;
    let service = service(&config).await;
    let mut clients = enrolments(&config)?;
    let state = look(&config, &mut clients).await?;
    output.show(&Status {
        configuration: global.config.clone(),
        vault: config.passportal.base_url.to_string(),
        service,
        state,
        clients,
    })?;
    Ok(Ending::Done)
}

/// Reasons to show less, and reasons to fail.
fn closed(error: anyhow::Error) -> anyhow::Result<State> {
    let told = |error: anyhow::Error| failure::Told::of(&error).error;
    match control_error(&error) {
        Some(ControlError::NotAllowed { .. }) => return Ok(State::InUse { why: told(error) }),
        Some(ControlError::Broken { .. }) => return Ok(State::Silent { why: told(error) }),
        _ => {}
    }
    match error.downcast_ref() {
        Some(WiringError::State(OpenError::InUse { .. })) => Ok(State::InUse { why: told(error) }),
        Some(WiringError::State(_)) => Ok(State::Unusable { why: told(error) }),
        Some(WiringError::NotEnrolled { .. }) => Ok(State::NotOpened),
        _ => Err(error),
    }
}

/// What went wrong with the service, before it was asked or while it was.
fn control_error(error: &anyhow::Error) -> Option<&ControlError> {
    match error.downcast_ref() {
        Some(AskError::Control(source)) => Some(source),
        _ => error.downcast_ref(),
    }
}

fn enrolments(config: &Config) -> Result<Vec<ClientStatus>, WiringError> {
    let secrets = SecretFiles::beside(&config.state.url);
    let status = |client: &ClientConfig| {
        let enrolment = secrets.load_enrolment(&client.name)?;
        Ok(ClientStatus {
            client: client.name.clone(),
            tenant: client.microsoft.tenant.to_string(),
            id: enrolment.as_ref().map(|it| it.client),
            enrolled: enrolment.is_some(),
            served: None,
            cycles: None,
            vault: None,
            memory: None,
        })
    };
    config.clients.iter().map(status).collect()
}

/// Asks the running service, or looks oneself.
async fn look(config: &Config, clients: &mut [ClientStatus]) -> anyhow::Result<State> {
    let desk = match Desk::open(config).await {
        Ok(desk) => desk,
        Err(error) => return closed(error),
    };
    let answers = desk.ask(None, Want::Status).await;
    let is_service = desk.is_service();
    desk.close().await;
    let answers = match answers {
        Ok(answers) => answers,
        Err(error) => return closed(error),
    };
    if is_service {
        mark_served(clients, &answers);
    }
    Ok(match take_all(clients, answers) {
        Err(why) => State::Unusable { why },
        Ok(()) if is_service => State::Served,
        Ok(()) => State::Open,
    })
}

/// A service serves those that answered: it may have begun with another configuration, or could not begin with one.
fn mark_served(clients: &mut [ClientStatus], answers: &[ClientAnswer]) {
    for client in clients {
        client.served = Some(answers.iter().any(|answer| client.id == Some(answer.id)));
    }
}

/// A running service may have another configuration: its clients are told by their ids.
fn take_all(clients: &mut [ClientStatus], answers: Vec<ClientAnswer>) -> Result<(), String> {
    let mut taken = Ok(());
    for answer in answers {
        let mut clients = clients.iter_mut();
        if let Some(client) = clients.find(|client| client.id == Some(answer.id)) {
            taken = take(client, answer).and(taken);
        }
    }
    taken
}

/// Takes in what a client told; an error says why its memory cannot be looked at.
fn take(client: &mut ClientStatus, answer: ClientAnswer) -> Result<(), String> {
    let (_, told) = told(answer, |told| match told {
        Told::Status(status) => Some(status),
        _ => None,
    });
    let status = told.map_err(|fault| fault.to_string())?;
    client.vault = Some(status.vault);
    client.cycles = status.cycles;
    match status.memory {
        Recall::Remembered(memory) => client.memory = Some(memory),
        Recall::Unusable { why } => return Err(why),
    }
    Ok(())
}

async fn service(config: &Config) -> Service {
    let url = format!("http://{}/readyz", config.listen);
    match ask(&url).await {
        Ok((true, _)) => Service::Ready,
        Ok((false, why)) => Service::NotReady {
            why: one_line(&why),
        },
        Err(_) => Service::NoAnswer {
            address: config.listen,
        },
    }
}

async fn ask(url: &str) -> reqwest::Result<(bool, String)> {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build()?;
    let answer = client.get(url).send().await?;
    Ok((answer.status().is_success(), answer.text().await?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agent_bin::control::{self, Said};
    use uuid::Uuid;

    fn client(id: u128) -> ClientStatus {
        ClientStatus {
            id: Some(ClientId(Uuid::from_u128(id))),
            client: format!("client {id}"),
            tenant: "contoso.onmicrosoft.com".into(),
            enrolled: true,
            served: None,
            cycles: None,
            vault: None,
            memory: None,
        }
    }

    fn answer(id: u128) -> ClientAnswer {
        let status = control::ClientStatus {
            vault: Reach::Reachable {
                credentials: usize::try_from(id).unwrap(),
            },
            memory: Recall::Unusable {
                why: format!("no memory of {id}"),
            },
            cycles: None,
        };
        ClientAnswer {
            id: ClientId(Uuid::from_u128(id)),
            client: "Contoso".into(),
            said: Said::Told(Box::new(Told::Status(status))),
        }
    }

    #[test]
    fn each_client_has_the_answer_of_its_own_id() {
        let mut clients = [client(1), client(2), client(3)];
        let taken = take_all(&mut clients, vec![answer(3), answer(9), answer(1)]);
        let vaults = clients.map(|it| it.vault);
        let reach = |credentials| Some(Reach::Reachable { credentials });
        assert_eq!(vaults, [reach(1), None, reach(3)]);
        assert_eq!(taken, Err("no memory of 1".to_owned()));
    }

    #[test]
    fn a_client_that_did_not_answer_is_not_served() {
        let not_enrolled = ClientStatus {
            id: None,
            ..client(3)
        };
        let mut clients = [client(1), client(2), not_enrolled];
        mark_served(&mut clients, &[answer(2)]);
        let served = clients.map(|it| it.served);
        assert_eq!(served, [Some(false), Some(true), Some(false)]);
    }
}
