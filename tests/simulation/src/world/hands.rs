//! What people do in Entra ID, what earlier deeds entail, and what befalls machines.

use sync_engine::model::{
    AccountAccess, DomainKind, Mastered, MicrosoftSync, Mute, ObjectId, Standing, SyncMode,
    UnknownReason, UserPrincipalName,
};
use sync_engine::plan::{NewOwnPassword, OwnAccount};

use super::people::short;
use super::{Agent, AgentId, Beginning, Culprit, FollowUp, Happening, Weather, World};
use crate::chance::Chance;
use crate::deed::{Deed, EntraDeed};
use crate::fault::Fault;
use crate::time::{DAY, HOUR, MINUTE, Moment, SECOND};

/// How many of a hundred worlds have an agent that is signed in as a person.
const OF_A_PERSON: u64 = 30;

const DOMAINS: [&str; 3] = ["contoso.com", "fabrikam.com", "contoso.onmicrosoft.com"];

impl World {
    /// The accounts and credentials that a world begins with, and its first agent.
    pub(super) fn populate(&mut self) {
        for domain in DOMAINS {
            self.tenant.add_domain(domain);
        }
        for number in 0..self.nature.accounts {
            let domain = self.will.pick(&DOMAINS).copied().unwrap_or(DOMAINS[0]);
            let name = format!("user{number:02}@{domain}");
            let password = self.passwords.good();
            self.tenant.add(&name, &password, self.now);
            let stored = if self.will.percent(75) {
                password
            } else {
                self.passwords.good()
            };
            let modes = [
                (60, SyncMode::Enabled),
                (32, SyncMode::ReportMismatches),
                (8, SyncMode::Off),
            ];
            let mode = self.will.weighted(&modes).unwrap_or(SyncMode::Enabled);
            self.vault.add(&name, mode, &stored);
        }
        self.choose_own_account();
        let ahead = if self.nature.has(Fault::ClockSkew) {
            self.count(Fault::ClockSkew);
            self.nature.skew
        } else {
            0
        };
        self.agents
            .insert(AgentId(1), Agent::new(AgentId(1), ahead));
    }

    /// In some worlds the agent is signed in as one of the accounts, by a refresh token. They are chosen by a chance
    /// of their own, so that the other worlds are the same as ever.
    fn choose_own_account(&mut self) {
        let mut chance = Chance::new(self.nature.seed, 4);
        if !chance.percent(OF_A_PERSON) {
            return;
        }
        let names = self.vault.entries().values();
        let names: Vec<_> = names.map(|it| it.credential.user_name.clone()).collect();
        self.nature.policy.own_account = chance.pick(&names).map(|user_name| OwnAccount {
            user_name: user_name.clone(),
            object: self.tenant.resolve(user_name.as_str()),
            new_password: NewOwnPassword::EndsSignIn,
        });
    }

    /// Books what is certain to come.
    pub(super) fn foresee(&mut self) {
        let start = Happening::Start {
            agent: AgentId(1),
            beginning: Beginning::AsItWas,
        };
        self.book(MINUTE, start);
        self.book(8 * HOUR, Happening::Weather(Weather::Morning));
        self.book(10 * MINUTE, Happening::Deed);
        self.book(HOUR, Happening::Weather(Weather::Copies));
        self.book(2 * HOUR, Happening::Weather(Weather::Backup));
        let storm = self.luck.gap(self.nature.storm_gap);
        self.book(storm, Happening::Weather(Weather::Storm));
        if self.nature.has(Fault::ClockForward) || self.nature.has(Fault::ClockBack) {
            let jump = self.luck.gap(6 * DAY);
            self.book(jump, Happening::Weather(Weather::ClockJump));
        }
        if self.nature.has(Fault::SecondAgent) {
            let after = self.luck.below(self.nature.tail);
            self.book(after, Happening::Weather(Weather::SecondAgent));
        }
        let crash = self.luck.gap(4 * DAY);
        self.book(crash, Happening::Weather(Weather::Crash));
        self.timeline
            .book(Moment(self.nature.tail), Happening::Tail);
        self.timeline
            .book(Moment(self.nature.end - DAY), Happening::Rest);
        self.timeline.book(Moment(self.nature.end), Happening::End);
    }

