//! What a cycle tells whoever watches it, and what its journal says of who stands behind a write.

#![expect(clippy::unwrap_used, reason = "a failed test should say where")]

use std::sync::Mutex;

use sync_engine::Observer;
use sync_engine::model::{Phase, StepKind};
use sync_engine::plan::Decision;
use sync_engine::ports::{StateStore, Wait};

use crate::world::{NEW, OLD, World};

/// Notes what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Notes {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

impl Observer for Notes {
    fn planned(&self, steps: usize) {
        self.note(format!("{steps} planned"));
    }

    fn finished(&self, decision: &Decision, kind: StepKind) {
        self.note(format!("{kind:?} of {} finished", decision.user_name));
    }
}

#[tokio::test]
async fn an_observer_hears_how_much_is_planned_and_of_every_step() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password(anna, NEW);
    world.users(2, OLD, OLD);
    let notes = Notes::default();
    world.engine.cycle(Wait::No, &notes).await.unwrap();
    let heard = notes.0.into_inner().unwrap();
    let expected = [
        "3 planned",
        "Verify of user0@contoso.com finished",
        "Verify of user1@contoso.com finished",
        "Push of anna@contoso.com finished",
    ];
    assert_eq!(heard, expected);
}

#[tokio::test]
async fn the_journal_names_who_typed_the_password_that_was_pushed() {
    let mut world = World::new();
    let (anna, _) = world.anna_in_step().await;
    world.vault.set_password_by(anna, NEW, "bert@msp.example");
    world.cycle().await;
    let journal = world.store.journal(Some(anna), u32::MAX).await.unwrap();
    let intent = journal
        .iter()
        .find(|it| (it.step, it.phase) == (StepKind::Push, Phase::Intent))
        .unwrap();
    assert_eq!(intent.by.as_deref(), Some("bert@msp.example"));
}
