//! The directory port: replicas that lag, sign-in tests that count, and the one write.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sync_engine::model::{
    AccountAccess, DeltaLink, DirectoryChanges, DirectoryView, Domains, EdgeWhitespace, ObjectId,
    Password, SignIn, UnknownReason, UserPrincipalName, Verdict,
};
use sync_engine::ports::{Directory, DirectoryError, SetPassword};

use super::{Line, Weight, cause};
use crate::fault::Fault;
use crate::time::{MINUTE, Moment, SECOND};
use crate::world::{Culprit, Flight, Happening, Visit, World, position};

pub(super) struct SimDirectory(pub(super) Line);

/// How far a stale replica may be behind.
const STALE_MOST: u64 = 5 * MINUTE;
/// How long the previous password may be the one that a sign-in meets: less than the time that the
/// engine grants for it.
const SIGN_IN_STALE_MOST: u64 = 100 * SECOND;
/// A write that takes effect late does so before its time-out.
const LATE_MOST: u64 = 55 * SECOND;

impl SimDirectory {
    async fn read<T>(
        &self,
        special: &[Fault],
        act: impl Fn(&mut World, Option<Fault>) -> T + Send,
    ) -> Result<T, DirectoryError>
    where
        T: Send,
    {
        let mut faults = vec![Fault::ReadUnavailable, Fault::ReadThrottled];
        faults.extend(special);
        let fate = self.0.fate(Weight::Reading, &faults);
        self.0.before(fate).await;
        match fate.fault {
            Some(fault @ (Fault::ReadUnavailable | Fault::DomainsUnreadable)) => {
                self.0.pass(fate.after).await;
                return Err(DirectoryError::Unavailable(cause(fault)));
            }
            Some(Fault::ReadThrottled) => {
                self.0.pass(fate.after).await;
                let retry_at = self.patience();
                return Err(DirectoryError::Throttled { retry_at });
            }
            _ => {}
        }
        let answer = self.0.with(|world| act(world, fate.fault));
        self.0.after(fate).await;
        Ok(answer)
    }

    /// How long the service asks to wait, by this machine's clock.
    fn patience(&self) -> Timestamp {
        let wait = self
            .0
            .with(|world| world.luck.between(5 * SECOND, 5 * MINUTE));
        let now = self.0.now();
        now.checked_add(Duration::from_millis(wait)).unwrap_or(now)
    }
}

