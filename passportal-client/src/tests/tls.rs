//! Trust: a private certificate authority is believed only when it is named.

use std::net::{SocketAddr, TcpListener};

use axum::{Json, Router, routing::get};
use axum_server::Handle;
use axum_server::tls_rustls::{RustlsConfig, from_tcp_rustls};
use serde_json::json;

use super::secret;
use crate::{ApiError, HttpConfig, PersonSession};

/// A vault without clients, over TLS. Returns its address and the certificate that it shows.
async fn tls_vault() -> (Handle<SocketAddr>, String, Vec<u8>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let tls = RustlsConfig::from_pem(certificate.clone().into(), key.into())
        .await
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = json!({"success": true, "results": []});
    let router = Router::new().route("/api/v2/vault/clients", get(async || Json(answer)));
    let handle = Handle::new();
    let server = from_tcp_rustls(listener, tls)
        .unwrap()
        .handle(handle.clone());
    tokio::spawn(server.serve(router.into_make_service()));
    (
        handle,
        format!("https://localhost:{port}"),
        certificate.into(),
    )
}

#[tokio::test]
async fn a_private_authority_is_believed_when_it_is_named_and_not_otherwise() {
    let (handle, url, certificate) = tls_vault().await;
    let config = HttpConfig::new(&url).unwrap();

    let stranger = PersonSession::from_token(&config, secret("token")).unwrap();
    let error = stranger.clients().await.unwrap_err();
    assert!(matches!(error, ApiError::Unreachable { .. }), "{error:?}");

    let config = config.with_extra_ca(certificate);
    let friend = PersonSession::from_token(&config, secret("token")).unwrap();
    assert!(friend.clients().await.unwrap().is_empty());
    handle.shutdown();
}
