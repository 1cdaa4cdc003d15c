//! `passportal status`: how the agent, its clients and its service are.

mod words;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use agent_bin::config::{ClientConfig, Config};
use agent_bin::secrets::SecretFiles;
use agent_bin::wiring::{self, Agents, ClientAgent, WiringError};
use jiff::Timestamp;
use serde::Serialize;
use state_store::OpenError;
use sync_engine::model::{FlagKind, Memory, PlanId};
use sync_engine::ports::{StoreError, Wait};

use crate::arguments::Global;
use crate::ending::Ending;
use crate::failure::Told;
use crate::output::{Output, one_line};

/// The service is on this machine: it answers at once or not at all.
const PATIENCE: Duration = Duration::from_secs(2);
/// Of the journal only the newest entry is shown.
const NEWEST_ENTRY: u32 = 1;

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
    InUse {
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
    client: String,
    tenant: String,
    enrolled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    vault: Option<Reach>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Remembered>,
}

/// Whether the vault lets this agent in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
enum Reach {
    Reachable { credentials: usize },
    Failing { why: String },
}

/// What is remembered of a client.
#[derive(Debug, Serialize)]
struct Remembered {
    credentials: usize,
    flags: BTreeMap<FlagKind, usize>,
    unsent_reports: usize,
    last_step: Option<Timestamp>,
    held_plan: Option<Held>,
}

#[derive(Debug, Serialize)]
struct Held {
    id: PlanId,
    at: Timestamp,
    writes: usize,
}

pub(super) async fn run(global: &Global, output: &Output) -> anyhow::Result<Ending> {
    let config = super::load_config(global)?;
    let service = service(&config).await;
    let mut clients = enrolments(&config)?;
    let state = match wiring::open(&config).await {
        Ok(agents) => look(agents, &mut clients).await,
        Err(error) => closed(error)?,
    };
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
fn closed(error: WiringError) -> Result<State, WiringError> {
    match error {
        WiringError::State(error @ OpenError::InUse { .. }) => Ok(State::InUse {
            why: error.to_string(),
        }),
        WiringError::State(error) => Ok(State::Unusable {
            why: Told::of(&error.into()).error,
        }),
        WiringError::NotEnrolled { .. } => Ok(State::NotOpened),
        other => Err(other),
    }
}

fn enrolments(config: &Config) -> Result<Vec<ClientStatus>, WiringError> {
    let secrets = SecretFiles::beside(&config.state.url);
    let status = |client: &ClientConfig| {
        Ok(ClientStatus {
            client: client.name.clone(),
            tenant: client.microsoft.tenant.to_string(),
            enrolled: secrets.load_enrolment(&client.name)?.is_some(),
            vault: None,
            memory: None,
        })
    };
    config.clients.iter().map(status).collect()
}

async fn look(agents: Agents, clients: &mut [ClientStatus]) -> State {
    let mut state = State::Open;
    // The agents stand in the order of the configuration.
    for (agent, status) in agents.clients.iter().zip(clients) {
        status.vault = Some(reach(agent).await);
        match remembered(agent).await {
            Ok(memory) => status.memory = Some(memory),
            Err(error) => {
                state = State::Unusable {
                    why: Told::of(&error.into()).error,
                };
            }
        }
    }
    agents.close().await;
    state
}

/// Reads the vault as a dry run does: the lease is left alone.
async fn reach(agent: &ClientAgent) -> Reach {
    match agent.ports.read_only().vault.changes(None, Wait::No).await {
        Ok(changes) => Reach::Reachable {
            credentials: changes.credentials.len(),
        },
        Err(error) => Reach::Failing {
            why: Told::of(&error.into()).error,
        },
    }
}

async fn remembered(agent: &ClientAgent) -> Result<Remembered, StoreError> {
    let store = &agent.ports.store;
    let memory = store.load().await?;
    let newest = store.journal(None, NEWEST_ENTRY).await?;
    let held = memory.plans.values().find(|plan| plan.is_waiting());
    Ok(Remembered {
        credentials: memory.credentials.len(),
        flags: flags(&memory),
        unsent_reports: store.kept_reports().await?.len(),
        last_step: newest.first().map(|entry| entry.at),
        held_plan: held.map(|plan| Held {
            id: plan.id,
            at: plan.at,
            writes: plan.writes.len(),
        }),
    })
}

fn flags(memory: &Memory) -> BTreeMap<FlagKind, usize> {
    let mut flags = BTreeMap::new();
    for kind in memory.credentials.values().flat_map(|it| it.raised.keys()) {
        *flags.entry(*kind).or_default() += 1;
    }
    flags
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
