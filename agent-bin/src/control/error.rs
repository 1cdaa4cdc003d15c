//! Why the socket could not be had, or why whoever answers there could not be asked.

use std::io;

use super::Place;

/// Why the socket could not be had, or used. [`hint`](Self::hint) says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The path is longer than the operating system allows for a socket.
    #[error("the path of the local socket {place} is too long: {length} bytes, at most {most}")]
    TooLong {
        /// The socket.
        place: Place,
        /// Its length.
        length: usize,
        /// What is allowed.
        most: usize,
    },
    /// Another process answers there.
    #[error("another agent answers on the local socket {place}")]
    InUse {
        /// The socket.
        place: Place,
    },
    /// Something that is no socket has its name.
    #[error("{place} should be the agent's local socket and is something else")]
    NotASocket {
        /// The socket.
        place: Place,
    },
    /// It could not be made.
    #[error("the local socket {place} could not be made")]
    NotMade {
        /// The socket.
        place: Place,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It belongs to another user.
    #[error("the local socket {place} is for the agent's own user and for root")]
    NotAllowed {
        /// The socket.
        place: Place,
    },
    /// The conversation broke off.
    #[error("the agent on the local socket {place} could not be asked")]
    Broken {
        /// The socket.
        place: Place,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// What came was no answer.
    #[error("the agent on the local socket {place} said something that is not understood")]
    NotUnderstood {
        /// The socket.
        place: Place,
    },
}

impl ControlError {
    /// What to do next.
    pub fn hint(&self) -> &str {
        match self {
            Self::TooLong { .. } => {
                "name a state file with a shorter path in state.url: the socket stands beside it"
            }
            Self::InUse { .. } => "stop the other agent first, or give this one another state url",
            Self::NotASocket { .. } => "move it away",
            Self::NotMade { .. } => "let the service's user write the folder",
            Self::NotAllowed { .. } => {
                "run it as the service's user: sudo -u passportal-agent passportal …"
            }
            Self::Broken { .. } => "did the service just end? `passportal status` looks again",
            Self::NotUnderstood { .. } => {
                "are the service and this program of the same version? restart the service after an update"
            }
        }
    }

    /// Whether the caller is not allowed.
    pub fn is_not_authorised(&self) -> bool {
        matches!(self, Self::NotAllowed { .. })
    }
}
