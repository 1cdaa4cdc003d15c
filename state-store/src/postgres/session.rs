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

/// How long things may take.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Opening, or one piece of work, connecting anew included.
    work: Duration,
    /// Waiting for the work of others.
    line: Duration,
    /// Closing: whoever stops the agent waits for it.
    farewell: Duration,
}

const LIMITS: Limits = Limits {
    work: Duration::from_secs(30),
    line: Duration::from_mins(1),
    farewell: Duration::from_secs(3),
};

const STEPS: [Step; 1] = [(
    1,
    "initial",
    include_str!("../../migrations/postgres/0001_initial.sql"),
)];

/// The session with a state on a server, made anew when it was lost.
#[derive(Debug)]
pub(crate) struct Session {
    address: Address,
    limits: Limits,
    /// Tells this process from every other that may still live.
    agent: OnceLock<String>,
    live: Mutex<Option<PgConnection>>,
    /// How often others turned out to have written since the state was opened.
    takeovers: AtomicU64,
    closed: AtomicBool,
}

impl Session {
    pub(crate) async fn open(url: &PostgresUrl, access: &Access) -> Result<Self, OpenError> {
        Self::open_within(LIMITS, url, access).await
    }

    async fn open_within(
        limits: Limits,
        url: &PostgresUrl,
        access: &Access,
    ) -> Result<Self, OpenError> {
        let session = Self::new(limits, url, access);
        let opened = session.in_turn(async |turn| {
            session.hold(turn).await?.release(&Ok(()));
            Ok(())
        });
        opened.await.map_err(|failure| failure.not_opened(url))?;
        Ok(session)
    }

    fn new(limits: Limits, url: &PostgresUrl, access: &Access) -> Self {
        Self {
            address: Address::new(url, access),
            limits,
            agent: OnceLock::new(),
            live: Mutex::new(None),
            takeovers: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// A server that is silent is not waited for: then the next agent takes this one for alive.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = tokio::time::timeout(self.limits.farewell, self.leave()).await;
    }

    async fn leave(&self) {
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

    /// Does a piece of work when its turn comes. Its time begins then: whoever stood in line for long is not cut off
    /// in the middle, which would end the session for all.
    pub(super) async fn in_turn<'a, T, W>(
        &'a self,
        work: impl FnOnce(Turn<'a>) -> W,
    ) -> Result<T, Failure>
    where
        W: Future<Output = Result<T, Failure>>,
    {
        let turn = tokio::time::timeout(self.limits.line, self.live.lock()).await;
        let turn = Turn(turn.map_err(|_| Failure::Busy)?);
        let answer = tokio::time::timeout(self.limits.work, work(turn)).await;
        answer.unwrap_or(Err(Failure::Slow))
    }

    /// The session, for one piece of work; made anew where it was lost.
    pub(super) async fn hold<'a>(&self, turn: Turn<'a>) -> Result<Held<'a>, Failure> {
        let Turn(mut place) = turn;
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

/// The right to the session: one piece of work has it at a time.
pub(super) struct Turn<'a>(MutexGuard<'a, Option<PgConnection>>);

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StateUrl;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    /// More than a test lasts.
    const LONG: Duration = Duration::from_hours(1);

    fn url(port: u16) -> PostgresUrl {
        let url = format!("postgres://agent@127.0.0.1:{port}/state?sslmode=disable");
        match StateUrl::parse(&url).unwrap() {
            StateUrl::Postgres(url) => url,
            StateUrl::Sqlite(_) => panic!("a file"),
        }
    }

    fn session(limits: Limits) -> Session {
        Session::new(limits, &url(1), &Access::default())
    }

    /// Work that is done at once.
    async fn work(session: &Session) -> Result<(), Failure> {
        session.in_turn(async |_turn| Ok(())).await
    }

    #[tokio::test]
    async fn the_time_for_a_piece_of_work_begins_when_its_turn_comes() {
        let session = session(Limits {
            work: Duration::ZERO,
            line: LONG,
            farewell: LONG,
        });
        let turn = session.live.lock().await;
        let before_it = async {
            tokio::task::yield_now().await;
            drop(turn);
        };
        let (answer, ()) = tokio::join!(work(&session), before_it);
        assert!(answer.is_ok(), "{answer:?}");
        let hangs = session.in_turn(async |_turn| std::future::pending::<Result<(), _>>().await);
        let hangs = hangs.await;
        assert!(matches!(hangs, Err(Failure::Slow)), "{hangs:?}");
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_no_lost_session() {
        let session = session(Limits {
            work: LONG,
            line: Duration::ZERO,
            farewell: LONG,
        });
        let turn = session.live.lock().await;
        let busy = work(&session).await;
        assert!(matches!(busy, Err(Failure::Busy)), "{busy:?}");
        drop(turn);
        work(&session).await.unwrap();
    }

    #[tokio::test]
    async fn closing_waits_for_nothing_that_hangs() {
        let session = session(Limits {
            work: LONG,
            line: LONG,
            farewell: Duration::ZERO,
        });
        let turn = session.live.lock().await;
        session.close().await;
        drop(turn);
        let closed = session.in_turn(async |turn| session.hold(turn).await.map(drop));
        let closed = closed.await;
        assert!(matches!(closed, Err(Failure::Closed)), "{closed:?}");
    }

    /// Lets one session in, and says nothing more.
    async fn fall_silent(listener: TcpListener) {
        const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
        let (mut session, _) = listener.accept().await.unwrap();
        let mut hello = [0; 4];
        session.read_exact(&mut hello).await.unwrap();
        session.write_all(WELCOME).await.unwrap();
        let mut heard = Vec::new();
        session.read_to_end(&mut heard).await.unwrap();
    }

    #[tokio::test]
    async fn a_server_that_falls_silent_after_the_welcome_is_told_as_not_answering() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url(listener.local_addr().unwrap().port());
        let server = tokio::spawn(fall_silent(listener));
        let limits = Limits {
            work: Duration::from_millis(500),
            line: LONG,
            farewell: LONG,
        };
        let opened = Session::open_within(limits, &url, &Access::default()).await;
        let told = opened.map(drop).unwrap_err();
        assert!(matches!(told, OpenError::Unreachable { .. }), "{told:?}");
        server.abort();
    }
}
