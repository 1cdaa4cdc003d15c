//! Several passwords in one request, and every way in which an answer may leave some of them out.

use serde_json::{Value, json};
use sync_engine::model::{BlockedReason, Password};
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::test_tenant::{TOKEN_PATH, Tenant, graph_error, id, silent_service};

fn writes(count: u8) -> Vec<PasswordWrite> {
    let write = |n| PasswordWrite {
        object: id(n),
        password: Password::new(format!("Password-{n}")),
    };
    (1..=count).map(write).collect()
}

async fn answer_batch(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(path("/v1.0/$batch"))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

async fn answer_alone(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("PATCH"))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

fn ran(responses: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "responses": responses }))
}

/// What two writes come to when their batch is answered like this.
async fn two(answer: ResponseTemplate) -> Vec<SetPassword> {
    let tenant = Tenant::start().await;
    answer_batch(&tenant, answer).await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 1);
    assert!(tenant.requests("PATCH", "").await.is_empty());
    outcomes
}

fn wait(outcome: &SetPassword) -> i64 {
    let SetPassword::NotNow { retry_at } = outcome else {
        panic!("{outcome:?}");
    };
    retry_at.duration_since(jiff::Timestamp::now()).as_secs()
}

#[tokio::test]
async fn several_passwords_travel_in_one_request_and_one_alone() {
    let tenant = Tenant::start().await;
    answer_batch(
        &tenant,
        ran(&json!([{ "id": "1", "status": 204 }, { "id": "0", "status": 204 }])),
    )
    .await;
    answer_alone(&tenant, ResponseTemplate::new(204)).await;
    let session = tenant.session();
    let outcomes = session.set_passwords(&writes(2)).await;
    assert!(matches!(
        &outcomes[..],
        [SetPassword::Accepted(_), SetPassword::Accepted(_)]
    ));
    let sent = &tenant.requests("POST", "$batch").await[0];
    let item = |place: &str, n: u8| {
        json!({
            "id": place,
            "method": "PATCH",
            "url": format!("/users/{}", id(n)),
            "headers": { "Content-Type": "application/json" },
            "body": { "passwordProfile": {
                "password": format!("Password-{n}"),
                "forceChangePasswordNextSignIn": false,
            } },
        })
    };
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    assert_eq!(body, json!({ "requests": [item("0", 1), item("1", 2)] }));
    assert_eq!(sent.headers["content-type"], "application/json");
    assert!(sent.headers.contains_key("authorization"));

    session.set_passwords(&writes(1)).await;
    assert_eq!(tenant.requests("PATCH", "").await.len(), 1);
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 1);
    assert_eq!(session.governor().in_use().writes, 3);
}

#[tokio::test]
async fn no_batch_has_more_than_twenty() {
    let tenant = Tenant::start().await;
    let all: Vec<_> = (0..20)
        .map(|n| json!({ "id": n.to_string(), "status": 204 }))
        .collect();
    answer_batch(&tenant, ran(&json!(all))).await;
    answer_alone(&tenant, ResponseTemplate::new(204)).await;
    let outcomes = tenant.session().set_passwords(&writes(21)).await;
    assert_eq!(outcomes.len(), 21);
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, SetPassword::Accepted(_)))
    );
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 1);
    assert_eq!(tenant.requests("PATCH", "").await.len(), 1);
}

