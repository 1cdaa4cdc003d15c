//! A failure in the words of the service that stated it.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

/// A failure that a service stated: its status, its code, and its own id of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFault {
    /// The HTTP status.
    pub status: u16,
    /// The service's code: Graph's `error.code`, or `AADSTS` and a number.
    pub code: Option<String>,
    /// What Microsoft's support asks for.
    pub request_id: Option<String>,
    /// The id that the request carried; `None` where none was sent.
    pub client_request_id: Option<Uuid>,
    /// How long the service asked us to wait.
    pub wait: Option<Duration>,
}

impl fmt::Display for ServiceFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        if let Some(id) = self.client_request_id {
            write!(f, ", client request {id}")?;
        }
        Ok(())
    }
}