#[async_trait]
impl Directory for SimDirectory {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        let special = if since.is_some() {
            [Fault::DeltaReset, Fault::StaleDelta]
        } else {
            [Fault::StaleFullRead, Fault::StaleFullRead]
        };
        let read = |world: &mut World, fault| {
            let at = world.replica(fault);
            let since = since.filter(|_| fault != Some(Fault::DeltaReset));
            world.tenant.changes(since, at)
        };
        let changes = self.read(&special, read).await?;
        self.0.with(|world| world.saw_directory(&self.0, &changes));
        Ok(changes)
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        let read = |world: &mut World, _| world.tenant.domains().clone();
        let domains = self.read(&[Fault::DomainsUnreadable], read).await?;
        self.0.with(|world| {
            world.tell(|| format!("{} read the domains", self.0.agent));
            world.domains_were_read(self.0.agent, &domains);
            let agent = world.agents.get_mut(&self.0.agent);
            if let Some(view) = agent.and_then(|agent| agent.seen.directory.as_mut()) {
                view.set_domains(domains.clone());
            }
        });
        Ok(domains)
    }

    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        let faults = [
            Fault::SignInUnavailable,
            Fault::SignInThrottled,
            Fault::SignInAnswerLost,
            Fault::SignInStale,
            Fault::SignInTwice,
        ];
        if password.facts().edge_whitespace == EdgeWhitespace::Present {
            return silent(UnknownReason::EdgeWhitespace, false);
        }
        let line = &self.0;
        line.with(|world| world.check_sign_in_starts(line.agent, user_name, password));
        let fate = line.fate(Weight::Acting, &faults);
        match fate.fault {
            Some(Fault::SignInUnavailable) => {
                line.before(fate).await;
                line.pass(fate.after).await;
                return silent(UnknownReason::Unavailable, false);
            }
            Some(Fault::SignInThrottled) => {
                line.before(fate).await;
                line.pass(fate.after).await;
                return SignIn {
                    retry_at: Some(self.patience()),
                    ..silent(UnknownReason::Throttled, false)
                };
            }
            _ => {}
        }
        let answer = self.visit(user_name, password, fate).await;
        line.with(|world| world.sign_in_answered(line.agent, user_name, password, &answer));
        answer
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        let line = &self.0;
        let faults = [
            Fault::WriteLost,
            Fault::WriteAnswerLost,
            Fault::WriteTwice,
            Fault::WriteLate,
            Fault::WriteNotNow,
            Fault::WriteRefused,
        ];
        let mut flight = line.with(|world| world.check_write_starts(line.agent, id, password));
        let fate = line.fate(Weight::Acting, &faults);
        match fate.fault {
            Some(Fault::WriteNotNow) => {
                line.before(fate).await;
                line.after(fate).await;
                let retry_at = self.patience();
                return SetPassword::NotNow { retry_at };
            }
            Some(Fault::WriteLost) => {
                line.before(fate).await;
                line.after(fate).await;
                return SetPassword::Ambiguous;
            }
            Some(Fault::WriteTwice) => flight.times = 2,
            Some(Fault::WriteRefused) => flight.refused = true,
            _ => {}
        }
        self.fly(flight, fate).await
    }
}

impl SimDirectory {
    /// Sends a sign-in test. Once sent it arrives, whatever becomes of the process.
    async fn visit(
        &self,
        name: &UserPrincipalName,
        password: &Password,
        fate: super::Fate,
    ) -> SignIn {
        let line = &self.0;
        if fate.death == Some(super::Side::Before) {
            line.before(fate).await;
        }
        let visit = Visit {
            agent: line.agent,
            name: name.clone(),
            password: password.clone(),
            fault: fate.fault,
            answer: None,
        };
        let (number, answered) = line.with(|world| {
            world.flown += 1;
            let number = world.flown;
            world.visits.insert(number, visit);
            world.book(fate.before, Happening::Arrive(number));
            (number, world.now.plus(fate.before + 1))
        });
        line.until(answered).await;
        line.after(fate).await;
        let visit = line.with(|world| world.visits.remove(&number));
        match visit.and_then(|visit| visit.answer) {
            Some(answer) if fate.fault != Some(Fault::SignInAnswerLost) => answer,
            _ => silent(UnknownReason::Unavailable, true),
        }
    }

    /// Sends a write. Once sent it lands, whatever becomes of the process.
    async fn fly(&self, flight: Flight, fate: super::Fate) -> SetPassword {
        let line = &self.0;
        if fate.death == Some(super::Side::Before) {
            line.before(fate).await;
        }
        let (number, answered) = line.with(|world| {
            world.flown += 1;
            let number = world.flown;
            let late = fate.fault == Some(Fault::WriteLate);
            let lands = if late {
                world.luck.between(20 * SECOND, LATE_MOST)
            } else {
                fate.before
            };
            world.flights.insert(number, flight);
            world.book(lands, Happening::Land(number));
            // A late write is given up before it lands.
            let answered = if late { lands / 2 } else { lands + 1 };
            (number, world.now.plus(answered))
        });
        line.until(answered).await;
        line.after(fate).await;
        let lost = matches!(fate.fault, Some(Fault::WriteAnswerLost | Fault::WriteLate));
        let outcome = line.with(|world| {
            let flight = world.flights.get(&number);
            flight.and_then(|flight| flight.outcome.clone())
        });
        match outcome {
            Some(outcome) if !lost => {
                line.with(|world| world.write_answered(line.agent, &outcome, number));
                outcome
            }
            _ => SetPassword::Ambiguous,
        }
    }
}

