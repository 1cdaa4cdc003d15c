//! A person's session: every call goes where the contract says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::json;
use uuid::Uuid;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use super::{CANARY, body, config, failure, header, requests, secret, success};
use crate::envelope::new_key_parameters;
use crate::wire::{
    Client, ClientPatch, Credential, CredentialPatch, EnrolRequest, Enrolled, FlagCleared,
    FlagKind, FlagQuery, FlaggedCredential, HistoryEntry, MicrosoftSync, Mute, NewClient,
    NewCredential, NewPassword, SealedText, SessionToken, Standing, SyncMode, WrappedKey, code,
    credential_type,
};
use crate::{ApiError, PersonSession};

const ID: Uuid = Uuid::from_u128(7);

async fn session_answering(results: impl serde::Serialize) -> (MockServer, PersonSession) {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(success(results))
        .mount(&server)
        .await;
    let session = PersonSession::from_token(&config(&server), secret(CANARY)).unwrap();
    (server, session)
}

/// The last request, as `METHOD path?query`; it must carry the token.
async fn last(server: &MockServer) -> String {
    let request = requests(server).await.pop().unwrap();
    assert_eq!(header(&request, "x-access-token"), CANARY);
    let query = request
        .url
        .query()
        .map_or(String::new(), |q| format!("?{q}"));
    format!("{} {}{query}", request.method, request.url.path())
}

fn wrapped_key() -> WrappedKey {
    WrappedKey {
        key_id: Uuid::from_u128(1),
        client: ID,
        parameters: new_key_parameters(Uuid::from_u128(2)),
        sealed: SealedText("sealed".into()),
    }
}

fn client() -> Client {
    Client {
        id: ID,
        name: "Contoso".into(),
        company_vault: false,
        sync: MicrosoftSync::EntraId,
        default_mode: SyncMode::Enabled,
        mute: Mute::Unmuted,
        credentials: 3,
        flags: BTreeMap::from([(FlagKind::AdChange, 2)]),
        waiting_writes: 0,
        agents: Vec::new(),
        key: wrapped_key(),
    }
}

fn credential() -> Credential {
    Credential {
        id: ID,
        client: ID,
        credential_type: credential_type::USER.into(),
        user_name: "anna@contoso.com".into(),
        description: String::new(),
        notes: String::new(),
        folder: String::new(),
        url: String::new(),
        expires: None,
        has_totp: false,
        totp_version: 0,
        version: 1,
        own_mode: None,
        mode: SyncMode::Enabled,
        standing: Standing::Active,
        changed: Timestamp::UNIX_EPOCH,
        changed_by: None,
        flags: BTreeMap::new(),
        last_result: None,
    }
}

#[tokio::test]
async fn signing_in_sends_the_password_once_and_keeps_the_token() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(success(SessionToken {
            access_token: "token".into(),
            expires: Timestamp::UNIX_EPOCH,
            organization: ID,
            organization_name: "MSP".into(),
        }))
        .mount(&server)
        .await;
    let password = secret(CANARY);
    let (session, details) = PersonSession::sign_in(
        &config(&server),
        "anna@msp.example",
        &password,
        Some("123456"),
    )
    .await
    .unwrap();
    assert_eq!(details.organization_name, "MSP");
    assert_eq!(session.token().expose_secret(), "token");

    let request = requests(&server).await.pop().unwrap();
    assert_eq!(request.url.path(), "/api/v2/auth/session");
    assert_eq!(
        body(&request),
        json!({"email": "anna@msp.example", "password": CANARY, "one_time_code": "123456"})
    );
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(failure(401, code::WRONG_CREDENTIALS))
        .mount(&server)
        .await;
    let error = PersonSession::sign_in(&config(&server), "anna", &secret(CANARY), None)
        .await
        .unwrap_err();
    assert!(matches!(error, ApiError::NotAuthorised { .. }));
    assert!(!format!("{error} {error:?}").contains(CANARY));
    assert_eq!(requests(&server).await.len(), 1);
}

#[tokio::test]
async fn the_session_is_never_printed() {
    let (_server, session) = session_answering(()).await;
    assert_eq!(format!("{session:?}"), "PersonSession(redacted)");
}

