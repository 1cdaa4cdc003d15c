//! A walk of many steps does not act on what was read long ago.

use std::sync::Arc;

use crate::world::{FOREIGN, MINUTE, NEW, OLD, World};
use sync_engine::Observer;
use sync_engine::model::{CredentialId, ObjectId, StepKind, SyncMode, Verdict};
use sync_engine::plan::Decision;
use sync_engine::ports::Wait;
use sync_engine::testing::{FakeDirectory, FakeVault, ManualClock};

/// Each step takes a minute, and at the first one somebody does something.
struct Slow<F> {
    clock: Arc<ManualClock>,
    meanwhile: F,
}

impl<F: Fn() + Send + Sync> Observer for Slow<F> {
    fn planned(&self, _steps: usize) {}
    fn finished(&self, _decision: &Decision, _kind: StepKind) {
        self.clock.advance(MINUTE);
        (self.meanwhile)();
    }
}

fn report_only(vault: &FakeVault, users: &[(CredentialId, ObjectId)]) {
    for (credential, _) in users {
        vault.set_mode(*credential, SyncMode::ReportMismatches);
    }
}

#[tokio::test]
async fn whoever_switches_to_report_mismatches_meanwhile_stops_the_writes_that_are_left() {
    let mut world = World::new();
    let users = world.users(10, OLD, OLD);
    world.cycle().await;
    for (credential, _) in &users {
        world.vault.set_password(*credential, NEW);
    }
    let (vault, switched) = (Arc::clone(&world.vault), users.clone());
    let observer = Slow {
        clock: Arc::clone(&world.clock),
        meanwhile: move || report_only(&vault, &switched),
    };
    let report = world.engine.cycle(Wait::No, &observer).await.unwrap();
    assert_eq!(report.done(StepKind::Push), 8, "one batch");
    assert_eq!(world.directory.writes(), 8);
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
        meanwhile: || {},
    };
    let report = world.engine.cycle(Wait::No, &observer).await.unwrap();
    assert_eq!(report.done(StepKind::Verify), 30);
    assert_eq!(world.directory.sign_ins(), 30);
}
