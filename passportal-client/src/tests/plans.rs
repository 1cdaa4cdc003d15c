//! Held plans on their way to people, and people's words on their way back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use sync_engine::model::{
    CredentialId, HeldReason, ObjectId, PlanId, Stamp, SyncMode, UserPrincipalName, VaultVersion,
};
use sync_engine::plan::{
    Action, Decision, HeldPlan, PlanRuling, PlanStanding, Rule, Ruling, Target, Word,
};
use sync_engine::ports::{CredentialVault as _, Lease, VaultError, Wait};
use uuid::Uuid;
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, ResponseTemplate};

use super::vault::{ANNA, BERT, World, page};
use super::{body, config, failure, requests, secret, success};
use crate::wire::{self, code};
use crate::{ApiError, Onlooker, PersonSession};

const PLANS: &str = "/api/v2/agent/plans";

fn write(credential: Uuid) -> Decision {
    let target = Target {
        object: ObjectId(Uuid::from_u128(0x0B)),
        stamp: Some(Stamp(Timestamp::UNIX_EPOCH)),
    };
    decision(credential, Action::Push(target))
}

fn decision(credential: Uuid, action: Action) -> Decision {
    Decision {
        credential: CredentialId(credential),
        user_name: UserPrincipalName::new("Anna@Contoso.com"),
        mode: SyncMode::Enabled,
        version: VaultVersion(7),
        rule: Rule::VaultChanged,
        action,
        flags: BTreeMap::new(),
    }
}

fn plan(number: u128, standing: PlanStanding, writes: Vec<Decision>) -> HeldPlan {
    HeldPlan {
        id: PlanId(Uuid::from_u128(number)),
        at: Timestamp::UNIX_EPOCH + Duration::from_secs(u64::try_from(number).unwrap()),
        allowed: 3,
        writes,
        standing,
    }
}

fn word() -> Word {
    Word {
        by: "ada@msp.example".into(),
        at: Timestamp::UNIX_EPOCH,
    }
}

async fn sent(world: &World, plans: &[HeldPlan]) -> Value {
    Mock::given(path(PLANS))
        .and(method("PUT"))
        .respond_with(success(json!({})))
        .mount(&world.server)
        .await;
    world.vault.show_plans(plans).await.unwrap();
    body(&requests(&world.server).await.pop().unwrap())
}

#[tokio::test]
async fn a_plan_is_shown_with_every_write_and_its_reason() {
    let world = World::new().await;
    let held = decision(BERT, Action::Hold(HeldReason::MassChange));
    let waiting = plan(1, PlanStanding::Waiting, vec![write(ANNA), held]);
    let approved = plan(2, PlanStanding::Approved(word()), vec![write(BERT)]);
    let sent = sent(&world, &[approved, waiting]).await;
    let expected = json!({
        "id": Uuid::from_u128(1), "at": "1970-01-01T00:00:01Z", "allowed": 3, "total": 1,
        "writes": [{
            "credential": ANNA, "user_name": "Anna@Contoso.com", "version": 7, "mode": "enabled",
            "why": "the password changed in the vault", "object": Uuid::from_u128(0x0B),
            "stamp": "1970-01-01T00:00:00Z",
        }],
        "standing": { "state": "waiting" },
    });
    assert_eq!(sent["plans"][0], expected, "what waits comes first");
    let standing = &sent["plans"][1]["standing"];
    assert_eq!(
        *standing,
        json!({ "state": "approved", "by": "ada@msp.example", "at": "1970-01-01T00:00:00Z" })
    );
}

#[tokio::test]
async fn no_plan_is_shown_as_none() {
    let world = World::new().await;
    let sent = sent(&world, &[]).await;
    assert_eq!(sent["plans"], json!([]));
    assert!(sent["instance"].is_string(), "as in heartbeats: {sent}");
}

