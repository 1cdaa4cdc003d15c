//! The command line's end of the socket.

use std::io;
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use tokio::io::BufReader;
use tokio::time::timeout;

use super::line::{self, Limits};
use super::listener::connect;
use super::peer::own_name;
use super::protocol::{Answer, AnswerLine, Asked, LONGEST_ANSWER, LONGEST_REQUEST, RequestLine};
use super::server::SIGN_OF_LIFE;
use super::{AgentTold, AgentWant, ClientAnswer, ControlError, Fault, Place, Request};

/// The service is on this machine: it takes a connection at once or not at all.
const CONNECTING: Duration = Duration::from_secs(5);
const REQUEST: Limits = Limits {
    length: LONGEST_REQUEST,
    time: Duration::from_secs(5),
};
/// However long an answer takes, a sign of life comes more often than this.
const ANSWER: Limits = Limits {
    length: LONGEST_ANSWER,
    time: Duration::from_secs(6 * SIGN_OF_LIFE.as_secs()),
};

/// A running service that answers on its socket.
#[derive(Clone, Debug)]
pub struct Service {
    place: Place,
}

/// Why the service did not answer what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It could not be asked.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// It refused.
    #[error(transparent)]
    Refused(#[from] Fault),
}

impl AskError {
    /// What to do next, where something is known.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Control(source) => Some(source.hint()),
            Self::Refused(fault) => fault.hint(),
        }
    }

    /// Whether the caller is not allowed.
    pub fn is_not_authorised(&self) -> bool {
        match self {
            Self::Control(source) => source.is_not_authorised(),
            Self::Refused(fault) => fault.is_not_authorised(),
        }
    }
}

impl Service {
    /// The service of this place; `None` where none runs.
    ///
    /// # Errors
    /// When one runs, and this process may not speak to it.
    pub async fn find(place: Place) -> Result<Option<Self>, ControlError> {
        match reach(&place).await {
            Ok(_) => Ok(Some(Self { place })),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Ok(None),
                io::ErrorKind::PermissionDenied => Err(ControlError::NotAllowed { place }),
                _ => Err(ControlError::Broken {
                    place,
                    source: error,
                }),
            },
        }
    }

    /// Asks, and waits for the answer of each client that is meant.
    ///
    /// # Errors
    /// When the service refuses the request, goes away, or says what is no answer.
    pub async fn ask(&self, request: Request) -> Result<Vec<ClientAnswer>, AskError> {
        match self.converse(Asked::Clients(request)).await? {
            Answer::Clients(answers) => Ok(answers),
            _ => Err(self.not_understood().into()),
        }
    }

    /// Asks the agent as a whole, and waits for its answer.
    ///
    /// # Errors
    /// When it refuses, goes away, or says what is no answer.
    pub async fn ask_agent(&self, agent: AgentWant) -> Result<AgentTold, AskError> {
        match self.converse(Asked::Agent { agent }).await? {
            Answer::Agent(told) => Ok(told),
            _ => Err(self.not_understood().into()),
        }
    }

    async fn converse(&self, asked: Asked) -> Result<Answer, AskError> {
        let broken = |source| ControlError::Broken {
            place: self.place.clone(),
            source,
        };
        let stream = reach(&self.place).await.map_err(broken)?;
        let request = RequestLine::new(own_name(), asked);
        let sent = line::write(&mut &stream, &request, REQUEST).await;
        let mut lines = BufReader::new(&stream);
        while let Some(line) = line::read(&mut lines, ANSWER).await.map_err(broken)? {
            match self.understand(&line)? {
                Answer::Working => {}
                Answer::Refused(fault) => return Err(fault.into()),
                answer => return Ok(answer),
            }
        }
        // Whoever refuses a stranger need not read the request, so only now does a failure to send it count.
        let cause = sent.err();
        Err(broken(cause.unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())).into())
    }

    fn understand(&self, line: &[u8]) -> Result<Answer, ControlError> {
        match serde_json::from_slice(line) {
            Ok(AnswerLine { answer, .. }) => Ok(answer),
            Err(_) => Err(self.not_understood()),
        }
    }

    fn not_understood(&self) -> ControlError {
        ControlError::NotUnderstood {
            place: self.place.clone(),
        }
    }
}

async fn reach(place: &Place) -> io::Result<Stream> {
    timeout(CONNECTING, connect(place))
        .await
        .map_err(|_| io::ErrorKind::TimedOut)?
}
