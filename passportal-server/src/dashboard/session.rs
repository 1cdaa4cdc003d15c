//! Sessions of the dashboard. They live in memory, because they hold the key that opens the passwords.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use moka::future::Cache;
use passportal_client::credential_table::Table;
use passportal_client::envelope::KeyEncryptionKey;
use uuid::Uuid;

use crate::state::Transport;
use crate::token::{Token, TokenHash};
use crate::vault::{Actor, Person};

/// A session without a request for this long ends.
const IDLE: Duration = Duration::from_mins(30);

/// Every session ends after this long.
const LONGEST: Duration = Duration::from_hours(12);

/// How long a previewed import is kept.
const PREVIEW: Duration = Duration::from_mins(15);

/// Sessions at the most.
const MOST: u64 = 1000;

const COOKIE: &str = "passportal_session";

/// A person who is signed in to the dashboard. The key is zeroized when the session is dropped.
pub(super) struct Session {
    pub(super) person: Person,
    pub(super) kek: KeyEncryptionKey,
    csrf: Token,
    message: Mutex<Option<Message>>,
    import: Mutex<Option<PreviewedImport>>,
}

/// A table that was previewed and may be stored. One for each session, of bounded size.
struct PreviewedImport {
    id: Uuid,
    client: Uuid,
    since: Instant,
    table: Table,
}

/// What the next page tells about the last action.
#[derive(Clone, Debug)]
pub(super) enum Message {
    /// It worked.
    Done(String),
    /// It did not.
    Refused(String),
}

impl Session {
    pub(super) fn new(person: Person, kek: KeyEncryptionKey) -> Self {
        Self {
            person,
            kek,
            csrf: Token::generate(),
            message: Mutex::new(None),
            import: Mutex::new(None),
        }
    }

    pub(super) fn actor(&self) -> Actor {
        Actor::person(&self.person.email)
    }

    /// The text that every form of this session carries.
    pub(super) fn csrf(&self) -> &str {
        self.csrf.expose()
    }

    pub(super) fn is_own_form(&self, csrf: &str) -> bool {
        self.csrf.matches(csrf)
    }

    /// Keeps a previewed table instead of the one before.
    pub(super) fn keep_import(&self, id: Uuid, client: Uuid, table: Table) {
        let since = Instant::now();
        *self.import.lock().unwrap_or_else(PoisonError::into_inner) = Some(PreviewedImport {
            id,
            client,
            since,
            table,
        });
    }

    /// Hands over the previewed table, where it is still there.
    pub(super) fn take_import(&self, id: Uuid, client: Uuid) -> Option<Table> {
        self.drop_old_import();
        let mut kept = self.import.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|kept| kept.id == id && kept.client == client)
            .map(|kept| kept.table)
    }

    fn drop_old_import(&self) {
        let mut kept = self.import.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take_if(|kept| kept.since.elapsed() > PREVIEW);
    }

    pub(super) fn leave_message(&self, message: Message) {
        *self.message.lock().unwrap_or_else(PoisonError::into_inner) = Some(message);
    }

    pub(super) fn take_message(&self) -> Option<Message> {
        self.message
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// All sessions, by the hash of their cookie.
#[derive(Clone)]
pub(crate) struct Sessions {
    open: Cache<String, Arc<Session>>,
}

impl Default for Sessions {
    fn default() -> Self {
        let open = Cache::builder()
            .max_capacity(MOST)
            .time_to_idle(IDLE)
            .time_to_live(LONGEST)
            .build();
        Self { open }
    }
}

impl Sessions {
    /// Opens a session; returns its cookie.
    pub(super) async fn open(&self, session: Session, transport: Transport) -> Cookie<'static> {
        let token = Token::generate();
        let key = token.hash().as_str().to_owned();
        self.open.insert(key, Arc::new(session)).await;
        cookie(COOKIE, token.expose().to_owned(), transport)
    }

    pub(super) async fn find(&self, jar: &CookieJar) -> Option<Arc<Session>> {
        let hash = TokenHash::of(jar.get(COOKIE)?.value());
        self.open.get(hash.as_str()).await
    }

    /// Ends the session that the cookie names.
    pub(super) async fn close(&self, jar: &CookieJar) {
        if let Some(cookie) = jar.get(COOKIE) {
            let hash = TokenHash::of(cookie.value());
            self.open.invalidate(hash.as_str()).await;
            self.open.run_pending_tasks().await;
        }
    }

    /// Ends every session of a person, so that its key leaves memory at once.
    pub(crate) async fn end_those_of(&self, person: Uuid) {
        let of_person = self.open.iter();
        let of_person = of_person.filter(|(_, session)| session.person.id == person);
        let keys: Vec<Arc<String>> = of_person.map(|(key, _)| key).collect();
        for key in keys {
            self.open.invalidate(key.as_ref()).await;
        }
        self.open.run_pending_tasks().await;
    }

    /// Drops ended sessions regularly, so that their keys do not wait in memory for the next request.
    pub(crate) async fn sweep_every(&self, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            for (_, session) in &self.open {
                session.drop_old_import();
            }
            self.open.run_pending_tasks().await;
        }
    }
}

/// A cookie that scripts and other sites never see.
pub(super) fn cookie(name: &'static str, value: String, transport: Transport) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(transport == Transport::Tls)
        .build()
}

/// The removal of the session's cookie.
pub(super) fn no_cookie() -> Cookie<'static> {
    Cookie::build(COOKIE).path("/").build()
}
