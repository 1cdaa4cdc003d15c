//! Notices: what channels are told, once, and what stops them.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use passportal_client::wire::{AuditLine, NewNoticeChannelAnswer, NoticeChannel};
use passportal_server::Server;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};
use uuid::Uuid;

use crate::support::{
    Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, config, run,
};

const PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver got.
struct Delivery {
    headers: HeaderMap,
    body: String,
}

impl Delivery {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// A program that is sent notices.
struct Receiver {
    url: String,
    status: Arc<Mutex<StatusCode>>,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
}

type Sink = (mpsc::UnboundedSender<Delivery>, Arc<Mutex<StatusCode>>);

impl Receiver {
    async fn start() -> Self {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let status = Arc::new(Mutex::new(StatusCode::OK));
        let routes = Router::new()
            .route("/hook", post(receive))
            .with_state((sender, Arc::clone(&status)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self {
            url,
            status,
            deliveries,
        }
    }

    async fn next(&mut self) -> Delivery {
        let next = tokio::time::timeout(PATIENCE, self.deliveries.recv()).await;
        next.expect("no notice arrived").unwrap()
    }
}

async fn receive(
    State((sender, status)): State<Sink>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let body = String::from_utf8(body.to_vec()).unwrap();
    sender.send(Delivery { headers, body }).unwrap();
    *status.lock().await
}

/// A vault that tells channels every second, with a client and an agent.
struct World {
    _dir: tempfile::TempDir,
    url: String,
    person: Caller,
    client: TestClient,
    agent: Caller,
}

impl World {
    async fn new() -> Self {
        let dir = TestVault::start().await.stop().await;
        let server = Server::bind(config(dir.path())).await.unwrap();
        let public = "https://vault.example/".parse().unwrap();
        let server = server
            .known_as(Some(public))
            .telling_every(Duration::from_millis(100));
        let url = run(server);
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let session: Value = Caller::new(&url, None).post("auth/session", &body).await;
        let with = |token: &str| Caller::new(&url, Some(token.to_owned()));
        let person = with(session["access_token"].as_str().unwrap());
        let client = TestClient::create(&person, "Contoso").await;
        let agent = with(&client.enrol(&person, "host-1").await.token);
        Self {
            _dir: dir,
            url,
            person,
            client,
            agent,
        }
    }

    async fn mismatch(&self, user_name: &str) -> Uuid {
        let id = self.client.add(&self.person, user_name, "x").await;
        self.report(
            id,
            json!({ "ad_change": { "version": 1, "stamp": null, "why": "they differ" } }),
        )
        .await;
        id
    }

    async fn report(&self, credential: Uuid, flags: Value) {
        let entry = json!({ "credential": credential, "at": "2025-01-01T00:00:00Z", "version": 1,
            "outcome": "mismatched", "why": "they differ", "flags": flags });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
        let _: Value = self.agent.post("agent/reports", &report).await;
    }

    async fn add(&self, target: Value, secret: Option<&str>) -> NewNoticeChannelAnswer {
        self.person
            .post("vault/notice-channels", &channel(&target, secret))
            .await
    }

    async fn webhook(&self, receiver: &Receiver) -> NewNoticeChannelAnswer {
        self.add(json!({ "kind": "webhook", "url": receiver.url }), None)
            .await
    }

    async fn channels(&self) -> Vec<NoticeChannel> {
        self.person.get("vault/notice-channels").await
    }

    /// Waits until the vault says of the only channel what is wanted.
    async fn until(&self, wanted: impl Fn(&NoticeChannel) -> bool) -> NoticeChannel {
        let wait = async {
            loop {
                let channel = self.channels().await.remove(0);
                if wanted(&channel) {
                    return channel;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap()
    }
}

fn channel(target: &Value, secret: Option<&str>) -> Value {
    json!({ "name": "Team", "target": target, "secret": secret, "settings": settings() })
}

fn settings() -> Value {
    json!({ "topics": ["ad_change", "approval", "agents"] })
}

fn subjects(delivery: &Delivery) -> Vec<String> {
    let body = delivery.json();
    let facts = body["data"]["facts"].as_array().unwrap();
    let subject = |fact: &Value| fact["subject"].as_str().unwrap().to_owned();
    facts.iter().map(subject).collect()
}

#[tokio::test]
async fn a_webhook_is_told_each_fact_once_and_can_prove_who_told_it() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    let secret = world.webhook(&receiver).await.signing_secret.unwrap();
    let anna = world.mismatch("anna@contoso.com").await;

    let first = receiver.next().await;
    let body = first.json();
    assert_eq!(body["type"], "vault.standing");
    let fact = &body["data"]["facts"][0];
    assert_eq!(fact["topic"], "ad_change");
    assert_eq!(fact["client"], "Contoso");
    assert_eq!(fact["why"], "they differ");
    let page = format!(
        "https://vault.example/clients/{}/credentials/{anna}",
        world.client.id
    );
    assert_eq!(fact["url"], page);
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.unwrap()).unwrap();
    let (id, at) = (
        first.header("webhook-id"),
        first.header("webhook-timestamp"),
    );
    mac.update(format!("{id}.{at}.{}", first.body).as_bytes());
    let signed = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(first.header("webhook-signature"), signed);

    // The same fact again, and a new one: only the new one is told.
    world.until(|channel| channel.sent.is_some()).await;
    world
        .report(
            anna,
            json!({ "ad_change": { "version": 1, "stamp": null, "why": "they differ" } }),
        )
        .await;
    world.mismatch("ben@contoso.com").await;
    assert_eq!(subjects(&receiver.next().await), ["ben@contoso.com"]);
}

#[tokio::test]
async fn what_could_not_be_sent_is_sent_when_the_receiver_is_back() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    *receiver.status.lock().await = StatusCode::SERVICE_UNAVAILABLE;
    let channel = world.webhook(&receiver).await.channel;
    world.mismatch("anna@contoso.com").await;

    let refused = receiver.next().await;
    let failing = world.until(|channel| channel.failure.is_some()).await;
    assert_eq!(failing.sent, None);
    let failure = failing.failure.unwrap();
    assert!(failure.contains("503"), "{failure}");

    *receiver.status.lock().await = StatusCode::OK;
    let test = format!("vault/notice-channels/{}/test", channel.id);
    let _: Value = world.person.post(&test, &json!({})).await;
    assert_eq!(receiver.next().await.json()["type"], "vault.test");
    let again = receiver.next().await;
    assert_eq!(again.header("webhook-id"), refused.header("webhook-id"));
    let well = world.until(|channel| channel.sent.is_some()).await;
    assert_eq!(well.failure, None);
}

#[tokio::test]
async fn in_quiet_hours_and_while_paused_nothing_is_sent_and_nothing_is_lost() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    let channel = world.webhook(&receiver).await.channel;
    let path = format!("vault/notice-channels/{}", channel.id);
    let now = Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .datetime();
    let quiet = json!({ "from": (now - SignedDuration::from_hours(2)).time(),
        "until": (now + SignedDuration::from_hours(2)).time(), "time_zone": "UTC" });
    let mut loud = Receiver::start().await;
    for silent in [json!({ "quiet": quiet }), json!({ "paused": true })] {
        let mut settings = settings();
        settings
            .as_object_mut()
            .unwrap()
            .extend(silent.as_object().unwrap().clone());
        let _: NoticeChannel = world.person.put(&path, &settings).await;
        world
            .mismatch(&format!("{}@contoso.com", Uuid::new_v4()))
            .await;
        // Another channel is told twice: this one had its turns.
        let new = json!({ "name": Uuid::new_v4(), "target": { "kind": "webhook", "url": loud.url },
            "settings": { "topics": ["ad_change"] } });
        let _: NewNoticeChannelAnswer = world.person.post("vault/notice-channels", &new).await;
        loud.next().await;
        world
            .mismatch(&format!("{}@contoso.com", Uuid::new_v4()))
            .await;
        loud.next().await;
        assert!(receiver.deliveries.try_recv().is_err());
    }
    let _: NoticeChannel = world.person.put(&path, &settings()).await;
    assert_eq!(subjects(&receiver.next().await).len(), 4);
}

#[tokio::test]
async fn a_teams_workflow_gets_a_card_and_its_address_is_shown_to_nobody() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    let address = format!("{}?sig=top-secret", receiver.url);
    let added = world
        .add(json!({ "kind": "teams" }), Some(address.as_str()))
        .await;
    assert_eq!(added.signing_secret, None);
    world.mismatch("anna@contoso.com").await;

