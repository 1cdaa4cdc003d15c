//! The one session that holds the state's lock and does all the reading and writing.
//!
//! What is written by the session that has the lock cannot be written without it: when the session
//! ends, so do its lock and its transaction, and the server decides that, not we.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use super::connect::Address;
use super::fault::Failure;
use super::lock::{self, Before};
use crate::schema::{self, Step};
use crate::{Access, OpenError, PostgresUrl};

/// The longest that anything takes, waiting in line and connecting anew included.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

const STEPS: [Step; 1] = [(
    1,
    "initial",
    include_str!("../../migrations/postgres/0001_initial.sql"),
)];

/// The session with a state on a server, made anew when it was lost.
#[derive(Debug)]
pub(crate) struct Session {
    address: Address,
    /// Tells this process from every other that may still live.
    agent: OnceLock<String>,
    live: Mutex<Option<PgConnection>>,
    /// How often others turned out to have written since the state was opened.
    takeovers: AtomicU64,
    closed: AtomicBool,
}

impl Session {
    pub(crate) async fn open(url: &PostgresUrl, access: &Access) -> Result<Self, OpenError> {
        let session = Self {
            address: Address::new(url, access),
            agent: OnceLock::new(),
            live: Mutex::new(None),
            takeovers: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        };
        let held = session.hold().await;
        held.map_err(|failure| failure.not_opened(url))?
            .release(&Ok(()));
        Ok(session)
    }

    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let live = self.live.lock().await.take();
        if let Some(mut connection) = live {
            // Where this fails, the next agent takes this one for alive, which is the safe side.
            let _ = lock::leave(&mut connection, self.agent()).await;
            // Where the farewell fails, the server notices the end of the connection by itself.
            let _ = connection.close().await;
        }
    }

    /// Changes whenever others wrote in between.
    pub(super) fn takeovers(&self) -> u64 {
        self.takeovers.load(Ordering::SeqCst)
    }

    /// Empty until the state was opened.
    pub(super) fn agent(&self) -> &str {
        self.agent.get().map_or("", String::as_str)
    }

    /// The same for one process after another that left in good order.
    pub(crate) fn instance(&self) -> Option<Uuid> {
        self.agent().parse().ok()
    }

    /// The session, for one piece of work; made anew where it was lost.
    pub(super) async fn hold(&self) -> Result<Held<'_>, Failure> {
        let mut place = self.live.lock().await;
        if self.closed.load(Ordering::SeqCst) {
            return Err(Failure::Closed);
        }
        if let Some(mut connection) = place.take() {
            // A session that ended while nothing was asked of it is no reason to fail.
            if connection.ping().await.is_ok() {
                return Ok(Held { place, connection });
            }
        }
        let connection = self.establish().await?;
        Ok(Held { place, connection })
    }

    async fn establish(&self) -> Result<PgConnection, Failure> {
        let mut connection = self.address.connect().await?;
        match self.make_ours(&mut connection).await {
            Ok(Before::Us) => Ok(connection),
            Ok(Before::Others) => {
                self.takeovers.fetch_add(1, Ordering::SeqCst);
                Ok(connection)
            }
            Err(failure) => {
                // So that the server need not find out by itself that nobody is there.
                let _ = connection.close().await;
                Err(failure)
            }
        }
    }

    async fn make_ours(&self, connection: &mut PgConnection) -> Result<Before, Failure> {
        lock::take(connection).await?;
        let mut migrator = schema::migrator(&STEPS);
        // The state's own lock is held already.
        migrator.set_locking(false);
        // Not `run`, whose future is not `Send` for every lifetime, as sqlx itself says.
        migrator.run_direct(None, connection, false).await?;
        if let Some(agent) = self.agent.get() {
            return lock::go_on(connection, agent).await;
        }
        let agent = lock::begin(connection, &Uuid::new_v4().to_string()).await?;
        self.agent.get_or_init(|| agent);
        Ok(Before::Us)
    }
}

/// The session while one piece of work has it. Whatever ends without [`release`](Self::release), a
/// caller that gave up included, ends the session: nobody knows what it was in the middle of.
pub(super) struct Held<'a> {
    place: MutexGuard<'a, Option<PgConnection>>,
    pub(super) connection: PgConnection,
}

impl Held<'_> {
    /// Gives the session back for the next piece of work, if it is as good as before.
    pub(super) fn release<T>(mut self, result: &Result<T, Failure>) {
        let is_good = match result {
            Ok(_) => true,
            Err(failure) => failure.leaves_the_session(),
        };
        if is_good && !self.connection.is_in_transaction() {
            *self.place = Some(self.connection);
        }
    }
}
