//! Credentials are found by the beginnings of words, on a page and over the API.

use passportal_client::wire::{Client, Credential, FoundCredential};
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use crate::support::{Caller, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault};

async fn found(person: &Caller, query: &str) -> Vec<String> {
    let found: Vec<FoundCredential> = person.get(&format!("vault/search?q={query}")).await;
    let mut names: Vec<String> = found.into_iter().map(|it| it.user_name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_credential_is_found_by_all_that_people_know_of_it() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let contoso = TestClient::create(&person, "Contoso").await;
    let fabrikam = TestClient::create(&person, "Fabrikam GmbH").await;
    let anna = contoso.add(&person, "anna@contoso.com", "x").await;
    fabrikam.add(&person, "jürgen@fabrikam.example", "x").await;
    let patch = json!({ "description": "Front desk", "folder": "Head office",
        "credential_type": "Door lock", "notes": "hidden words" });
    let at_anna = format!("vault/credentials/{anna}");
    let _: Credential = person.patch(&at_anna, &patch).await;

    let anna = ["anna@contoso.com"];
    for query in [
        "anna",
        "ANNA%40con",
        "contoso.com",
        "fron+des",
        "head",
        "door+anna",
        "cont",
    ] {
        assert_eq!(found(&person, query).await, anna, "{query}");
    }
    for query in ["jurgen", "J%C3%9CR", "gmbh", "fabrikam+azure"] {
        let jurgen = ["jürgen@fabrikam.example"];
        assert_eq!(found(&person, query).await, jurgen, "{query}");
    }
    for query in [
        "",
        "hidden",
        "nna",
        "anna+gmbh",
        "%22",
        "*",
        "NOT",
        "user_name:anna%22+OR+%22gmbh",
    ] {
        assert!(found(&person, query).await.is_empty(), "{query}");
    }

    let renamed = json!({ "name": "Tailwind" });
    let _: Client = person
        .patch(&format!("vault/clients/{}", contoso.id), &renamed)
        .await;
    let moved = json!({ "folder": "Branch" });
    let _: Credential = person.patch(&at_anna, &moved).await;
    assert_eq!(found(&person, "tailwind+branch").await, anna);
    assert!(found(&person, "head").await.is_empty());
}

#[tokio::test]
async fn what_is_found_and_what_a_client_has_is_shown_in_pages() {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, "Contoso").await;
    client.add(&person, "anna@contoso.com", "x").await;
    let mut database = SqliteConnection::connect(&format!(
        "sqlite://{}",
        vault.dir.path().join("vault.db").display()
    ))
    .await
    .unwrap();
    sqlx::query(
        "WITH RECURSIVE place (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM place WHERE n < 120)
         INSERT INTO credentials (id, client, credential_type, user_name, description, notes,
             standing, version, sealed, changed, created, seq)
         SELECT printf('00000000-0000-4000-8000-%012d', n), client, credential_type,
             printf('user%03d@contoso.com', n), '<b>', '', 'active', 1, sealed, changed, created, n
         FROM credentials, place",
    )
    .execute(&mut database)
    .await
    .unwrap();

    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let client = format!("/clients/{}", client.id);
    // Everything has the type "Azure/Office365 User", and Anna was there first.
    for (page, has, has_not) in [
        ("/search?q=user", "user049@", "user050@"),
        ("/search?q=user&page=2", "user050@", "user049@"),
        ("/search?q=user&page=3", "user120@", "rel=\"next\""),
        (client.as_str(), "user099@", "user100@"),
        (&format!("{client}?page=2"), "user100@", "rel=\"next\""),
        ("/search?q=%3Ci%3E", "Nothing is found", "<i>"),
        ("/search?q=user&page=x", "Type the beginning", "user001"),
    ] {
        let html = browser.get(page).await.html;
        assert!(html.contains(has), "{page}: {html}");
        assert!(
            !html.contains(has_not) && !html.contains("<b>"),
            "{page}: {html}"
        );
    }
    let page: Vec<FoundCredential> = person
        .get("vault/search?q=user&resultsPerPage=100&pageNum=2")
        .await;
    assert_eq!(page.len(), 21);
}
