//! Slows down guessing, and locks nobody out who signed in before: what others try elsewhere never counts against them.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::token::TokenHash;

/// How long a wrong sign-in counts.
const WINDOW: Duration = Duration::from_mins(15);

/// How long a wrong one-time code from an unknown place counts.
const CODES_WINDOW: Duration = Duration::from_hours(1);

/// Counters remembered at the most; beyond it, the one that was touched longest ago is forgotten.
const REMEMBERED: usize = 10_000;

/// The account by its hash, so that a long name takes no more memory than a short one.
type Account = [u8; 32];

/// Where a sign-in comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source<'a> {
    /// A browser or a session that was signed in to this account before, by the hash of its token.
    Known(&'a TokenHash),
    /// Anybody at an address.
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    Known([u8; 32]),
    Network(IpAddr),
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Counter {
    /// Passwords of one account from one place.
    Passwords(Account, Place),
    /// One-time codes of one account from one place.
    Codes(Account, Place),
    /// Organization keys that one account's person typed at one place.
    OrganizationKeys(Account, Place),
    /// Passwords and organization keys of every account from one network: each costs the server an Argon2id.
    Network(IpAddr),
    /// The same from all the IPv6 networks of one site.
    Site(Ipv6Addr),
    /// One-time codes of one account from wherever nobody signed in to it before.
    CodesFromElsewhere(Account),
}

impl Counter {
    /// Wrong ones before the next is refused.
    fn most(self) -> usize {
        match self {
            Self::Passwords(..) | Self::Codes(..) | Self::OrganizationKeys(..) => 5,
            Self::CodesFromElsewhere(_) => 10,
            Self::Network(_) => 50,
            Self::Site(_) => 200,
        }
    }

    fn window(self) -> Duration {
        match self {
            Self::CodesFromElsewhere(_) => CODES_WINDOW,
            _ => WINDOW,
        }
    }

    /// Whether a right sign-in begins it anew. Of the others it only takes itself back.
    fn is_own(self) -> bool {
        matches!(
            self,
            Self::Passwords(..) | Self::Codes(..) | Self::OrganizationKeys(..)
        )
    }
}

/// The wrong sign-ins of the last while, and where the right ones came from. In memory: a restart forgets them.
#[derive(Debug, Default)]
pub(crate) struct SignInLimit {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    wrong: HashMap<Counter, Vec<Instant>>,
    known: HashMap<(Account, IpAddr), Instant>,
}

/// Too many wrong sign-ins.
#[derive(Debug)]
pub(crate) struct TooMany;

/// A sign-in that is under way. It counts as wrong until it is known to be right.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    limit: &'a SignInLimit,
    account: Account,
    place: Place,
    counters: Vec<Counter>,
    at: Instant,
}

impl SignInLimit {
    /// Begins a sign-in. Counting before the test means that many at once do not slip through.
    pub(crate) fn begin(&self, account: &str, source: Source<'_>) -> Result<Attempt<'_>, TooMany> {
        self.begin_at(account, source, Instant::now())
    }

    /// Begins the test of a one-time code.
    pub(crate) fn begin_code(
        &self,
        account: &str,
        source: Source<'_>,
    ) -> Result<Attempt<'_>, TooMany> {
        self.begin_code_at(account, source, Instant::now())
    }