#[tokio::test]
async fn what_is_too_much_to_be_shown_is_counted() {
    let world = World::new().await;
    let many = wire::ShownPlans::WRITES_MOST;
    let rejected = plan(2, PlanStanding::Rejected(word()), vec![write(BERT); 5]);
    let waiting = plan(1, PlanStanding::Waiting, vec![write(ANNA); many - 3]);
    let sent = sent(&world, &[rejected, waiting]).await;
    let listed = |number: usize| sent["plans"][number]["writes"].as_array().unwrap().len();
    assert_eq!((listed(0), listed(1)), (many - 3, 3));
    assert_eq!(sent["plans"][1]["total"], 5);

    let ruled = (1..40).map(|number| plan(number, PlanStanding::Approved(word()), Vec::new()));
    let first = plan(0, PlanStanding::Waiting, Vec::new());
    let plans: Vec<_> = ruled.chain([first]).collect();
    world.vault.show_plans(&plans).await.unwrap();
    let sent = body(&requests(&world.server).await.pop().unwrap());
    let plans = sent["plans"].as_array().unwrap();
    assert_eq!(plans.len(), wire::ShownPlans::PLANS_MOST);
    assert_eq!(plans[0]["id"], json!(Uuid::from_u128(0)));
    assert_eq!(
        plans[1]["id"],
        json!(Uuid::from_u128(39)),
        "then the latest"
    );
}

#[tokio::test]
async fn a_vault_that_shows_no_plans_does_not_stop_the_agent() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(failure(404, code::NOT_FOUND))
        .mount(&world.server)
        .await;
    let waiting = plan(1, PlanStanding::Waiting, vec![write(ANNA)]);
    world.vault.show_plans(&[waiting]).await.unwrap();
    world.vault.show_plans(&[]).await.unwrap();
}

#[tokio::test]
async fn plans_that_another_agent_may_show_are_shown_later() {
    type Check = fn(&VaultError) -> bool;
    let answers: [(u16, u32, Check); 3] = [
        (409, code::CONFLICT, |e| {
            matches!(e, VaultError::Unavailable(_))
        }),
        (401, code::BAD_TOKEN, |e| {
            matches!(e, VaultError::NotAuthorised(_))
        }),
        (422, code::INVALID, |e| matches!(e, VaultError::Protocol(_))),
    ];
    for (status, code, check) in answers {
        let world = World::new().await;
        Mock::given(any())
            .respond_with(failure(status, code))
            .mount(&world.server)
            .await;
        let error = world.vault.show_plans(&[]).await.unwrap_err();
        assert!(check(&error), "{status}: {error:?}");
    }
}

#[tokio::test]
async fn showing_plans_is_tried_again() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(1)
        .mount(&world.server)
        .await;
    sent(&world, &[]).await;
    assert_eq!(requests(&world.server).await.len(), 2);
}

#[tokio::test]
async fn what_people_said_comes_with_every_reading() {
    let world = World::new().await;
    let ruling = |number, ruling| wire::PlanRuling {
        plan: Uuid::from_u128(number),
        ruling,
        by: "ada@msp.example".into(),
        at: Timestamp::UNIX_EPOCH,
    };
    let rulings = vec![
        ruling(1, wire::Ruling::Approve),
        ruling(2, wire::Ruling::Reject),
    ];
    let first = wire::Changes {
        cursor: "middle".into(),
        more: true,
        ..page(wire::Extent::Full, vec![world.changed(ANNA, 1, "x")])
    };
    world.answer_changes(first).await;
    let last = page(wire::Extent::Full, Vec::new());
    world
        .answer_changes(wire::Changes { rulings, ..last })
        .await;
    let changes = world.vault.changes(None, Wait::No).await.unwrap();
    let heard = |number, ruling| PlanRuling {
        plan: PlanId(Uuid::from_u128(number)),
        ruling,
        word: word(),
    };
    assert_eq!(
        changes.rulings,
        [heard(1, Ruling::Approve), heard(2, Ruling::Reject)]
    );
}