fn silent(reason: UnknownReason, counted: bool) -> SignIn {
    SignIn {
        verdict: Verdict::Unknown(reason),
        counted,
        code: None,
        retry_at: None,
    }
}

/// Whether a failed sign-in is the engine's, or a copy of it that the network made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Once,
    Again,
}

impl World {
    /// The moment of the tenant that a reading shows.
    fn replica(&mut self, fault: Option<Fault>) -> Moment {
        let stale = matches!(fault, Some(Fault::StaleDelta | Fault::StaleFullRead));
        let lag = if stale {
            self.luck.between(10 * SECOND, STALE_MOST)
        } else {
            self.luck.below(self.nature.lag + 1)
        };
        self.now.minus(lag)
    }

    /// An agent was told what changed in the directory.
    fn saw_directory(&mut self, line: &Line, changes: &DirectoryChanges) {
        self.tell(|| {
            let (extent, count) = (changes.extent, changes.accounts.len());
            format!("{} read accounts: {extent:?}, {count}", line.agent)
        });
        let domains = self.watch.domains_known_to(line.agent);
        let Some(agent) = self.agents.get_mut(&line.agent) else {
            return;
        };
        let seen = &mut agent.seen;
        seen.directory_as_of = position(&changes.link).unwrap_or_default();
        match &mut seen.directory {
            Some(view) => view.absorb(changes.clone()),
            None => seen.directory = Some(DirectoryView::new(changes.clone(), domains)),
        }
    }

    /// A sign-in test reaches the service.
    pub(crate) fn arrive(&mut self, number: u64) {
        let Some(visit) = self.visits.get(&number).cloned() else {
            return;
        };
        if visit.fault == Some(Fault::SignInTwice) {
            self.sign_in(&visit, Count::Again);
        }
        let answer = self.sign_in(&visit, Count::Once);
        if let Some(visit) = self.visits.get_mut(&number) {
            visit.answer = Some(answer);
        }
    }

    fn sign_in(&mut self, visit: &Visit, count: Count) -> SignIn {
        let Visit {
            agent,
            name,
            password,
            fault,
            ..
        } = visit;
        self.totals.sign_ins += 1;
        let now = self.now;
        let stale = self.luck.below(SIGN_IN_STALE_MOST);
        let Some(id) = self.tenant.resolve(name.as_str()) else {
            return silent(UnknownReason::Inconclusive, false);
        };
        if !self.tenant.is_managed(name) {
            return silent(UnknownReason::NotManaged, false);
        }
        let Some(user) = self.tenant.user_mut(id) else {
            return silent(UnknownReason::Inconclusive, false);
        };
        let disabled = user
            .account()
            .is_some_and(|account| account.access == AccountAccess::Disabled);
        if disabled {
            return silent(UnknownReason::Inconclusive, false);
        }
        if let Some(reason) = user.silent {
            return silent(reason, false);
        }
        if user.is_locked(now) {
            return silent(UnknownReason::Locked, false);
        }
        let expected = if *fault == Some(Fault::SignInStale) {
            user.password_at(now.minus(stale))
        } else {
            user.password()
        };
        let misled = (expected == password.expose()) != (user.password() == password.expose());
        let answer = if expected == password.expose() {
            user.succeed();
            SignIn::matched()
        } else {
            let locked = user.fail(Culprit::Us, now);
            let ours = user.ours;
            self.check_failure(
                *agent,
                name,
                password,
                id,
                count == Count::Again,
                ours,
                locked,
            );
            SignIn {
                code: Some(50126),
                ..SignIn::mismatched()
            }
        };
        if misled {
            self.was_misled(*agent, id, &answer.verdict);
        }
        self.tell(|| format!("{agent} signs in as {name}: {:?}", answer.verdict));
        answer
    }
}
