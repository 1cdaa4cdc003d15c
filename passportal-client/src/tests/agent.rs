//! The agent's calls and the rotation of its token.

use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sync_engine::ports::Cause;
use uuid::Uuid;
use wiremock::matchers::{any, header as has_header, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{CANARY, body, config, failure, header, requests, secret, success};
use crate::wire::{
    AgentState, Attempts, ChangesQuery, Heartbeat, Report, ReportAccepted, RotatedToken, code,
};
use crate::{AgentApi, ApiError, RotateError, TokenKeeper};

/// Keeps tokens in memory, or refuses to.
#[derive(Default)]
pub(super) struct Keeper {
    pub(super) kept: Mutex<Vec<String>>,
    pub(super) broken: bool,
}

#[async_trait]
impl TokenKeeper for Keeper {
    async fn keep(&self, token: &SecretString) -> Result<(), Cause> {
        if self.broken {
            return Err("read-only file system".into());
        }
        let mut kept = self.kept.lock().unwrap();
        kept.push(token.expose_secret().to_owned());
        Ok(())
    }
}

fn api(server: &MockServer) -> AgentApi {
    AgentApi::new(&config(server), secret("old")).unwrap()
}

async fn mount_rotation(server: &MockServer) {
    Mock::given(path("/api/v2/agent/token"))
        .respond_with(success(RotatedToken {
            token: "new".into(),
        }))
        .mount(server)
        .await;
}

async fn mount_report(server: &MockServer, token: &str, answer: ResponseTemplate) {
    Mock::given(path("/api/v2/agent/reports"))
        .and(has_header("x-access-token", token))
        .respond_with(answer)
        .mount(server)
        .await;
}

fn report() -> Report {
    Report {
        id: Uuid::from_u128(9),
        entries: Vec::new(),
        instance: None,
    }
}

#[tokio::test]
async fn a_report_is_repeated_under_the_same_id() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(502))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let accepted = ReportAccepted { duplicate: true };
    mount_report(&server, "old", success(accepted)).await;
    assert!(api(&server).report(&report()).await.unwrap().duplicate);
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 2);
    assert_eq!(body(&requests[0]), body(&requests[1]));
}

#[tokio::test]
async fn a_long_poll_says_how_long_and_from_where() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(failure(401, code::BAD_TOKEN))
        .mount(&server)
        .await;
    let query = ChangesQuery {
        cursor: Some("a/b c".into()),
        wait: 45,
        limit: Some(1000),
        instance: None,
    };
    let error = api(&server).changes(&query).await.unwrap_err();
    assert!(error.is_bad_token());
    let request = requests(&server).await.pop().unwrap();
    assert_eq!(request.url.path(), "/api/v2/agent/changes");
    assert_eq!(
        request.url.query(),
        Some("cursor=a%2Fb+c&wait=45&limit=1000")
    );
}

#[tokio::test]
async fn attempts_need_no_results_in_the_answer() {
    let server = MockServer::start().await;
    Mock::given(path("/api/v2/agent/attempts"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"success": true})))
        .mount(&server)
        .await;
    let none = Attempts {
        notices: Vec::new(),
    };
    api(&server).note_attempts(&none).await.unwrap();
}

#[tokio::test]
async fn a_heartbeat_says_how_the_agent_is_doing() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(success(json!({
            "lease": {"state": "elsewhere", "holder": "other", "remaining_ms": 5},
            "rotate_token": false,
        })))
        .mount(&server)
        .await;
    let heartbeat = Heartbeat {
        version: "0.1.0".into(),
        host: "host".into(),
        state: AgentState::Running,
        write_timeout_seconds: 30,
        interval_seconds: None,
        instance: None,
    };
    let answer = api(&server).heartbeat(&heartbeat).await.unwrap();
    assert!(!answer.rotate_token);
    let request = requests(&server).await.pop().unwrap();
    assert_eq!(request.url.path(), "/api/v2/agent/heartbeat");
    assert_eq!(header(&request, "x-access-token"), "old");
    assert_eq!(body(&request)["state"], "running");
}

#[tokio::test]
async fn a_new_token_is_kept_before_it_is_used() {
    let server = MockServer::start().await;
    mount_rotation(&server).await;
    let accepted = ReportAccepted { duplicate: false };
    mount_report(&server, "new", success(accepted)).await;
    let (api, keeper) = (api(&server), Keeper::default());
    api.rotate(&keeper).await.unwrap();
    assert_eq!(*keeper.kept.lock().unwrap(), ["new"]);
    assert_eq!(requests(&server).await.len(), 1, "kept, and not used yet");
    api.report(&report()).await.unwrap();
}

#[tokio::test]
async fn a_token_that_cannot_be_kept_is_not_used() {
    let server = MockServer::start().await;
    mount_rotation(&server).await;
    let accepted = ReportAccepted { duplicate: false };
    mount_report(&server, "old", success(accepted)).await;
    let api = api(&server);
    let keeper = Keeper {
        broken: true,
        ..Keeper::default()
    };
    let error = api.rotate(&keeper).await.unwrap_err();
    assert!(matches!(error, RotateError::NotKept(_)));
    api.report(&report()).await.unwrap();
}

#[tokio::test]
async fn a_rotation_is_asked_for_once() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(ResponseTemplate::new(503))
        .mount(&server)
        .await;
    let error = api(&server).rotate(&Keeper::default()).await.unwrap_err();
    assert!(matches!(
        error,
        RotateError::Refused(ApiError::Server { .. })
    ));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn the_token_is_never_printed() {
    let server = MockServer::start().await;
    let api = AgentApi::new(&config(&server), secret(CANARY)).unwrap();
    assert_eq!(format!("{api:?}"), "AgentApi(redacted)");
}
