//! What holds for every call: repetition, refusals, answers from somebody else.

use std::error::Error as _;
use std::net::TcpListener;

use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{CANARY, config, failure, requests, secret, success};
use crate::wire::{Client, ClientPatch, code};
use crate::{ApiError, HttpConfig, PersonSession};

async fn clients_when_the_server_answers(answer: ResponseTemplate) -> (ApiError, usize) {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let session = PersonSession::from_token(&config(&server), secret("token")).unwrap();
    let error = session.clients().await.unwrap_err();
    (error, requests(&server).await.len())
}

#[tokio::test]
async fn a_reading_is_repeated_after_a_fault_of_the_server() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(503))
        .up_to_n_times(3)
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .respond_with(success(Vec::<Client>::new()))
        .mount(&server)
        .await;
    let session = PersonSession::from_token(&config(&server), secret("token")).unwrap();
    assert!(session.clients().await.unwrap().is_empty());
    assert_eq!(requests(&server).await.len(), 4);
}

#[tokio::test]
async fn nothing_is_repeated_for_ever() {
    let (error, tries) = clients_when_the_server_answers(failure(500, code::INTERNAL)).await;
    assert!(matches!(error, ApiError::Server { status: 500, .. }));
    assert_eq!(tries, 4);
}

#[tokio::test]
async fn a_change_is_sent_once_only() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503))
        .mount(&server)
        .await;
    let session = PersonSession::from_token(&config(&server), secret("token")).unwrap();
    let patched = session
        .patch_client(uuid::Uuid::nil(), &ClientPatch::default())
        .await;
    assert!(matches!(patched, Err(ApiError::Server { .. })));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn a_long_retry_after_is_the_callers_to_wait_for() {
    let answer = failure(429, code::TOO_MANY).insert_header("retry-after", "3600");
    let (error, tries) = clients_when_the_server_answers(answer).await;
    let ApiError::TooMany { retry_after, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(3600));
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn each_refusal_has_its_own_error() {
    type Check = fn(&ApiError) -> bool;
    let refusals: [(u16, u32, Check); 8] = [
        (401, code::BAD_TOKEN, ApiError::is_bad_token),
        (401, code::WRONG_CREDENTIALS, |e| {
            matches!(e, ApiError::NotAuthorised { .. }) && !e.is_bad_token()
        }),
        (403, code::NOT_ALLOWED, |e| {
            matches!(e, ApiError::NotAuthorised { .. })
        }),
        (404, code::NOT_FOUND, |e| {
            matches!(e, ApiError::NotFound { .. })
        }),
        (409, code::CONFLICT, |e| {
            matches!(e, ApiError::Conflict { .. })
        }),
        (422, code::INVALID, |e| {
            matches!(e, ApiError::Invalid { .. })
        }),
        (405, code::METHOD_NOT_ALLOWED, |e| {
            matches!(e, ApiError::Protocol { .. })
        }),
        (200, code::KEY_VERIFICATION_FAILED, |e| {
            matches!(e, ApiError::NotAuthorised { code: 1000, .. })
        }),
    ];
    for (status, code, check) in refusals {
        let (error, _) = clients_when_the_server_answers(failure(status, code)).await;
        assert!(check(&error), "{status}/{code}: {error:?}");
        assert!(error.to_string().contains("the server's words"), "{error}");
    }
}

#[tokio::test]
async fn a_servers_words_stay_on_one_line() {
    let answer = ResponseTemplate::new(422).set_body_json(serde_json::json!({
        "success": false, "message": "first\nsecond\u{1b}[31m", "code": "4022",
    }));
    let (error, _) = clients_when_the_server_answers(answer).await;
    assert_eq!(error.to_string(), "refused: first second [31m");
}

#[tokio::test]
async fn another_servers_pages_are_not_taken_for_answers() {
    for (status, what) in [
        (404, "a Passportal server"),
        (302, "redirect"),
        (200, "a Passportal server"),
    ] {
        let answer = ResponseTemplate::new(status)
            .insert_header("location", "/elsewhere")
            .set_body_string("<html>");
        let (error, tries) = clients_when_the_server_answers(answer).await;
        assert!(matches!(error, ApiError::Protocol { .. }), "{error:?}");
        assert!(error.to_string().contains(what), "{error}");
        assert_eq!(tries, 1);
    }
}

#[tokio::test]
async fn an_answer_that_is_not_understood_is_not_quoted() {
    let (error, _) = clients_when_the_server_answers(success(CANARY)).await;
    assert!(matches!(error, ApiError::Protocol { .. }));
    assert!(!format!("{error} {error:?}").contains(CANARY));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_with_the_cause_behind_it() {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let config = HttpConfig::new(&format!("http://127.0.0.1:{port}")).unwrap();
    let error = PersonSession::sign_in(&config, "anna@msp.example", &secret(CANARY), None)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("no answer from http://127.0.0.1:{port}/")
    );
    assert!(error.source().is_some());
    assert!(!format!("{error:?}").contains(CANARY));
}
