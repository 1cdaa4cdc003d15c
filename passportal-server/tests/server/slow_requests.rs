//! Requests whose body comes slowly: what counts is who sends it when it is whole.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::people::world::{Bea, World};
use crate::raw_http::{Raw, connect, read};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request whose head was taken, and half of its body.
struct Half {
    stream: TcpStream,
    rest: String,
}

impl Half {
    /// `who` is the header that says who asks.
    async fn send(url: &str, line: &str, who: &str, kind: &str, body: &str) -> Self {
        let mut stream = connect(url).await;
        let head = format!(
            "{line} HTTP/1.1\r\nhost: vault\r\nconnection: close\r\nexpect: 100-continue\r\n{who}\r\n\
             content-type: {kind}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // The server asks for the body only after it has looked at who asks.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
        let (half, rest) = body.split_at(body.len() / 2);
        stream.write_all(half.as_bytes()).await.unwrap();
        let rest = rest.to_owned();
        Self { stream, rest }
    }

    async fn finish(mut self) -> Raw {
        self.stream.write_all(self.rest.as_bytes()).await.unwrap();
        read(&mut self.stream).await
    }
}

/// A new client by the API.
async fn half_a_client(world: &World, bea: &Bea) -> Half {
    let clients: Vec<Value> = world.admin.get("vault/clients").await;
    let mut key = clients[0]["key"].clone();
    let id = uuid::Uuid::new_v4();
    key["client"] = json!(id);
    let body = json!({ "id": id, "name": "Adatum", "sync": "none", "default_mode": "enabled", "key": key });
    let who = format!("x-access-token: {}", bea.api.token());
    let line = "POST /api/v2/vault/clients";
    Half::send(&world.vault.url, line, &who, JSON, &body.to_string()).await
}

async fn has_adatum(world: &World) -> bool {
    let clients: Vec<Value> = world.admin.get("vault/clients").await;
    clients.iter().any(|it| it["name"] == json!("Adatum"))
}

#[tokio::test]
async fn whoever_is_disabled_before_the_body_is_whole_does_nothing_over_the_api() {
    let world = World::new().await;
    let bea = world.bea(json!({ "role": "manager" })).await;
    let half = half_a_client(&world, &bea).await;
    world.change(&bea, json!({ "standing": "disabled" })).await;
    let answer = half.finish().await;
    assert_eq!(answer.status(), 401, "{}", answer.body);
    assert_eq!(answer.json()["code"], json!(1006));
    assert!(!has_adatum(&world).await);
}

#[tokio::test]
async fn whoever_gets_another_role_before_the_body_is_whole_has_that_one() {
    let world = World::new().await;
    let bea = world.bea(json!({ "role": "manager" })).await;
    let half = half_a_client(&world, &bea).await;
    world.change(&bea, json!({ "role": "technician" })).await;
    let answer = half.finish().await;
    assert_eq!(answer.status(), 403, "{}", answer.body);
    assert!(!has_adatum(&world).await);
}

#[tokio::test]
async fn whoever_is_disabled_before_a_form_is_whole_is_shown_no_password() {
    let world = World::new().await;
    let anna = world.contoso.add(&world.admin, "anna", "secret").await;
    let mut bea = world.bea(json!({ "role": "technician" })).await;
    bea.log_in().await;
    let page = format!("/clients/{}/credentials/{anna}", world.contoso.id);
    let body = format!("csrf={}", bea.browser.get(&page).await.csrf());
    let who = format!("cookie: {}", bea.browser.cookie());
    let line = format!("POST {page}/reveal");
    let half = Half::send(&world.vault.url, &line, &who, FORM, &body).await;
    world.change(&bea, json!({ "standing": "disabled" })).await;
    let answer = half.finish().await;
    assert_eq!(answer.status(), 303, "{}", answer.body);
    assert!(answer.head.contains("location: /login"), "{}", answer.head);
    let audit = world.audit().await;
    assert!(
        !audit.iter().any(|it| it.contains("revealed")),
        "{audit:#?}"
    );
    let ended = bea.api.fails(Method::GET, "account", &json!({})).await;
    assert_eq!(ended, (401, 1006));
}
