//! The agent's own sign-in, patience and discretion, seen through the port.

use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::json;
use sync_engine::model::DeltaLink;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, ResponseTemplate};

use super::*;
use crate::GraphError;
use crate::certificate::tests::Pair;
use crate::test_tenant::{
    CANARY, CANARY_SECRET, TOKEN_PATH, Tenant, anna, canary, entra_error, graph_error, id,
};

async fn refuse_tokens(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(path(TOKEN_PATH))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

async fn answer_domains(tenant: &Tenant, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path("/v1.0/domains"))
        .respond_with(answer)
        .mount(&tenant.server)
        .await;
}

fn no_domains() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "value": [] }))
}

/// An error with all its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[tokio::test]
async fn the_agent_signs_in_with_its_secret_for_the_cloud_s_graph() {
    let tenant = Tenant::start().await;
    answer_domains(&tenant, no_domains()).await;
    tenant.directory().domains().await.unwrap();
    let asked = tenant.requests("POST", TOKEN_PATH).await;
    let form: Vec<(String, String)> = url::form_urlencoded::parse(&asked[0].body)
        .into_owned()
        .collect();
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("client_id", "agent-app"),
        ("client_secret", CANARY_SECRET),
        ("scope", "https://graph.microsoft.com/.default"),
    ] {
        assert!(
            form.contains(&(name.to_owned(), value.to_owned())),
            "{name}"
        );
    }
    assert!(!asked[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_refused_sign_in_is_told_in_words_and_not_tried_again() {
    for (code, words) in [
        (90_002, "there is no tenant `contoso.com`"),
        (700_016, "tenant `contoso.com` has no app `agent-app`"),
        (7_000_215, "the client secret of app `agent-app` is wrong"),
        (
            7_000_222,
            "the client secret of app `agent-app` has expired",
        ),
    ] {
        let tenant = Tenant::without_tokens().await;
        refuse_tokens(&tenant, entra_error(401, &[code])).await;
        let error = tenant.directory().domains().await.unwrap_err();
        assert!(matches!(error, DirectoryError::SignIn(_)), "{code}");
        let text = chain(&error);
        assert!(text.contains(words), "{text}");
        assert!(!format!("{text}{error:?}").contains("canary"), "{text}");
        assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), 1);
    }
}

#[tokio::test]
async fn a_sign_in_that_fails_because_of_the_clock_says_so() {
    let tenant = Tenant::without_tokens().await;
    let date = httpdate::fmt_http_date(SystemTime::now() - Duration::from_hours(1));
    let refused = entra_error(401, &[700_024]).insert_header("Date", date.as_str());
    refuse_tokens(&tenant, refused).await;
    let mut config = tenant.config();
    config.credential = AppCredential::Certificate(Pair::of_the_tests().certificate()).into();
    let directory = EntraDirectory::new(config).unwrap();
    let text = chain(&directory.domains().await.unwrap_err());
    assert!(text.contains("clock is fast by about 1 h"), "{text}");
    // A secret has no time.
    let text = chain(&tenant.directory().domains().await.unwrap_err());
    assert!(text.contains("AADSTS700024"), "{text}");
}

#[tokio::test]
async fn an_unreachable_service_is_unavailable_and_named() {
    let tenant = Tenant::start().await;
    let mut config = tenant.config();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let nowhere = url::Url::parse(&format!("http://{address}")).unwrap();
    config.connection.endpoints = config.connection.endpoints.with_authority(nowhere);
    let patience = Patience {
        first: Duration::ZERO,
        ..Patience::default()
    };
    let directory = EntraDirectory::with_patience(config, patience).unwrap();
    let error = directory.domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::Unavailable(_)));
    let text = chain(&error);
    assert!(text.contains("`127.0.0.1` cannot be reached"), "{text}");
}

#[tokio::test]
async fn an_expired_token_is_replaced_once_and_the_call_repeated() {
    let tenant = Tenant::start().await;
    Mock::given(method("GET"))
        .and(path("/v1.0/domains"))
        .and(header("Authorization", "Bearer token-1"))
        .respond_with(graph_error(401, "InvalidAuthenticationToken", "expired"))
        .up_to_n_times(1)
        .with_priority(1)
        .mount(&tenant.server)
        .await;
    answer_domains(&tenant, no_domains()).await;
    tenant.directory().domains().await.unwrap();
    assert_eq!(tenant.requests("POST", TOKEN_PATH).await.len(), 2);
    assert_eq!(tenant.requests("GET", "/domains").await.len(), 2);
}

#[tokio::test]
async fn a_token_that_is_refused_twice_is_a_sign_in_problem() {
    let tenant = Tenant::start().await;
    let refused = graph_error(401, "InvalidAuthenticationToken", "no");
    answer_domains(&tenant, refused).await;
    let error = tenant.directory().domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::SignIn(_)), "{error:?}");
    assert_eq!(tenant.requests("GET", "/domains").await.len(), 2);
}

#[tokio::test]
async fn a_read_survives_a_throttling_and_a_failing_server() {
    let tenant = Tenant::start().await;
    for (status, priority) in [(429, 1), (503, 2), (500, 3)] {
        Mock::given(method("GET"))
            .and(path("/v1.0/domains"))
            .respond_with(ResponseTemplate::new(status).insert_header("Retry-After", "0"))
            .up_to_n_times(1)
            .with_priority(priority)
            .mount(&tenant.server)
            .await;
    }
    answer_domains(&tenant, no_domains()).await;
    tenant.directory().domains().await.unwrap();
    assert_eq!(tenant.requests("GET", "/domains").await.len(), 4);
}

