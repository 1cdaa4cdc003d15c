//! A vault that listens, a caller with a token, and a browser with cookies.

use std::collections::HashMap;
use std::path::Path;

use passportal_client::envelope::{DataKey, Field, KeyEncryptionKey, OrganizationKey, Place};
use passportal_client::wire::{
    Changes, Client, Credential, EnrolRequest, Enrolled, MicrosoftSync, NewClient, NewCredential,
    NewPassword, SealedText, SessionToken, Success, SyncMode, credential_type,
};
use passportal_server::{InitRequest, Initialised, ServeConfig, Server, init};
use reqwest::{Method, Response, StatusCode, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection};
use sync_engine::model::Password;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub(crate) const EMAIL: &str = "ada@msp.example";
pub(crate) const PASSWORD: &str = "an admin's password";
pub(crate) const ORGANIZATION_KEY: &str = "correct horse battery staple";

pub(crate) fn request(data_dir: &Path) -> InitRequest {
    InitRequest {
        data_dir: data_dir.to_owned(),
        organization: "Northwind MSP".to_owned(),
        admin_email: EMAIL.to_owned(),
        admin_password: PASSWORD.into(),
        organization_key: ORGANIZATION_KEY.into(),
    }
}

pub(crate) fn config(data_dir: &Path) -> ServeConfig {
    ServeConfig {
        data_dir: data_dir.to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: None,
    }
}

/// A fresh vault that listens.
pub(crate) struct TestVault {
    pub(crate) dir: TempDir,
    pub(crate) made: Initialised,
    pub(crate) url: String,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl TestVault {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = init(request(dir.path())).await.unwrap();
        Self::serve(dir, made).await
    }

    async fn serve(dir: TempDir, made: Initialised) -> Self {
        let server = Server::bind(config(dir.path())).await.unwrap();
        let url = server.url();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let shutdown = async move { drop(stopped.await) };
            server.run(shutdown).await.unwrap();
        });
        Self {
            dir,
            made,
            url,
            stop: Some(stop),
            running,
        }
    }

    /// Another process with the same data, at another address. Tokens stay good, sessions do not.
    pub(crate) async fn restart(mut self) -> Self {
        drop(self.stop.take());
        self.running.await.unwrap();
        Self::serve(self.dir, self.made).await
    }

    /// Stops the server and keeps its directory.
    pub(crate) async fn stop(mut self) -> TempDir {
        drop(self.stop.take());
        self.running.await.unwrap();
        self.dir
    }

    pub(crate) fn anyone(&self) -> Caller {
        Caller::new(&self.url, None)
    }

    pub(crate) fn with_token(&self, token: &str) -> Caller {
        Caller::new(&self.url, Some(token.to_owned()))
    }

    pub(crate) async fn person(&self) -> Caller {
        let body = json!({ "email": EMAIL, "password": PASSWORD });
        let session: SessionToken = self.anyone().post("auth/session", &body).await;
        self.with_token(&session.access_token)
    }

    /// The database, beside the server that uses it.
    pub(crate) async fn database(&self) -> SqliteConnection {
        let file = self.dir.path().join("vault.db");
        let url = format!("sqlite://{}", file.display());
        SqliteConnection::connect(&url).await.unwrap()
    }

    pub(crate) fn browser(&self) -> Browser {
        Self::browser_of(&self.url)
    }

    pub(crate) fn browser_of(url: &str) -> Browser {
        Browser {
            url: url.to_owned(),
            http: plain_http(),
            cookies: HashMap::new(),
        }
    }

    /// A browser that is signed in.
    pub(crate) async fn signed_in(&self) -> Browser {
        let mut browser = self.browser();
        let home = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
        assert_eq!(home.status, 200, "{}", home.html);
        browser
    }
}

/// Serves what is in a folder until the test ends; returns the address.
pub(crate) async fn serve(dir: &Path) -> String {
    run(Server::bind(config(dir)).await.unwrap())
}

