//! A state file of a version that was released is carried on with all that it remembers.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use state_store::StateDatabase;
use sync_engine::model::*;
use sync_engine::plan::{Action, Decision, HeldPlan, PlanStanding, Rule, Target};
use sync_engine::ports::StateStore;
use uuid::Uuid;

use crate::samples::ALICE;

/// Written by version 0.1.0 itself.
const VERSION_0_1_0: &str = include_str!("../fixtures/version-0.1.0.sql");

async fn file_of(dump: &str, path: &Path) {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let mut hand = options.connect().await.unwrap();
    let query = sqlx::raw_sql(AssertSqlSafe(dump));
    query.execute(&mut hand).await.unwrap();
    hand.close().await.unwrap();
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

const VERSION: VaultVersion = VaultVersion(7);
const OBJECT: ObjectId = ObjectId(Uuid::from_u128(1_001));

fn stamp() -> Stamp {
    Stamp(at(0))
}

fn client() -> ClientMemory {
    ClientMemory {
        epoch: Some(VaultEpoch(id(9))),
        locked_answers: vec![at(1)],
        verification_paused_until: Some(at(2)),
        writes: vec![at(3), at(4)],
    }
}

fn anna() -> CredentialMemory {
    let why = "changed in Entra ID by Zoë \u{0} \u{1f600}".to_owned();
    CredentialMemory {
        id: CredentialId(id(1)),
        object: Some(OBJECT),
        baseline: Some(Baseline {
            version: VERSION,
            mode: SyncMode::Enabled,
        }),
        verdict: Some(RememberedVerdict {
            object: OBJECT,
            version: VERSION,
            stamp: Some(stamp()),
            verdict: Verdict::Unknown(UnknownReason::Locked),
            source: VerdictSource::SignIn,
            at: at(5),
            next_try: Some(at(3_605)),
            tries: 2,
            code: Some(50_053),
        }),
        agreed: Some(Agreed {
            version: VaultVersion(6),
            stamp: Some(stamp()),
        }),
        written: Some(Written {
            version: VaultVersion(6),
            at: at(6),
        }),
        pending: Some(PendingWrite {
            object: OBJECT,
            version: VERSION,
            before: Some(stamp()),
            since: at(7),
            accepted: Some(Accepted {
                sent: at(7),
                answered: at(8),
            }),
            asked: Asked::ByRule,
        }),
        attempts: vec![SignInAttempt {
            id: AttemptId(id(5)),
            object: OBJECT,
            version: VERSION,
            stamp: Some(stamp()),
            at: at(5),
            state: AttemptState::Open,
        }],
        paused_until: Some(at(9_000)),
        overwrites: vec![at(9)],
        refused: Some(Refused {
            version: VERSION,
            reason: BlockedReason::Policy(PolicyRefusal::Classes),
            at: at(30),
        }),
        retry_at: Some(at(31)),
        confirmation_used: Some(at(32)),
        chosen_for: Some(OBJECT),
        reported: Some(Reported {
            version: VERSION,
            outcome: Outcome::Held(HeldReason::Unverifiable(UnknownReason::NotPermitted)),
        }),
        raised: BTreeMap::from([(
            FlagKind::AdChange,
            FlagFact {
                version: VERSION,
                stamp: Some(stamp()),
                why,
            },
        )]),
    }
}

fn plan() -> HeldPlan {
    HeldPlan {
        id: PlanId(id(4)),
        at: at(6),
        allowed: 0,
        writes: vec![Decision {
            credential: CredentialId(id(1)),
            user_name: UserPrincipalName::new("anna@contoso.com"),
            mode: SyncMode::Enabled,
            version: VERSION,
            rule: Rule::VaultChanged,
            action: Action::Push(Target {
                object: OBJECT,
                stamp: Some(stamp()),
            }),
            flags: BTreeMap::new(),
        }],
        standing: PlanStanding::Waiting,
    }
}

fn entry(second: i64, phase: Phase) -> JournalEntry {
    JournalEntry {
        at: at(second),
        cycle: CycleId(id(77)),
        credential: CredentialId(id(1)),
        object: OBJECT,
        version: VERSION,
        stamp: Some(stamp()),
        step: StepKind::Push,
        phase,
        why: "the password changed in the vault".to_owned(),
        by: None,
    }
}

fn report() -> Report {
    Report {
        id: ReportId(id(3)),
        entries: vec![ReportEntry {
            credential: CredentialId(id(1)),
            at: at(5),
            version: VERSION,
            outcome: Outcome::Held(HeldReason::MassChange),
            why: "held".to_owned(),
            flags: BTreeMap::new(),
        }],
    }
}

#[tokio::test]
async fn a_file_of_version_0_1_0_is_carried_on_with_all_that_it_remembers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    file_of(VERSION_0_1_0, &path).await;

    let url = state_store::file_url(&path);
    let store = StateDatabase::open(&url).await.unwrap().client(ALICE);

    let memory = store.load().await.unwrap();
    assert_eq!(memory.client, client());
    let untouched = CredentialMemory::new(CredentialId(id(2)));
    let credentials: Vec<_> = memory.credentials.into_values().collect();
    assert_eq!(credentials, [anna(), untouched]);
    let plans: Vec<_> = memory.plans.into_values().collect();
    assert_eq!(plans, [plan()]);
    assert_eq!(
        store.journal(None, 10).await.unwrap(),
        [entry(8, Phase::Outcome), entry(7, Phase::Intent)]
    );
    assert_eq!(store.kept_reports().await.unwrap(), [report()]);
}

#[tokio::test]
async fn what_is_carried_on_is_written_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    file_of(VERSION_0_1_0, &path).await;
    let url = state_store::file_url(&path);
    let store = StateDatabase::open(&url).await.unwrap().client(ALICE);

    store.record(&[entry(9, Phase::Intent)], &[]).await.unwrap();
    store.drop_plan(plan().id).await.unwrap();
    store.drop_report(report().id).await.unwrap();

    assert_eq!(store.journal(None, 10).await.unwrap().len(), 3);
    assert!(store.load().await.unwrap().plans.is_empty());
    assert!(store.kept_reports().await.unwrap().is_empty());
}
