use jiff::SignedDuration;
use tempfile::TempDir;

use super::*;
use crate::edge::{self, Scheme};
use crate::{AppSpec, Fault, Scenario, Simulator, TenantSpec, UserSpec};

const TENANT: &str = "contoso.onmicrosoft.com";
const SECRET: &str = "Recorded~Secret";
const PASSWORD: &str = "Second-Passw0rd";

struct Recorded {
    simulator: Simulator,
    base: String,
    http: reqwest::Client,
    folder: TempDir,
}

async fn recorded() -> Recorded {
    let app = AppSpec::confidential(Uuid::from_u128(1), SECRET)
        .permissions(&["User-PasswordProfile.ReadWrite.All"])
        .roles(&["User Administrator"]);
    let user = UserSpec::new("anna@contoso.onmicrosoft.com", "First-Passw0rd");
    let tenant = TenantSpec::new(TENANT).app(app).user(user);
    let simulator = Simulator::new(Scenario::of(tenant), SignedDuration::ZERO);
    let folder = TempDir::new().unwrap();
    let recording = Recording::in_folder(folder.path()).unwrap();
    let router = edge::router(simulator.clone(), Scheme::Http, Some(recording));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Recorded {
        simulator,
        base,
        http,
        folder,
    }
}

impl Recorded {
    async fn token(&self) -> String {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &Uuid::from_u128(1).to_string()),
            ("client_secret", SECRET),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        let url = format!("{}/{TENANT}/oauth2/v2.0/token", self.base);
        let answer = self.http.post(url).form(&form).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        answer["access_token"].as_str().unwrap().to_owned()
    }

    fn text(&self) -> String {
        let mut files = std::fs::read_dir(self.folder.path()).unwrap();
        std::fs::read_to_string(files.next().unwrap().unwrap().path()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let text = self.text();
        let lines = text.lines().map(serde_json::from_str);
        lines.collect::<Result<_, _>>().unwrap()
    }
}

#[tokio::test]
async fn a_request_and_its_answer_are_written_down_without_their_secrets() {
    let recorded = recorded().await;
    let token = recorded.token().await;
    let id = recorded
        .simulator
        .user_id(TENANT, "anna@contoso.onmicrosoft.com")
        .unwrap();
    let profile = json!({ "passwordProfile": { "password": PASSWORD } });
    let write = recorded
        .http
        .patch(format!("{}/v1.0/users/{id}", recorded.base))
        .bearer_auth(&token)
        .json(&profile);
    assert_eq!(write.send().await.unwrap().status(), 204);
    let lines = recorded.lines();
    assert_eq!(lines.len(), 2);
    assert_eq!(
        lines[0]["request"]["body"]["grant_type"],
        "client_credentials"
    );
    assert_eq!(lines[0]["answer"]["body"]["token_type"], "Bearer");
    assert_eq!(lines[1]["request"]["path"], format!("/v1.0/users/{id}"));
    assert_eq!(
        lines[1]["request"]["body"]["passwordProfile"]["password"],
        REDACTED
    );
    assert_eq!(lines[1]["answer"]["status"], 204);
    assert_eq!(lines[1]["answer"]["body"], Value::Null);
    for secret in [SECRET, PASSWORD, token.as_str()] {
        assert!(!recorded.text().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn an_answer_on_order_is_marked_and_left_out() {
    let recorded = recorded().await;
    let token = recorded.token().await;
    recorded.simulator.add_fault(Fault {
        path_prefix: "/v1.0/users".to_owned(),
        status: Some(503),
        count: 2,
        ..Fault::default()
    });
    let alone = recorded.http.get(format!("{}/v1.0/users", recorded.base));
    assert_eq!(alone.send().await.unwrap().status(), 503);
    let item = json!({ "id": "1", "method": "GET", "url": "/users" });
    let batch = recorded
        .http
        .post(format!("{}/v1.0/$batch", recorded.base))
        .bearer_auth(token)
        .json(&json!({ "requests": [item] }));
    assert_eq!(batch.send().await.unwrap().status(), 200);
    let lines = recorded.lines();
    let marks: Vec<_> = lines.iter().map(|line| &line["on_order"]).collect();
    assert_eq!(marks, [&json!(false), &json!(true), &json!(true)]);
    assert!(lines[1].get("answer").is_none());
}

#[tokio::test]
async fn the_simulators_own_endpoints_are_no_part_of_it() {
    let recorded = recorded().await;
    let counters = recorded
        .http
        .get(format!("{}/_sim/counters", recorded.base));
    assert_eq!(counters.send().await.unwrap().status(), 200);
    assert_eq!(recorded.text(), "");
}
