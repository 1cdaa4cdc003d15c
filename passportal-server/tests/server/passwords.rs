//! Versions of passwords, and who gets them.

use passportal_client::wire::{Credential, SecretAnswer, credential_type};
use reqwest::Method;
use serde_json::json;

use crate::support::{TestClient, TestVault};

#[tokio::test]
async fn only_the_next_version_is_taken() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "x").await;
    let path = format!("vault/credentials/{anna}/password");

    for version in [1, 3] {
        let wrong = client.new_password(anna, "anna@contoso.com", version, "y");
        assert_eq!(person.fails(Method::PUT, &path, &wrong).await, (409, 4009));
    }
    let next = client.new_password(anna, "anna@contoso.com", 2, "y");
    let changed: Credential = person.put(&path, &next).await;
    assert_eq!(changed.version, 2);
    let again: Credential = person.put(&path, &next).await;
    assert_eq!(
        again.version, 2,
        "the same request once more is no conflict"
    );
    let other = client.new_password(anna, "anna@contoso.com", 2, "y");
    assert_eq!(person.fails(Method::PUT, &path, &other).await, (409, 4009));
    let confirm = json!({ "confirm_version": 1 });
    let path = format!("vault/credentials/{anna}");
    assert_eq!(
        person.fails(Method::PATCH, &path, &confirm).await,
        (409, 4009)
    );
}

#[tokio::test]
async fn an_agent_gets_the_current_version_of_a_credential_in_use() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let anna = client.add(&person, "anna@contoso.com", "Canary-1!").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let path = |version: u64| format!("agent/credentials/{anna}/secret?version={version}");

    let secret: SecretAnswer = agent.get(&path(1)).await;
    assert_eq!(
        client.open("anna@contoso.com", anna, 1, &secret.sealed),
        "Canary-1!"
    );
    assert_eq!(
        agent.fails(Method::GET, &path(2), &json!({})).await,
        (409, 4009)
    );
    let disable = json!({ "standing": "disabled" });
    let _: Credential = person
        .patch(&format!("vault/credentials/{anna}"), &disable)
        .await;
    assert_eq!(
        agent.fails(Method::GET, &path(1), &json!({})).await,
        (409, 4009)
    );
}

#[tokio::test]
async fn with_the_mode_off_only_an_administrators_password_is_given_and_only_to_sign_in() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    let agent = vault.with_token(&client.enrol(&person, "host-1").await.token);
    let nothing = json!({});
    for (name, kind, signs_in) in [
        ("admin@contoso.com", credential_type::ADMIN, true),
        ("anna@contoso.com", credential_type::USER, false),
    ] {
        let id = client.add(&person, name, "x").await;
        let off = json!({ "credential_type": kind, "own_mode": "off" });
        let _: Credential = person.patch(&format!("vault/credentials/{id}"), &off).await;
        let secret = format!("agent/credentials/{id}/secret?version=1");
        let refused = agent.fails(Method::GET, &secret, &nothing).await;
        assert_eq!(refused, (409, 4009), "{name}: it is not synced");
        let secret = format!("{secret}&purpose=sign_in");
        if signs_in {
            let _: SecretAnswer = agent.get(&secret).await;
        } else {
            let refused = agent.fails(Method::GET, &secret, &nothing).await;
            assert_eq!(refused, (409, 4009), "{name}: it is no administrator's");
        }
    }
}

#[tokio::test]
async fn what_was_sealed_for_another_client_or_not_at_all_is_refused() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let contoso = TestClient::create(&person, "Contoso").await;
    let fabrikam = TestClient::create(&person, "Fabrikam").await;
    let anna = contoso.add(&person, "anna@contoso.com", "x").await;
    let path = format!("vault/credentials/{anna}/password");

    let foreign = fabrikam.new_password(anna, "anna@contoso.com", 2, "y");
    assert_eq!(
        person.fails(Method::PUT, &path, &foreign).await,
        (422, 4022)
    );
    let clear = json!({ "version": 2, "sealed": "In clear!" });
    assert_eq!(person.fails(Method::PUT, &path, &clear).await, (422, 4022));
}
