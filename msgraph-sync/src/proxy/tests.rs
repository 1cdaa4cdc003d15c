//! Requests through proxies that let them through, want a user, refuse, or are not there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Request};

use super::*;
use crate::GraphError;
use crate::service_clock::ServiceClock;
use crate::test_proxy::{Manner, TestProxy};
use crate::test_tenant::tls_service;
use crate::transport::{Answer, SendFault, Timeouts, Transport};

const HOST: &str = "graph.proxied.example";
const USER: &str = "agent%40@corp";
const PASSWORD: &str = "canary/pass:word%41";

fn address(scheme: &str, address: SocketAddr) -> Url {
    Url::parse(&format!("{scheme}://{address}")).unwrap()
}

fn with_user(proxy: Proxy) -> Proxy {
    proxy.with_user(USER, &PASSWORD.into()).unwrap()
}

/// Sends one request through a proxy, to a host that no name server knows.
async fn send(proxy: &Proxy, certificate: &str) -> Result<Answer, SendFault> {
    let route = Route::through(proxy, "").unwrap();
    let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
    let trusted = Some(certificate.as_bytes());
    let transport = Transport::new(trusted, route, Timeouts::default(), clock).unwrap();
    let url = format!("https://{HOST}/").parse().unwrap();
    transport.send(Request::new(Method::GET, url)).await
}

