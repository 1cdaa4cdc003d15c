//! A walk of many steps does not act on what was read long ago.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::sync::Arc;
use std::time::Duration;

use crate::world::{FOREIGN, MINUTE, NEW, OLD, World};
use async_trait::async_trait;
use sync_engine::model::{
    Account, CredentialId, DeltaLink, DirectoryChanges, Domains, ObjectId, Password, SignIn,
    StepKind, SyncMode, UserPrincipalName, Verdict,
};
use sync_engine::plan::{Decision, Policy};
use sync_engine::ports::{Directory, DirectoryError, SetPassword, Wait};
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock};
use sync_engine::{Engine, Observer, Ports};

/// Each step takes its time, and at the first one somebody does something.
struct Slow<F> {
    clock: Arc<ManualClock>,
    takes: Duration,
    meanwhile: F,
}

impl<F: Fn() + Send + Sync> Observer for Slow<F> {
    fn planned(&self, _steps: usize) {}
    fn finished(&self, _decision: &Decision, _kind: StepKind) {
        self.clock.advance(self.takes);
        (self.meanwhile)();
    }
}

fn report_only(vault: &FakeVault, users: &[(CredentialId, ObjectId)]) {
    for (credential, _) in users {
        vault.set_mode(*credential, SyncMode::ReportMismatches);
    }
}

/// A world whose breaker lets all of these users' passwords through at once.
fn busy_world() -> World {
    World::with(Policy {
        breaker_minimum: 100,
        ..Policy::default()
    })
}

/// 25 writes of which each takes its time, while somebody switches to Report mismatches. Returns
/// how many were made.
async fn written_while_somebody_switches(takes: Duration) -> u32 {
    let mut world = busy_world();
    let users = world.users(25, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    let (vault, switched) = (Arc::clone(&world.vault), users.clone());
    let observer = Slow {
        clock: Arc::clone(&world.clock),
        takes,
        meanwhile: move || report_only(&vault, &switched),
    };
    world.engine.cycle(Wait::No, &observer).await.unwrap();
    world.directory.writes()
}

#[tokio::test]
async fn whoever_switches_to_report_mismatches_meanwhile_stops_the_writes_that_are_left() {
    let written =
        |milliseconds| written_while_somebody_switches(Duration::from_millis(milliseconds));
    assert_eq!(written(60_000).await, 20);
    // A batch is twenty steps: half a minute, and just less.
    assert_eq!(written(30_000 / 20).await, 20);
    assert_eq!(written(30_000 / 20 - 1).await, 25);
}

/// A directory that takes a minute to answer.
struct SlowDirectory {
    inner: Arc<FakeDirectory>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Directory for SlowDirectory {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
        self.clock.advance(MINUTE);
        self.inner.changes(since).await
    }

    async fn domains(&self) -> Result<Domains, DirectoryError> {
        self.inner.domains().await
    }

    async fn account(&self, id: ObjectId) -> Result<Option<Account>, DirectoryError> {
        self.inner.account(id).await
    }

    async fn verify(&self, user_name: &UserPrincipalName, password: &Password) -> SignIn {
        self.inner.verify(user_name, password).await
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        self.inner.set_password(id, password).await
    }
}

#[tokio::test]
async fn where_reading_takes_long_a_batch_is_made_for_each_reading() {
    let mut world = busy_world();
    let users = world.users(25, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    let directory = SlowDirectory {
        inner: Arc::clone(&world.directory),
        clock: Arc::clone(&world.clock),
    };
    let ports = Ports {
        directory: Arc::new(directory),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    world.cycle().await;
    assert_eq!(world.directory.writes(), 25);
}

#[tokio::test]
async fn whoever_changes_the_own_password_meanwhile_is_tested_and_not_overwritten_unseen() {
    let mut world = World::new();
    let (anna, account) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.users(9, OLD, OLD);
    let directory: Arc<FakeDirectory> = Arc::clone(&world.directory);
    let observer = Slow {
        clock: Arc::clone(&world.clock),
        takes: MINUTE,
        meanwhile: move || {
            if directory.has_password(account, OLD) {
                directory.change_password(account, FOREIGN);
            }
        },
    };
    let report = world.engine.cycle(Wait::No, &observer).await.unwrap();
    let mut rows = report.rows.iter();
    let row = rows.find(|row| row.credential == anna).unwrap();
    assert_eq!(row.tested, Some(Verdict::Mismatch));
    assert!(world.directory.has_password(account, NEW));
}

#[tokio::test]
async fn a_long_walk_is_made_to_its_end_within_the_cycle() {
    let mut world = World::new();
    world.users(30, OLD, OLD);
    let observer = Slow {
        clock: Arc::clone(&world.clock),
        takes: MINUTE,
        meanwhile: || {},
    };
    let report = world.engine.cycle(Wait::No, &observer).await.unwrap();
    assert_eq!(report.done(StepKind::Verify), 30);
    assert_eq!(world.directory.sign_ins(), 30);
}
