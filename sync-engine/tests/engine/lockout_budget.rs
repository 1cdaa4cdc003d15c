//! The product never locks a user out: sign-in tests that may count are few, and written down first.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::world::{HOUR, MINUTE, NEW, OLD, World};
use async_trait::async_trait;
use sync_engine::model::{
    Account, AttemptId, AttemptNotice, AttemptState, CredentialId, DeltaLink, DirectoryChanges,
    Domains, ObjectId, Outcome, Password, Phase, SignIn, SignInAttempt, Standing, StepKind,
    SyncMode, UnknownReason, UserPrincipalName, VaultVersion,
};
use sync_engine::plan::Policy;
use sync_engine::ports::{
    Clock as _, CredentialVault as _, Directory, DirectoryError, SetPassword, StateStore,
};
use sync_engine::testing::{FakeDirectory, FakeVault, MemoryStore, VaultCall};
use sync_engine::{Engine, Ports};
use uuid::Uuid;

use SyncMode::{Enabled, ReportMismatches};

const DAY: Duration = Duration::from_hours(24);

/// A person types a wrong password into the vault again and again.
async fn type_wrong_passwords(world: &mut World, anna: CredentialId, times: usize) {
    for number in 0..times {
        world
            .vault
            .set_password(anna, &format!("Wrong-password-{number}"));
        world.cycle().await;
        world.clock.advance(MINUTE);
    }
}

#[tokio::test]
async fn no_more_than_two_wrong_passwords_a_day_are_sent() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    type_wrong_passwords(&mut world, anna, 10).await;
    assert_eq!(world.directory.failed(account), 2);
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::BudgetSpent));
    world.clock.advance(DAY);
    type_wrong_passwords(&mut world, anna, 10).await;
    assert_eq!(world.directory.failed(account), 4);
}

#[tokio::test]
async fn the_budget_can_be_one_a_day() {
    let mut world = World::with(Policy {
        max_failed_per_day: 1,
        ..Policy::default()
    });
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    type_wrong_passwords(&mut world, anna, 10).await;
    assert_eq!(world.directory.failed(account), 1);
}

#[tokio::test]
async fn a_restart_does_not_refill_the_budget() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    for _ in 0..5 {
        type_wrong_passwords(&mut world, anna, 2).await;
        world.restart();
    }
    assert_eq!(world.directory.failed(account), 2);
}

#[tokio::test]
async fn a_lost_memory_does_not_refill_the_budget() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    for _ in 0..5 {
        type_wrong_passwords(&mut world, anna, 2).await;
        world.lose_state();
    }
    assert_eq!(world.directory.failed(account), 2);
}

#[tokio::test]
async fn a_lost_memory_does_not_test_the_same_password_twice() {
    let mut world = World::new();
    let (_, account) = world.anna(ReportMismatches, NEW, OLD);
    for _ in 0..5 {
        world.cycle().await;
        world.lose_state();
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.directory.failed(account), 1);
}

#[tokio::test]
async fn a_second_credential_for_the_account_has_no_budget_of_its_own() {
    let mut world = World::new();
    let (first, account) = world.anna(ReportMismatches, NEW, OLD);
    type_wrong_passwords(&mut world, first, 3).await;
    world.vault.set_standing(first, Standing::Disabled);
    let second = world
        .vault
        .add("anna@contoso.com", "Wrong-password-x", Enabled);
    type_wrong_passwords(&mut world, second, 3).await;
    assert_eq!(world.directory.failed(account), 2);
    let outcome = world.outcome(second).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::BudgetSpent));
}

#[tokio::test]
async fn a_second_credential_for_a_locked_account_waits_too() {
    let mut world = World::new();
    let (first, account) = world.anna(ReportMismatches, NEW, OLD);
    world.directory.lock(account);
    world.cycle().await;
    world.vault.set_standing(first, Standing::Disabled);
    let second = world.vault.add("anna@contoso.com", OLD, Enabled);
    let outcome = world.outcome(second).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Locked));
    assert_eq!(world.directory.sign_ins(), 1);
}

