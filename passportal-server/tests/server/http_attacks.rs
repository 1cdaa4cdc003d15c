//! What somebody tries who may send any request: other sites' forms, foreign sessions, frames, injected headers and markup,
//! bodies without end, slow and many connections, paths that lead elsewhere.

use std::time::Duration;

use passportal_client::wire::AuditLine;
use passportal_server::Server;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

use crate::crawl::{PostForm, crawl, furnished, post_forms, visit};
use crate::raw_http::{connect, exchange, read};
use crate::support::{
    Browser, ORGANIZATION_KEY, PASSWORD, Page, TestVault, config, failure, plain_http,
};

#[tokio::test]
async fn no_form_is_taken_without_the_token_of_its_own_session() {
    let (vault, mut mine) = furnished("Contoso").await;
    let mut theirs = vault.browser();
    theirs.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let foreign = theirs.get("/clients").await.csrf();
    let forms = post_forms(&crawl(&mine).await);
    assert!(forms.len() >= 20, "{}", forms.len());
    let before = audit_lines(&vault).await;
    for form in &forms {
        for token in [None, Some(""), Some(foreign.as_str())] {
            let page = post(&mut mine, form, token).await;
            assert_eq!(
                page.status, 403,
                "{} with {token:?}: {}",
                form.action, page.html
            );
        }
    }
    assert_eq!(audit_lines(&vault).await, before, "something was done");
    assert_eq!(mine.get("/").await.status, 200, "the session goes on");
}

async fn post(browser: &mut Browser, form: &PostForm, token: Option<&str>) -> Page {
    if form.is_upload {
        return browser
            .upload_as(token, &form.action, b"Username,Password\n")
            .await;
    }
    let own = form
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let token = token.map(|token| ("csrf", token));
    let fields: Vec<_> = own.chain(token).collect();
    browser.post(&form.action, &fields).await
}

/// All but the sign-ins of whoever asks.
async fn audit_lines(vault: &TestVault) -> usize {
    let lines: Vec<AuditLine> = vault.person().await.get("audit?after=0").await;
    let acts = lines
        .iter()
        .filter(|line| !line.what.starts_with("signed "));
    acts.count()
}

#[tokio::test]
async fn the_login_form_is_taken_only_with_its_own_cookie() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    let other = vault.browser().get("/login").await.csrf();
    browser.get("/login").await;
    for token in ["", &other] {
        let fields = [
            ("csrf", token),
            ("email", crate::support::EMAIL),
            ("password", PASSWORD),
            ("organization_key", ORGANIZATION_KEY),
        ];
        assert_eq!(browser.post("/login", &fields).await.status, 403);
    }
    assert_eq!(browser.get("/").await.status, 303);
}

/// Who plants a cookie before the sign-in has nothing of the session that follows.
#[tokio::test]
async fn a_session_is_not_the_one_that_was_there_before() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    browser.set_cookie("passportal_session", "planted");
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let first = browser.cookie();
    assert!(!first.contains("planted"), "{first}");
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_ne!(
        browser.cookie(),
        first,
        "each sign-in has a cookie of its own"
    );

    let mut attacker = vault.browser();
    attacker.set_cookie("passportal_session", "planted");
    assert_eq!(attacker.get("/").await.status, 303);
}

#[tokio::test]
async fn a_session_that_was_signed_out_is_over() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let kept = browser.cookie();
    let csrf = browser.get("/").await.csrf();
    browser.post("/logout", &[("csrf", &csrf)]).await;
    let (_, value) = kept.split_once("passportal_session=").unwrap();
    browser.set_cookie("passportal_session", value);
    assert_eq!(browser.get("/").await.status, 303);
}

#[tokio::test]
async fn nothing_is_framed_sniffed_cached_or_loaded_from_elsewhere() {
    let (_vault, browser) = furnished("Contoso").await;
    let mut pages = crawl(&browser).await;
    for path in [
        "/login",
        "/nowhere",
        "/assets/style.css",
        "/api/v2/nowhere",
        "/api/v2/vault/clients",
    ] {
        pages.push(visit(&browser, path).await);
    }
    for page in pages {
        let header = |name: &str| page.headers[name].to_str().unwrap();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            assert!(policy.contains(part), "{}: {policy}", page.path);
        }
        assert!(!policy.contains("unsafe"), "{}: {policy}", page.path);
        assert_eq!(header("x-frame-options"), "DENY", "{}", page.path);
        assert_eq!(header("x-content-type-options"), "nosniff", "{}", page.path);
        assert_eq!(header("cache-control"), "no-store", "{}", page.path);
        assert!(page.status < 500, "{}: {}", page.path, page.status);
    }
}

#[tokio::test]
async fn names_are_text_on_every_page() {
    let name = "<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(2)>";
    let (_vault, browser) = furnished(name).await;
    let pages = crawl(&browser).await;
    let mut shown = 0;
    for page in &pages {
        let is_html = |kind: &reqwest::header::HeaderValue| kind.to_str().unwrap().contains("html");
        if !page.headers.get("content-type").is_some_and(is_html) {
            continue;
        }
        for bad in [
            "<script>alert",
            "<img",
            "&lt;script&gt;alert(1)&lt;/script&gt;49",
        ] {
            assert!(!page.html.contains(bad), "{}: {bad}", page.path);
        }
        shown += usize::from(page.html.contains("{{7*7}}"));
    }
    assert!(shown >= 8, "the name is on {shown} pages");
}

