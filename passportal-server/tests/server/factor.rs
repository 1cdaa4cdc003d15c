//! A person's authenticator app, and signing in with it.

use jiff::{SignedDuration, Timestamp};
use passportal_client::one_time_code::TotpSecret;
use passportal_client::wire::SessionToken;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::{Browser, Caller, EMAIL, ORGANIZATION_KEY, PASSWORD, Page, failure};

/// A person's authenticator app and recovery codes.
pub(crate) struct Factor {
    pub(crate) secret: String,
    pub(crate) recovery_codes: Vec<String>,
}

impl Factor {
    /// The code of this step, or of one after it. The server takes each once, and the next one early.
    pub(crate) fn code(&self, steps_later: i64) -> String {
        let at = Timestamp::now() + SignedDuration::from_secs(30 * steps_later);
        let code = TotpSecret::parse(&self.secret).unwrap().code(at).code;
        code.expose_secret().to_owned()
    }
}

pub(crate) fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = html.split_once(before).expect(html);
    rest.split_once(after).expect(html).0
}

pub(crate) fn recovery_codes(html: &str) -> Vec<String> {
    let list = between(html, "id=\"recovery-codes\"", "</ul>");
    let codes = list.split("<code>").skip(1);
    codes
        .map(|rest| rest.split_once('<').unwrap().0.to_owned())
        .collect()
}

/// Turns the second factor on, with the code of this step.
pub(crate) async fn set_up(browser: &mut Browser) -> Factor {
    let password = [("password", PASSWORD)];
    let begin = "/account/second-factor";
    let page = browser.submit("/account", begin, &password).await;
    let mut factor = Factor {
        secret: between(&page.html, "<code id=\"secret\">", "<").to_owned(),
        recovery_codes: Vec::new(),
    };
    let code = factor.code(0);
    let confirm = format!("{begin}/confirm");
    let page = browser.submit(begin, &confirm, &[("code", &code)]).await;
    assert!(
        page.html.contains("The second factor is on."),
        "{}",
        page.html
    );
    factor.recovery_codes = recovery_codes(&page.html);
    factor
}

/// The first step of signing in, and the page that it leads to.
pub(crate) async fn first_step(browser: &mut Browser) -> Page {
    let page = browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    assert!(page.html.contains("One-time code"), "{}", page.html);
    page
}

pub(crate) async fn second_step(browser: &mut Browser, code: &str) -> Page {
    let fields = [("code", code)];
    browser.submit("/login/code", "/login/code", &fields).await
}

pub(crate) async fn api_sign_in(anyone: &Caller, code: Option<&str>) -> Result<Caller, (u16, u64)> {
    let mut body = json!({ "email": EMAIL, "password": PASSWORD });
    if let Some(code) = code {
        body["one_time_code"] = json!(code);
    }
    let request = anyone.request(Method::POST, "auth/session").json(&body);
    let response = request.send().await.unwrap();
    if response.status() != 200 {
        return Err(failure(response).await);
    }
    let body: Value = response.json().await.unwrap();
    let session: SessionToken = serde_json::from_value(body["results"].clone()).unwrap();
    let mut person = anyone.clone();
    person.set_token(&session.access_token);
    Ok(person)
}