#[tokio::test]
async fn each_item_has_its_own_outcome() {
    let tenant = Tenant::start().await;
    let error = |code: &str| json!({ "error": { "code": code, "message": "" } });
    answer_batch(
        &tenant,
        ran(&json!([
            { "id": "0", "status": 429, "headers": { "Retry-After": "120" }, "body": error("TooManyRequests") },
            { "id": "1", "status": 400, "body": error("Request_BadRequest") },
            { "id": "2", "status": 403, "body": error("Authorization_RequestDenied") },
            { "id": "3", "status": 404, "body": error("Request_ResourceNotFound") },
            { "id": "4", "status": 424, "body": error("FailedDependency") },
            { "id": "5", "status": 503, "headers": { "Retry-After": 1 } },
            { "id": "6", "status": 204 },
        ])),
    )
    .await;
    let session = tenant.session();
    let outcomes = session.set_passwords(&writes(7)).await;
    assert!((110..=120).contains(&wait(&outcomes[0])));
    assert_eq!(outcomes[1], SetPassword::Refused(BlockedReason::Rejected));
    assert_eq!(outcomes[2], SetPassword::Refused(BlockedReason::NotAllowed));
    assert_eq!(outcomes[3], SetPassword::Gone);
    assert!((20..=30).contains(&wait(&outcomes[4])));
    assert_eq!(outcomes[5], SetPassword::Ambiguous);
    assert!(matches!(outcomes[6], SetPassword::Accepted(_)));
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 1);
    // The item's own wish stops the next writes, too.
    assert_eq!(session.governor().in_use().throttled_writes, 1);
    assert!(wait(&session.set_passwords(&writes(1)).await[0]) > 100);
}

#[tokio::test]
async fn an_item_s_date_is_read_against_the_batch_s_own() {
    let date = "Tue, 03 Feb 2026 04:05:06 GMT";
    let later = "Tue, 03 Feb 2026 04:06:06 GMT";
    let throttled = json!([
        { "id": "0", "status": 429, "headers": { "Retry-After": later } },
        { "id": "1", "status": 204 },
    ]);
    let outcomes = two(ran(&throttled).insert_header("Date", date)).await;
    assert!((55..=60).contains(&wait(&outcomes[0])));
    let SetPassword::Accepted(accepted) = &outcomes[1] else {
        panic!("{outcomes:?}");
    };
    assert!(accepted.answered > date_of(date) && accepted.sent <= date_of(date));
}

fn date_of(text: &str) -> jiff::Timestamp {
    httpdate::parse_http_date(text).unwrap().try_into().unwrap()
}

#[tokio::test]
async fn what_a_batch_does_not_answer_clearly_may_have_been_done() {
    let first = json!({ "id": "0", "status": 204 });
    for responses in [
        json!([first]),
        json!([first, { "id": "1" }]),
        json!([first, { "id": "1", "status": "done" }]),
        json!([first, { "id": "1", "status": 9_999 }]),
        json!([first, { "id": 1, "status": 204 }]),
        json!([first, { "id": "1", "status": 204 }, { "id": "1", "status": 404 }]),
        json!([first, { "id": "7", "status": 204 }]),
    ] {
        let outcomes = two(ran(&responses)).await;
        assert!(
            matches!(outcomes[0], SetPassword::Accepted(_)),
            "{responses}"
        );
        assert_eq!(outcomes[1], SetPassword::Ambiguous, "{responses}");
    }
}

#[tokio::test]
async fn a_batch_that_failed_or_cannot_be_read_may_have_been_done_as_a_whole() {
    for answer in [
        ResponseTemplate::new(500),
        ResponseTemplate::new(502).set_body_string("<html>"),
        ResponseTemplate::new(504).insert_header("Retry-After", "1"),
        ResponseTemplate::new(200).set_body_string("<html>"),
        ResponseTemplate::new(200).set_body_string(r#"{"responses":[{"id":"0","sta"#),
        ResponseTemplate::new(200).set_body_json(json!({})),
    ] {
        assert_eq!(
            two(answer).await,
            [SetPassword::Ambiguous, SetPassword::Ambiguous]
        );
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_every_item_open_and_nothing_is_sent_again() {
    let tenant = Tenant::start().await;
    let (silent_url, hang_up) = silent_service().await;
    let mut config = tenant.config();
    config.connection.endpoints.graph = silent_url;
    let directory = crate::EntraDirectory::new(config).unwrap();
    let outcomes = directory.session.set_passwords(&writes(3)).await;
    hang_up.await.unwrap();
    assert_eq!(outcomes, vec![SetPassword::Ambiguous; 3]);
    // The listener is gone now: the connection is refused, and nothing was done.
    let outcomes = directory.session.set_passwords(&writes(3)).await;
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, SetPassword::NotNow { .. }))
    );
}

