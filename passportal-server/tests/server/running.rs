//! Making a vault, and starting and stopping its server.

use std::time::{Duration, Instant};

use passportal_server::{
    ApiKeyError, InitError, ServeConfig, ServeError, Server, TlsFiles, create_api_key, init,
};

use crate::support::{EMAIL, TestClient, TestVault, config, request};

#[tokio::test]
async fn a_vault_is_made_once() {
    let dir = tempfile::tempdir().unwrap();
    init(request(dir.path())).await.unwrap();
    let again = init(request(dir.path())).await.unwrap_err();
    assert!(matches!(again, InitError::Exists { .. }));
}

#[tokio::test]
async fn a_refused_request_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let inside = dir.path().join("vault");
    let mut weak_key = request(&inside);
    weak_key.organization_key = "eleven char".into();
    assert!(matches!(
        init(weak_key).await,
        Err(InitError::WeakOrganizationKey)
    ));
    for weak in ["eleven char", "aaaaaaaaaaaaaaaa", EMAIL] {
        let mut weak_password = request(&inside);
        weak_password.admin_password = weak.into();
        assert!(matches!(
            init(weak_password).await,
            Err(InitError::WeakAdminPassword { .. })
        ));
    }
    let mut nobody = request(&inside);
    nobody.admin_email = "nobody".to_owned();
    assert!(matches!(
        init(nobody).await,
        Err(InitError::BadEmail { .. })
    ));
    assert!(!inside.exists());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    init(request(dir.path())).await.unwrap();
    create_api_key(dir.path(), &dir.path().join("key.json"))
        .await
        .unwrap();
    for file in ["vault.db", "server.key", "key.json"] {
        let mode = std::fs::metadata(dir.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file}");
    }
    let again = create_api_key(dir.path(), &dir.path().join("key.json")).await;
    assert!(matches!(again, Err(ApiKeyError::Write { .. })));
}

async fn refusal(config: ServeConfig) -> ServeError {
    match Server::bind(config).await {
        Ok(server) => panic!("listens on {}", server.url()),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_is_in_the_way_is_told_apart() {
    let vault = TestVault::start().await;
    let second = refusal(config(vault.dir.path())).await;
    assert!(matches!(second, ServeError::InUse { .. }));
    #[cfg(unix)]
    assert!(
        second
            .to_string()
            .contains(&format!("(pid {})", std::process::id())),
        "{second}"
    );

    let other = tempfile::tempdir().unwrap();
    assert!(matches!(
        refusal(config(other.path())).await,
        ServeError::NoVault { .. }
    ));
    init(request(other.path())).await.unwrap();
    let mut taken = config(other.path());
    taken.listen = vault.url.trim_start_matches("http://").parse().unwrap();
    assert!(matches!(refusal(taken).await, ServeError::PortInUse { .. }));
    let mut open = config(other.path());
    open.listen = "0.0.0.0:0".parse().unwrap();
    assert!(matches!(refusal(open).await, ServeError::NeedsTls { .. }));
    let mut broken = config(other.path());
    let missing = other.path().join("missing.pem");
    broken.tls = Some(TlsFiles {
        cert: missing.clone(),
        key: missing,
    });
    assert!(matches!(refusal(broken).await, ServeError::Tls { .. }));
}

/// A folder in the way of a file stops every user, as a missing permission stops most.
#[tokio::test]
async fn a_vault_that_cannot_be_written_is_not_served() {
    for file in ["server.lock", "vault.db-wal"] {
        let dir = tempfile::tempdir().unwrap();
        init(request(dir.path())).await.unwrap();
        let blocked = dir.path().join(file);
        std::fs::create_dir(&blocked).unwrap();
        let refused = refusal(config(dir.path())).await;
        assert!(
            matches!(refused, ServeError::NotWritable { .. }),
            "{file}: {refused:?}"
        );
        std::fs::remove_dir(&blocked).unwrap();
        Server::bind(config(dir.path())).await.unwrap();
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_database_that_can_only_be_read_is_not_served_and_is_whole_afterwards() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    init(request(dir.path())).await.unwrap();
    let allow = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(dir.path().join("vault.db"), permissions).unwrap();
    };
    // Before and after the first server gave it its write-ahead log.
    for _ in 0..2 {
        allow(0o444);
        let refused = refusal(config(dir.path())).await;
        assert!(
            matches!(refused, ServeError::NotWritable { .. }),
            "{refused:?}"
        );
        allow(0o600);
        let server = Server::bind(config(dir.path())).await.unwrap();
        server.run(async {}).await.unwrap();
    }
}

#[tokio::test]
async fn a_long_poll_does_not_delay_the_end() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let cursor = agent.changes("").await.cursor;
    let (asked, begun) = tokio::sync::oneshot::channel();
    let poll = tokio::spawn(async move {
        asked.send(()).unwrap();
        agent.changes(&format!("cursor={cursor}&wait=60")).await
    });
    begun.await.unwrap();
    // Not part of the claim, only so that the poll is most likely under way.
    let _: Vec<serde_json::Value> = person.get("vault/clients").await;

    let told = Instant::now();
    let dir = vault.stop().await;
    assert!(told.elapsed() < Duration::from_secs(10));
    assert!(poll.await.unwrap().credentials.is_empty());
    Server::bind(config(dir.path())).await.unwrap();
}

#[tokio::test]
async fn tls_is_served_with_strict_transport_security() {
    let dir = tempfile::tempdir().unwrap();
    init(request(dir.path())).await.unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let files = TlsFiles {
        cert: dir.path().join("cert.pem"),
        key: dir.path().join("key.pem"),
    };
    std::fs::write(&files.cert, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let mut config = config(dir.path());
    config.tls = Some(files);
    let server = Server::bind(config).await.unwrap();
    assert!(server.url().starts_with("https://"));
    let url = format!("https://localhost:{}/login", server.local_addr().port());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));

    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let http = reqwest::Client::builder()
        .add_root_certificate(trusted)
        .no_proxy()
        .build()
        .unwrap();
    let response = http.get(url).send().await.unwrap();
    assert!(response.headers().contains_key("strict-transport-security"));
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("Secure"), "{cookie}");
    drop(http);
    drop(stop);
    running.await.unwrap().unwrap();
}
