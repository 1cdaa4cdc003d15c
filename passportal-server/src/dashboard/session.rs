//! Sessions of the dashboard. They live in memory, because they hold the key that opens the passwords.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use jiff::{SignedDuration, Timestamp};
use passportal_client::credential_table::Table;
use passportal_client::envelope::KeyEncryptionKey;
use passportal_client::wire::{OwnSession, SessionKind};
use tracing::warn;
use uuid::Uuid;

use super::kept::{Kept, Lasting};
use super::second_step::FirstStep;
use crate::caller_address;
use crate::state::Transport;
use crate::token::{Token, TokenHash};
use crate::vault::{Actor, Generations, Identified, Person, Vault};

/// A session without a request for this long ends.
const IDLE: Duration = Duration::from_mins(30);

/// Every session ends after this long.
const LONGEST: Duration = Duration::from_hours(12);

/// How long a previewed import is kept.
const PREVIEW: Duration = Duration::from_mins(15);

/// Sessions at the most.
const MOST: usize = 1000;

const COOKIE: &str = "passportal_session";

/// A person who is signed in to the dashboard. The key is zeroized when the session is dropped.
pub(super) struct Session {
    pub(super) person: Person,
    pub(super) kek: Arc<KeyEncryptionKey>,
    beginning: Beginning,
    used: Mutex<Instant>,
    csrf: Token,
    message: Mutex<Option<Message>>,
    import: Mutex<Option<PreviewedImport>>,
}

/// What stays the same when a session gets another cookie.
#[derive(Clone)]
struct Beginning {
    id: Uuid,
    /// The number of the person's sessions that it began under.
    generation: i64,
    at: Timestamp,
    since: Instant,
    address: Option<IpAddr>,
    program: String,
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
    pub(super) fn new(identified: Identified, kek: KeyEncryptionKey, program: String) -> Self {
        let beginning = Beginning {
            id: Uuid::new_v4(),
            generation: identified.generation,
            at: Timestamp::now(),
            since: Instant::now(),
            address: caller_address::current(),
            program,
        };
        let used = beginning.since;
        Self::of(identified.person, Arc::new(kek), beginning, used)
    }

    fn of(person: Person, kek: Arc<KeyEncryptionKey>, beginning: Beginning, used: Instant) -> Self {
        Self {
            person,
            kek,
            used: Mutex::new(used),
            beginning,
            csrf: Token::generate(),
            message: Mutex::new(None),
            import: Mutex::new(None),
        }
    }

    /// Stays the same under another cookie.
    pub(super) fn id(&self) -> Uuid {
        self.beginning.id
    }

    /// The number of the person's sessions that it began under.
    pub(super) fn generation(&self) -> i64 {
        self.beginning.generation
    }

    /// What the limit on wrong sign-ins counts this session's under.
    pub(super) fn mark(&self) -> TokenHash {
        TokenHash::of(&self.beginning.id.to_string())
    }

    /// As its person sees it in the list of their own.
    fn told(&self, current: Option<Uuid>) -> OwnSession {
        let unused = SignedDuration::try_from(self.used().elapsed()).unwrap_or_default();
        OwnSession {
            id: self.beginning.id,
            kind: SessionKind::Dashboard,
            begun: self.beginning.at,
            seen: Timestamp::now() - unused,
            address: self.beginning.address.map(|address| address.to_string()),
            program: self.beginning.program.clone(),
            current: current == Some(self.beginning.id),
        }
    }

    fn use_at(&self, now: Instant) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = now;
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

impl Lasting for Session {
    fn is_over(&self, now: Instant) -> bool {
        now.duration_since(self.used()) >= IDLE
            || now.duration_since(self.beginning.since) >= LONGEST
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All sessions, and the sign-ins that wait for their second step.
#[derive(Clone)]
pub(crate) struct Sessions {
    open: Arc<Kept<Session>>,
    pub(super) first_steps: Arc<Kept<FirstStep>>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            open: Arc::new(Kept::at_most(MOST)),
            first_steps: Arc::new(Kept::at_most(MOST)),
        }
    }
}

impl Sessions {
    /// Opens a session; returns its cookie.
    pub(super) fn open(&self, session: Arc<Session>, transport: Transport) -> Cookie<'static> {
        let token = Token::generate();
        self.open.insert(token.hash(), session);
        cookie(COOKIE, token.expose().to_owned(), transport)
    }