    let card = receiver.next().await.json();
    let content = &card["attachments"][0]["content"];
    assert_eq!(content["type"], "AdaptiveCard");
    assert!(
        content["body"][1]["text"]
            .as_str()
            .unwrap()
            .contains("anna@contoso.com")
    );
    *receiver.status.lock().await = StatusCode::FORBIDDEN;
    let test = format!("vault/notice-channels/{}/test", added.channel.id);
    let refused = world.person.request(Method::POST, &test).send().await;
    let refused = refused.unwrap().text().await.unwrap();
    assert!(refused.contains("403"), "{refused}");
    let channels = world
        .person
        .request(Method::GET, "vault/notice-channels")
        .send()
        .await;
    let channels = channels.unwrap().text().await.unwrap();
    assert!(!channels.contains("top-secret") && !refused.contains("top-secret"));
    let said: Vec<AuditLine> = world.person.get("audit?what=notice").await;
    let said: Vec<_> = said.into_iter().map(|line| line.what).collect();
    assert_eq!(
        said,
        [
            "tested the notice channel Team",
            "added the notice channel Team"
        ]
    );
}

/// An SMTP server that takes one e-mail and hands over all that was said to it.
async fn smtp() -> (u16, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, said) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading).lines();
        writing.write_all(b"220 ready\r\n").await.unwrap();
        let (mut all, mut in_data) = (String::new(), false);
        while let Some(line) = lines.next_line().await.unwrap() {
            all.push_str(&line);
            all.push('\n');
            let answer: &[u8] = match (in_data, line.as_str()) {
                (true, ".") => b"250 taken\r\n",
                (true, _) => b"",
                (false, "DATA") => b"354 go on\r\n",
                (false, greeting) if greeting.starts_with("EHLO") => {
                    b"250-here\r\n250 AUTH PLAIN\r\n"
                }
                (false, auth) if auth.starts_with("AUTH") => b"235 welcome\r\n",
                (false, _) => b"250 ok\r\n",
            };
            in_data = (in_data || line == "DATA") && line != ".";
            writing.write_all(answer).await.unwrap();
            if line == "." {
                break;
            }
        }
        sender.send(all).unwrap();
    });
    (port, said)
}

