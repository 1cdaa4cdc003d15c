//! The same service behind a certificate.

use entra_sim::{Scenario, ServeError, Simulator, TlsFiles, bind};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::{TENANT, contoso};

fn simulator() -> Simulator {
    Simulator::new(Scenario::of(contoso()), SignedDuration::ZERO)
}

#[tokio::test]
async fn with_a_certificate_every_link_is_https() {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let files = TlsFiles {
        cert: folder.path().join("cert.pem"),
        key: folder.path().join("key.pem"),
    };
    std::fs::write(&files.cert, issued.cert.pem()).unwrap();
    std::fs::write(&files.key, issued.signing_key.serialize_pem()).unwrap();
    let listening = bind(
        simulator(),
        "127.0.0.1:0".parse().unwrap(),
        Some(files.clone()),
    )
    .unwrap();
    let url = listening.url();
    assert!(url.starts_with("https://127.0.0.1:"));
    tokio::spawn(listening.run(std::future::pending()));
    let root = reqwest::Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(root)
        .build()
        .unwrap();
    let path = format!("{url}/{TENANT}/v2.0/.well-known/openid-configuration");
    let body: Value = client.get(path).send().await.unwrap().json().await.unwrap();
    assert_eq!(
        body["token_endpoint"],
        format!("{url}/{TENANT}/oauth2/v2.0/token")
    );
}

#[tokio::test]
async fn unreadable_tls_files_and_a_taken_port_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let files = TlsFiles {
        cert: folder.path().join("absent"),
        key: folder.path().join("absent"),
    };
    let error = bind(simulator(), "127.0.0.1:0".parse().unwrap(), Some(files))
        .err()
        .unwrap();
    assert!(matches!(error, ServeError::Pem { .. }), "{error:?}");
    let first = bind(simulator(), "127.0.0.1:0".parse().unwrap(), None).unwrap();
    let error = bind(simulator(), first.address(), None).err().unwrap();
    assert!(matches!(error, ServeError::Bind { .. }), "{error:?}");
}
