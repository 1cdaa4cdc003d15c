//! What a role and an access mean: nothing of other clients, and a change holds at once.

use passportal_client::wire::{Client, Credential, FoundCredential, Overview};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::world::World;

#[tokio::test]
async fn who_works_with_some_clients_sees_no_other_one_anywhere() {
    let world = World::new().await;
    let anna = world
        .contoso
        .add(&world.admin, "anna@contoso.com", "x")
        .await;
    let fred = world
        .fabrikam
        .add(&world.admin, "anna@fabrikam.com", "x")
        .await;
    let assigned = json!({ "assigned": [world.contoso.id] });
    let mut bea = world
        .bea(json!({ "role": "manager", "access": assigned, "set_up_sync": true }))
        .await;

    let clients: Vec<Client> = bea.api.get("vault/clients").await;
    let names: Vec<&str> = clients.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["Contoso"]);
    let found: Vec<FoundCredential> = bea.api.get("vault/search?q=anna").await;
    let ids: Vec<Uuid> = found.iter().map(|it| it.id).collect();
    assert_eq!(ids, [anna]);
    for report in ["unchanged-passwords?days=0", "changes"] {
        let made: Overview = bea.api.get(&format!("reports/{report}")).await;
        let text = serde_json::to_string(&made.rows).unwrap();
        assert!(
            !text.contains("abrikam") && !text.contains("fabrikam"),
            "{text}"
        );
        assert!(!made.rows.is_empty());
    }
    bea.forbidden(Method::GET, "reports/sign-ins", json!({}))
        .await;
    let path = format!("vault/credentials/{fred}");
    let hidden = bea.api.fails(Method::GET, &path, &json!({})).await;
    assert_eq!(hidden, (404, 4004));

    bea.log_in().await;
    for page in [
        "/",
        "/clients",
        "/flags",
        "/search?q=anna",
        "/reports/changes",
    ] {
        let html = bea.browser.get(page).await.html;
        assert!(!html.contains("abrikam"), "{page}: {html}");
    }
}

#[tokio::test]
async fn a_client_that_one_creates_with_assigned_access_is_ones_own() {
    let world = World::new().await;
    let none = json!({ "assigned": [] });
    let mut bea = world
        .bea(json!({ "role": "manager", "access": none }))
        .await;
    let clients: Vec<Client> = bea.api.get("vault/clients").await;
    assert!(clients.is_empty());
    bea.log_in().await;
    let offered = bea.browser.get("/clients").await.html;
    assert!(
        offered.contains("Create client") && !offered.contains("name=\"sync\""),
        "{offered}"
    );
    let page = bea
        .browser
        .submit("/clients", "/clients", &[("name", "Tailspin")])
        .await;
    assert!(
        page.html.contains("The client was created."),
        "{}",
        page.html
    );
    let clients: Vec<Client> = bea.api.get("vault/clients").await;
    assert_eq!(clients[0].name, "Tailspin");

    let with_sync = [("name", "Wingtip"), ("sync", "entra_id")];
    let refused = bea.browser.submit("/clients", "/clients", &with_sync).await;
    assert_eq!(refused.status, 403, "{}", refused.html);
    assert!(refused.html.contains("Set up sync"), "{}", refused.html);
}

#[tokio::test]
async fn modes_and_what_is_held_need_set_up_sync_and_the_rest_does_not() {
    let world = World::new().await;
    let anna = world
        .contoso
        .add(&world.admin, "anna@contoso.com", "x")
        .await;
    let bea = world.bea(json!({ "role": "technician" })).await;
    let path = format!("vault/credentials/{anna}");
    let _: Credential = bea.api.patch(&path, &json!({ "notes": "hers" })).await;
    for patch in [
        json!({ "own_mode": "enabled" }),
        json!({ "inherit_mode": true }),
        json!({ "confirm_version": 1 }),
        json!({ "notes": "x", "own_mode": "off" }),
    ] {
        bea.forbidden(Method::PATCH, &path, patch).await;
    }
    let client = format!("vault/clients/{}", world.contoso.id);
    for patch in [json!({ "name": "x" }), json!({ "mute": "muted" })] {
        bea.forbidden(Method::PATCH, &client, patch).await;
    }
    let stored: Credential = world.admin.get(&path).await;
    assert_eq!((stored.notes.as_str(), stored.own_mode), ("hers", None));

    world.change(&bea, json!({ "set_up_sync": true })).await;
    let _: Credential = bea
        .api
        .patch(&path, &json!({ "own_mode": "enabled" }))
        .await;
    let _: Client = bea.api.patch(&client, &json!({ "mute": "muted" })).await;
}

#[tokio::test]
async fn a_change_holds_from_the_next_request_on() {
    let world = World::new().await;
    let mut bea = world.bea(json!({ "role": "organization_admin" })).await;
    bea.log_in().await;
    assert_eq!(bea.browser.get("/people").await.status, 200);
    let _: Value = bea.api.get("audit").await;

    world.change(&bea, json!({ "role": "technician" })).await;
    assert_eq!(bea.browser.get("/people").await.status, 403);
    assert!(!bea.browser.get("/").await.html.contains("href=\"/people\""));
    bea.forbidden(Method::GET, "audit", json!({})).await;

    world
        .change(&bea, json!({ "access": { "assigned": [] } }))
        .await;
    let clients: Vec<Client> = bea.api.get("vault/clients").await;
    assert!(clients.is_empty());
}

#[tokio::test]
async fn a_search_stays_within_many_assigned_clients_too() {
    let world = World::new().await;
    let anna = world
        .contoso
        .add(&world.admin, "anna@contoso.com", "x")
        .await;
    world
        .fabrikam
        .add(&world.admin, "anna@fabrikam.com", "x")
        .await;
    let assigned = json!({ "assigned": [world.contoso.id] });
    let bea = world
        .bea(json!({ "role": "technician", "access": assigned }))
        .await;
    let mut database = world.vault.database().await;
    let more = "INSERT INTO clients (id, name, company_vault, sync, default_mode, mute, wrapped_key, created, seq)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
        SELECT printf('%08x-0000-4000-8000-000000000000', i), 'Client ' || i, 0, sync, default_mode, mute, wrapped_key,
            created, seq FROM clients, n WHERE name = 'Contoso'";
    sqlx::query(more).execute(&mut database).await.unwrap();
    sqlx::query(
        "INSERT INTO assigned_clients SELECT ?, id FROM clients WHERE name LIKE 'Client %'",
    )
    .bind(bea.id.to_string())
    .execute(&mut database)
    .await
    .unwrap();

    let clients: Vec<Client> = bea.api.get("vault/clients").await;
    assert_eq!(clients.len(), 61);
    let found: Vec<FoundCredential> = bea.api.get("vault/search?q=anna").await;
    let ids: Vec<Uuid> = found.iter().map(|it| it.id).collect();
    assert_eq!(ids, [anna]);
}