/// Runs a server until the test ends; returns its address.
pub(crate) fn run(server: Server) -> String {
    let url = server.url();
    tokio::spawn(server.run(std::future::pending()));
    url
}

pub(crate) fn plain_http() -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// Calls from another address of loopback.
pub(crate) fn http_from(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .local_address(std::net::IpAddr::from(address))
        .build()
        .unwrap()
}

/// Somebody who calls the API.
#[derive(Clone)]
pub(crate) struct Caller {
    url: String,
    token: Option<String>,
    pub(crate) http: reqwest::Client,
}

impl Caller {
    pub(crate) fn new(url: &str, token: Option<String>) -> Self {
        let url = url.to_owned();
        let http = plain_http();
        Self { url, token, http }
    }

    pub(crate) fn set_token(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    pub(crate) fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}/api/v2/{path}", self.url));
        match &self.token {
            Some(token) => request.header("x-access-token", token),
            None => request,
        }
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        results(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> T {
        self.send(Method::POST, path, body).await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> T {
        self.send(Method::PATCH, path, body).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> T {
        self.send(Method::PUT, path, body).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(&self, path: &str) -> T {
        results(self.request(Method::DELETE, path).send().await.unwrap()).await
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> T {
        results(self.request(method, path).json(body).send().await.unwrap()).await
    }

    /// Status and code of a call that has to fail.
    pub(crate) async fn fails(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> (u16, u64) {
        failure(self.request(method, path).json(body).send().await.unwrap()).await
    }

    pub(crate) async fn changes(&self, query: &str) -> Changes {
        self.get(&format!("agent/changes?{query}")).await
    }
}

async fn results<T: DeserializeOwned>(response: Response) -> T {
    let status = response.status();
    let text = response.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{text}");
    let answer: Success<T> = serde_json::from_str(&text).expect(&text);
    assert!(answer.success);
    answer.results
}

/// Status and code of a failure, whose body has to agree.
pub(crate) async fn failure(response: Response) -> (u16, u64) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["success"], json!(false), "{body}");
    assert_eq!(body["status"], json!(status));
    assert!(!body["message"].as_str().unwrap().is_empty());
    (status, body["code"].as_u64().unwrap())
}

/// A client of the organization, with its key.
pub(crate) struct TestClient {
    pub(crate) id: Uuid,
    pub(crate) key: DataKey,
}

impl TestClient {
    /// Made through the API, as a command line does.
    pub(crate) async fn create(person: &Caller, name: &str) -> Self {
        let clients: Vec<Client> = person.get("vault/clients").await;
        let parameters = clients[0].key.parameters.clone();
        let kek = derive(&clients[0]);
        let id = Uuid::new_v4();
        let key = DataKey::generate(parameters.organization, id);
        let new = NewClient {
            id,
            name: name.to_owned(),
            sync: MicrosoftSync::EntraId,
            default_mode: SyncMode::Enabled,
            key: key.wrap(&kek, &parameters),
        };
        let _: Client = person.post("vault/clients", &new).await;
        Self { id, key }
    }

    pub(crate) fn seal(
        &self,
        credential: Uuid,
        user_name: &str,
        version: u64,
        clear: &str,
    ) -> SealedText {
        let place = Place {
            credential,
            field: Field::Password,
            version,
            user_name,
        };
        self.key.seal(&place, &Password::new(clear))
    }

    pub(crate) fn open(
        &self,
        user_name: &str,
        credential: Uuid,
        version: u64,
        sealed: &SealedText,
    ) -> String {
        let place = Place {
            credential,
            field: Field::Password,
            version,
            user_name,
        };
        self.key.open(&place, sealed).unwrap().expose().to_owned()
    }

    pub(crate) async fn add(&self, person: &Caller, user_name: &str, clear: &str) -> Uuid {
        let id = Uuid::new_v4();
        let new = NewCredential {
            id,
            credential_type: credential_type::USER.to_owned(),
            user_name: user_name.to_owned(),
            description: String::new(),
            notes: String::new(),
            own_mode: None,
            sealed: self.seal(id, user_name, 1, clear),
            folder: String::new(),
            url: String::new(),
            expires: None,
            totp: None,
        };
        let path = format!("vault/clients/{}/credentials", self.id);
        let _: Credential = person.post(&path, &new).await;
        id
    }

    pub(crate) fn new_password(
        &self,
        id: Uuid,
        user_name: &str,
        version: u64,
        clear: &str,
    ) -> NewPassword {
        NewPassword {
            version,
            sealed: self.seal(id, user_name, version, clear),
            user_name: None,
        }
    }

    pub(crate) async fn enrol(&self, person: &Caller, host: &str) -> Enrolled {
        let request = EnrolRequest {
            client: self.id,
            host: host.to_owned(),
            version: "0.1.0".to_owned(),
        };
        person.post("agent/enrolments", &request).await
    }
}

pub(crate) fn derive(client: &Client) -> KeyEncryptionKey {
    OrganizationKey::new(ORGANIZATION_KEY)
        .derive(&client.key.parameters)
        .unwrap()
}

/// A browser without JavaScript.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
    pub(crate) cookies: HashMap<String, String>,
}

/// What a page answered.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    pub(crate) set_cookie: String,
    pub(crate) html: String,
}

impl Page {
    /// The text that every form of this page carries.
    pub(crate) fn csrf(&self) -> String {
        let (_, rest) = self
            .html
            .split_once("name=\"csrf\" value=\"")
            .expect(&self.html);
        rest.split_once('"').unwrap().0.to_owned()
    }
}

impl Browser {
    pub(crate) async fn get(&mut self, path: &str) -> Page {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.http.post(format!("{}{path}", self.url)).form(fields);
        self.send(request).await
    }

    /// Its cookies, as it sends them.
    pub(crate) fn cookie(&self) -> String {
        let cookies = self.cookies.iter();
        let cookies: Vec<String> = cookies
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        cookies.join("; ")
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    /// Sends a file by a form of a page.
    pub(crate) async fn upload(&mut self, page: &str, to: &str, file: &[u8]) -> Page {
        let csrf = self.get(page).await.csrf();
        self.upload_as(Some(&csrf), to, file).await
    }

    /// Sends a file with the token of a form, or without one.
    pub(crate) async fn upload_as(&mut self, csrf: Option<&str>, to: &str, file: &[u8]) -> Page {
        let part = |more: &str| format!("--edge\r\ncontent-disposition: form-data; {more}\r\n\r\n");
        let token = csrf.map(|csrf| part("name=\"csrf\"") + csrf + "\r\n");
        let mut body = token.unwrap_or_default().into_bytes();
        body.extend_from_slice(part("name=\"file\"; filename=\"a.csv\"").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--edge--\r\n");
        let request = self
            .http
            .post(format!("{}{to}", self.url))
            .header("content-type", "multipart/form-data; boundary=edge")
            .body(body);
        self.send(request).await
    }

    /// Posts a form of a page, and follows it.
    pub(crate) async fn submit(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get(page).await.csrf();
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        let answer = self.post(to, &fields).await;
        match answer.location {
            Some(location) => self.get(&location).await,
            None => answer,
        }
    }

    pub(crate) async fn log_in(&mut self, password: &str, organization_key: &str) -> Page {
        let fields = [
            ("email", EMAIL),
            ("password", password),
            ("organization_key", organization_key),
        ];
        self.submit("/login", "/login", &fields).await
    }

    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let response = request
            .header("cookie", self.cookie())
            .send()
            .await
            .unwrap();
        let set: Vec<String> = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .map(|value| value.to_str().unwrap().to_owned())
            .collect();
        for cookie in &set {
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Page {
            status: response.status().as_u16(),
            location: response
                .headers()
                .get("location")
                .map(|to| to.to_str().unwrap().to_owned()),
            set_cookie: set.join("\n"),
            html: response.text().await.unwrap(),
        }
    }
}