#[tokio::test]
async fn an_e_mail_names_client_account_and_page() {
    let world = World::new().await;
    let (port, mut said) = smtp().await;
    let target = json!({ "kind": "email", "server": "127.0.0.1", "port": port, "security": "none",
        "user": "vault", "from": "Vault <vault@msp.example>", "to": ["team@msp.example"] });
    world.add(target, Some("smtp-password")).await;
    let anna = world.mismatch("anna@contoso.com").await;

    let said = tokio::time::timeout(PATIENCE, said.recv()).await;
    let said = said.unwrap().unwrap();
    let unfolded = said.replace("=\n", "");
    let auth = STANDARD.encode("\0vault\0smtp-password");
    for expected in [
        &format!("AUTH PLAIN {auth}"),
        "MAIL FROM:<vault@msp.example>",
        "RCPT TO:<team@msp.example>",
        "Subject: Northwind MSP: 1 AD change",
        "Auto-Submitted: auto-generated",
        "AD change: anna@contoso.com (they differ)",
        &format!(
            "https://vault.example/clients/{}/credentials/{anna}",
            world.client.id
        ),
    ] {
        assert!(
            (said.contains(expected) || unfolded.contains(expected)),
            "{expected} is not in {said}"
        );
    }
}

#[tokio::test]
async fn a_channel_that_cannot_work_is_refused_with_what_to_do() {
    let world = World::new().await;
    let mail = |change: Value| {
        let mut target = json!({ "kind": "email", "server": "smtp.example.com", "port": 587, "security": "starttls",
            "from": "vault@msp.example", "to": ["team@msp.example"] });
        target
            .as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        target
    };
    let hook = |url: &str| json!({ "kind": "webhook", "url": url });
    for (target, secret, why) in [
        (mail(json!({ "server": " " })), None, "name the SMTP server"),
        (mail(json!({ "security": "none" })), None, "over TLS only"),
        (mail(json!({ "user": "vault" })), None, "belong together"),
        (mail(json!({})), Some("x"), "belong together"),
        (mail(json!({ "to": [] })), None, "recipients"),
        (
            mail(json!({ "to": ["nobody"] })),
            None,
            "`nobody` is not an e-mail address",
        ),
        (hook("http://hooks.example/"), None, "https only"),
        (hook("file:///etc/passwd"), None, "https only"),
        (
            hook("https://user:pass@hooks.example/"),
            None,
            "user name or password",
        ),
        (hook("hooks"), None, "not an address"),
        (
            hook("https://hooks.example/"),
            Some("mine"),
            "makes the signing secret",
        ),
        (json!({ "kind": "teams" }), None, "address of its workflow"),
    ] {
        let new = channel(&target, secret);
        let answer = world.person.request(Method::POST, "vault/notice-channels");
        let answer = answer.json(&new).send().await.unwrap();
        assert_eq!(answer.status(), 422, "{new}");
        let text = answer.text().await.unwrap();
        assert!(text.contains(why), "{text} does not say {why}");
    }
    assert!(world.channels().await.is_empty());
    let fine = hook("https://hooks.example/");
    for (settings, why) in [
        (json!({ "topics": [] }), "at least one topic"),
        (
            json!({ "topics": ["held"], "quiet": { "from": "22:00", "until": "22:00", "time_zone": "UTC" } }),
            "whole day",
        ),
        (
            json!({ "topics": ["held"], "quiet": { "from": "22:00", "until": "07:00", "time_zone": "Atlantis" } }),
            "time zone",
        ),
    ] {
        let new = json!({ "name": "Team", "target": fine, "settings": settings });
        let answer = world.person.request(Method::POST, "vault/notice-channels");
        let text = answer
            .json(&new)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        assert!(text.contains(why), "{text} does not say {why}");
    }
}

