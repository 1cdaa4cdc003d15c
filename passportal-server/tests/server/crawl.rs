//! Every page that a person reaches by links, and every form on them.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Browser, ORGANIZATION_KEY, PASSWORD, TestClient, TestVault, plain_http};

/// A page as it came.
pub(crate) struct Visited {
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) html: String,
}

/// A form that changes something.
pub(crate) struct PostForm {
    pub(crate) action: String,
    pub(crate) is_upload: bool,
    pub(crate) fields: Vec<(String, String)>,
}

/// A vault whose pages show something of everything, under this name.
pub(crate) async fn furnished(name: &str) -> (TestVault, Browser) {
    let vault = TestVault::start().await;
    let person = vault.person().await;
    let client = TestClient::create(&person, name).await;
    let mut accounts = Vec::new();
    for number in 0..2 {
        let user_name = format!("{name}{number}");
        let id = client.add(&person, &user_name, "x").await;
        let told = json!({ "description": name, "notes": name, "folder": name, "url": name,
            "credential_type": name, "totp": null });
        let path = format!("vault/credentials/{id}");
        let _: Value = person.patch(&path, &told).await;
        accounts.push(id);
    }
    let agent = vault.with_token(&client.enrol(&person, name).await.token);
    for id in &accounts {
        let flag = json!({ "ad_change": { "version": 1, "why": name } });
        let entry = json!({ "credential": id, "at": "2026-01-01T00:00:00Z", "version": 1,
            "outcome": "mismatched", "why": name, "flags": flag });
        let report = json!({ "id": Uuid::new_v4(), "entries": [entry] });
        let _: Value = agent.post("agent/reports", &report).await;
    }
    let snooze = format!("vault/credentials/{}/flags/ad_change/snooze", accounts[0]);
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let _: Value = person
        .put(&snooze, &json!({ "reason": name, "until": until }))
        .await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    (vault, browser)
}

/// Follows every link of the pages once.
pub(crate) async fn crawl(browser: &Browser) -> Vec<Visited> {
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut waiting = vec!["/".to_owned()];
    let mut visited = Vec::new();
    while let Some(path) = waiting.pop() {
        let page = visit(browser, &path).await;
        for link in attributes(&page.html, "href=\"") {
            let link = link.split('#').next().unwrap_or_default().to_owned();
            if link.starts_with('/') && seen.insert(link.clone()) {
                waiting.push(link);
            }
        }
        visited.push(page);
        assert!(visited.len() < 200, "the links have no end");
    }
    visited
}

pub(crate) async fn visit(browser: &Browser, path: &str) -> Visited {
    let request = plain_http().get(format!("{}{path}", browser.url));
    let answer = request.header("cookie", browser.cookie()).send().await;
    let answer = answer.unwrap();
    Visited {
        path: path.to_owned(),
        status: answer.status().as_u16(),
        headers: answer.headers().clone(),
        html: answer.text().await.unwrap(),
    }
}

/// The forms of the pages that post, each address once.
pub(crate) fn post_forms(pages: &[Visited]) -> Vec<PostForm> {
    let mut forms = BTreeMap::new();
    for page in pages {
        for form in page.html.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            let head = form.split('>').next().unwrap_or_default();
            if !head.contains("method=\"post\"") {
                continue;
            }
            let actions = attributes(head, " action=\"").into_iter();
            for action in actions.chain(attributes(form, "formaction=\"")) {
                let form = PostForm {
                    is_upload: head.contains("multipart") && head.contains(&action),
                    fields: fields(form),
                    action: action.clone(),
                };
                forms.entry(action).or_insert(form);
            }
        }
    }
    forms.into_values().collect()
}

/// What a form would send, but for its token.
fn fields(form: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in form.split('<').skip(1) {
        let Some(name) = attributes(tag, " name=\"").pop() else {
            continue;
        };
        let value = attributes(tag, " value=\"").pop();
        if name != "csrf" && !fields.iter().any(|(there, _)| *there == name) {
            let chosen = first_option(form, tag).or(value);
            fields.push((name, chosen.unwrap_or_else(|| "x".to_owned())));
        }
    }
    fields
}

fn first_option(form: &str, tag: &str) -> Option<String> {
    let select = tag.strip_prefix("select")?;
    let (_, options) = form.split_once(select)?;
    attributes(options, "<option value=\"").into_iter().next()
}

fn attributes(html: &str, name: &str) -> Vec<String> {
    let values = html.split(name).skip(1);
    let value = |rest: &str| rest.split('"').next().unwrap_or_default().to_owned();
    values
        .map(value)
        .map(|it| it.replace("&#38;", "&").replace("&amp;", "&"))
        .collect()
}