#[tokio::test]
async fn a_throttled_batch_was_not_done() {
    let throttled = ResponseTemplate::new(429).insert_header("Retry-After", "60");
    let outcomes = two(throttled).await;
    assert!(outcomes.iter().all(|it| (50..=60).contains(&wait(it))));
}

#[tokio::test]
async fn a_refused_token_had_no_effect_so_the_batch_is_sent_once_more() {
    let tenant = Tenant::start().await;
    Mock::given(path("/v1.0/$batch"))
        .respond_with(graph_error(401, "InvalidAuthenticationToken", ""))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    answer_batch(
        &tenant,
        ran(&json!([{ "id": "0", "status": 204 }, { "id": "1", "status": 204 }])),
    )
    .await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, SetPassword::Accepted(_)))
    );
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 2);
}

#[tokio::test]
async fn an_item_that_was_refused_for_its_token_is_sent_alone() {
    let tenant = Tenant::start().await;
    answer_batch(
        &tenant,
        ran(&json!([{ "id": "0", "status": 401 }, { "id": "1", "status": 204 }])),
    )
    .await;
    answer_alone(&tenant, ResponseTemplate::new(204)).await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert!(
        outcomes
            .iter()
            .all(|it| matches!(it, SetPassword::Accepted(_)))
    );
    let alone = tenant.requests("PATCH", &id(1).to_string()).await;
    assert_eq!(
        (alone.len(), tenant.requests("PATCH", "").await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn items_that_were_refused_for_their_token_travel_once_more_and_the_others_do_not() {
    let tenant = Tenant::start().await;
    let first = ran(&json!([
        { "id": "0", "status": 401 },
        { "id": "1", "status": 204 },
        { "id": "2", "status": 401 },
        { "id": "3", "status": 404, "body": { "error": { "code": "Request_ResourceNotFound", "message": "" } } },
    ]));
    Mock::given(path("/v1.0/$batch"))
        .respond_with(first)
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    answer_batch(
        &tenant,
        ran(&json!([
            { "id": "1", "status": 400, "body": { "error": { "code": "Request_BadRequest", "message": "" } } },
            { "id": "0", "status": 204 },
        ])),
    )
    .await;
    let outcomes = tenant.session().set_passwords(&writes(4)).await;
    assert!(matches!(outcomes[0], SetPassword::Accepted(_)));
    assert!(matches!(outcomes[1], SetPassword::Accepted(_)));
    assert_eq!(outcomes[2], SetPassword::Refused(BlockedReason::Rejected));
    assert_eq!(outcomes[3], SetPassword::Gone);
    let sent = tenant.requests("POST", "$batch").await;
    assert_eq!(sent.len(), 2);
    let again: Value = serde_json::from_slice(&sent[1].body).unwrap();
    let urls: Vec<_> = again["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["url"])
        .collect();
    assert_eq!(
        urls,
        [
            &json!(format!("/users/{}", id(1))),
            &json!(format!("/users/{}", id(3)))
        ]
    );
    assert!(tenant.requests("PATCH", "").await.is_empty());
}

#[tokio::test]
async fn items_whose_new_token_is_refused_too_are_put_off() {
    let tenant = Tenant::start().await;
    let refused = ran(&json!([{ "id": "0", "status": 401 }, { "id": "1", "status": 401 }]));
    answer_batch(&tenant, refused).await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert!(outcomes.iter().all(|it| wait(it) > 200));
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 2);
}

#[tokio::test]
async fn a_batch_that_is_refused_as_such_goes_one_by_one_and_blocks_nobody() {
    for status in [400, 403, 404, 405, 413] {
        let tenant = Tenant::start().await;
        answer_batch(&tenant, ResponseTemplate::new(status)).await;
        answer_alone(&tenant, ResponseTemplate::new(204)).await;
        let outcomes = tenant.session().set_passwords(&writes(2)).await;
        assert!(
            outcomes
                .iter()
                .all(|it| matches!(it, SetPassword::Accepted(_))),
            "{status}"
        );
        assert_eq!(tenant.requests("PATCH", "").await.len(), 2);
    }
}

#[tokio::test]
async fn an_item_that_is_not_allowed_is_not_sent_again_and_the_next_write_has_a_new_token() {
    let tenant = Tenant::start().await;
    let error = json!({ "error": { "code": "Authorization_RequestDenied", "message": "" } });
    let denied = json!({ "id": "0", "status": 403, "body": error });
    answer_batch(&tenant, ran(&json!([denied, { "id": "1", "status": 204 }]))).await;
    let session = tenant.session();
    for (nth, tokens) in [(1, 1), (2, 1), (3, 2)] {
        if nth == 2 {
            session.age_token().await;
        }
        let outcomes = session.set_passwords(&writes(2)).await;
        let not_allowed = SetPassword::Refused(BlockedReason::NotAllowed);
        assert_eq!(outcomes[0], not_allowed);
        assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), tokens);
    }
    assert!(tenant.requests("PATCH", "").await.is_empty());
}

#[tokio::test]
async fn a_proxy_that_lets_no_write_through_blocks_nobody() {
    let tenant = Tenant::start().await;
    let page = || ResponseTemplate::new(403).set_body_string("<html>blocked</html>");
    answer_batch(&tenant, page()).await;
    answer_alone(&tenant, page()).await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert!(outcomes.iter().all(|it| wait(it) > 200), "{outcomes:?}");
    assert_eq!(tenant.requests("PATCH", "").await.len(), 2);
}

#[tokio::test]
async fn once_a_pause_is_asked_for_the_rest_of_a_batch_that_was_refused_as_such_waits() {
    let tenant = Tenant::start().await;
    answer_batch(&tenant, ResponseTemplate::new(413)).await;
    let throttled = ResponseTemplate::new(429).insert_header("Retry-After", "120");
    answer_alone(&tenant, throttled).await;
    let outcomes = tenant.session().set_passwords(&writes(3)).await;
    assert!(outcomes.iter().all(|it| wait(it) > 100));
    assert_eq!(tenant.requests("PATCH", "").await.len(), 1);
}

#[tokio::test]
async fn an_item_that_was_refused_for_its_token_waits_for_a_pause_that_another_item_was_asked_for()
{
    let tenant = Tenant::start().await;
    let throttled = json!({ "id": "1", "status": 429, "headers": { "Retry-After": "120" } });
    answer_batch(
        &tenant,
        ran(&json!([{ "id": "0", "status": 401 }, throttled])),
    )
    .await;
    answer_alone(&tenant, ResponseTemplate::new(204)).await;
    let outcomes = tenant.session().set_passwords(&writes(2)).await;
    assert!(outcomes.iter().all(|it| wait(it) > 100), "{outcomes:?}");
    assert!(tenant.requests("PATCH", "").await.is_empty());
}

#[tokio::test]
async fn two_writes_for_one_account_are_never_in_one_batch_and_keep_their_order() {
    let tenant = Tenant::start().await;
    answer_alone(&tenant, ResponseTemplate::new(204)).await;
    let mut twice = writes(2);
    twice[1].object = twice[0].object;
    tenant.session().set_passwords(&twice).await;
    assert!(tenant.requests("POST", "$batch").await.is_empty());
    let sent = tenant.requests("PATCH", "").await;
    let has = |n: usize, text: &str| String::from_utf8_lossy(&sent[n].body).contains(text);
    assert!(has(0, "Password-1") && has(1, "Password-2"));
}

#[tokio::test]
async fn while_writes_are_paused_a_batch_is_not_sent() {
    let tenant = Tenant::start().await;
    answer_batch(
        &tenant,
        ResponseTemplate::new(429).insert_header("Retry-After", "60"),
    )
    .await;
    let session = tenant.session();
    session.set_passwords(&writes(2)).await;
    let outcomes = session.set_passwords(&writes(3)).await;
    assert!(outcomes.iter().all(|it| wait(it) > 50));
    assert_eq!(tenant.requests("POST", "$batch").await.len(), 1);
    assert_eq!(session.governor().in_use().writes_put_off, 3);
}