    /// Begins the test of a recovery code, which cannot be guessed: what others try does not stand in its way.
    pub(crate) fn begin_recovery_code(
        &self,
        account: &str,
        source: Source<'_>,
    ) -> Result<Attempt<'_>, TooMany> {
        let (account, place) = (hash(account), place(source));
        let counters = vec![Counter::Codes(account, place)];
        self.count(account, place, counters, Instant::now())
    }

    /// Begins the test of an organization key.
    pub(crate) fn begin_organization_key(
        &self,
        account: &str,
        source: Source<'_>,
    ) -> Result<Attempt<'_>, TooMany> {
        let (account, place) = (hash(account), place(source));
        let own = Counter::OrganizationKeys(account, place);
        self.begin_costly(account, place, own, Instant::now())
    }

    fn begin_at(
        &self,
        account: &str,
        source: Source<'_>,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        let (account, place) = (hash(account), place(source));
        self.begin_costly(account, place, Counter::Passwords(account, place), now)
    }

    fn begin_costly(
        &self,
        account: Account,
        place: Place,
        own: Counter,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        let mut counters = vec![own];
        if let Some(network) = self.unknown(account, place) {
            counters.extend(costly_from(network));
        }
        self.count(account, place, counters, now)
    }

    fn begin_code_at(
        &self,
        account: &str,
        source: Source<'_>,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        let (account, place) = (hash(account), place(source));
        let mut counters = vec![Counter::Codes(account, place)];
        if self.unknown(account, place).is_some() {
            counters.push(Counter::CodesFromElsewhere(account));
        }
        self.count(account, place, counters, now)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, where nobody has signed in to this account from it.
    fn unknown(&self, account: Account, place: Place) -> Option<IpAddr> {
        let Place::Network(network) = place else {
            return None;
        };
        let counts = self.counts();
        (!counts.known.contains_key(&(account, network))).then_some(network)
    }

    fn count(
        &self,
        account: Account,
        place: Place,
        counters: Vec<Counter>,
        now: Instant,
    ) -> Result<Attempt<'_>, TooMany> {
        let mut counts = self.counts();
        if counters.iter().any(|it| counts.is_full(*it, now)) {
            return Err(TooMany);
        }
        for counter in &counters {
            forget_beyond_limit(&mut counts.wrong, counter, |times| times.last().copied());
            counts.wrong.entry(*counter).or_default().push(now);
        }
        Ok(Attempt {
            limit: self,
            account,
            place,
            counters,
            at: now,
        })
    }
}

impl Counts {
    fn is_full(&mut self, counter: Counter, now: Instant) -> bool {
        let Some(times) = self.wrong.get_mut(&counter) else {
            return false;
        };
        times.retain(|at| now.duration_since(*at) < counter.window());
        times.len() >= counter.most()
    }

    fn take_back(&mut self, counter: Counter, at: Instant) {
        let Some(times) = self.wrong.get_mut(&counter) else {
            return;
        };
        if let Some(found) = times.iter().position(|it| *it == at) {
            times.remove(found);
        }
        if times.is_empty() {
            self.wrong.remove(&counter);
        }
    }
}

impl Attempt<'_> {
    /// It was right, and nothing more is needed: its network is known from now on.
    pub(crate) fn succeeded(self) {
        if let Place::Network(network) = self.place {
            let mut counts = self.limit.counts();
            let key = (self.account, network);
            forget_beyond_limit(&mut counts.known, &key, |at| Some(*at));
            counts.known.insert(key, self.at);
        }
        self.passed();
    }

    /// It was right as far as it goes: the account begins anew here.
    pub(crate) fn passed(self) {
        let mut counts = self.limit.counts();
        for counter in &self.counters {
            if counter.is_own() {
                counts.wrong.remove(counter);
            } else {
                counts.take_back(*counter, self.at);
            }
        }
    }
}

fn hash(account: &str) -> Account {
    Sha256::digest(account.to_lowercase()).into()
}

fn place(source: Source<'_>) -> Place {
    match source {
        Source::Known(token) => Place::Known(Sha256::digest(token.as_str()).into()),
        Source::Address(address) => Place::Network(network(address)),
    }
}

/// Whoever has one address of IPv6 has the 2⁶⁴ beside it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// What counts an Argon2id for a network. A site has 65,536 of IPv6. Source: RFC 6177.
fn costly_from(network: IpAddr) -> impl Iterator<Item = Counter> {
    let site = match network {
        IpAddr::V6(network) => Some(Ipv6Addr::from_bits(network.to_bits() >> 80 << 80)),
        IpAddr::V4(_) => None,
    };
    let site = site.map(Counter::Site);
    [Counter::Network(network)].into_iter().chain(site)
}

/// Makes room for one more. Somebody who tries thousands of names makes this forget one each time, not all of them.
fn forget_beyond_limit<K: Copy + Eq + std::hash::Hash, V>(
    map: &mut HashMap<K, V>,
    coming: &K,
    touched: impl Fn(&V) -> Option<Instant>,
) {
    if map.len() < REMEMBERED || map.contains_key(coming) {
        return;
    }
    let longest_ago = map.iter().min_by_key(|(_, value)| touched(value));
    if let Some(key) = longest_ago.map(|(key, _)| *key) {
        map.remove(&key);
    }
}

#[cfg(test)]
mod tests;