    /// The session of a cookie, which is used by that.
    pub(super) fn find_at(&self, jar: &CookieJar, now: Instant) -> Option<Arc<Session>> {
        let found = self.open.get(&hash_of(jar)?, now)?;
        found.use_at(now);
        Some(found)
    }

    /// Puts a session on under another cookie, and with other forms, from when its person's rights or proofs changed.
    /// It ends when it would have ended.
    pub(super) fn renew(
        &self,
        jar: CookieJar,
        session: &Session,
        generation: Option<i64>,
        transport: Transport,
    ) -> (CookieJar, Arc<Session>) {
        self.close(&jar);
        let mut beginning = session.beginning.clone();
        beginning.generation = generation.unwrap_or(beginning.generation);
        let kek = Arc::clone(&session.kek);
        let renewed = Arc::new(Session::of(
            session.person.clone(),
            kek,
            beginning,
            session.used(),
        ));
        let opened = self.open(Arc::clone(&renewed), transport);
        (jar.add(opened), renewed)
    }

    /// Ends the session that the cookie names.
    pub(super) fn close(&self, jar: &CookieJar) {
        if let Some(hash) = hash_of(jar) {
            self.open.remove(&hash);
        }
    }

    /// A person's sessions. `current` is the one that asks.
    pub(crate) fn of_person(&self, person: Uuid, current: Option<Uuid>) -> Vec<OwnSession> {
        let all = self.open.all(Instant::now());
        let own = all.iter().filter(|session| session.person.id == person);
        own.map(|session| session.told(current)).collect()
    }

    /// Ends one of a person's sessions; says whether there was one.
    pub(crate) fn end(&self, person: Uuid, id: Uuid) -> bool {
        self.open
            .remove_where(|session| session.person.id == person && session.beginning.id == id)
    }

    /// Ends all of a person's sessions and begun sign-ins, so that their keys leave memory at once.
    pub(crate) fn end_all(&self, person: Uuid) {
        self.open
            .remove_where(|session| session.person.id == person);
        self.first_steps
            .remove_where(|step| step.identified.person.id == person);
    }

    /// Ends everybody's sessions: the key that they hold opens nothing any more.
    pub(super) fn end_every_one(&self) {
        self.open.remove_where(|_| true);
        self.first_steps.remove_where(|_| true);
    }

    /// Ends the sessions and begun sign-ins of an earlier generation.
    pub(crate) fn end_older(&self, generations: &Generations) {
        let is_older = |person: &Uuid, began: i64| {
            let now = generations.get(person);
            now.is_some_and(|now| began < *now)
        };
        self.open
            .remove_where(|session| is_older(&session.person.id, session.generation()));
        self.first_steps.remove_where(|step| {
            let identified = &step.identified;
            is_older(&identified.person.id, identified.generation)
        });
    }

    /// Drops ended sessions regularly, so that their keys do not wait in memory for the next request. Another process may
    /// have ended them.
    pub(crate) async fn sweep_every(&self, pause: Duration, vault: &Vault) {
        loop {
            tokio::time::sleep(pause).await;
            let now = Instant::now();
            self.open.remove_where(|session| session.is_over(now));
            self.first_steps.remove_where(|step| step.is_over(now));
            for session in self.open.all(now) {
                session.drop_old_import();
            }
            match vault.generations().await {
                Ok(generations) => self.end_older(&generations),
                Err(error) => warn!(
                    error = &error as &dyn std::error::Error,
                    "could not look for ended sessions"
                ),
            }
        }
    }
}

fn hash_of(jar: &CookieJar) -> Option<TokenHash> {
    Some(TokenHash::of(jar.get(COOKIE)?.value()))
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

#[cfg(test)]
mod tests;