/// What a proxy of this manner makes of a request, by a person's words.
async fn refused(scheme: &str, manner: Manner, user: Option<&str>) -> GraphError {
    let (service, certificate) = tls_service(HOST).await;
    let proxy = TestProxy::start(manner, service).await;
    let mut through = Proxy::new(&address(scheme, proxy.address)).unwrap();
    if let Some(password) = user {
        through = through.with_user(USER, &password.into()).unwrap();
    }
    let fault = send(&through, &certificate).await.unwrap_err();
    assert!(matches!(fault, SendFault::NotSent(_)), "{fault:?}");
    let error = fault.at(HOST.to_owned());
    let text = format!("{error:?} {}", chain(&error));
    assert!(text.contains(&proxy.address.to_string()), "{text}");
    for secret in ["canary", "wrong-one", "Basic "] {
        assert!(!text.contains(secret), "{text}");
    }
    error
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn trouble(error: &GraphError) -> ProxyTrouble {
    match error {
        GraphError::Proxy { trouble, .. } => *trouble,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_goes_through_each_kind_of_proxy_and_the_proxy_looks_the_name_up() {
    let (service, certificate) = tls_service(HOST).await;
    for (scheme, manner) in [
        ("http", Manner::Connect { credentials: None }),
        ("socks5h", Manner::Socks { user: None }),
    ] {
        let proxy = TestProxy::start(manner, service).await;
        let through = Proxy::new(&address(scheme, proxy.address)).unwrap();
        let answer = send(&through, &certificate).await.unwrap();
        assert_eq!(answer.body, b"over TLS");
        assert_eq!(proxy.asked_for(), [format!("{HOST}:443")]);
    }
}

#[tokio::test]
async fn user_name_and_password_reach_the_proxy_exactly() {
    let (service, certificate) = tls_service(HOST).await;
    // agent%40@corp:canary/pass:word%41
    let credentials = Some("Basic YWdlbnQlNDBAY29ycDpjYW5hcnkvcGFzczp3b3JkJTQx");
    for (scheme, manner) in [
        ("http", Manner::Connect { credentials }),
        (
            "socks5h",
            Manner::Socks {
                user: Some((USER, PASSWORD)),
            },
        ),
    ] {
        let proxy = TestProxy::start(manner, service).await;
        let through = with_user(Proxy::new(&address(scheme, proxy.address)).unwrap());
        assert!(send(&through, &certificate).await.is_ok(), "{scheme}");
    }
}

#[tokio::test]
async fn a_proxy_that_wants_another_user_is_named_without_the_password() {
    let connect = Manner::Connect {
        credentials: Some("Basic b3RoZXI="),
    };
    let socks = Manner::Socks {
        user: Some((USER, PASSWORD)),
    };
    for (scheme, manner, user) in [
        ("http", connect.clone(), None),
        ("http", connect, Some(PASSWORD)),
        ("socks5h", socks.clone(), None),
        ("socks5h", socks, Some("wrong-one")),
    ] {
        let error = refused(scheme, manner, user).await;
        assert_eq!(trouble(&error), ProxyTrouble::SignIn);
        assert!(error.hint().unwrap().contains("proxy.password_file"));
        assert!(
            !error.passes(),
            "a wrong password is not tried again and again"
        );
    }
}

#[tokio::test]
async fn a_proxy_that_lets_nothing_through_is_named_with_the_host() {
    for (scheme, manner) in [
        ("http", Manner::Refuses(403)),
        ("http", Manner::Refuses(502)),
        ("socks5h", Manner::SocksRefuses(1)),
        ("socks5h", Manner::SocksRefuses(2)),
        ("socks5h", Manner::SocksRefuses(3)),
        ("socks5h", Manner::SocksRefuses(4)),
        ("socks5h", Manner::SocksRefuses(5)),
    ] {
        let error = refused(scheme, manner, None).await;
        assert_eq!(trouble(&error), ProxyTrouble::Refused);
        assert!(error.to_string().contains(HOST), "{error}");
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_named() {
    let (_, certificate) = tls_service(HOST).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "socks5h"] {
        let through = with_user(Proxy::new(&address(scheme, nobody)).unwrap());
        let fault = send(&through, &certificate).await.unwrap_err();
        assert!(matches!(fault, SendFault::NotSent(_)), "{fault:?}");
        let error = fault.at(HOST.to_owned());
        assert_eq!(trouble(&error), ProxyTrouble::NotReached);
        assert!(chain(&error).contains(&nobody.to_string()), "{error}");
        assert!(!chain(&error).contains("canary"));
        assert!(error.passes());
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_the_service_s_trouble_not_the_proxy_s() {
    let (service, _) = tls_service(HOST).await;
    let (_, another) = tls_service("another.example").await;
    let proxy = TestProxy::start(Manner::Connect { credentials: None }, service).await;
    let through = Proxy::new(&address("http", proxy.address)).unwrap();
    let error = send(&through, &another)
        .await
        .unwrap_err()
        .at(HOST.to_owned());
    assert!(matches!(error, GraphError::Unreachable { .. }), "{error:?}");
}

#[test]
fn what_is_excepted_goes_straight() {
    let proxy = Proxy::new(&Url::parse("http://proxy.example:3128").unwrap()).unwrap();
    let route = Route::through(&proxy, "graph.microsoft.com,.internal").unwrap();
    let before = |url: &str| route.proxy_before(&Url::parse(url).unwrap());
    let login = before("https://login.microsoftonline.com/x");
    assert_eq!(login.as_deref(), Some("proxy.example:3128"));
    assert_eq!(before("https://graph.microsoft.com/v1.0"), None);
    assert_eq!(before("https://vault.internal"), None);
    let straight = Route::straight();
    assert_eq!(
        straight.proxy_before(&Url::parse("https://graph.microsoft.com").unwrap()),
        None
    );
}

#[test]
fn of_a_password_with_an_unencoded_at_sign_no_part_is_told() {
    let url = "http://svc:P@canary@proxy.example:3128";
    let route = Route {
        way: Way::AsTheEnvironmentSays,
        rules: Matcher::builder().all(url).build(),
    };
    let before = route.proxy_before(&Url::parse("https://graph.microsoft.com").unwrap());
    assert_eq!(before.as_deref(), Some("proxy.example:3128"));
    assert!(!format!("{route:?}").contains("canary"));
}

#[test]
fn a_proxy_s_address_holds_no_user_and_is_of_a_known_kind() {
    for bad in [
        "ftp://proxy.example",
        "http://anna:canary@proxy.example:3128",
        "http://anna@proxy.example",
    ] {
        let refused = Proxy::new(&Url::parse(bad).unwrap()).unwrap_err();
        assert!(!refused.to_string().contains("canary"), "{refused}");
    }
    let proxy = with_user(Proxy::new(&Url::parse("socks5://proxy.example").unwrap()).unwrap());
    assert!(!format!("{proxy:?}").contains("canary"));
}

/// The variables of a process cannot be changed here, so this test starts itself with them.
#[tokio::test]
async fn the_environment_names_the_proxy() {
    let (service, certificate) = tls_service(HOST).await;
    let proxy = TestProxy::start(Manner::Connect { credentials: None }, service).await;
    let folder = std::env::temp_dir().join(format!("proxy-test-{}", uuid::Uuid::new_v4()));
    std::fs::write(&folder, certificate).unwrap();
    for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
        child
            .args([
                "--exact",
                "proxy::tests::sends_one_request_as_the_environment_says",
                "--ignored",
            ])
            .env_remove("HTTPS_PROXY")
            .env_remove("https_proxy")
            .env_remove("ALL_PROXY")
            .env_remove("all_proxy")
            .env("NO_PROXY", "elsewhere.example")
            .env(variable, format!("http://svc:P@canary@{}", proxy.address))
            .env("TRUSTED_CERTIFICATE", &folder);
        let output = child.output().await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("1 passed"),
            "{text}"
        );
    }
    std::fs::remove_file(folder).unwrap();
    assert_eq!(proxy.asked_for(), vec![format!("{HOST}:443"); 2]);
}

#[tokio::test]
#[ignore = "run by the_environment_names_the_proxy, in an environment of its own"]
async fn sends_one_request_as_the_environment_says() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let file = std::env::var_os("TRUSTED_CERTIFICATE").unwrap();
    let certificate = std::fs::read(file).unwrap();
    let clock = Arc::new(ServiceClock::new(Duration::from_mins(5)));
    let route = Route::of_environment();
    let transport = Transport::new(Some(&certificate), route, Timeouts::default(), clock).unwrap();
    let url = format!("https://{HOST}/").parse().unwrap();
    let answer = transport
        .send(Request::new(Method::GET, url))
        .await
        .unwrap();
    assert_eq!(answer.body, b"over TLS");
    let text = format!("{transport:?}");
    assert!(!text.contains("canary"), "{text}");
}
