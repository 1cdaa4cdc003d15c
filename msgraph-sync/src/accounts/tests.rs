//! The chain of changes, one conversation at a time.

use serde_json::{Value, json};
use sync_engine::model::AccountAccess::{Disabled, Enabled};
use sync_engine::model::AccountKind::{Guest, Member};
use sync_engine::model::Mastered::{Cloud, OnPremises};
use sync_engine::model::Stamp;
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::test_tenant::{Tenant, graph_error, id, user};

const DELTA: &str = "/v1.0/users/delta()";

fn page(entries: &[Value], link: &str, url: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "value": entries, link: url }))
}

fn last(tenant: &Tenant, entries: &[Value]) -> ResponseTemplate {
    page(entries, "@odata.deltaLink", &link(tenant, "next"))
}

fn link(tenant: &Tenant, token: &str) -> String {
    format!(
        "{}/v1.0/users/delta?$deltatoken={token}",
        tenant.server.uri()
    )
}

/// The first reading, which has no token.
async fn answer_full(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path(DELTA))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

async fn answer_link(tenant: &Tenant, token: &str, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path("/v1.0/users/delta"))
        .and(query_param("$deltatoken", token))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

async fn answer_user(tenant: &Tenant, n: u8, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path(format!("/v1.0/users/{}", id(n))))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

#[tokio::test]
async fn a_full_reading_asks_for_six_properties_in_large_pages_and_follows_every_page() {
    let tenant = Tenant::start().await;
    Mock::given(method("GET"))
        .and(path(DELTA))
        .and(query_param(
            "$select",
            "id,userPrincipalName,accountEnabled,userType,onPremisesSyncEnabled,lastPasswordChangeDateTime",
        ))
        .and(header("Prefer", "odata.maxpagesize=999"))
        .respond_with(page(&[user(1)], "@odata.nextLink", &link(&tenant, "two")))
        .mount(&tenant.server)
        .await;
    answer_link(&tenant, "two", last(&tenant, &[user(2)])).await;
    let changes = tenant.session().changes(None).await.unwrap();
    assert_eq!(changes.extent, Extent::Full);
    assert_eq!(changes.link.0, link(&tenant, "next"));
    let ids: Vec<_> = changes.accounts.iter().map(|a| a.id).collect();
    assert_eq!(ids, [id(1), id(2)]);
}

#[tokio::test]
async fn properties_mean_what_the_engine_calls_them() {
    let tenant = Tenant::start().await;
    let mut guest = user(2);
    guest["userType"] = json!("Guest");
    guest["accountEnabled"] = json!(null);
    let mut synced = user(3);
    synced["onPremisesSyncEnabled"] = json!(true);
    synced["userType"] = json!(null);
    synced["accountEnabled"] = json!(false);
    let never_set = json!({
        "id": id(4).to_string(),
        "userPrincipalName": "old@contoso.com",
        "accountEnabled": true,
    });
    let entries = [user(1), guest, synced, never_set];
    answer_full(&tenant, last(&tenant, &entries)).await;
    let accounts = tenant.session().changes(None).await.unwrap().accounts;
    let read: Vec<_> = accounts
        .iter()
        .map(|a| (a.access, a.kind, a.mastered, a.stamp.is_some()))
        .collect();
    assert_eq!(
        read,
        [
            (Enabled, Member, Cloud, true),
            (Disabled, Guest, Cloud, true),
            (Disabled, Member, OnPremises, true),
            (Enabled, Member, Cloud, false),
        ]
    );
    let stamp = Stamp("2026-01-02T03:04:05Z".parse().unwrap());
    assert_eq!(accounts[0].stamp, Some(stamp));
    assert_eq!(accounts[0].user_name.as_str(), "user1@contoso.com");
}

#[tokio::test]
async fn changes_are_asked_for_at_the_link_and_removals_are_told() {
    let tenant = Tenant::start().await;
    let removed = json!({ "id": id(2).to_string(), "@removed": { "reason": "changed" } });
    answer_link(&tenant, "since", last(&tenant, &[user(1), removed])).await;
    let since = DeltaLink(link(&tenant, "since"));
    let changes = tenant.session().changes(Some(&since)).await.unwrap();
    assert_eq!(changes.extent, Extent::Changes);
    assert_eq!(changes.accounts.len(), 1);
    assert_eq!(changes.removed, [id(2)]);
}