#[tokio::test]
async fn a_read_is_not_tried_for_ever() {
    let tenant = Tenant::start().await;
    answer_domains(&tenant, ResponseTemplate::new(503)).await;
    let error = tenant.directory().domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::Unavailable(_)), "{error:?}");
    assert_eq!(tenant.requests("GET", "/domains").await.len(), 4);
}

#[tokio::test]
async fn a_long_throttling_is_passed_on_instead_of_waited_for() {
    let tenant = Tenant::start().await;
    let throttled = ResponseTemplate::new(429).insert_header("Retry-After", "600");
    answer_domains(&tenant, throttled).await;
    let error = tenant.directory().domains().await.unwrap_err();
    let DirectoryError::Throttled { retry_at } = error else {
        panic!("{error:?}");
    };
    let wait = retry_at.duration_since(jiff::Timestamp::now());
    assert!((590..=600).contains(&wait.as_secs()), "{wait}");
    assert_eq!(tenant.requests("GET", "/domains").await.len(), 1);
}

#[tokio::test]
async fn a_missing_permission_is_not_a_sign_in_problem() {
    let tenant = Tenant::start().await;
    let denied = graph_error(403, "Authorization_RequestDenied", "no");
    answer_domains(&tenant, denied).await;
    let error = tenant.directory().domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::NotAuthorised(_)));
    assert!(chain(&error).contains("Domain.Read.All"));
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_not_understood() {
    let tenant = Tenant::start().await;
    let page = ResponseTemplate::new(200).set_body_string("<html>proxy</html>");
    answer_domains(&tenant, page).await;
    let error = tenant.directory().domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::Protocol(_)));
}

#[tokio::test]
async fn a_token_answer_that_is_no_token_is_not_repeated_in_any_text() {
    let tenant = Tenant::without_tokens().await;
    let odd = json!({ "access_token": CANARY_SECRET, "expires_in": "soon" });
    refuse_tokens(&tenant, ResponseTemplate::new(200).set_body_json(odd)).await;
    let error = tenant.directory().domains().await.unwrap_err();
    assert!(matches!(error, DirectoryError::Protocol(_)), "{error:?}");
    assert!(!format!("{error:?}{}", chain(&error)).contains("canary"));
}

/// Everything echoes what it was sent, as a hostile or badly written service would.
#[tokio::test]
async fn no_secret_comes_back_in_an_error_even_if_the_service_repeats_it() {
    let echo = format!("{CANARY} {CANARY_SECRET} token-1");
    let body = json!({
        "error": { "code": echo, "message": echo, "innerError": { "request-id": echo } },
    });
    for status in [400, 401, 403, 404, 410, 429, 500, 302] {
        let tenant = Tenant::start().await;
        Mock::given(wiremock::matchers::any())
            .respond_with(ResponseTemplate::new(status).set_body_json(&body))
            .mount(&tenant.server)
            .await;
        let directory = tenant.directory();
        let since = DeltaLink(format!("{}/v1.0/users/delta", tenant.server.uri()));
        let mut texts = vec![
            format!("{:?}", directory.set_password(id(1), &canary()).await),
            format!("{:?}", directory.verify(&anna(), &canary()).await),
            format!("{directory:?}"),
        ];
        for error in [
            directory.domains().await.unwrap_err(),
            directory.changes(Some(&since)).await.unwrap_err(),
            directory.account(id(1)).await.unwrap_err(),
        ] {
            texts.push(format!("{error:?} {}", chain(&error)));
        }
        for text in texts {
            for secret in [CANARY, "Canary", CANARY_SECRET, "token-1"] {
                assert!(!text.contains(secret), "{status}: {text}");
            }
        }
    }
}

#[test]
fn a_configuration_that_cannot_work_is_refused_before_anything_is_sent() {
    let config = || {
        TenantConfig::new(
            sync_engine::model::TenantId("contoso.com".to_owned()),
            "agent-app",
            AppCredential::ClientSecret(SecretString::from("s")),
        )
    };
    assert!(EntraDirectory::new(config()).is_ok());
    let mut plain = config();
    plain.connection.endpoints.graph = url::Url::parse("http://graph.example").unwrap();
    assert!(matches!(
        EntraDirectory::new(plain),
        Err(GraphSetupError::NotHttps { .. })
    ));
    let mut ca = config();
    ca.connection.extra_ca = Some(b"nothing".to_vec());
    assert!(matches!(
        EntraDirectory::new(ca),
        Err(GraphSetupError::ExtraCa(_))
    ));
    let mut tenant = config();
    tenant.connection.tenant.0 = "../common".to_owned();
    assert!(matches!(
        EntraDirectory::new(tenant),
        Err(GraphSetupError::Tenant { .. })
    ));
}

#[test]
fn every_error_that_a_person_can_mend_has_a_hint() {
    let secret = GraphError::WrongSecret {
        client_id: "app".to_owned(),
        code: 7_000_215,
    };
    assert!(secret.hint().unwrap().contains("secret"));
    assert_eq!(GraphError::NotFound.hint(), None);
}