#[tokio::test]
async fn the_vault_is_told_of_a_failed_test() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    let told = world.vault.attempts(anna);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].object, told[0].state),
        (account, AttemptState::Failed)
    );
}

#[tokio::test]
async fn the_agents_own_sign_in_counts_for_the_account_once_that_is_seen() {
    let mut world = World::new();
    let anna = world.vault.add("anna@contoso.com", NEW, ReportMismatches);
    let own = AttemptNotice {
        credential: anna,
        attempt: SignInAttempt {
            id: AttemptId(Uuid::from_u128(1)),
            object: ObjectId::NOT_KNOWN,
            version: VaultVersion(1),
            stamp: None,
            at: world.clock.now(),
            state: AttemptState::Failed,
        },
    };
    world.vault.note_attempts(&[own]).await.unwrap();
    world.cycle().await;
    let account = world.directory.add("anna@contoso.com", OLD);
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), 0, "this password failed");
    type_wrong_passwords(&mut world, anna, 3).await;
    assert_eq!(
        world.directory.failed(account),
        1,
        "one of two was the agent's"
    );
}

#[tokio::test]
async fn nothing_is_sent_while_the_vault_cannot_be_told_first() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.vault.fail(VaultCall::NoteAttempts);
    for _ in 0..5 {
        world.try_cycle().await.unwrap_err();
        world.clock.advance(MINUTE);
    }
    assert_eq!(world.touched(), (0, 0));
    // What was not sent costs nothing.
    world.vault.mend();
    assert_eq!(world.outcome(anna).await, Outcome::Pushed);
    assert!(world.directory.has_password(account, NEW));
}

/// A directory that notes, at each sign-in test, what had been written down by then.
struct Witness {
    inner: Arc<FakeDirectory>,
    vault: Arc<FakeVault>,
    store: Arc<MemoryStore>,
    anna: CredentialId,
    seen: Mutex<Vec<(AttemptState, StepKind, Phase)>>,
}

#[async_trait]
impl Directory for Witness {
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
        let attempt = self.vault.attempts(self.anna).pop().unwrap();
        let entry = self.store.journal(None, 1).await.unwrap().remove(0);
        let seen = (attempt.state, entry.step, entry.phase);
        self.seen.lock().unwrap().push(seen);
        self.inner.verify(user_name, password).await
    }

    async fn set_password(&self, id: ObjectId, password: &Password) -> SetPassword {
        self.inner.set_password(id, password).await
    }
}

#[tokio::test]
async fn an_attempt_is_written_down_here_and_at_the_vault_before_it_is_sent() {
    let mut world = World::new();
    let (anna, _) = world.anna(ReportMismatches, NEW, OLD);
    let witness = Arc::new(Witness {
        inner: world.directory.clone(),
        vault: world.vault.clone(),
        store: world.store.clone(),
        anna,
        seen: Mutex::default(),
    });
    let ports = Ports {
        directory: witness.clone(),
        ..world.ports()
    };
    world.engine = Engine::new(ports, world.policy.clone());
    world.cycle().await;
    let seen = witness.seen.lock().unwrap().clone();
    assert_eq!(
        seen,
        [(AttemptState::Open, StepKind::Verify, Phase::Intent)]
    );
}

#[tokio::test]
async fn an_attempt_whose_outcome_is_unknown_counts_as_failed() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    world.cycle().await;
    // The vault never heard how it ended, and the agent forgot.
    let open = sync_engine::model::SignInAttempt {
        state: AttemptState::Open,
        ..world.vault.attempts(anna).remove(0)
    };
    let notice = sync_engine::model::AttemptNotice {
        credential: anna,
        attempt: open,
    };
    let vault: &dyn sync_engine::ports::CredentialVault = &*world.vault;
    vault.note_attempts(&[notice]).await.unwrap();
    world.lose_state();
    let outcome = world.outcome(anna).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Interrupted));
    assert_eq!(world.directory.failed(account), 1);
}

