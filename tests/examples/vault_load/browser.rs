//! A person at the dashboard.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::{Client, Response, StatusCode, redirect};

use crate::contents::Contents;
use crate::server::{EMAIL, ORGANIZATION_KEY, PASSWORD};

/// What a person looks at.
#[derive(Clone, Copy)]
pub(crate) enum Page {
    Dashboard,
    Clients,
    Client,
    Credential,
    Flags,
    Search,
}

impl Page {
    pub(crate) const ALL: [Self; 6] = [
        Self::Dashboard,
        Self::Clients,
        Self::Client,
        Self::Credential,
        Self::Flags,
        Self::Search,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dashboard => "dashboard",
            Self::Clients => "clients",
            Self::Client => "client",
            Self::Credential => "credential",
            Self::Flags => "flags",
            Self::Search => "search",
        }
    }

    /// Another one at each visit.
    fn path(self, contents: &Contents, visit: usize) -> Option<String> {
        let clients = &contents.clients;
        Some(match self {
            Self::Dashboard => "/".to_owned(),
            Self::Clients => "/clients".to_owned(),
            Self::Client => format!("/clients/{}", clients.get(visit % clients.len())?),
            Self::Credential => {
                let (client, id) = contents
                    .credentials
                    .get(visit % contents.credentials.len())?;
                format!("/clients/{}/credentials/{id}", clients.get(*client)?)
            }
            Self::Flags => "/flags".to_owned(),
            Self::Search => format!("/search?q=user{}", visit % contents.credentials.len()),
        })
    }
}

/// A signed-in browser.
pub(crate) struct Browser {
    http: Client,
    url: String,
    cookie: String,
}

impl Browser {
    pub(crate) async fn sign_in(url: &str) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build()?;
        let url = url.trim_end_matches('/').to_owned();
        let page = http.get(format!("{url}/login")).send().await?;
        let cookie = cookie(&page, "passportal_login=")?;
        let page = page.text().await?;
        let csrf = page
            .split_once("name=\"csrf\" value=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .context("the form's text")?
            .0;
        let form = [
            ("csrf", csrf),
            ("email", EMAIL),
            ("password", PASSWORD),
            ("organization_key", ORGANIZATION_KEY),
        ];
        let request = http.post(format!("{url}/login")).header(COOKIE, cookie);
        let answer = request.form(&form).send().await?;
        anyhow::ensure!(
            answer.status() == StatusCode::SEE_OTHER,
            "not signed in: {}",
            answer.status()
        );
        let cookie = self::cookie(&answer, "passportal_session=")?;
        Ok(Self { http, url, cookie })
    }

    /// Looks at a page, and says how long it took until all of it was there.
    pub(crate) async fn visit(
        &self,
        page: Page,
        contents: &Contents,
        visit: usize,
    ) -> anyhow::Result<Duration> {
        let path = page.path(contents, visit).context("a page")?;
        let began = Instant::now();
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = request.header(COOKIE, &self.cookie).send().await?;
        let status = answer.status();
        answer.bytes().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status}");
        Ok(began.elapsed())
    }
}

/// The cookie with this beginning, of those that are set.
fn cookie(answer: &Response, beginning: &str) -> anyhow::Result<String> {
    let set = answer.headers().get_all(SET_COOKIE).iter();
    let mut pairs = set.filter_map(|value| value.to_str().ok()?.split(';').next());
    let found = pairs.find(|pair| pair.starts_with(beginning));
    Ok(found.context("a cookie")?.to_owned())
}