#[tokio::test]
async fn clients_are_read_and_changed() {
    let (server, session) = session_answering(client()).await;
    let at = format!("/api/v2/vault/clients/{ID}");
    assert_eq!(session.client(ID).await.unwrap().name, "Contoso");
    assert_eq!(last(&server).await, format!("GET {at}"));

    let patch = ClientPatch {
        mute: Some(Mute::Muted),
        ..ClientPatch::default()
    };
    session.patch_client(ID, &patch).await.unwrap();
    assert_eq!(last(&server).await, format!("PATCH {at}"));
    let sent = body(&requests(&server).await.pop().unwrap());
    assert_eq!(sent, json!({"mute": "muted"}));

    let new = NewClient {
        id: ID,
        name: "Contoso".into(),
        sync: MicrosoftSync::None,
        default_mode: SyncMode::Enabled,
        key: wrapped_key(),
    };
    session.create_client(&new).await.unwrap();
    assert_eq!(last(&server).await, "POST /api/v2/vault/clients");
}

#[tokio::test]
async fn lists_are_read() {
    let (server, session) = session_answering(Vec::<u8>::new()).await;
    let clients: Vec<Client> = session.clients().await.unwrap();
    assert!(clients.is_empty());
    assert_eq!(last(&server).await, "GET /api/v2/vault/clients");

    session.credentials(ID).await.unwrap();
    let expected = format!("GET /api/v2/vault/clients/{ID}/credentials");
    assert_eq!(last(&server).await, expected);

    let history: Vec<HistoryEntry> = session.history(ID).await.unwrap();
    assert!(history.is_empty());
    let expected = format!("GET /api/v2/vault/credentials/{ID}/history");
    assert_eq!(last(&server).await, expected);

    let query = FlagQuery {
        client: Some(ID),
        kind: Some(FlagKind::AdChange),
    };
    let flags: Vec<FlaggedCredential> = session.flags(&query).await.unwrap();
    assert!(flags.is_empty());
    let expected = format!("GET /api/v2/vault/flags?client={ID}&kind=ad_change");
    assert_eq!(last(&server).await, expected);

    session.flags(&FlagQuery::default()).await.unwrap();
    assert_eq!(last(&server).await, "GET /api/v2/vault/flags");
}

#[tokio::test]
async fn credentials_are_read_and_changed() {
    let (server, session) = session_answering(credential()).await;
    let at = format!("/api/v2/vault/credentials/{ID}");
    session.credential(ID).await.unwrap();
    assert_eq!(last(&server).await, format!("GET {at}"));

    let patch = CredentialPatch::default();
    session.patch_credential(ID, &patch).await.unwrap();
    assert_eq!(last(&server).await, format!("PATCH {at}"));

    let password = NewPassword {
        version: 2,
        sealed: SealedText("sealed".into()),
        user_name: None,
    };
    session.set_password(ID, &password).await.unwrap();
    assert_eq!(last(&server).await, format!("PUT {at}/password"));

    let new = NewCredential {
        id: ID,
        credential_type: credential_type::USER.into(),
        user_name: "anna@contoso.com".into(),
        description: String::new(),
        notes: String::new(),
        own_mode: None,
        sealed: SealedText("sealed".into()),
        folder: String::new(),
        url: String::new(),
        expires: None,
        totp: None,
    };
    session.create_credential(ID, &new).await.unwrap();
    let expected = format!("POST /api/v2/vault/clients/{ID}/credentials");
    assert_eq!(last(&server).await, expected);
}

#[tokio::test]
async fn a_flag_is_cleared_by_its_name() {
    let (server, session) = session_answering(FlagCleared { stood: true }).await;
    let cleared = session.clear_flag(ID, FlagKind::AdChange).await.unwrap();
    assert!(cleared.stood);
    let expected = format!("DELETE /api/v2/vault/credentials/{ID}/flags/ad_change");
    assert_eq!(last(&server).await, expected);
}

#[tokio::test]
async fn agents_are_enrolled_and_revoked() {
    let (server, session) = session_answering(Enrolled {
        agent: ID,
        token: "agent token".into(),
        client: ID,
        client_name: "Contoso".into(),
        key: wrapped_key(),
    })
    .await;
    let request = EnrolRequest {
        client: ID,
        host: "host".into(),
        version: "0.1.0".into(),
    };
    let enrolled = session.enrol(&request).await.unwrap();
    assert_eq!(enrolled.token, "agent token");
    assert_eq!(last(&server).await, "POST /api/v2/agent/enrolments");

    session.revoke_agent(ID).await.unwrap();
    let expected = format!("DELETE /api/v2/agent/enrolments/{ID}");
    assert_eq!(last(&server).await, expected);

    session.sign_out().await.unwrap();
    assert_eq!(last(&server).await, "DELETE /api/v2/auth/session");
}