#[tokio::test]
async fn two_locked_answers_within_an_hour_pause_the_tenant() {
    let mut world = World::new();
    let locked: Vec<_> = (0..2)
        .map(|number| world.user(&format!("locked{number}"), ReportMismatches, NEW, OLD))
        .collect();
    for (_, account) in &locked {
        world.directory.lock(*account);
    }
    world.cycle().await;
    assert_eq!(world.directory.sign_ins(), 2);
    let (ben, _) = world.user("ben", ReportMismatches, NEW, NEW);
    // Adding Ben took an hour: the pause is over, and the locked ones are asked once more.
    assert_eq!(world.outcome(ben).await, Outcome::Matched);
    let sign_ins = world.directory.sign_ins();
    let carl = world.vault.add("carl@contoso.com", NEW, ReportMismatches);
    world.directory.add("carl@contoso.com", NEW);
    let outcome = world.outcome(carl).await;
    assert_eq!(outcome, Outcome::Unknown(UnknownReason::Locked));
    assert_eq!(world.directory.sign_ins(), sign_ins);
}

#[tokio::test]
async fn locked_answers_stop_the_very_walk_that_meets_them() {
    let mut world = World::new();
    for (_, account) in world.users(40, NEW, OLD) {
        world.directory.lock(account);
    }
    world.cycle().await;
    // One batch was in flight.
    assert_eq!(world.directory.sign_ins(), 8);
}

#[tokio::test]
async fn a_locked_account_is_left_alone_by_an_agent_that_lost_its_memory() {
    let mut world = World::new();
    let (anna, account) = world.anna(Enabled, NEW, OLD);
    world.directory.lock(account);
    for _ in 0..5 {
        world.cycle().await;
        world.lose_state();
        world.clock.advance(2 * HOUR);
    }
    assert_eq!(world.touched(), (0, 1));
    let state = world.vault.attempts(anna)[0].state;
    assert_eq!(state, AttemptState::Failed);
}

#[tokio::test]
async fn a_locked_account_is_asked_at_most_as_often_as_the_budget_says() {
    let mut world = World::new();
    let (_, account) = world.anna(Enabled, NEW, OLD);
    world.directory.lock(account);
    for _ in 0..24 {
        world.cycle().await;
        world.clock.advance(HOUR);
    }
    assert_eq!(world.directory.sign_ins(), 2);
}

#[tokio::test]
async fn attempts_do_not_pile_up_in_memory() {
    let mut world = World::new();
    world.anna(Enabled, NEW, OLD);
    world
        .directory
        .answer_sign_ins_with(Some(UnknownReason::Throttled));
    for _ in 0..200 {
        world.cycle().await;
        world.clock.advance(2 * HOUR);
    }
    let memory = world.store.load().await.unwrap();
    let known = memory.credentials.values().next().unwrap();
    assert!(known.attempts.len() <= 13, "{}", known.attempts.len());
}

#[tokio::test]
async fn only_the_current_password_s_failure_is_remembered_for_more_than_a_day() {
    let mut world = World::new();
    let (anna, account) = world.anna(ReportMismatches, NEW, OLD);
    type_wrong_passwords(&mut world, anna, 2).await;
    assert_eq!(world.directory.failed(account), 2);
    world.clock.advance(25 * HOUR);
    world.vault.set_mode(anna, Enabled);
    world.vault.set_mode(anna, ReportMismatches);
    world.cycle().await;
    let memory = world.store.load().await.unwrap();
    let attempts = &memory.credentials[&anna].attempts;
    let versions: Vec<_> = attempts.iter().map(|it| it.version.0).collect();
    assert_eq!(versions, [3]);
}
