//! One agent at a time: without a lease that outlasts a request nothing is sent.

use std::sync::Arc;
use std::time::Duration;

use crate::world::{MINUTE, NEW, OLD, World};
use async_trait::async_trait;
use sync_engine::model::{
    AttemptId, AttemptNotice, AttemptState, CredentialId, Cursor, FlagKind, Outcome, Report,
    SignInAttempt, Standing, SyncMode, VaultChanges, VaultVersion,
};
use sync_engine::ports::{Clock, CredentialVault, Lease, PasswordAnswer, VaultError, Wait};
use sync_engine::testing::{FakeVault, ManualClock, MemoryStore};
use sync_engine::{Engine, Footing, Ports};
use uuid::Uuid;

fn lasts(world: &World, seconds: u64) -> Lease {
    Lease::Granted {
        until: world.clock.now() + Duration::from_secs(seconds),
        writes_from: None,
    }
}

#[tokio::test]
async fn an_agent_without_the_lease_does_nothing() {
    let mut world = World::new();
    world.anna(SyncMode::Enabled, NEW, OLD);
    let until = world.clock.now() + MINUTE;
    let holder = "the other one".to_owned();
    world.vault.set_lease(Lease::Elsewhere {
        holder: holder.clone(),
        until,
    });
    let report = world.cycle().await;
    assert_eq!(report.footing, Footing::Standby { holder, until });
    assert!(report.rows.is_empty());
    assert_eq!(world.touched(), (0, 0));
    assert_eq!(world.store.writes(), 0);
    assert!(world.vault.reports().is_empty());
}

#[tokio::test]
async fn a_lease_that_does_not_outlast_a_request_sends_nothing() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::Enabled, NEW, OLD);
    world.vault.set_lease(lasts(&world, 20));
    world.cycle().await;
    assert_eq!(world.touched(), (0, 0));
    assert_eq!(
        world.last_told(anna),
        None,
        "nothing happened, so nothing is told"
    );
    world.vault.set_lease(lasts(&world, 60));
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}

#[tokio::test]
async fn a_successor_waits_for_the_requests_of_the_agent_before_it() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::Enabled, NEW, OLD);
    let writes_from = Some(world.clock.now() + MINUTE);
    world.vault.set_lease(Lease::Granted {
        until: world.clock.now() + 10 * MINUTE,
        writes_from,
    });
    world.cycle().await;
    assert_eq!(world.touched(), (0, 0));
    world.clock.advance(MINUTE);
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
}

#[tokio::test]
async fn an_agent_that_leads_again_believes_the_store_not_itself() {
    let mut world = World::without_verification();
    let (anna, account) = world.anna_in_step().await;
    let mut other = Engine::new(world.ports(), world.policy.clone());
    // This agent loses the lease; the other one writes, over the same store.
    let held_elsewhere = Lease::Elsewhere {
        holder: "the other one".to_owned(),
        until: world.clock.now() + MINUTE,
    };
    world.vault.set_lease(held_elsewhere);
    world.cycle().await;
    world.vault.set_lease(lasts(&world, 600));
    world.vault.set_password(anna, NEW);
    other
        .cycle(Wait::No, &sync_engine::Unwatched)
        .await
        .unwrap();
    assert!(world.directory.has_password(account, NEW));
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert_eq!(world.directory.writes(), 1);
}

/// A vault that takes its time to hand out a password.
struct SlowVault {
    inner: Arc<FakeVault>,
    clock: Arc<ManualClock>,
    takes: Duration,
}

#[async_trait]
impl CredentialVault for SlowVault {
    async fn lease(&self) -> Result<Lease, VaultError> {
        self.inner.lease().await
    }

    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        self.inner.changes(since, wait).await
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        self.clock.advance(self.takes);
        self.inner.password(credential, version).await
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        self.inner.note_attempts(notices).await
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        self.inner.report(report).await
    }
}

#[tokio::test]
async fn a_slow_vault_does_not_push_a_write_beyond_the_lease() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.vault.set_lease(lasts(&world, 60));
    let vault = SlowVault {
        inner: world.vault.clone(),
        clock: world.clock.clone(),
        takes: Duration::from_secs(45),
    };
    let ports = Ports {
        vault: Arc::new(vault),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    world.cycle().await;
    assert!(world.directory.has_password(account, OLD));
}