#[tokio::test]
async fn whoever_acts_says_as_which_process_and_a_dry_run_does_not() {
    let world = World::new().await;
    Mock::given(any())
        .respond_with(success(page(wire::Extent::Full, Vec::new())))
        .mount(&world.server)
        .await;
    let asked = async || {
        let asked = requests(&world.server).await.pop().unwrap();
        let instance = asked.url.query_pairs().find(|(key, _)| key == "instance");
        instance.map(|(_, value)| value.into_owned())
    };
    world.vault.changes(None, Wait::No).await.unwrap();
    let process = Uuid::from_u128(77).to_string();
    assert_eq!(asked().await, Some(process));
    let onlooker = Onlooker::new(Arc::clone(&world.vault));
    onlooker.changes(None, Wait::No).await.unwrap();
    assert_eq!(asked().await, None);
    assert!(matches!(
        onlooker.lease().await.unwrap(),
        Lease::Elsewhere { .. }
    ));
    onlooker.show_plans(&[]).await.unwrap();
    assert_eq!(requests(&world.server).await.len(), 2);
}

#[tokio::test]
async fn who_typed_and_who_confirmed_reach_the_engine() {
    let world = World::new().await;
    let confirmed = wire::Confirmation {
        version: 1,
        at: Timestamp::UNIX_EPOCH,
        by: Some("bea@msp.example".into()),
    };
    let anna = wire::ChangedCredential {
        changed_by: Some("ada@msp.example".into()),
        confirmed: Some(confirmed),
        ..world.changed(ANNA, 1, "x")
    };
    let changes = world.read(vec![anna]).await;
    let anna = &changes.credentials[0];
    assert_eq!(anna.changed_by.as_deref(), Some("ada@msp.example"));
    let by = anna.confirmed.as_ref().and_then(|it| it.by.as_deref());
    assert_eq!(by, Some("bea@msp.example"));
}

#[tokio::test]
async fn a_vault_of_an_earlier_version_is_understood() {
    let world = World::new().await;
    let confirmed = wire::Confirmation {
        version: 1,
        at: Timestamp::UNIX_EPOCH,
        by: None,
    };
    let anna = wire::ChangedCredential {
        confirmed: Some(confirmed),
        ..world.changed(ANNA, 1, "x")
    };
    let mut earlier = json!(page(wire::Extent::Full, vec![anna]));
    let fields = earlier.as_object_mut().unwrap();
    fields.remove("rulings").unwrap();
    let credential = &fields["credentials"][0];
    assert!(credential.get("changed_by").is_none(), "{credential}");
    assert!(credential["confirmed"].get("by").is_none(), "{credential}");
    Mock::given(any())
        .respond_with(success(earlier))
        .mount(&world.server)
        .await;
    let changes = world.vault.changes(None, Wait::No).await.unwrap();
    assert!(changes.rulings.is_empty());
    assert_eq!(changes.credentials[0].changed_by, None);
}

#[tokio::test]
async fn a_person_rules_on_exactly_one_plan() {
    let world = World::new().await;
    let id = Uuid::from_u128(9);
    let person = PersonSession::from_token(&config(&world.server), secret("ada")).unwrap();
    let ruled = json!({
        "id": id, "client": Uuid::from_u128(1), "client_name": "Contoso",
        "at": "1970-01-01T00:00:00Z", "allowed": 0, "total": 1, "heard": null, "ended": null,
        "standing": { "state": "rejected", "by": "ada@msp.example", "at": "1970-01-01T00:00:00Z" },
    });
    Mock::given(path(format!("/api/v2/plans/{id}/rejection")))
        .and(method("POST"))
        .respond_with(success(ruled))
        .expect(1)
        .mount(&world.server)
        .await;
    Mock::given(path(format!("/api/v2/plans/{id}/approval")))
        .respond_with(failure(409, code::CONFLICT))
        .expect(1)
        .mount(&world.server)
        .await;
    let plan = person.rule(id, wire::Ruling::Reject).await.unwrap();
    assert!(!plan.is_waiting());
    let late = person.rule(id, wire::Ruling::Approve).await.unwrap_err();
    assert!(matches!(late, ApiError::Conflict { .. }));
}
