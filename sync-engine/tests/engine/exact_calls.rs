//! What a cycle asks of the vault, call by call.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::sync::Arc;

use mockall::mock;
use sync_engine::prelude::*;
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock};

mock! {
    Calls {
        fn lease(&self) -> Result<Lease, VaultError>;
        fn changes(&self, since: Option<Cursor>) -> Result<VaultChanges, VaultError>;
        fn password(&self, version: VaultVersion) -> Result<PasswordAnswer, VaultError>;
        fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError>;
        fn report(&self, report: &Report) -> Result<(), VaultError>;
    }
}

/// mockall cannot mock an async method that borrows inside an `Option`, so it mocks the calls.
struct MockedVault(MockCalls);

#[async_trait]
impl CredentialVault for MockedVault {
    async fn lease(&self) -> Result<Lease, VaultError> {
        self.0.lease()
    }
    async fn changes(&self, since: Option<&Cursor>, _: Wait) -> Result<VaultChanges, VaultError> {
        self.0.changes(since.cloned())
    }
    async fn password(
        &self,
        _: CredentialId,
        version: VaultVersion,
    ) -> Result<PasswordAnswer, VaultError> {
        self.0.password(version)
    }
    async fn note_attempts(&self, notices: &[AttemptNotice]) -> Result<(), VaultError> {
        self.0.note_attempts(notices)
    }
    async fn report(&self, report: &Report) -> Result<(), VaultError> {
        self.0.report(report)
    }
}

/// What a vault with one credential would answer.
async fn one_credential() -> VaultChanges {
    let vault = FakeVault::new("Contoso");
    vault.add("anna@contoso.com", "Winter-2025!", SyncMode::Enabled);
    vault.changes(None, Wait::No).await.unwrap()
}

fn engine(vault: MockCalls) -> Engine {
    let clock = Arc::new(ManualClock::at(Timestamp::UNIX_EPOCH));
    let directory = FakeDirectory::new("contoso.com", Arc::clone(&clock) as _);
    directory.add("anna@contoso.com", "Winter-2025!");
    let ports = Ports {
        vault: Arc::new(MockedVault(vault)),
        directory: Arc::new(directory),
        store: Arc::new(MemoryStore::default()),
        clock,
    };
    Engine::new(ports, Policy::default())
}

#[tokio::test]
async fn a_first_contact_notes_its_attempt_before_and_after_and_reports_once() {
    let changes = one_credential().await;
    let mut vault = MockCalls::new();
    vault
        .expect_lease()
        .times(1)
        .returning(|| Ok(Lease::unshared()));
    // Once before the sign-in test, once after it.
    vault
        .expect_changes()
        .times(2)
        .returning(move |_| Ok(changes.clone()));
    vault
        .expect_password()
        .times(1)
        .returning(|_| Ok(PasswordAnswer::Current(Password::new("Winter-2025!"))));
    let before = |notices: &[AttemptNotice]| notices[0].attempt.state == AttemptState::Open;
    let after = |notices: &[AttemptNotice]| notices[0].attempt.state == AttemptState::Passed;
    let mut order = mockall::Sequence::new();
    for when in [before as fn(&[AttemptNotice]) -> bool, after] {
        vault
            .expect_note_attempts()
            .times(1)
            .in_sequence(&mut order)
            .withf(when)
            .returning(|_| Ok(()));
    }
    vault
        .expect_report()
        .times(1)
        .withf(|report| report.entries[0].outcome == Outcome::Matched)
        .returning(|_| Ok(()));
    engine(vault).cycle(Wait::No, &Unwatched).await.unwrap();
}

#[tokio::test]
async fn an_agent_without_the_lease_only_asks_for_it() {
    let mut vault = MockCalls::new();
    vault.expect_changes().never();
    vault.expect_lease().times(1).returning(|| {
        Ok(Lease::Elsewhere {
            holder: "another host".to_owned(),
            until: Timestamp::MAX,
        })
    });
    vault.expect_password().never();
    vault.expect_note_attempts().never();
    vault.expect_report().never();
    let report = engine(vault).cycle(Wait::No, &Unwatched).await.unwrap();
    assert!(report.rows.is_empty());
}