    /// Somebody does something, and somebody will again.
    pub(super) fn deed(&mut self) {
        if self.quiet {
            return;
        }
        self.totals.events += 1;
        if let Some(deed) = Deed::next(&mut self.will) {
            self.totals.deed(deed);
            match deed {
                Deed::Vault(deed) => self.vault_deed(deed),
                Deed::Entra(deed) => self.entra_deed(deed),
            }
        }
        let gap = self.will.gap(self.nature.event_gap / 2);
        self.book(gap, Happening::Deed);
    }

    fn entra_deed(&mut self, deed: EntraDeed) {
        let living = self.tenant.living();
        let Some(id) = self.will.pick(&living).copied() else {
            return;
        };
        self.tell(|| format!("in Entra ID: {deed:?} {}", account(id)));
        match deed {
            EntraDeed::ChangeOwn | EntraDeed::Reset => {
                let password = self.passwords.good();
                self.change_password(id, &password);
            }
            EntraDeed::ChangeToTheVaults => self.change_to_the_vaults(id),
            EntraDeed::SwitchAccess => self.switch_access(id),
            EntraDeed::Rename => self.rename(id),
            EntraDeed::Delete => self.delete(id),
            EntraDeed::OnPremises => self.on_premises(id),
            EntraDeed::Federate => self.federate(),
            EntraDeed::MultiFactor => self.multi_factor(id),
            EntraDeed::Attack => self.others_fail(id, 14, 2 * SECOND),
            EntraDeed::Phone => self.others_fail(id, 3, 2 * MINUTE),
        }
    }

    fn change_password(&mut self, id: ObjectId, password: &str) {
        let now = self.now;
        self.foreign_change(id);
        self.tenant.set_password(id, password, now);
        if let Some(user) = self.tenant.user_mut(id) {
            user.foreign_change = Some(now);
        }
        self.account_moved(id);
    }

    fn change_to_the_vaults(&mut self, id: ObjectId) {
        let name = self.tenant.user(id).and_then(|it| it.account());
        let name = name.map(|account| account.user_name.clone());
        let mut entries = self.vault.entries().values();
        let entry = entries.find(|it| Some(&it.credential.user_name) == name.as_ref());
        if let Some(password) = entry.map(|it| it.password.clone()) {
            self.change_password(id, &password);
        }
    }