#[tokio::test]
async fn of_a_repeated_account_the_later_entry_wins() {
    let tenant = Tenant::start().await;
    let mut renamed = user(1);
    renamed["userPrincipalName"] = json!("later@contoso.com");
    let removed = json!({ "id": id(2).to_string(), "@removed": { "reason": "deleted" } });
    let first = [user(1), user(2), removed.clone(), removed, user(2)];
    let next = link(&tenant, "two");
    answer_full(&tenant, page(&first, "@odata.nextLink", &next)).await;
    answer_link(&tenant, "two", last(&tenant, &[renamed])).await;
    let changes = tenant.session().changes(None).await.unwrap();
    assert_eq!(changes.accounts.len(), 2);
    assert_eq!(changes.accounts[0].user_name.as_str(), "later@contoso.com");
    assert!(changes.removed.is_empty());
}

#[tokio::test]
async fn a_change_that_tells_only_a_part_is_read_again_as_a_whole() {
    let tenant = Tenant::start().await;
    let partial = |n| json!({ "id": id(n).to_string(), "accountEnabled": true });
    let entries = [partial(1), partial(2), user(3)];
    answer_link(&tenant, "since", last(&tenant, &entries)).await;
    let mut synced = user(1);
    synced["onPremisesSyncEnabled"] = json!(true);
    let whole = ResponseTemplate::new(200).set_body_json(synced);
    answer_user(&tenant, 1, whole).await;
    let gone = graph_error(404, "Request_ResourceNotFound", "gone");
    answer_user(&tenant, 2, gone).await;
    let since = DeltaLink(link(&tenant, "since"));
    let changes = tenant.session().changes(Some(&since)).await.unwrap();
    assert_eq!(changes.accounts.len(), 2);
    assert_eq!(changes.accounts[0].mastered, OnPremises);
    assert_eq!(changes.removed, [id(2)]);
    assert!(tenant.requests("GET", &id(3).to_string()).await.is_empty());
}

#[tokio::test]
async fn an_expired_link_means_a_full_reading() {
    for expired in [
        ResponseTemplate::new(410).insert_header("Location", "https://elsewhere.example/"),
        graph_error(400, "syncStateNotFound", "expired"),
        graph_error(410, "resyncRequired", "resync"),
    ] {
        let tenant = Tenant::start().await;
        answer_link(&tenant, "old", expired).await;
        answer_full(&tenant, last(&tenant, &[user(1)])).await;
        let since = DeltaLink(link(&tenant, "old"));
        let changes = tenant.session().changes(Some(&since)).await.unwrap();
        assert_eq!(changes.extent, Extent::Full);
        assert_eq!(changes.accounts.len(), 1);
    }
}

#[tokio::test]
async fn a_page_that_leads_to_another_host_is_refused_and_not_visited() {
    for kind in ["@odata.nextLink", "@odata.deltaLink"] {
        let tenant = Tenant::start().await;
        let elsewhere = Tenant::without_tokens().await;
        let away = link(&elsewhere, "next");
        answer_full(&tenant, page(&[user(1)], kind, &away)).await;
        let refused = tenant.session().changes(None).await;
        assert!(matches!(refused, Err(GraphError::ForeignLink { .. })));
        assert!(elsewhere.requests("GET", "").await.is_empty());
    }
}

#[tokio::test]
async fn a_remembered_link_of_another_endpoint_is_not_followed() {
    let tenant = Tenant::start().await;
    let former = Tenant::without_tokens().await;
    answer_full(&tenant, last(&tenant, &[user(1)])).await;
    let since = DeltaLink(link(&former, "since"));
    let changes = tenant.session().changes(Some(&since)).await.unwrap();
    assert_eq!(changes.extent, Extent::Full);
    assert!(former.requests("GET", "").await.is_empty());
}

#[tokio::test]
async fn pages_that_go_in_a_circle_end() {
    let tenant = Tenant::start().await;
    let circle = link(&tenant, "again");
    let again = page(&[user(1)], "@odata.nextLink", &circle);
    answer_full(&tenant, again.clone()).await;
    answer_link(&tenant, "again", again).await;
    let outcome = tenant.session().changes(None).await;
    assert!(matches!(outcome, Err(GraphError::NotUnderstood { .. })));
}

#[tokio::test]
async fn one_account_is_read_by_its_id_and_absence_is_no_error() {
    let tenant = Tenant::start().await;
    answer_user(
        &tenant,
        1,
        ResponseTemplate::new(200).set_body_json(user(1)),
    )
    .await;
    let gone = graph_error(404, "Request_ResourceNotFound", "gone");
    answer_user(&tenant, 2, gone).await;
    let proxy = ResponseTemplate::new(404).set_body_string("<html>wrong path</html>");
    answer_user(&tenant, 3, proxy).await;
    let session = tenant.session();
    assert_eq!(session.account(id(1)).await.unwrap().unwrap().id, id(1));
    assert_eq!(session.account(id(2)).await.unwrap(), None);
    let misled = session.account(id(3)).await;
    assert!(matches!(misled, Err(GraphError::Unexpected(_))));
}
