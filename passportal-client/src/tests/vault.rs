//! The vault port over the agent API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sync_engine::model::{
    AttemptId, AttemptNotice, AttemptState, CredentialId, Cursor, FlagFact, FlagKind, HeldReason,
    ObjectId, Outcome, Password, Report, ReportEntry, ReportId, SignInAttempt, Stamp,
    UnknownReason, VaultChanges, VaultVersion,
};
use sync_engine::ports::{CredentialVault as _, Lease, PasswordAnswer, VaultError, Wait};
use uuid::Uuid;
use wiremock::matchers::{any, header as has_header, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::agent::Keeper;
use super::{CANARY, body, config, failure, requests, secret, success};
use crate::envelope::{DataKey, EnvelopeError, Field, Place};
use crate::wire::{self, code};
use crate::{AgentApi, AgentIdentity, PassportalVault};

pub(super) const ANNA: Uuid = Uuid::from_u128(0xA);
pub(super) const BERT: Uuid = Uuid::from_u128(0xB);
const CLIENT: Uuid = Uuid::from_u128(0xC);
const EPOCH: Uuid = Uuid::from_u128(0xE);
const CHANGES: &str = "/api/v2/agent/changes";
const HEARTBEAT: &str = "/api/v2/agent/heartbeat";

pub(super) struct World {
    pub(super) server: MockServer,
    key: DataKey,
    keeper: Arc<Keeper>,
    pub(super) vault: Arc<PassportalVault>,
}

impl World {
    pub(super) async fn new() -> Self {
        let server = MockServer::start().await;
        let key = DataKey::generate(Uuid::from_u128(1), CLIENT);
        let keeper = Arc::new(Keeper::default());
        let identity = AgentIdentity {
            host: "host".into(),
            version: "0.1.0".into(),
            write_timeout: Duration::from_millis(30_001),
            interval: Duration::from_millis(44_001),
            instance: Uuid::from_u128(77),
        };
        let api = AgentApi::new(&config(&server), secret("old")).unwrap();
        let keeping = Arc::clone(&keeper);
        let vault = Arc::new(PassportalVault::new(api, key.clone(), identity, keeping));
        Self {
            server,
            key,
            keeper,
            vault,
        }
    }

    fn sealed(&self, id: Uuid, user_name: &str, version: u64, clear: &str) -> wire::SealedText {
        let place = Place {
            credential: id,
            field: Field::Password,
            version,
            user_name,
        };
        self.key.seal(&place, &Password::new(clear))
    }

    pub(super) fn changed(&self, id: Uuid, version: u64, clear: &str) -> wire::ChangedCredential {
        let user_name = format!("{}@contoso.com", id.as_u128());
        wire::ChangedCredential {
            id,
            version,
            changed_by: None,
            changed: None,
            mode: wire::SyncMode::Enabled,
            standing: wire::Standing::Active,
            sealed: self.sealed(id, &user_name, version, clear),
            user_name,
            credential_type: wire::credential_type::USER.to_owned(),
            confirmed: None,
            attempts: Vec::new(),
            flags: BTreeMap::new(),
            cleared: BTreeMap::new(),
        }
    }

    /// The next reading is answered with this page, once.
    pub(super) async fn answer_changes(&self, page: wire::Changes) {
        Mock::given(path(CHANGES))
            .respond_with(success(page))
            .up_to_n_times(1)
            .mount(&self.server)
            .await;
    }

    pub(super) async fn read(&self, credentials: Vec<wire::ChangedCredential>) -> VaultChanges {
        self.answer_changes(page(wire::Extent::Changes, credentials))
            .await;
        let since = Cursor("before".into());
        self.vault.changes(Some(&since), Wait::No).await.unwrap()
    }

    async fn answer_heartbeats(&self, lease: Value, rotate: bool) {
        let answer = json!({"lease": lease, "rotate_token": rotate});
        Mock::given(path(HEARTBEAT))
            .respond_with(success(answer))
            .mount(&self.server)
            .await;
    }

    async fn answer_secret(&self, answer: ResponseTemplate) {
        Mock::given(path(format!("/api/v2/agent/credentials/{ANNA}/secret")))
            .respond_with(answer)
            .mount(&self.server)
            .await;
    }

    async fn password(&self, version: u64) -> Option<String> {
        let anna = CredentialId(ANNA);
        let answer = self.vault.password(anna, VaultVersion(version)).await;
        match answer.unwrap() {
            PasswordAnswer::Current(password) => Some(password.expose().to_owned()),
            PasswordAnswer::Superseded => None,
        }
    }

    async fn requests_to(&self, wanted: &str) -> Vec<wiremock::Request> {
        let mut requests = requests(&self.server).await;
        requests.retain(|request| request.url.path() == wanted);
        requests
    }
}

pub(super) fn page(
    extent: wire::Extent,
    credentials: Vec<wire::ChangedCredential>,
) -> wire::Changes {
    wire::Changes {
        epoch: EPOCH,
        cursor: "after".into(),
        extent,
        more: false,
        client: wire::ClientSettings {
            id: CLIENT,
            name: "Contoso".into(),
            sync: wire::MicrosoftSync::EntraId,
            mute: wire::Mute::Unmuted,
            key_id: None,
        },
        credentials,
        rulings: Vec::new(),
    }
}

fn granted(remaining_ms: u64, writes_after_ms: u64) -> Value {
    json!({"state": "granted", "remaining_ms": remaining_ms, "writes_after_ms": writes_after_ms})
}

#[tokio::test]
async fn every_page_is_read_and_only_the_first_waits() {
    let world = World::new().await;
    let first = wire::Changes {
        cursor: "middle".into(),
        more: true,
        ..page(wire::Extent::Full, vec![world.changed(ANNA, 1, CANARY)])
    };
    Mock::given(path(CHANGES))
        .and(query_param_is_missing("cursor"))
        .and(query_param("wait", "30"))
        .and(query_param("limit", "1000"))
        .respond_with(success(first))
        .mount(&world.server)
        .await;
    let second = page(wire::Extent::Full, vec![world.changed(BERT, 4, " short")]);
    Mock::given(path(CHANGES))
        .and(query_param("cursor", "middle"))
        .and(query_param("wait", "0"))
        .respond_with(success(second))
        .mount(&world.server)
        .await;

    let wait = Wait::UpTo(Duration::from_secs(30));
    let changes = world.vault.changes(None, wait).await.unwrap();
    assert_eq!(changes.cursor, Cursor("after".into()));
    assert_eq!(changes.extent, sync_engine::model::Extent::Full);
    let facts: Vec<_> = changes.credentials.iter().map(|c| c.facts).collect();
    let expected = [CANARY, " short"].map(|clear| Some(Password::new(clear).facts()));
    assert_eq!(facts, expected);
    assert!(!format!("{changes:?} {:?}", world.vault).contains(CANARY));
}

#[tokio::test]
async fn what_is_not_the_engines_flag_is_left_out() {
    let world = World::new().await;
    let mut anna = world.changed(ANNA, 1, CANARY);
    for kind in [wire::FlagKind::AdChange, wire::FlagKind::PasswordExpired] {
        let flag = wire::Flag {
            version: 1,
            stamp: Some(Timestamp::UNIX_EPOCH),
            why: "why".into(),
        };
        anna.flags.insert(kind, flag);
    }
    let changes = world.read(vec![anna]).await;
    let raised = FlagFact {
        version: VaultVersion(1),
        stamp: Some(Stamp(Timestamp::UNIX_EPOCH)),
        why: "why".into(),
    };
    assert_eq!(
        changes.credentials[0].raised,
        BTreeMap::from([(FlagKind::AdChange, raised)])
    );
}

#[tokio::test]
async fn a_vault_restored_between_two_pages_makes_the_first_one_void() {
    let world = World::new().await;
    world
        .answer_changes(wire::Changes {
            cursor: "middle".into(),
            more: true,
            ..page(wire::Extent::Changes, vec![world.changed(ANNA, 9, CANARY)])
        })
        .await;
    world
        .answer_changes(wire::Changes {
            epoch: Uuid::from_u128(0xEE),
            ..page(wire::Extent::Full, vec![world.changed(BERT, 1, CANARY)])
        })
        .await;
    let since = Cursor("before".into());
    let changes = world.vault.changes(Some(&since), Wait::No).await.unwrap();
    assert_eq!(changes.extent, sync_engine::model::Extent::Full);
    let ids: Vec<_> = changes.credentials.iter().map(|c| c.id.0).collect();
    assert_eq!(ids, [BERT]);
}

#[tokio::test]
async fn a_page_that_leads_to_itself_ends_the_reading() {
    let world = World::new().await;
    let endless = wire::Changes {
        more: true,
        ..page(wire::Extent::Changes, Vec::new())
    };
    Mock::given(path(CHANGES))
        .respond_with(success(endless))
        .mount(&world.server)
        .await;
    let since = Cursor("before".into());
    let error = world.vault.changes(Some(&since), Wait::No).await;
    assert!(matches!(error, Err(VaultError::Protocol(_))));
    assert_eq!(requests(&world.server).await.len(), 2);
}

#[tokio::test]
async fn a_password_that_was_just_received_needs_no_request() {
    let world = World::new().await;
    world.read(vec![world.changed(ANNA, 2, CANARY)]).await;
    assert_eq!(world.password(2).await.as_deref(), Some(CANARY));
    assert_eq!(world.password(1).await, None, "a newer one was seen");
    assert_eq!(requests(&world.server).await.len(), 1, "the reading only");
}

#[tokio::test]
async fn a_version_that_was_not_received_is_asked_for() {
    let world = World::new().await;
    world.read(vec![world.changed(ANNA, 2, "older")]).await;
    let answer = wire::SecretAnswer {
        user_name: "Anna@Contoso.com ".into(),
        version: 3,
        sealed: world.sealed(ANNA, "Anna@Contoso.com ", 3, CANARY),
    };
    world.answer_secret(success(answer)).await;
    assert_eq!(world.password(3).await.as_deref(), Some(CANARY));
    let request = requests(&world.server).await.pop().unwrap();
    assert_eq!(request.url.query(), Some("version=3"));
    assert_eq!(world.password(4).await, None, "the answer is of version 3");
}

#[tokio::test]
async fn an_administrators_password_is_asked_for_to_sign_in() {
    let world = World::new().await;
    let answer = wire::SecretAnswer {
        user_name: "Anna@Contoso.com ".into(),
        version: 1,
        sealed: world.sealed(ANNA, "Anna@Contoso.com ", 1, CANARY),
    };
    world.answer_secret(success(answer)).await;
    let (anna, first) = (CredentialId(ANNA), VaultVersion(1));
    let answer = world.vault.administrator_password(anna, first).await;
    assert!(matches!(answer, Ok(PasswordAnswer::Current(_))));
    let request = requests(&world.server).await.pop().unwrap();
    assert_eq!(request.url.query(), Some("version=1&purpose=sign_in"));
}

#[tokio::test]
async fn a_credential_that_moved_on_is_superseded() {
    for (status, code) in [(409, code::CONFLICT), (404, code::NOT_FOUND)] {
        let world = World::new().await;
        world.answer_secret(failure(status, code)).await;
        assert_eq!(world.password(1).await, None);
        assert_eq!(requests(&world.server).await.len(), 1);
    }
}

#[tokio::test]
async fn the_administrators_are_those_in_use_of_that_type() {
    let world = World::new().await;
    let admin = |id, standing| wire::ChangedCredential {
        credential_type: wire::credential_type::ADMIN.to_owned(),
        standing,
        ..world.changed(id, 1, CANARY)
    };
    let there = vec![
        world.changed(ANNA, 1, CANARY),
        admin(BERT, wire::Standing::Active),
        admin(Uuid::from_u128(99), wire::Standing::Disabled),
    ];
    world.answer_changes(page(wire::Extent::Full, there)).await;
    let administrators = world.vault.administrators().await.unwrap();
    let ids: Vec<_> = administrators.iter().map(|it| it.id.0).collect();
    assert_eq!(ids, [BERT]);
    assert!(administrators[0].facts.is_some());
}

#[tokio::test]
async fn an_envelope_that_was_moved_is_left_alone_and_stops_nobody_else() {
    let world = World::new().await;
    world.read(vec![world.changed(ANNA, 1, "older")]).await;
    let moved = wire::ChangedCredential {
        sealed: world.changed(BERT, 2, CANARY).sealed,
        ..world.changed(ANNA, 2, CANARY)
    };
    let changes = world
        .read(vec![moved, world.changed(BERT, 1, CANARY)])
        .await;
    assert_eq!(changes.credentials[0].facts, None);
    assert!(changes.credentials[1].facts.is_some());
    assert_eq!(world.vault.unreadable(), [CredentialId(ANNA)]);
    assert_eq!(
        (world.password(1).await, world.password(2).await),
        (None, None)
    );
    assert_eq!(requests(&world.server).await.len(), 2, "the readings only");

    world.answer_heartbeats(granted(1, 0), false).await;
    world.vault.lease().await.unwrap();
    let heartbeat = world.requests_to(HEARTBEAT).await.pop().unwrap();
    assert_eq!(body(&heartbeat)["state"], "failing");

    world.read(vec![world.changed(ANNA, 3, CANARY)]).await;
    assert!(world.vault.unreadable().is_empty());
    assert_eq!(world.password(3).await.as_deref(), Some(CANARY));
}

#[tokio::test]
async fn a_client_with_another_data_key_is_told_at_once_and_no_credential_is_blamed() {
    let world = World::new().await;
    let mut news = page(wire::Extent::Changes, Vec::new());
    let named = Uuid::from_u128(0xAB);
    news.client.key_id = Some(named);
    world.answer_changes(news).await;
    let error = world.vault.changes(None, Wait::No).await.unwrap_err();
    let VaultError::Sealed(cause) = error else {
        panic!("{error:?}");
    };
    assert_eq!(
        cause.downcast_ref::<EnvelopeError>(),
        Some(&EnvelopeError::OtherKey { named })
    );
    assert!(world.vault.unreadable().is_empty());
}

#[tokio::test]
async fn a_key_that_opens_nothing_is_the_wrong_key() {
    let world = World::new().await;
    let other = World::new().await;
    let foreign = vec![
        other.changed(ANNA, 1, CANARY),
        other.changed(BERT, 1, CANARY),
    ];
    world
        .answer_changes(page(wire::Extent::Full, foreign))
        .await;
    let error = world.vault.changes(None, Wait::No).await.unwrap_err();
    assert!(matches!(error, VaultError::Sealed(_)));
    assert!(!format!("{error:?}").contains(CANARY));
}

#[tokio::test]
async fn an_empty_vault_is_no_wrong_key() {
    let world = World::new().await;
    world
        .answer_changes(page(wire::Extent::Full, Vec::new()))
        .await;
    let changes = world.vault.changes(None, Wait::No).await.unwrap();
    assert!(changes.credentials.is_empty());
}

#[tokio::test]
async fn the_lease_ends_early_and_begins_late_by_this_machines_clock() {
    let world = World::new().await;
    world.answer_heartbeats(granted(60_000, 5_000), false).await;
    let minute = SignedDuration::from_secs(60);
    let before = Timestamp::now();
    let lease = world.vault.lease().await.unwrap();
    let after = Timestamp::now();
    let Lease::Granted { until, writes_from } = lease else {
        panic!("{lease:?}")
    };
    assert!(before + minute <= until && until <= after + minute);
    let writes_from = writes_from.unwrap();
    assert!(writes_from >= before + SignedDuration::from_secs(5));
    assert!(
        until.duration_since(writes_from) <= SignedDuration::from_secs(55),
        "the time of the request is lost to us, not won"
    );
    let heartbeat = world.requests_to(HEARTBEAT).await.pop().unwrap();
    assert_eq!(body(&heartbeat)["write_timeout_seconds"], 31);
    assert_eq!(body(&heartbeat)["interval_seconds"], 45);
    let instance = body(&heartbeat)["instance"].clone();
    assert_eq!(instance, Uuid::from_u128(77).to_string());
    assert_eq!(body(&heartbeat)["state"], "running");
}

#[tokio::test]
async fn without_a_predecessor_writes_begin_at_once() {
    let world = World::new().await;
    world.answer_heartbeats(granted(60_000, 0), false).await;
    let lease = world.vault.lease().await.unwrap();
    assert!(matches!(
        lease,
        Lease::Granted {
            writes_from: None,
            ..
        }
    ));
}

#[tokio::test]
async fn a_lease_elsewhere_names_its_holder() {
    let world = World::new().await;
    let elsewhere = json!({"state": "elsewhere", "holder": "other", "remaining_ms": u64::MAX});
    world.answer_heartbeats(elsewhere, false).await;
    let lease = world.vault.lease().await.unwrap();
    assert!(matches!(lease, Lease::Elsewhere { holder, .. } if holder == "other"));
}

#[tokio::test]
async fn a_token_is_rotated_when_the_vault_asks() {
    let world = World::new().await;
    world.answer_heartbeats(granted(60_000, 0), true).await;
    Mock::given(path("/api/v2/agent/token"))
        .and(has_header("x-access-token", "old"))
        .respond_with(success(json!({"token": "new"})))
        .mount(&world.server)
        .await;
    world.vault.lease().await.unwrap();
    assert_eq!(*world.keeper.kept.lock().unwrap(), ["new"]);
    world.vault.farewell().await.unwrap();
    let farewell = world.requests_to(HEARTBEAT).await.pop().unwrap();
    assert_eq!(body(&farewell)["state"], "stopping");
    assert_eq!(super::header(&farewell, "x-access-token"), "new");
}

#[tokio::test]
async fn a_rotation_that_fails_does_not_cost_the_lease() {
    let world = World::new().await;
    world.answer_heartbeats(granted(60_000, 0), true).await;
    Mock::given(path("/api/v2/agent/token"))
        .respond_with(failure(500, code::INTERNAL))
        .mount(&world.server)
        .await;
    assert!(world.vault.lease().await.is_ok());
    assert!(world.keeper.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_the_vault_answers_becomes_what_the_engine_can_act_on() {
    type Check = fn(&VaultError) -> bool;
    let answers: [(u16, u32, Check); 4] = [
        (401, code::BAD_TOKEN, |e| {
            matches!(e, VaultError::NotAuthorised(_))
        }),
        (500, code::INTERNAL, |e| {
            matches!(e, VaultError::Unavailable(_))
        }),
        (429, code::TOO_MANY, |e| {
            matches!(e, VaultError::Unavailable(_))
        }),
        (422, code::INVALID, |e| matches!(e, VaultError::Protocol(_))),
    ];
    for (status, code, check) in answers {
        let world = World::new().await;
        Mock::given(any())
            .respond_with(failure(status, code))
            .mount(&world.server)
            .await;
        let error = world.vault.changes(None, Wait::No).await.unwrap_err();
        assert!(check(&error), "{status}: {error:?}");
    }
}

fn entry(number: u128, outcome: Outcome) -> ReportEntry {
    ReportEntry {
        credential: CredentialId(Uuid::from_u128(number)),
        at: Timestamp::UNIX_EPOCH,
        version: VaultVersion(1),
        outcome,
        why: "why".into(),
        flags: BTreeMap::new(),
    }
}

#[tokio::test]
async fn a_long_report_is_sent_in_parts_that_keep_their_ids() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(success(json!({"duplicate": false})))
        .mount(&world.server)
        .await;
    let report = Report {
        id: ReportId(Uuid::from_u128(77)),
        entries: (0..2500).map(|n| entry(n, Outcome::Matched)).collect(),
    };
    world.vault.report(&report).await.unwrap();
    world.vault.report(&report).await.unwrap();
    let parts: Vec<Value> = requests(&world.server).await.iter().map(body).collect();
    let sizes: Vec<_> = parts
        .iter()
        .map(|p| p["entries"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [1000, 1000, 500, 1000, 1000, 500]);
    let process = json!(Uuid::from_u128(77));
    assert!(parts.iter().all(|part| part["instance"] == process));
    assert_eq!(parts[..3], parts[3..], "the second time is the same");
    assert_eq!(parts[0]["id"], json!(Uuid::from_u128(77)));
    assert!(parts[0]["id"] != parts[1]["id"] && parts[1]["id"] != parts[2]["id"]);
}

#[tokio::test]
async fn an_outcome_travels_as_its_kind_and_the_reason_as_words() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(success(json!({"duplicate": false})))
        .mount(&world.server)
        .await;
    let held = Outcome::Held(HeldReason::Unverifiable(UnknownReason::SwitchedOff));
    let mut told = entry(1, held);
    let fact = FlagFact {
        version: VaultVersion(1),
        stamp: None,
        why: "flag".into(),
    };
    told.flags.insert(FlagKind::Held, fact);
    let report = Report {
        id: ReportId(Uuid::from_u128(77)),
        entries: vec![told],
    };
    world.vault.report(&report).await.unwrap();
    let sent = body(&requests(&world.server).await.pop().unwrap());
    assert_eq!(sent["entries"][0]["outcome"], "held");
    assert_eq!(sent["entries"][0]["why"], "why");
    assert_eq!(sent["entries"][0]["flags"]["held"]["why"], "flag");
}

#[tokio::test]
async fn attempts_are_written_down_as_they_are() {
    let world = World::new().await;
    Mock::given(path("/api/v2/agent/attempts"))
        .respond_with(success(()))
        .mount(&world.server)
        .await;
    let notice = AttemptNotice {
        credential: CredentialId(ANNA),
        attempt: SignInAttempt {
            id: AttemptId(Uuid::from_u128(5)),
            object: ObjectId(Uuid::from_u128(6)),
            version: VaultVersion(2),
            stamp: None,
            at: Timestamp::UNIX_EPOCH,
            state: AttemptState::Open,
        },
    };
    world.vault.note_attempts(&[notice]).await.unwrap();
    world.vault.note_attempts(&[]).await.unwrap();
    let sent = requests(&world.server).await;
    assert_eq!(sent.len(), 1);
    let notice = &body(&sent[0])["notices"][0];
    assert_eq!(notice["credential"], json!(ANNA));
    assert_eq!(notice["attempt"]["state"], "open");
}

#[tokio::test]
async fn a_report_that_is_refused_because_another_agent_leads_is_told_later() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(failure(409, code::CONFLICT))
        .mount(&world.server)
        .await;
    let report = Report {
        id: ReportId(Uuid::from_u128(77)),
        entries: vec![entry(1, Outcome::Matched)],
    };
    let error = world.vault.report(&report).await.unwrap_err();
    assert!(matches!(error, VaultError::Unavailable(_)), "{error:?}");
}
