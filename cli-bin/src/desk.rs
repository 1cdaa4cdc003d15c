//! Reaches the agent: through the running service, or, where none runs, by opening its memory.

use agent_bin::config::Config;
use agent_bin::control::{
    self, ClientAnswer, ControlError, Fault, Hand, Place, Request, Said, Service, Told, Want,
};
use agent_bin::scheduler::Cycled;
use agent_bin::wiring::{self, Agents, ClientAgent};
use async_trait::async_trait;
use sync_engine::model::ClientId;
use sync_engine::plan::{HeldPlan, PlanRuling};
use sync_engine::ports::Wait;
use sync_engine::{CycleReport, Halt};
use tokio_util::sync::CancellationToken;

use crate::failure::Refusal;
use crate::output::Bar;

/// Where a command asks for what it wants to know, or to have done.
pub(crate) enum Desk {
    /// At the service, which has the memory.
    Service(Service),
    /// Here: nobody else has the memory.
    Own(Agents),
}

/// The service that runs with this configuration, if one does.
pub(crate) async fn service(config: &Config) -> Result<Option<Service>, ControlError> {
    match Place::of(config) {
        Ok(place) => Service::find(place).await,
        // No service can have a socket there either.
        Err(ControlError::TooLong { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Desk {
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        Ok(match service(config).await? {
            Some(service) => Self::Service(service),
            None => Self::Own(wiring::open(config).await?),
        })
    }

    pub(crate) fn is_service(&self) -> bool {
        matches!(self, Self::Service(_))
    }

    /// Asks the clients that are meant.
    pub(crate) async fn ask(
        &self,
        client: Option<&str>,
        want: Want,
    ) -> anyhow::Result<Vec<ClientAnswer>> {
        let never = CancellationToken::new();
        self.ask_until(client, want, &never).await
    }

    /// Asks the clients that are meant, until somebody asks to stop.
    pub(crate) async fn ask_until(
        &self,
        client: Option<&str>,
        want: Want,
        stop: &CancellationToken,
    ) -> anyhow::Result<Vec<ClientAnswer>> {
        match self {
            Self::Service(service) => {
                let _bar = Bar::of("service");
                let client = client.map(str::to_owned);
                let asked = service.ask(Request { client, want });
                match stop.run_until_cancelled(asked).await {
                    Some(answers) => Ok(answers?),
                    None => Err(Refusal::new(
                        "stopped before the service had answered",
                        "what the service began, it finishes by itself",
                    )
                    .into()),
                }
            }
            Self::Own(agents) => {
                let meant = control::chosen(agents.clients.iter().collect(), client, |it| it)?;
                Ok(ask_each(meant, &want, stop).await)
            }
        }
    }

    pub(crate) async fn close(self) {
        if let Self::Own(agents) = self {
            agents.close().await;
        }
    }
}

/// One client after the other. A request to end lets the step in flight finish and begins no further one.
async fn ask_each(
    meant: Vec<&ClientAgent>,
    want: &Want,
    stop: &CancellationToken,
) -> Vec<ClientAnswer> {
    let by = control::this_user();
    let mut answers = Vec::new();
    for client in meant {
        if stop.is_cancelled() {
            break;
        }
        let bar = Bar::of(&client.name);
        let hand = OwnHand { bar: &bar, stop };
        let said = match control::answer(client, want, &by, &hand).await {
            Ok(told) => Said::Told(Box::new(told)),
            Err(fault) => Said::Failed(fault),
        };
        answers.push(ClientAnswer {
            id: client.id,
            client: client.name.clone(),
            said,
        });
    }
    answers
}

/// Acts with an engine of its own, as nobody else has the memory.
struct OwnHand<'a> {
    bar: &'a Bar,
    stop: &'a CancellationToken,
}

#[async_trait]
impl Hand for OwnHand<'_> {
    async fn sync(&self, client: &ClientAgent) -> Result<CycleReport, Fault> {
        let cycled = self.cycle(client).await;
        client.farewell().await;
        cycled.map_err(|error| Fault::of(&error))
    }

    async fn rule(&self, client: &ClientAgent, ruling: PlanRuling) -> Result<HeldPlan, Fault> {
        let ruled = client.engine().rule(&ruling).await;
        ruled.map_err(|error| Fault::of_ruling(&error))
    }
}

impl OwnHand<'_> {
    async fn cycle(&self, client: &ClientAgent) -> Cycled {
        client.preflight().await?;
        let mut engine = client.engine();
        let _ending = Ending::of(engine.halt(), self.stop);
        engine.cycle(Wait::No, self.bar).await
    }
}

/// Halts an engine on a request to end, as long as it lives.
struct Ending(tokio::task::JoinHandle<()>);

impl Ending {
    fn of(halt: Halt, stop: &CancellationToken) -> Self {
        let stop = stop.clone();
        Self(tokio::spawn(async move {
            stop.cancelled().await;
            halt.request();
        }))
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The answer of this very client, of however many came.
///
/// # Errors
/// When it is not among them.
pub(crate) fn answer_of(answers: Vec<ClientAnswer>, id: ClientId) -> Result<ClientAnswer, Fault> {
    let mut answers = answers.into_iter();
    answers.find(|answer| answer.id == id).ok_or_else(|| {
        Fault::new(
            "the client that was asked did not answer",
            "did the service just start again? run it again",
        )
    })
}

/// What a client told, of the kind that was asked for; anything else is another version's.
pub(crate) fn told<T>(
    answer: ClientAnswer,
    kind: impl FnOnce(Told) -> Option<T>,
) -> (String, Result<T, Fault>) {
    let result = match answer.said {
        Said::Failed(fault) => Err(fault),
        Said::Told(told) => kind(*told).ok_or_else(|| {
            Fault::new(
                "the service answered something else",
                "use programs of one version; restart the service after an update",
            )
        }),
    };
    (answer.client, result)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn id(id: u128) -> ClientId {
        ClientId(Uuid::from_u128(id))
    }

    fn answer(id: ClientId) -> ClientAnswer {
        ClientAnswer {
            id,
            client: "Contoso".into(),
            said: Said::Failed(Fault::new(id.to_string(), "")),
        }
    }

    #[test]
    fn of_two_clients_of_one_name_the_meant_one_is_understood() {
        let answers = || vec![answer(id(1)), answer(id(2))];
        assert_eq!(answer_of(answers(), id(1)).unwrap(), answer(id(1)));
        let fault = answer_of(answers(), id(3)).unwrap_err();
        assert!(fault.to_string().contains("did not answer"), "{fault}");
    }
}
