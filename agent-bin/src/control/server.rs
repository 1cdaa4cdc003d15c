//! The service's end of the socket: one request a connection, answered by the clients that it is for.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use tokio::io::{AsyncWrite, BufReader};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::answer::{answer, chosen};
use super::line::{self, Limits};
use super::peer::{Owner, local_user};
use super::protocol::{Answer, AnswerLine, Asked, LONGEST_ANSWER, LONGEST_REQUEST, RequestLine};
use super::{ClientAnswer, Errands, Expected, Fault, Helm, Listener, Request, Said};
use crate::health::Health;
use crate::wiring::ClientAgent;

/// Connections at a time; others wait to be taken.
const MOST_CONNECTIONS: usize = 16;
/// Clients that look at once; a provider may have a thousand.
const MOST_CLIENTS_AT_ONCE: usize = 8;
/// A request is there as soon as somebody connects.
const REQUEST: Limits = Limits {
    length: LONGEST_REQUEST,
    time: Duration::from_secs(5),
};
const ANSWER: Limits = Limits {
    length: LONGEST_ANSWER,
    time: Duration::from_secs(30),
};
/// How often somebody who waits is told that the service is at it.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(5);
/// How long conversations may go on once the agent stops.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A pause after a connection that could not be taken: the cause may be a lack of file descriptors.
const BREATH: Duration = Duration::from_millis(200);

/// One client behind the socket.
#[derive(Clone)]
pub struct Door {
    /// The client.
    pub client: Arc<ClientAgent>,
    /// The way to its engine.
    pub errands: Errands,
    /// How it fares.
    pub health: Health,
    /// How it should.
    pub expected: Expected,
}

/// The clients behind the socket, as they are now. Clones share them.
#[derive(Clone, Default)]
pub struct Doors(Arc<RwLock<Vec<Door>>>);

impl Doors {
    /// From now on it is these.
    pub fn replace(&self, doors: Vec<Door>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = doors;
    }

    fn now(&self) -> Vec<Door> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Whom a conversation may be about.
#[derive(Clone)]
struct Hosts {
    doors: Doors,
    helm: Helm,
}

/// Answers until `stop`.
pub async fn serve(listener: Listener, doors: Doors, helm: Helm, stop: CancellationToken) {
    let hosts = Hosts { doors, helm };
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut conversations = JoinSet::new();
    while let Some(Ok(seat)) = stop
        .run_until_cancelled(Arc::clone(&room).acquire_owned())
        .await
    {
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else {
            break;
        };
        let stream = match accepted {
            Ok(stream) => stream,
            Err(error) => {
                warn!(%error, "a connection to the local socket could not be taken");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (owner, hosts) = (listener.owner().clone(), hosts.clone());
        conversations.spawn(async move {
            if let Err(error) = converse(&stream, &owner, &hosts).await {
                debug!(%error, "a conversation on the local socket broke off");
            }
            drop(seat);
        });
        while conversations.try_join_next().is_some() {}
    }
    // Before the memory is closed: the next process that opens it may take the name at once.
    drop(listener);
    let _ = timeout(LAST_WORDS, async {
        while conversations.join_next().await.is_some() {}
    })
    .await;
}

async fn converse(stream: &Stream, owner: &Owner, hosts: &Hosts) -> std::io::Result<()> {
    let admitted = owner.admit(stream);
    // Whatever was sent is read, a stranger's too: closing over unread words would lose the answer to them.
    let Some(text) = line::read(&mut BufReader::new(stream), REQUEST).await? else {
        return Ok(());
    };
    let peer = match admitted {
        Ok(peer) => peer,
        Err(fault) => {
            warn!("somebody who is not allowed asked on the local socket");
            return say(stream, Answer::Refused(fault)).await;
        }
    };
    let answer = match RequestLine::parse(&text) {
        Err(fault) => Answer::Refused(fault),
        Ok(RequestLine { user, asked, .. }) => {
            let by = local_user(peer.or(user).as_deref().unwrap_or("unnamed"));
            debug!(?asked, "{by} asks");
            let answer = hosts.answer(asked, by);
            with_signs_of_life(stream, answer).await?
        }
    };
    say(stream, answer).await
}

impl Hosts {
    async fn answer(&self, asked: Asked, by: String) -> Answer {
        let answered = match asked {
            Asked::Clients(request) => {
                let answers = ask_all(self.doors.now(), request, by).await;
                answers.map(Answer::Clients)
            }
            Asked::Agent { agent } => self.helm.ask(agent).await.map(Answer::Agent),
        };
        answered.unwrap_or_else(Answer::Refused)
    }
}

/// Waits for the answer, with a sign of life now and then. Where nobody listens any more, nothing further is begun.
async fn with_signs_of_life(
    stream: &Stream,
    answer: impl Future<Output = Answer>,
) -> std::io::Result<Answer> {
    let mut working = std::pin::pin!(answer);
    let mut signs = interval_at(Instant::now() + SIGN_OF_LIFE, SIGN_OF_LIFE);
    signs.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            answer = &mut working => return Ok(answer),
            _ = signs.tick() => say(stream, Answer::Working).await?,
        }
    }
}

async fn say(mut stream: &Stream, answer: Answer) -> std::io::Result<()> {
    say_within(&mut stream, answer, ANSWER).await
}

/// What is too long to say is refused in words, so that it is not taken for a service that went away.
async fn say_within(
    stream: &mut (impl AsyncWrite + Unpin),
    answer: Answer,
    limits: Limits,
) -> std::io::Result<()> {
    match line::write(stream, &AnswerLine::new(answer), limits).await {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
            let refused = Answer::Refused(Fault::new(
                "the answer is too long for the local socket",
                "ask for one client: `--client NAME`; with the service stopped, the command line reads the state itself",
            ));
            line::write(stream, &AnswerLine::new(refused), limits).await
        }
        said => said,
    }
}

/// Every client that is meant, side by side; their answers in the order of the configuration.
async fn ask_all(
    doors: Vec<Door>,
    request: Request,
    by: String,
) -> Result<Vec<ClientAnswer>, Fault> {
    let Request { client, want } = request;
    let meant = chosen(doors, client.as_deref(), |door| &door.client)?;
    let (want, by) = (Arc::new(want), Arc::<str>::from(by));
    let at_once = Arc::new(Semaphore::new(MOST_CLIENTS_AT_ONCE));
    let mut asked = JoinSet::new();
    for (position, door) in meant.into_iter().enumerate() {
        let (want, by, at_once) = (Arc::clone(&want), Arc::clone(&by), Arc::clone(&at_once));
        asked.spawn(async move {
            let _turn = at_once.acquire().await;
            let said = answer(&door.client, &want, &by, &door).await;
            let answer = ClientAnswer {
                id: door.client.id,
                client: door.client.name.clone(),
                said: Said::new(said),
            };
            (position, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(answered) = asked.join_next().await {
        answers.push(answered.map_err(|error| Fault::of(&error))?);
    }
    answers.sort_by_key(|(position, _)| *position);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_is_too_long_is_refused_in_words() {
        let limits = Limits {
            length: 400,
            ..ANSWER
        };
        let long = Answer::Refused(Fault::new("x".repeat(400), ""));
        let mut said = Vec::new();
        say_within(&mut said, long, limits).await.unwrap();
        let line: AnswerLine = serde_json::from_slice(&said).unwrap();
        let Answer::Refused(fault) = line.answer else {
            panic!("{line:?}")
        };
        assert!(fault.to_string().contains("too long"), "{fault}");
        assert!(fault.hint().unwrap().contains("--client"));
    }
}
