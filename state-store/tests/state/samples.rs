//! One of everything that is remembered.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sync_engine::model::*;
use sync_engine::plan::{Action, Decision, HeldPlan, PlanStanding, Rule, Target, Word};
use uuid::Uuid;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub(crate) const ALICE: ClientId = ClientId(Uuid::from_u128(0xa));
pub(crate) const BOB: ClientId = ClientId(Uuid::from_u128(0xb));

pub(crate) fn credential(n: u128) -> CredentialId {
    CredentialId(Uuid::from_u128(n))
}

/// A memory with something of every shape: ids, times, lists, maps, enums with and without data.
pub(crate) fn full_memory(n: u128) -> CredentialMemory {
    let object = ObjectId(Uuid::from_u128(1_000 + n));
    let stamp = Some(Stamp(at(1_700_000_000)));
    let version = VaultVersion(7);
    let mut memory = CredentialMemory::new(credential(n));
    memory.object = Some(object);
    memory.baseline = Some(Baseline {
        version,
        mode: SyncMode::Enabled,
    });
    memory.agreed = Some(Agreed { version, stamp });
    memory.attempts = vec![SignInAttempt {
        id: AttemptId(Uuid::from_u128(5)),
        object,
        version,
        stamp,
        at: at(1_700_000_005),
        state: AttemptState::Open,
    }];
    memory.paused_until = Some(at(1_700_009_000));
    memory.refused = Some(Refused {
        version,
        reason: BlockedReason::Policy(PolicyRefusal::Classes),
        at: at(1_700_000_030),
    });
    memory.raised = BTreeMap::from([(
        FlagKind::AdChange,
        FlagFact {
            version,
            stamp,
            why: "changed in Entra ID".to_owned(),
        },
    )]);
    memory
}

pub(crate) fn client_memory() -> ClientMemory {
    ClientMemory {
        epoch: Some(VaultEpoch(Uuid::from_u128(9))),
        locked_answers: vec![at(1)],
        verification_paused_until: Some(at(2)),
        writes: vec![at(3), at(4)],
    }
}

pub(crate) fn entry(n: u128, second: i64) -> JournalEntry {
    JournalEntry {
        at: at(second),
        cycle: CycleId(Uuid::from_u128(77)),
        credential: credential(n),
        object: ObjectId(Uuid::from_u128(1_000 + n)),
        version: VaultVersion(7),
        stamp: None,
        step: StepKind::Push,
        phase: Phase::Intent,
        why: "the password changed in the vault".to_owned(),
        by: Some("ada@msp.example".to_owned()),
    }
}

pub(crate) fn report(n: u128, why: &str) -> Report {
    Report {
        id: ReportId(Uuid::from_u128(n)),
        entries: vec![ReportEntry {
            credential: credential(1),
            at: at(5),
            version: VaultVersion(7),
            outcome: Outcome::Held(HeldReason::Unverifiable(UnknownReason::NotPermitted)),
            why: why.to_owned(),
            flags: BTreeMap::new(),
        }],
    }
}

pub(crate) fn held_plan(n: u128) -> HeldPlan {
    HeldPlan {
        id: PlanId(Uuid::from_u128(n)),
        at: at(6),
        allowed: 3,
        standing: PlanStanding::Approved(Word {
            by: "ada@msp.example".to_owned(),
            at: at(7),
        }),
        writes: vec![Decision {
            credential: credential(1),
            user_name: UserPrincipalName::new("anna@contoso.com"),
            mode: SyncMode::Enabled,
            version: VaultVersion(7),
            rule: Rule::VaultChanged,
            action: Action::Push(Target {
                object: ObjectId(Uuid::from_u128(1_001)),
                stamp: None,
            }),
            flags: BTreeMap::new(),
        }],
    }
}
