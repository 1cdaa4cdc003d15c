//! One password, one request, and every answer that there may be.

use serde_json::{Value, json};
use sync_engine::model::Accepted;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::test_tenant::{
    CANARY, TOKEN_PATH, Tenant, canary, entra_error, graph_error, id, silent_service,
};

async fn answer(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("PATCH"))
        .and(path(format!("/v1.0/users/{}", id(1))))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

/// The outcome of one write, and how many requests it took.
async fn set(tenant: &Tenant) -> (SetPassword, usize) {
    let outcome = tenant.session().set_password(id(1), &canary()).await;
    (outcome, tenant.requests("PATCH", "").await.len())
}

async fn outcome_of(response: ResponseTemplate) -> (SetPassword, usize) {
    let tenant = Tenant::start().await;
    answer(&tenant, response).await;
    set(&tenant).await
}

#[tokio::test]
async fn a_password_is_carried_exactly_and_need_not_be_changed_by_the_user() {
    let tenant = Tenant::start().await;
    answer(&tenant, ResponseTemplate::new(204)).await;
    let (outcome, requests) = set(&tenant).await;
    assert!(matches!(outcome, SetPassword::Accepted(_)));
    assert_eq!(requests, 1);
    let sent = &tenant.requests("PATCH", "").await[0];
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(
        body,
        json!({ "passwordProfile": { "password": CANARY, "forceChangePasswordNextSignIn": false } })
    );
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(!sent.url.as_str().contains("Canary"));
}

#[tokio::test]
async fn an_accepted_write_is_placed_in_the_service_s_own_time() {
    let date = "Tue, 03 Feb 2026 04:05:06 GMT";
    let accepted = ResponseTemplate::new(204).insert_header("Date", date);
    let (outcome, _) = outcome_of(accepted).await;
    let SetPassword::Accepted(Accepted { sent, answered }) = outcome else {
        panic!("{outcome:?}");
    };
    let stated: jiff::Timestamp = "2026-02-03T04:05:06Z".parse().unwrap();
    assert!(sent <= stated && stated < answered);
    assert!(answered.duration_since(sent).as_secs() < 10);
}

#[tokio::test]
async fn what_graph_refuses_for_good_is_told_apart() {
    let policy = "The specified password does not comply with password complexity requirements. \
                  Please provide a different password.";
    let hybrid = "Unable to update the specified properties for on-premises mastered Directory Sync \
                  objects or objects currently undergoing migration.";
    for (response, reason) in [
        (
            graph_error(400, "Request_BadRequest", policy),
            BlockedReason::Rejected,
        ),
        (
            graph_error(400, "Request_BadRequest", hybrid),
            BlockedReason::OnPremises,
        ),
        (
            graph_error(403, "Authorization_RequestDenied", ""),
            BlockedReason::NotAllowed,
        ),
    ] {
        assert_eq!(
            outcome_of(response).await,
            (SetPassword::Refused(reason), 1)
        );
    }
}

#[tokio::test]
async fn what_something_on_the_way_refuses_had_no_effect_and_blocks_nobody() {
    let page = "<html>this page was blocked: on-premises mastered policy</html>";
    for status in [400, 403] {
        for body in [page, "", "{}", r#"{"error":"denied"}"#] {
            let refused = ResponseTemplate::new(status).set_body_string(body);
            let (outcome, requests) = outcome_of(refused).await;
            assert!(
                matches!(outcome, SetPassword::NotNow { .. }),
                "{status} {body}: {outcome:?}"
            );
            assert_eq!(requests, 1);
        }
    }
}

