//! The handle on a running world: what a test does in the administrator's place, and what it may ask.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::clock::Clock;
use crate::control::fault::Fault;
use crate::counters::Counters;
use crate::directory::account::Account;
use crate::directory::change::{AccountChange, AppChange, TenantChange};
use crate::directory::diary::Deed;
use crate::directory::tenant::Tenant;
use crate::edge::{self, Scheme};
use crate::entra::device_code::{self, Person};
use crate::entra::refusal::Refusal;
use crate::recording::Recording;
use crate::scenario::{ClearText, Scenario, UserSpec};
use crate::world::World;

/// A simulated Entra ID with its Graph. Clones share one world.
#[derive(Debug, Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    clock: Clock,
    epoch: Uuid,
    world: Mutex<World>,
    public_url: OnceLock<String>,
}

/// Why the simulator could not do what a test asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimulatorError {
    /// No tenant has this id, name or domain.
    #[error("there is no tenant `{tenant}`")]
    UnknownTenant {
        /// What was asked for.
        tenant: String,
    },
    /// The tenant has no such account.
    #[error("there is no account `{user}` in the tenant `{tenant}`")]
    UnknownUser {
        /// The tenant that was searched.
        tenant: String,
        /// What was asked for.
        user: String,
    },
    /// The tenant has no such application.
    #[error("there is no application `{app}` in the tenant `{tenant}`")]
    UnknownApp {
        /// The tenant that was searched.
        tenant: String,
        /// The client id that was asked for.
        app: Uuid,
    },
    /// A person who enters this user code is refused.
    #[error("the user code `{user_code}` was refused with AADSTS{code}")]
    UserCodeRefused {
        /// What was entered.
        user_code: String,
        /// The code of the refusal.
        code: u32,
    },
    /// Another account has this name.
    #[error("the name `{name}` is already taken")]
    NameTaken {
        /// The name.
        name: String,
    },
}