#[tokio::test]
async fn a_password_that_waited_for_a_slow_one_does_not_leave_beyond_the_lease() {
    let mut world = World::new();
    let users = world.users(2, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    world.vault.set_lease(lasts(&world, 60));
    // The first is here after 20 s, in time for a write of 30 s; the second after 40 s.
    let vault = SlowVault {
        inner: world.vault.clone(),
        clock: world.clock.clone(),
        takes: Duration::from_secs(20),
    };
    let ports = Ports {
        vault: Arc::new(vault),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    world.cycle().await;
    assert_eq!(world.directory.writes(), 0);
}

#[tokio::test]
async fn an_agent_that_leads_again_mends_the_flags_of_the_one_between() {
    let mut world = World::new();
    let (anna, _) = world.anna(SyncMode::ReportMismatches, OLD, OLD);
    world.cycle().await;
    let until = world.clock.now() + MINUTE;
    world.vault.set_lease(Lease::Elsewhere {
        holder: "the other one".to_owned(),
        until,
    });
    world.cycle().await;
    world.vault.raise(anna, FlagKind::AdChange);
    world.vault.set_lease(Lease::unshared());
    world.cycle().await;
    assert!(world.flags(anna).is_empty());
}

#[tokio::test]
async fn an_agent_that_leads_again_has_the_last_word_about_what_the_one_between_told() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    let others = Arc::new(MemoryStore::default());
    let ports = Ports {
        store: others,
        ..world.ports()
    };
    let mut other = Engine::new(ports, world.policy.clone());
    world.vault.set_lease(Lease::Elsewhere {
        holder: "the other one".to_owned(),
        until: world.clock.now() + MINUTE,
    });
    world.cycle().await;
    world.vault.set_lease(Lease::unshared());
    world.vault.set_standing(anna, Standing::Disabled);
    let unwatched = &sync_engine::Unwatched;
    other.cycle(Wait::No, unwatched).await.unwrap();
    assert_eq!(last_outcome(&world, anna), Some(Outcome::Ignored));
    world.vault.set_standing(anna, Standing::Active);
    world.cycle().await;
    assert_eq!(last_outcome(&world, anna), Some(Outcome::Matched));
    let told = world.vault.reports().len();
    world.cycle().await;
    assert_eq!(world.vault.reports().len(), told, "once, not each time");
}

fn last_outcome(world: &World, credential: CredentialId) -> Option<Outcome> {
    world.last_told(credential).map(|it| it.1)
}

#[tokio::test]
async fn a_slow_vault_does_not_push_a_sign_in_test_beyond_the_lease() {
    let mut world = World::new();
    let (anna, account) = world.anna(SyncMode::ReportMismatches, OLD, NEW);
    world.vault.set_lease(lasts(&world, 60));
    let vault = SlowVault {
        inner: world.vault.clone(),
        clock: world.clock.clone(),
        takes: Duration::from_secs(45),
    };
    let ports = Ports {
        vault: Arc::new(vault),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), 0);
    assert_eq!(world.directory.failed(account), 0);
    assert!(
        world
            .vault
            .attempts(anna)
            .iter()
            .all(|it| !it.state.counts())
    );
}

/// Another agent's hands, while this one stands still.
struct Meanwhile {
    inner: Arc<FakeVault>,
    clock: Arc<ManualClock>,
    credential: CredentialId,
    attempt: SignInAttempt,
}

#[async_trait]
impl CredentialVault for Meanwhile {
    async fn lease(&self) -> Result<Lease, VaultError> {
        let until = self.clock.now() + 2 * MINUTE;
        Ok(Lease::Granted {
            until,
            writes_from: None,
        })
    }

    /// Reading takes an hour, once: another agent leads, and its sign-in test fails.
    async fn changes(
        &self,
        since: Option<&Cursor>,
        wait: Wait,
    ) -> Result<VaultChanges, VaultError> {
        let changes = self.inner.changes(since, wait).await;
        let credential = self.credential;
        if self.inner.attempts(credential).is_empty() {
            self.clock.advance(60 * MINUTE);
            let attempt = self.attempt.clone();
            let notices = [AttemptNotice {
                credential,
                attempt,
            }];
            self.inner.note_attempts(&notices).await?;
        }
        changes
    }

    async fn password(
        &self,
        credential: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        self.inner.password(credential, version).await
    }

    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        self.inner.note_attempts(notices).await
    }

    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        self.inner.report(report).await
    }
}

#[tokio::test]
async fn an_agent_that_slept_through_its_lease_reads_anew_before_it_goes_on() {
    let mut world = World::new();
    let (credential, account) = world.anna(SyncMode::ReportMismatches, NEW, OLD);
    let attempt = SignInAttempt {
        id: AttemptId(Uuid::from_u128(77)),
        object: account,
        version: VaultVersion(1),
        stamp: world.stamp(account).await,
        at: world.clock.now() + MINUTE,
        state: AttemptState::Failed,
    };
    let vault = Meanwhile {
        inner: world.vault.clone(),
        clock: world.clock.clone(),
        credential,
        attempt,
    };
    let ports = Ports {
        vault: Arc::new(vault),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    for _ in 0..3 {
        world.cycle().await;
    }
    assert_eq!(world.directory.sign_ins(), 0);
}