#[tokio::test]
async fn an_address_that_runs_a_script_is_no_link() {
    let (_vault, browser) = furnished("javascript:alert(1)").await;
    for page in crawl(&browser).await {
        assert!(!page.html.contains("href=\"javascript"), "{}", page.path);
    }
}

#[tokio::test]
async fn nobody_writes_headers_of_an_answer() {
    let (vault, mut browser) = furnished("a\"; x=\"b").await;
    let person = vault.person().await;
    let clients: Vec<passportal_client::wire::Client> = person.get("vault/clients").await;
    let client = clients.iter().find(|it| it.name.starts_with('a')).unwrap();
    let csrf = browser.get("/").await.csrf();
    let export = format!("/clients/{}/export", client.id);
    let answer = plain_http()
        .post(format!("{}{export}", vault.url))
        .header("cookie", browser.cookie())
        .form(&[("csrf", csrf.as_str())])
        .send()
        .await
        .unwrap();
    let disposition = answer.headers()["content-disposition"].to_str().unwrap();
    assert_eq!(disposition.matches('"').count() % 2, 0, "{disposition}");
    assert!(!disposition.contains("x="), "{disposition}");

    for path in [
        "/flags?kind=ad_change%0d%0aX-Evil:%201",
        "/search?q=%0d%0aX-Evil:%201",
        "/reports/changes%0d%0aX-Evil:%201",
        "/audit/export?format=csv%0d%0aX-Evil:%201",
        "/clients/%0d%0aX-Evil:%201",
    ] {
        let page = visit(&browser, path).await;
        assert!(page.headers.get("x-evil").is_none(), "{path}");
        assert!(page.status < 500, "{path}: {}", page.status);
    }
    let broken = json!({ "name": "Contoso\r\nX-Evil: 1" });
    let path = format!("vault/clients/{}", client.id);
    let renamed = person.request(Method::PATCH, &path).json(&broken);
    let renamed = renamed.send().await.unwrap();
    assert!(renamed.headers().get("x-evil").is_none());
}

#[tokio::test]
async fn a_body_that_is_too_long_is_413() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let csrf = browser.get("/clients").await.csrf();
    let long = "x".repeat(300 * 1024);
    let fields = [("csrf", csrf.as_str()), ("name", &long)];
    assert_eq!(browser.post("/clients", &fields).await.status, 413);
    assert_eq!(browser.post("/login", &fields).await.status, 413);
    let file = vec![b'x'; 9 * 1024 * 1024];
    let page = browser
        .upload(
            "/clients",
            "/clients/00000000-0000-0000-0000-000000000000/import",
            &file,
        )
        .await;
    assert_eq!(page.status, 413);

    let person = vault.person().await;
    let long = json!({ "name": "x".repeat(5 * 1024 * 1024) });
    for (caller, path) in [
        (&vault.anyone(), "auth/session"),
        (&person, "vault/clients"),
    ] {
        let request = caller.request(Method::POST, path).json(&long);
        let answer = request.send().await.unwrap();
        assert_eq!(failure(answer).await, (413, 4022), "{path}");
    }
}

#[tokio::test]
async fn no_path_leads_out_of_the_pages() {
    let (vault, browser) = furnished("Contoso").await;
    let cookie = format!("cookie: {}", browser.cookie());
    for path in [
        "/../vault.db",
        "/assets/../../server.key",
        "/assets/%2e%2e/%2e%2e/server.key",
        "/assets/..%2f..%2fserver.key",
        "/%2e%2e%5cserver.key",
        "//etc/passwd",
        "//assets//style.css",
        "/assets/style.css%00.html",
        "/clients/%00",
        "/clients/%ff%fe",
        "/api/v2/vault/clients/%2e%2e/%2e%2e",
        "http://elsewhere.example/assets/../server.key",
    ] {
        for session in ["accept: */*", cookie.as_str()] {
            let line = format!("GET {path} HTTP/1.1");
            let answer = exchange(&vault.url, &[&line, "host: vault.example", session], "").await;
            let status = answer.status();
            assert!(matches!(status, 303 | 400 | 401 | 404), "{path}: {status}");
        }
    }
}

/// A server that waits a tenth of a second, so that the test need not wait a minute.
#[tokio::test]
async fn a_request_that_is_never_finished_ends_by_itself() {
    let dir = TestVault::start().await.stop().await;
    let server = Server::bind(config(dir.path())).await.unwrap();
    let server = server.with_patience(Duration::from_millis(100));
    let url = server.url();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    for unfinished in [
        "",
        "GET /login HTTP/1.1\r\nhost: vault",
        "POST /login HTTP/1.1\r\nhost: vault\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 99\r\n\r\ncsrf=",
        "POST /api/v2/auth/session HTTP/1.1\r\nhost: vault\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
        "POST /login HTTP/1.1\r\nhost: vault\r\ntransfer-encoding: chunked\r\n\r\n5\r\ncs",
    ] {
        let mut stream = connect(&url).await;
        stream.write_all(unfinished.as_bytes()).await.unwrap();
        let answer = read(&mut stream).await;
        assert!(
            !answer.head.contains(" 200 "),
            "{unfinished}: {}",
            answer.head
        );
    }
    drop(stop);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn many_open_connections_keep_nobody_out() {
    let vault = TestVault::start().await;
    let mut open = Vec::new();
    for _ in 0..300 {
        let mut stream = connect(&vault.url).await;
        stream
            .write_all(b"GET /login HTTP/1.1\r\nhost:")
            .await
            .unwrap();
        open.push(stream);
    }
    let mut browser = vault.browser();
    let page = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert_eq!(page.status, 200);
    drop(open);
}