impl Simulator {
    /// Starts a world; its clock differs from the machine's by `clock_offset`.
    pub fn new(scenario: Scenario, clock_offset: SignedDuration) -> Self {
        let inner = Inner {
            clock: Clock::new(clock_offset),
            epoch: Uuid::new_v4(),
            world: Mutex::new(World::new(scenario)),
            public_url: OnceLock::new(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The address that links name, where clients come through a proxy; otherwise it is the one that
    /// each client used. Only the first one counts.
    pub fn set_public_url(&self, url: &str) {
        let url = url.trim_end_matches('/').to_owned();
        self.inner.public_url.get_or_init(|| url);
    }

    pub(crate) fn public_url(&self) -> Option<String> {
        self.inner.public_url.get().cloned()
    }

    /// The HTTP service, for links that begin with `http://`. [`crate::serve`] chooses by itself.
    pub fn router(&self) -> axum::Router {
        self.router_for(Scheme::Http)
    }

    /// Sets a password as a user or administrator would: a new stamp, no count as a write.
    ///
    /// # Errors
    /// When the tenant or the account is unknown.
    pub fn set_password(
        &self,
        tenant: &str,
        upn: &str,
        password: &str,
    ) -> Result<(), SimulatorError> {
        self.with_account(tenant, upn, |tenant, id, now| {
            let had_it = tenant.has(id, password);
            tenant.note(id, password, Deed::Change { had_it }, now);
            tenant.set_password(id, ClearText::from(password), false, now);
        })
    }

    /// Whether the account's password, as written last, is this one.
    ///
    /// # Errors
    /// When the tenant or the account is unknown.
    pub fn password_matches(
        &self,
        tenant: &str,
        upn: &str,
        password: &str,
    ) -> Result<bool, SimulatorError> {
        self.with_account(tenant, upn, |tenant, id, _| tenant.has(id, password))
    }

    /// Revokes every sign-in of an account, as an administrator would: its refresh tokens are good no more.
    ///
    /// # Errors
    /// When the tenant or the account is unknown.
    pub fn revoke_sign_ins(&self, tenant: &str, upn: &str) -> Result<(), SimulatorError> {
        self.with_account(tenant, upn, Tenant::revoke_sign_ins)
    }

    /// User codes that wait for a person.
    pub fn waiting_user_codes(&self) -> Vec<String> {
        self.with_world(|world, now| world.device_codes.waiting_codes(now))
    }

    /// Every refresh token that was handed out, for tests that search for where one might leak to.
    pub fn refresh_tokens(&self) -> Vec<String> {
        self.with_world(|world, _| world.refresh_tokens.all())
    }

    /// Signs a user in for a user code, without asking for a password.
    ///
    /// # Errors
    /// When nothing waits for this code, or the account may not sign in.
    pub fn approve_device(&self, user_code: &str, upn: &str) -> Result<(), SimulatorError> {
        let person = Person {
            user: upn,
            password: None,
        };
        self.answer_device(user_code, |world, now| {
            device_code::approve(world, user_code, &person, now)
        })
    }

    /// Refuses a user code in a person's place.
    ///
    /// # Errors
    /// When nothing waits for this code.
    pub fn decline_device(&self, user_code: &str) -> Result<(), SimulatorError> {
        self.answer_device(user_code, |world, now| {
            device_code::decline(world, user_code, now)
        })
    }

    pub(crate) fn answer_device(
        &self,
        user_code: &str,
        answer: impl FnOnce(&mut World, Timestamp) -> Result<(), Refusal>,
    ) -> Result<(), SimulatorError> {
        self.with_world(answer)
            .map_err(|refusal| SimulatorError::UserCodeRefused {
                user_code: user_code.to_owned(),
                code: refusal.code(),
            })
    }

    /// Changes properties of an account.
    ///
    /// # Errors
    /// When the tenant or the account is unknown, or the new name is taken.
    pub fn change_user(
        &self,
        tenant: &str,
        upn: &str,
        change: AccountChange,
    ) -> Result<(), SimulatorError> {
        let name = change.user_principal_name.clone().unwrap_or_default();
        let changed = self.with_account(tenant, upn, |tenant, id, _| tenant.change(id, change))?;
        if changed {
            Ok(())
        } else {
            Err(SimulatorError::NameTaken { name })
        }
    }

    /// Creates an account and returns its object id.
    ///
    /// # Errors
    /// When the tenant is unknown or the name is taken.
    pub fn add_user(&self, tenant: &str, user: UserSpec) -> Result<Uuid, SimulatorError> {
        self.with_tenant(tenant, |tenant, _| {
            if tenant.find(&user.user_principal_name).is_some() {
                return Err(SimulatorError::NameTaken {
                    name: user.user_principal_name,
                });
            }
            Ok(tenant.add(user))
        })?
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// When the tenant or the account is unknown.
    pub fn remove_user(&self, tenant: &str, upn: &str) -> Result<(), SimulatorError> {
        self.with_account(tenant, upn, |tenant, id, _| tenant.remove(id))
    }

    /// Changes properties of a tenant.
    ///
    /// # Errors
    /// When the tenant is unknown.
    pub fn change_tenant(&self, tenant: &str, change: TenantChange) -> Result<(), SimulatorError> {
        self.with_tenant(tenant, |tenant, _| change.apply(tenant))
    }

    /// Changes properties of an application.
    ///
    /// # Errors
    /// When the tenant or the application is unknown.
    pub fn change_app(
        &self,
        tenant_key: &str,
        app: Uuid,
        change: AppChange,
    ) -> Result<(), SimulatorError> {
        self.with_tenant(tenant_key, |tenant, _| match tenant.apps.get_mut(&app) {
            Some(spec) => {
                change.apply(spec);
                Ok(())
            }
            None => Err(SimulatorError::UnknownApp {
                tenant: tenant_key.to_owned(),
                app,
            }),
        })?
    }

    /// Forgets every delta link handed out so far.
    ///
    /// # Errors
    /// When the tenant is unknown.
    pub fn expire_delta_links(&self, tenant: &str) -> Result<(), SimulatorError> {
        self.with_tenant(tenant, |tenant, _| tenant.delta_generation += 1)
    }

    /// From now on refuses tokens in Graph that were not asked for with these claims, with a claims challenge; `None`
    /// lifts the demand.
    ///
    /// # Errors
    /// When the tenant is unknown.
    pub fn demand_claims(
        &self,
        tenant: &str,
        claims: Option<Map<String, Value>>,
    ) -> Result<(), SimulatorError> {
        self.with_tenant(tenant, |tenant, _| tenant.demanded_claims = claims)
    }

    /// The object id of an account.
    ///
    /// # Errors
    /// When the tenant or the account is unknown.
    pub fn user_id(&self, tenant: &str, upn: &str) -> Result<Uuid, SimulatorError> {
        self.with_account(tenant, upn, |_, id, _| id)
    }

    /// Arms a fault.
    pub fn add_fault(&self, fault: Fault) {
        self.with_world(|world, _| world.faults.arm(fault));
    }

    /// Disarms every fault.
    pub fn clear_faults(&self) {
        self.with_world(|world, _| world.faults.clear());
    }

    /// Lets simulated time pass at once: locks end, tokens expire, changes replicate.
    pub fn advance(&self, by: SignedDuration) {
        self.inner.clock.advance(by);
    }

    /// The simulated service's time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What happened so far.
    pub fn counters(&self) -> Counters {
        self.with_world(|world, _| world.counters())
    }

    pub(crate) fn router_for(&self, scheme: Scheme) -> axum::Router {
        edge::router(self.clone(), scheme, Recording::of_environment())
    }

    /// Tells this run's delta links from another's.
    pub(crate) fn epoch(&self) -> Uuid {
        self.inner.epoch
    }

    pub(crate) fn with_world<T>(&self, work: impl FnOnce(&mut World, Timestamp) -> T) -> T {
        let mut world = self
            .inner
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        world.settle(now);
        work(&mut world, now)
    }

    pub(crate) fn with_tenant<T>(
        &self,
        key: &str,
        work: impl FnOnce(&mut Tenant, Timestamp) -> T,
    ) -> Result<T, SimulatorError> {
        self.with_world(|world, now| {
            let index = world
                .find(key)
                .ok_or_else(|| SimulatorError::UnknownTenant {
                    tenant: key.to_owned(),
                })?;
            Ok(work(world.tenant_mut(index), now))
        })
    }

    pub(crate) fn with_account<T>(
        &self,
        tenant_key: &str,
        user: &str,
        work: impl FnOnce(&mut Tenant, Uuid, Timestamp) -> T,
    ) -> Result<T, SimulatorError> {
        self.with_tenant(tenant_key, |tenant, now| {
            let found = tenant.find(user).map(Account::object_id);
            let id = found.ok_or_else(|| SimulatorError::UnknownUser {
                tenant: tenant_key.to_owned(),
                user: user.to_owned(),
            })?;
            Ok(work(tenant, id, now))
        })?
    }
}