    fn switch_access(&mut self, id: ObjectId) {
        self.tenant.change(id, self.now, |account| {
            account.access = AccountAccess::Disabled;
        });
        self.account_moved(id);
        let hours = self.will.between(1, 48);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::Enable(id)));
    }

    /// To a name of its own, to one that is free again, or in place of another account.
    fn rename(&mut self, id: ObjectId) {
        let number = self.will.below(self.nature.accounts);
        let domain = self.will.pick(&DOMAINS).copied().unwrap_or(DOMAINS[0]);
        let name = if self.will.percent(40) {
            let number = self.will.below(1000);
            format!("renamed{number}@{domain}")
        } else {
            let entries: Vec<_> = self.vault.entries().values().collect();
            let index = usize::try_from(number).unwrap_or(0);
            match entries.get(index) {
                Some(entry) => entry.credential.user_name.as_str().to_owned(),
                None => return,
            }
        };
        if self.tenant.resolve(&name).is_some() {
            return;
        }
        self.tenant.change(id, self.now, |account| {
            account.user_name = UserPrincipalName::new(&name);
        });
        self.everything_moved();
    }

    fn delete(&mut self, id: ObjectId) {
        let user = self.tenant.user(id).and_then(|it| it.account());
        let Some(name) = user.map(|account| account.user_name.as_str().to_owned()) else {
            return;
        };
        self.tenant.remove(id, self.now);
        self.everything_moved();
        let after = self.will.between(MINUTE, 30 * HOUR);
        self.book(after, Happening::FollowUp(FollowUp::Recreate(name)));
    }

    fn on_premises(&mut self, id: ObjectId) {
        self.tenant.change(id, self.now, |account| {
            account.mastered = Mastered::OnPremises;
        });
        self.account_moved(id);
        let hours = self.will.between(2, 72);
        self.book(hours * HOUR, Happening::FollowUp(FollowUp::Cloud(id)));
    }

    fn federate(&mut self) {
        let domain = self.will.pick(&DOMAINS).copied().unwrap_or(DOMAINS[0]);
        self.tenant.set_domain(domain, DomainKind::Federated);
        self.everything_moved();
        let hours = self.will.between(1, 48);
        let back = FollowUp::Manage(domain.to_owned());
        self.book(hours * HOUR, Happening::FollowUp(back));
    }

    fn multi_factor(&mut self, id: ObjectId) {
        let reason = if self.will.percent(50) {
            UnknownReason::NotPermitted
        } else {
            UnknownReason::Inconclusive
        };
        if let Some(user) = self.tenant.user_mut(id) {
            user.silent = Some(reason);
        }
        self.account_moved(id);
        if self.will.percent(60) {
            let hours = self.will.between(4, 120);
            self.book(hours * HOUR, Happening::FollowUp(FollowUp::Speak(id)));
        }
    }

    fn others_fail(&mut self, id: ObjectId, most: u64, apart: u64) {
        if !self.nature.has(Fault::OthersFail) {
            return;
        }
        self.count(Fault::OthersFail);
        for step in 0..self.will.between(1, most) {
            self.book(step * apart, Happening::FollowUp(FollowUp::Fail(id)));
        }
    }

    pub(super) fn follow_up(&mut self, what: FollowUp) {
        if self.quiet {
            return;
        }
        self.tell(|| format!("then: {what:?}"));
        let now = self.now;
        match what {
            FollowUp::Unmute => self.vault.set_client(|client| client.mute = Mute::Unmuted),
            FollowUp::SyncAgain => self
                .vault
                .set_client(|client| client.sync = MicrosoftSync::EntraId),
            FollowUp::Manage(domain) => self.tenant.set_domain(&domain, DomainKind::Managed),
            FollowUp::Mend(id) => self.vault.mend(id),
            FollowUp::Recreate(name) => self.recreate(&name),
            FollowUp::Cloud(id) => self
                .tenant
                .change(id, now, |account| account.mastered = Mastered::Cloud),
            FollowUp::Enable(id) => self
                .tenant
                .change(id, now, |account| account.access = AccountAccess::Enabled),
            FollowUp::Speak(id) => {
                if let Some(user) = self.tenant.user_mut(id) {
                    user.silent = None;
                }
            }
            FollowUp::RuleWaiting => return self.rule_waiting(),
            FollowUp::TypeAnother(id) => {
                self.totals.events += 1;
                self.type_new(id);
            }
            FollowUp::Fail(id) => return self.somebody_fails(id),
            FollowUp::Undo(id) => self.switch_back(id),
        }
        self.everything_moved();
        self.wake_watchers();
    }

    fn switch_back(&mut self, id: sync_engine::model::CredentialId) {
        let standing = self.vault.entry(id).map(|it| it.credential.standing);
        let other = match standing {
            Some(Standing::Active) => Standing::Disabled,
            _ => Standing::Active,
        };
        self.tell(|| format!("{} is {other:?} from now on", short(id)));
        self.vault.set_standing(id, other);
    }

    fn recreate(&mut self, name: &str) {
        if self.tenant.resolve(name).is_none() {
            let password = self.passwords.good();
            self.tenant.add(name, &password, self.now);
        }
    }

    fn somebody_fails(&mut self, id: ObjectId) {
        let now = self.now;
        if let Some(user) = self.tenant.user_mut(id)
            && !user.is_locked(now)
            && user.fail(Culprit::Others, now)
        {
            self.totals.lockouts_by_others += 1;
            self.account_moved(id);
        }
    }

    /// All that is unusual ends, so that what is left can be judged.
    pub(super) fn begin_tail(&mut self) {
        self.quiet = true;
        self.storm = false;
        self.tell(|| "from here on nobody touches anything, and nothing goes wrong".to_owned());
        self.vault.set_client(|client| {
            client.mute = Mute::Unmuted;
            client.sync = MicrosoftSync::EntraId;
        });
        for agent in self.agents.values_mut() {
            agent.stalled_until = None;
        }
        if self.nature.lease_lapses() {
            // Somebody notices that there are two. Where the lease lasts, they may both stay.
            self.book(0, Happening::Retire(AgentId(2)));
        }
        self.everything_moved();
        self.wake_watchers();
    }

    pub(super) fn weather(&mut self, what: Weather) {
        match what {
            Weather::ClockMended { agent, by } => self.turn_clock(agent, by),
            Weather::Morning => {
                self.everybody_signs_in();
                self.book(DAY, Happening::Weather(Weather::Morning));
            }
            _ if self.quiet => {}
            Weather::Storm => {
                self.storm = true;
                let lasts = self.luck.between(10 * MINUTE, 8 * HOUR);
                self.book(lasts, Happening::Weather(Weather::Calm));
            }
            Weather::Calm => {
                self.storm = false;
                let gap = self.luck.gap(self.nature.storm_gap);
                self.book(gap, Happening::Weather(Weather::Storm));
            }
            Weather::Copies => {
                for agent in self.agents.values_mut() {
                    agent.copies.push(agent.stored.clone());
                    if agent.copies.len() > 5 {
                        agent.copies.remove(0);
                    }
                }
                let gap = self.luck.gap(DAY);
                self.book(gap, Happening::Weather(Weather::Copies));
            }
            Weather::Backup => {
                self.vault.back_up();
                let gap = self.luck.gap(DAY);
                self.book(gap, Happening::Weather(Weather::Backup));
            }
            Weather::ClockJump => self.clock_jumps(),
            Weather::SecondAgent => self.second_agent(),
            Weather::Crash => {
                self.crash();
                let gap = self.luck.gap(4 * DAY);
                self.book(gap, Happening::Weather(Weather::Crash));
            }
        }
    }

    /// People sign in with their own passwords every day, which ends the count of failures. Nobody
    /// else's failures over a longer time are ours to answer for.
    fn everybody_signs_in(&mut self) {
        for id in self.tenant.living() {
            if let Some(user) = self.tenant.user_mut(id) {
                user.succeed();
            }
        }
    }

    fn clock_jumps(&mut self) {
        let agents: Vec<_> = self.agents.keys().copied().collect();
        let kinds: Vec<_> = [Fault::ClockForward, Fault::ClockBack]
            .into_iter()
            .filter(|fault| self.nature.has(*fault))
            .collect();
        if let (Some(agent), Some(kind)) = (
            self.luck.pick(&agents).copied(),
            self.luck.pick(&kinds).copied(),
        ) {
            self.count(kind);
            let size = self.luck.between(2 * SECOND, 12 * HOUR);
            let size = i64::try_from(size).unwrap_or(0);
            let by = if kind == Fault::ClockForward {
                size
            } else {
                -size
            };
            self.turn_clock(agent, by);
            let mended = self.luck.between(MINUTE, 30 * HOUR);
            // Early enough that no budget of the quiet end depends on it.
            let latest = Moment(self.nature.tail).minus(DAY).max(self.now.plus(1));
            let mended_at = self.now.plus(mended).min(latest);
            let what = Weather::ClockMended { agent, by: -by };
            self.timeline.book(mended_at, Happening::Weather(what));
        }
        let gap = self.luck.gap(6 * DAY);
        self.book(gap, Happening::Weather(Weather::ClockJump));
    }

    fn turn_clock(&mut self, agent: AgentId, by: i64) {
        self.tell(|| format!("the clock of {agent} jumps by {by} ms"));
        if let Some(agent) = self.agents.get_mut(&agent) {
            agent.ahead += by;
        }
        self.watch.clock_turned(agent, by, self.now);
    }

    fn second_agent(&mut self) {
        let id = AgentId(2);
        if self.agents.contains_key(&id) {
            return;
        }
        self.count(Fault::SecondAgent);
        let ahead = if self.nature.has(Fault::ClockSkew) {
            -self.nature.skew / 2
        } else {
            0
        };
        self.agents.insert(id, Agent::new(id, ahead));
        let beginning = Beginning::AsItWas;
        self.book(
            1,
            Happening::Start {
                agent: id,
                beginning,
            },
        );
    }

    /// A process ends whatever it is doing; mostly it waits.
    fn crash(&mut self) {
        if !self.nature.has(Fault::Death) {
            return;
        }
        let agents: Vec<_> = self.agents.values().map(|it| (it.id, it.life)).collect();
        if let Some((agent, life)) = self.luck.pick(&agents).copied() {
            self.count(Fault::Death);
            self.book(0, Happening::Kill { agent, life });
        }
    }
}

/// The end of an account's id, for the trace.
pub(crate) fn account(id: ObjectId) -> String {
    format!("account {}", id.0.as_u128() & 0xFFFF)
}