#[tokio::test]
async fn a_missing_account_is_gone_and_a_missing_page_is_not() {
    let gone = graph_error(404, "Request_ResourceNotFound", "");
    assert_eq!(outcome_of(gone).await, (SetPassword::Gone, 1));
    let misled = ResponseTemplate::new(404).set_body_string("<html>no such page</html>");
    let (outcome, requests) = outcome_of(misled).await;
    assert!(matches!(outcome, SetPassword::NotNow { .. }));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_throttled_write_was_not_done_and_waits_as_long_as_asked() {
    let throttled = ResponseTemplate::new(429).insert_header("Retry-After", "120");
    let (outcome, requests) = outcome_of(throttled).await;
    let SetPassword::NotNow { retry_at } = outcome else {
        panic!("{outcome:?}");
    };
    let wait = retry_at.duration_since(jiff::Timestamp::now());
    assert!((110..=120).contains(&wait.as_secs()), "{wait}");
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn a_failing_server_may_have_done_it_and_is_not_asked_twice() {
    for status in [500, 502, 503, 504] {
        let failing = ResponseTemplate::new(status).insert_header("Retry-After", "1");
        assert_eq!(outcome_of(failing).await, (SetPassword::Ambiguous, 1));
    }
}

#[tokio::test]
async fn a_refused_token_had_no_effect_so_the_write_is_sent_once_more() {
    let tenant = Tenant::start().await;
    Mock::given(method("PATCH"))
        .respond_with(graph_error(401, "InvalidAuthenticationToken", ""))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    answer(&tenant, ResponseTemplate::new(204)).await;
    let (outcome, requests) = set(&tenant).await;
    assert!(matches!(outcome, SetPassword::Accepted(_)));
    assert_eq!(requests, 2);
    assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), 2);
}

#[tokio::test]
async fn a_write_that_is_not_allowed_is_sent_once_and_the_next_one_has_a_new_token() {
    let tenant = Tenant::start().await;
    answer(&tenant, graph_error(403, "Authorization_RequestDenied", "")).await;
    let session = tenant.session();
    for (nth, tokens) in [(1, 1), (2, 1), (3, 1), (4, 2)] {
        if nth == 3 {
            session.age_token().await;
        }
        let outcome = session.set_password(id(1), &canary()).await;
        assert_eq!(outcome, SetPassword::Refused(BlockedReason::NotAllowed));
        assert_eq!(tenant.requests("PATCH", "").await.len(), nth);
        assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), tokens);
    }
}

#[tokio::test]
async fn a_redirect_takes_the_password_nowhere() {
    let tenant = Tenant::start().await;
    let elsewhere = Tenant::without_tokens().await;
    let away = ResponseTemplate::new(307).insert_header("Location", elsewhere.server.uri());
    answer(&tenant, away).await;
    let (outcome, requests) = set(&tenant).await;
    assert!(matches!(outcome, SetPassword::NotNow { .. }));
    assert_eq!(requests, 1);
    assert!(elsewhere.requests("PATCH", "").await.is_empty());
}

#[tokio::test]
async fn without_a_token_nothing_is_sent() {
    let tenant = Tenant::without_tokens().await;
    Mock::given(path(TOKEN_PATH))
        .respond_with(entra_error(401, &[7_000_222]))
        .mount(&tenant.server)
        .await;
    let (outcome, requests) = set(&tenant).await;
    assert!(matches!(outcome, SetPassword::NotNow { .. }));
    assert_eq!(requests, 0);
}

#[tokio::test]
async fn a_write_that_became_too_late_is_not_sent() {
    let tenant = Tenant::start().await;
    answer(&tenant, ResponseTemplate::new(204)).await;
    let password = canary();
    let call = Call::SetPassword {
        id: id(1),
        password: &password,
    };
    let over = Instant::now();
    let fault = tenant.session().send(&call, Some(over)).await.unwrap_err();
    assert!(matches!(fault, CallFault::TooLate));
    assert!(matches!(
        no_answer(id(1), &fault),
        SetPassword::NotNow { .. }
    ));
    assert!(tenant.requests("PATCH", "").await.is_empty());
}

#[tokio::test]
async fn an_answer_that_never_came_is_ambiguous_and_an_unmade_connection_is_not() {
    let tenant = Tenant::start().await;
    let (silent_url, hang_up) = silent_service().await;
    let mut config = tenant.config();
    config.connection.endpoints.graph = silent_url;
    let directory = crate::EntraDirectory::new(config).unwrap();
    let password = canary();
    let outcome = directory.session.set_password(id(1), &password).await;
    hang_up.await.unwrap();
    assert_eq!(outcome, SetPassword::Ambiguous);
    // The listener is gone now: the connection is refused.
    let outcome = directory.session.set_password(id(1), &password).await;
    assert!(matches!(outcome, SetPassword::NotNow { .. }), "{outcome:?}");
}
