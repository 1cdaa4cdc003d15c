//! Forwarding the audit trail to a syslog server.

use std::sync::Arc;

use passportal_server::{Forwarding, Server};
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::support::{Caller, EMAIL, PASSWORD, TestVault, config, run};

/// A vault with one line in its trail, served with forwarding.
async fn serve(dir: &std::path::Path, to: &str, ca: Option<std::path::PathBuf>) -> String {
    let to = to.parse().unwrap();
    let server = Server::bind(config(dir)).await.unwrap();
    let server = server.forwarding_audit(Some(Forwarding { to, ca }));
    run(server)
}

async fn sign_in(url: &str) {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let _: Value = Caller::new(url, None).post("auth/session", &body).await;
}

/// One message in octet-counting framing.
async fn frame(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut length = 0;
    loop {
        match stream.read_u8().await.unwrap() {
            b' ' => break,
            digit => length = length * 10 + usize::from(digit - b'0'),
        }
    }
    let mut text = vec![0; length];
    stream.read_exact(&mut text).await.unwrap();
    String::from_utf8(text).unwrap()
}

fn assert_is_line(message: &str, number: u64) {
    assert!(message.starts_with("<110>1 2"), "{message}");
    assert!(
        message.contains(" - passportal-server - audit - CEF:0|"),
        "{message}"
    );
    assert!(
        message.contains("|sign-in|signed in to the API|"),
        "{message}"
    );
    assert!(
        message.contains(&format!(" externalId={number} ")),
        "{message}"
    );
}

#[tokio::test]
async fn each_line_is_sent_once_over_tcp_also_after_a_restart() {
    let syslog = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = format!("tcp://{}", syslog.local_addr().unwrap());
    let vault = TestVault::start().await;
    vault.person().await;
    let dir = vault.stop().await;
    let server = Server::bind(config(dir.path())).await.unwrap();
    let forwarding = Forwarding {
        to: to.parse().unwrap(),
        ca: None,
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = server.forwarding_audit(Some(forwarding));
    let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
    let (mut stream, _) = syslog.accept().await.unwrap();
    assert_is_line(&frame(&mut stream).await, 1);
    // The end of the stream comes after it was noted how far this server has them.
    assert!(stream.read_u8().await.is_err());
    drop(stop);
    running.await.unwrap().unwrap();

    let url = serve(dir.path(), &to, None).await;
    sign_in(&url).await;
    let (mut stream, _) = syslog.accept().await.unwrap();
    assert_is_line(&frame(&mut stream).await, 2);
}

#[tokio::test]
async fn a_line_is_one_datagram_over_udp() {
    let syslog = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let to = format!("udp://{}", syslog.local_addr().unwrap());
    let vault = TestVault::start().await;
    vault.person().await;
    let dir = vault.stop().await;
    serve(dir.path(), &to, None).await;
    let mut datagram = [0; 4096];
    let length = syslog.recv(&mut datagram).await.unwrap();
    assert_is_line(std::str::from_utf8(&datagram[..length]).unwrap(), 1);
}

#[tokio::test]
async fn tls_trusts_the_given_authority_only() {
    let syslog = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = syslog.local_addr().unwrap().port();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let files = tempfile::tempdir().unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for (certificate, trusted) in [(&other.cert, false), (&made.cert, true)] {
        let ca = files.path().join("ca.pem");
        std::fs::write(&ca, certificate.pem()).unwrap();
        let vault = TestVault::start().await;
        vault.person().await;
        let dir = vault.stop().await;
        serve(dir.path(), &format!("tls://localhost:{port}"), Some(ca)).await;
        let (stream, _) = syslog.accept().await.unwrap();
        let accepted = acceptor.accept(stream).await;
        match (accepted, trusted) {
            (Ok(mut stream), true) => assert_is_line(&frame(&mut stream).await, 1),
            (Ok(mut stream), false) => assert!(stream.read_u8().await.is_err()),
            (Err(error), trusted) => assert!(!trusted, "{error}"),
        }
    }
}
