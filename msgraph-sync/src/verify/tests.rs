//! One sign-in test, one request, and every kind of answer.

use serde_json::json;
use sync_engine::ports::Directory;
use wiremock::matchers::path;
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::test_tenant::{
    CANARY, CANARY_SECRET, TOKEN_PATH, Tenant, anna, canary, entra_error, silent_service,
};
use crate::{EntraDirectory, VerificationApp};

/// The outcome of one test, which must have taken one request.
async fn outcome_of(response: ResponseTemplate) -> SignIn {
    let tenant = Tenant::without_tokens().await;
    tenant.answer_sign_ins(response).await;
    let outcome = tenant.directory().verify(&anna(), &canary()).await;
    assert_eq!(tenant.requests("POST", "").await.len(), 1);
    outcome
}

fn token() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "token_type": "Bearer",
        "expires_in": 3599,
        "access_token": "token-of-anna",
    }))
}

fn form(request: &wiremock::Request) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&request.body)
        .into_owned()
        .collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn a_sign_in_that_succeeds_is_a_match() {
    let outcome = outcome_of(token()).await;
    assert_eq!(outcome, sign_in(Verdict::Match, Counts::No));
}

#[tokio::test]
async fn name_and_password_are_carried_exactly_and_never_in_the_url() {
    let tenant = Tenant::without_tokens().await;
    tenant.answer_sign_ins(token()).await;
    tenant.directory().verify(&anna(), &canary()).await;
    let sent = &tenant.requests("POST", TOKEN_PATH).await[0];
    let form = form(sent);
    for expected in [
        pair("grant_type", "password"),
        pair("username", "anna@contoso.com"),
        pair("password", CANARY),
        pair("client_id", "agent-app"),
        pair("client_secret", CANARY_SECRET),
    ] {
        assert!(form.contains(&expected), "{}", expected.0);
    }
    assert_eq!(sent.url.query(), None);
    assert!(!sent.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_public_verification_app_sends_no_secret() {
    let tenant = Tenant::without_tokens().await;
    tenant.answer_sign_ins(token()).await;
    let mut config = tenant.config();
    config.verification = VerificationApp::Public("public-app".to_owned());
    let directory = EntraDirectory::new(config).unwrap();
    directory.verify(&anna(), &canary()).await;
    let form = form(&tenant.requests("POST", TOKEN_PATH).await[0]);
    assert!(form.contains(&pair("client_id", "public-app")));
    assert!(form.iter().all(|(name, _)| name != "client_secret"));
}

#[tokio::test]
async fn an_answer_is_judged_by_its_codes_and_never_by_its_description() {
    // Every description here speaks of 50076, which would be a Match.
    let wrong = outcome_of(entra_error(400, &[50126])).await;
    let expected = SignIn {
        code: Some(50126),
        ..sign_in(Verdict::Mismatch, Counts::Yes)
    };
    assert_eq!(wrong, expected);
    let unlisted = outcome_of(entra_error(400, &[4_711])).await;
    assert_eq!(
        unlisted.verdict,
        Verdict::Unknown(UnknownReason::Inconclusive)
    );
    assert!(unlisted.counted);
    let none = outcome_of(entra_error(400, &[])).await;
    assert_eq!(none.verdict, Verdict::Unknown(UnknownReason::Inconclusive));
}

#[tokio::test]
async fn a_second_factor_means_that_the_first_was_right() {
    let outcome = outcome_of(entra_error(400, &[50076])).await;
    assert_eq!(outcome.verdict, Verdict::Match);
    assert_eq!(outcome.code, Some(50076));
    assert!(!outcome.counted);
}

#[tokio::test]
async fn a_locked_account_says_nothing() {
    let outcome = outcome_of(entra_error(400, &[50053])).await;
    assert_eq!(outcome.verdict, Verdict::Unknown(UnknownReason::Locked));
}

#[tokio::test]
async fn throttling_is_never_answered_with_another_try() {
    let throttled = ResponseTemplate::new(429).insert_header("Retry-After", "90");
    let outcome = outcome_of(throttled).await;
    assert_eq!(outcome.verdict, Verdict::Unknown(UnknownReason::Throttled));
    assert!(!outcome.counted);
    let wait = outcome
        .retry_at
        .unwrap()
        .duration_since(Timestamp::now())
        .as_secs();
    assert!((80..=90).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_broken_server_may_have_counted_the_sign_in() {
    let outcome = outcome_of(ResponseTemplate::new(502).set_body_string("<html>")).await;
    let unavailable = Verdict::Unknown(UnknownReason::Unavailable);
    assert_eq!(outcome, sign_in(unavailable, Counts::Yes));
}

#[tokio::test]
async fn a_page_that_is_no_token_is_no_match() {
    let page = ResponseTemplate::new(200).set_body_string("<html>welcome</html>");
    let outcome = outcome_of(page).await;
    let inconclusive = Verdict::Unknown(UnknownReason::Inconclusive);
    assert_eq!(outcome, sign_in(inconclusive, Counts::Yes));
}

#[tokio::test]
async fn a_password_with_white_space_at_an_edge_is_never_sent() {
    let tenant = Tenant::without_tokens().await;
    for edge in [" Secret123", "Secret123\t", "Secret123\u{a0}"] {
        let outcome = tenant
            .directory()
            .verify(&anna(), &Password::new(edge))
            .await;
        let whitespace = Verdict::Unknown(UnknownReason::EdgeWhitespace);
        assert_eq!(outcome, sign_in(whitespace, Counts::No));
    }
    assert!(tenant.requests("POST", "").await.is_empty());
}

#[tokio::test]
async fn an_unreachable_service_did_not_count_and_a_silent_one_may_have() {
    let (silent_url, hang_up) = silent_service().await;
    let tenant = Tenant::without_tokens().await;
    let mut config = tenant.config();
    config.connection.endpoints.authority = silent_url;
    let directory = EntraDirectory::new(config).unwrap();
    let unavailable = || Verdict::Unknown(UnknownReason::Unavailable);
    let silent = directory.verify(&anna(), &canary()).await;
    hang_up.await.unwrap();
    assert_eq!(silent, sign_in(unavailable(), Counts::Yes));
    let unreachable = directory.verify(&anna(), &canary()).await;
    assert_eq!(unreachable, sign_in(unavailable(), Counts::No));
}

/// What each of these accounts hears, tested one after the other, and how many requests that took.
async fn outcomes_of(response: ResponseTemplate, accounts: usize) -> (Vec<SignIn>, usize) {
    let tenant = Tenant::without_tokens().await;
    tenant.answer_sign_ins(response).await;
    let directory = tenant.directory();
    let mut outcomes = Vec::new();
    for number in 0..accounts {
        let user_name = UserPrincipalName::new(format!("user{number}@contoso.com"));
        outcomes.push(directory.verify(&user_name, &canary()).await);
    }
    (outcomes, tenant.requests("POST", "").await.len())
}

#[tokio::test]
async fn a_tenant_that_lets_no_test_through_is_found_once() {
    for code in [7_000_218, 530_035] {
        let (outcomes, requests) = outcomes_of(entra_error(401, &[code]), 5).await;
        assert_eq!(requests, 1, "{code}");
        for outcome in outcomes {
            let not_permitted = Verdict::Unknown(UnknownReason::NotPermitted);
            assert_eq!(outcome.verdict, not_permitted);
            assert_eq!((outcome.code, outcome.counted), (Some(code), false));
        }
    }
}

#[tokio::test]
async fn many_tests_at_once_wait_for_the_first_one_to_find_a_closed_door() {
    let tenant = Tenant::without_tokens().await;
    tenant.answer_sign_ins(entra_error(401, &[7_000_218])).await;
    let directory = tenant.directory();
    let (user_name, password) = (anna(), canary());
    let tests = (0..20).map(|_| directory.verify(&user_name, &password));
    futures::future::join_all(tests).await;
    assert_eq!(tenant.requests("POST", "").await.len(), 1);
}

#[tokio::test]
async fn what_one_account_hears_is_not_taken_for_the_tenant_s_word() {
    for code in [50105, 53003, 50126, 50053] {
        let (_, requests) = outcomes_of(entra_error(400, &[code]), 3).await;
        assert_eq!(requests, 3, "{code}");
    }
    let (_, requests) = outcomes_of(ResponseTemplate::new(502), 3).await;
    assert_eq!(requests, 3);
}

#[tokio::test]
async fn a_throttled_endpoint_is_not_asked_for_other_accounts_until_its_time_is_over() {
    let named = |answer: ResponseTemplate| answer.insert_header("Retry-After", "600");
    for (response, wait) in [
        (named(ResponseTemplate::new(429)), 590..=600),
        (ResponseTemplate::new(429), 20..=30),
        (named(entra_error(400, &[50196])), 590..=600),
        (entra_error(400, &[90055]), 20..=30),
    ] {
        let (outcomes, requests) = outcomes_of(response, 3).await;
        assert_eq!(requests, 1);
        for outcome in outcomes {
            let throttled = Verdict::Unknown(UnknownReason::Throttled);
            assert_eq!((outcome.verdict, outcome.counted), (throttled, false));
            let left = outcome.retry_at.unwrap().duration_since(Timestamp::now());
            assert!(wait.contains(&left.as_secs()), "{left}");
        }
    }
}

#[tokio::test]
async fn a_throttled_endpoint_is_asked_again_when_its_time_is_over_and_then_as_ever() {
    let tenant = Tenant::without_tokens().await;
    Mock::given(path(TOKEN_PATH))
        .respond_with(ResponseTemplate::new(429).insert_header("Retry-After", "0"))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    tenant.answer_sign_ins(token()).await;
    let directory = tenant.directory();
    let throttled = directory.verify(&anna(), &canary()).await;
    let reason = Verdict::Unknown(UnknownReason::Throttled);
    assert_eq!(throttled.verdict, reason);
    for _ in 0..2 {
        let outcome = directory.verify(&anna(), &canary()).await;
        assert_eq!(outcome.verdict, Verdict::Match);
    }
    assert_eq!(tenant.requests("POST", "").await.len(), 3);
}
