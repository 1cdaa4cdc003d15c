//! An opened state of either kind, and the memories of its clients.

use std::sync::Arc;

use sync_engine::model::ClientId;
use uuid::Uuid;

use crate::postgres::{Session, SessionTables};
use crate::sqlite::{StateFile, StateFileTables};
use crate::{Access, ClientStore, OpenError, StateUrl};

/// An opened state, which no other process can open as long as this or a store of it lives.
/// Clones share it.
#[derive(Clone, Debug)]
pub struct StateDatabase(Kind);

#[derive(Clone, Debug)]
enum Kind {
    File(StateFile),
    Server(Arc<Session>),
}

impl StateDatabase {
    /// Opens the state that `url` names (see [`StateUrl::parse`]) with nothing but the url.
    ///
    /// # Errors
    /// See [`open_with`](Self::open_with).
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        Self::open_with(&StateUrl::parse(url)?, &Access::default()).await
    }

    /// Opens a state. A file is made where it does not exist, readable by its owner only, with its
    /// folder; a database on a server must exist, its tables are made.
    ///
    /// # Errors
    /// When it cannot be reached, written or understood, or another process has it.
    pub async fn open_with(url: &StateUrl, access: &Access) -> Result<Self, OpenError> {
        Ok(Self(match url {
            StateUrl::Sqlite(path) => Kind::File(StateFile::open(path).await?),
            StateUrl::Postgres(url) => Kind::Server(Arc::new(Session::open(url, access).await?)),
        }))
    }

    /// A state that ends with this process, for dry runs and tests.
    ///
    /// # Errors
    /// When there is no memory left.
    pub async fn in_memory() -> Result<Self, OpenError> {
        Ok(Self(Kind::File(StateFile::in_memory().await?)))
    }

    /// The memory of one client.
    pub fn client(&self, client: ClientId) -> ClientStore {
        match &self.0 {
            Kind::File(file) => ClientStore::new(StateFileTables::new(file, client)),
            Kind::Server(session) => ClientStore::new(SessionTables::new(session, client)),
        }
    }

    /// The same for one process after another, as long as each closes the state before it ends: so
    /// nothing of the one before can be under way. `None` where the state is a file, whose lock says
    /// as much by itself.
    pub fn instance(&self) -> Option<Uuid> {
        match &self.0 {
            Kind::File(_) => None,
            Kind::Server(session) => session.instance(),
        }
    }

    /// Finishes what is under way and lets another process open it. Stores of this database fail
    /// from then on.
    pub async fn close(self) {
        match self.0 {
            Kind::File(file) => file.close().await,
            Kind::Server(session) => session.close().await,
        }
    }
}
