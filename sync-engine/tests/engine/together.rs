//! Writes that are due together are handed over together, and each has an outcome of its own.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sync_engine::model::{
    Account, BlockedReason, DeltaLink, DirectoryChanges, Domains, ObjectId, Outcome, Password,
    SignIn, UserPrincipalName,
};
use sync_engine::plan::{NewOwnPassword, OwnAccount, Policy};
use sync_engine::ports::{Directory, DirectoryError, PasswordWrite, SetPassword};
use sync_engine::testing::{FakeDirectory, Fault};
use sync_engine::{Engine, Ports};

use crate::world::{NEW, OLD, World};

/// A directory that notes how many writes each call had, and may leave the last answers out.
struct Together {
    inner: Arc<FakeDirectory>,
    calls: Mutex<Vec<usize>>,
    leaves_out: usize,
}

#[async_trait]
impl Directory for Together {
    async fn changes(&self, since: Option<&DeltaLink>) -> Result<DirectoryChanges, DirectoryError> {
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

    async fn set_password(&self, _: ObjectId, _: &Password) -> SetPassword {
        unreachable!("the engine hands writes over together")
    }

    async fn set_passwords(&self, writes: &[PasswordWrite]) -> Vec<SetPassword> {
        self.calls.lock().unwrap().push(writes.len());
        let mut answers = self.inner.set_passwords(writes).await;
        answers.truncate(writes.len() - self.leaves_out);
        answers
    }
}

/// A world in which so many passwords changed in the vault, and its directory.
async fn changed(count: usize, leaves_out: usize) -> (World, Arc<Together>) {
    let mut world = World::with(Policy {
        breaker_minimum: 100,
        ..Policy::default()
    });
    let users = world.users(count, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    let directory = Arc::new(Together {
        inner: Arc::clone(&world.directory),
        calls: Mutex::default(),
        leaves_out,
    });
    let ports = Ports {
        directory: directory.clone(),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    (world, directory)
}

#[tokio::test]
async fn twenty_at_most_are_handed_over_at_once() {
    let (mut world, directory) = changed(45, 0).await;
    world.cycle().await;
    assert_eq!(*directory.calls.lock().unwrap(), [20, 20, 5]);
    assert_eq!(world.directory.writes(), 45);
}

#[tokio::test]
async fn the_agents_own_account_is_written_last_and_alone_whatever_its_name_is_by_now() {
    let (mut world, directory) = changed(3, 0).await;
    let policy = Policy {
        own_account: Some(OwnAccount {
            user_name: UserPrincipalName::new("before@contoso.com"),
            object: world.directory.find("user0@contoso.com"),
            new_password: NewOwnPassword::IsUsed,
        }),
        ..world.policy.clone()
    };
    let ports = Ports {
        directory: directory.clone(),
        ..world.ports()
    };
    world.engine = Engine::new(ports, policy);
    world.cycle().await;
    assert_eq!(*directory.calls.lock().unwrap(), [2, 1]);
}

#[tokio::test]
async fn each_has_an_outcome_of_its_own() {
    let (mut world, _) = changed(3, 0).await;
    world
        .directory
        .fault(Fault::Refused(BlockedReason::Rejected));
    world.directory.fault(Fault::LostAfter);
    let report = world.cycle().await;
    let mut outcomes: Vec<_> = report.rows.iter().map(|row| row.outcome.clone()).collect();
    outcomes.sort_by_key(|outcome| format!("{outcome:?}"));
    assert!(
        outcomes.contains(&Outcome::Blocked(BlockedReason::Rejected)),
        "{outcomes:?}"
    );
    // Two took effect; the third was refused and is not sent again.
    assert_eq!(world.directory.writes(), 2);
    world.cycle().await;
    assert_eq!(world.directory.writes(), 2);
}

#[tokio::test]
async fn an_answer_that_is_left_out_counts_as_lost_and_the_write_is_not_repeated() {
    let (mut world, directory) = changed(3, 1).await;
    world.cycle().await;
    world.cycle().await;
    assert_eq!(*directory.calls.lock().unwrap(), [3]);
    assert_eq!(world.directory.writes(), 3);
}