#[tokio::test]
async fn the_page_adds_changes_tests_and_removes_a_channel() {
    let world = World::new().await;
    let mut receiver = Receiver::start().await;
    let mut browser = TestVault::browser_of(&world.url);
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let new = [
        ("name", "Team"),
        ("kind", "webhook"),
        ("url", "nowhere"),
        ("ad_change", "on"),
    ];
    let refused = browser.submit("/notices", "/notices", &new).await;
    assert_eq!(refused.status, 422);
    assert!(refused.html.contains("not an address"));
    assert!(
        refused.html.contains("value=\"nowhere\""),
        "what was typed stands again"
    );

    let new = [
        ("name", "Team"),
        ("kind", "webhook"),
        ("url", receiver.url.as_str()),
        ("ad_change", "on"),
    ];
    let added = browser.submit("/notices", "/notices", &new).await;
    assert!(added.html.contains("whsec_"), "the signing secret is shown");
    assert!(
        !browser.get("/notices").await.html.contains("whsec_"),
        "this once"
    );
    let id = world.channels().await[0].id;

    let test = format!("/notices/{id}/test");
    let tested = browser.submit("/notices", &test, &[]).await;
    assert!(tested.html.contains("The test was sent"), "{}", tested.html);
    assert_eq!(receiver.next().await.json()["type"], "vault.test");

    let change = [
        ("held", "on"),
        ("quiet_from", "22:00"),
        ("quiet_until", "07:00"),
        ("time_zone", "Europe/Berlin"),
    ];
    let saved = browser
        .submit("/notices", &format!("/notices/{id}/settings"), &change)
        .await;
    assert!(saved.html.contains("Saved."), "{}", saved.html);
    let quiet = world.channels().await[0].settings.quiet.clone().unwrap();
    assert_eq!(quiet.time_zone, "Europe/Berlin");
    let removed = browser
        .submit("/notices", &format!("/notices/{id}/remove"), &[])
        .await;
    assert!(removed.html.contains("is removed"));
    assert!(world.channels().await.is_empty());
}
