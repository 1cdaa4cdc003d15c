//! `passportal login`: a person's session with the vault.

use std::path::PathBuf;

use jiff::Timestamp;
use passportal_client::PersonSession;
use serde::Serialize;

use crate::arguments::{Global, LoginOptions};
use crate::ending::Ending;
use crate::output::{Output, Paint, Shown, one_line, time};
use crate::{secret_file, session};

#[derive(Debug, Serialize)]
struct SignedIn {
    organization: String,
    expires: Timestamp,
    session_file: PathBuf,
}

impl Shown for SignedIn {
    fn text(&self, _: Paint) -> String {
        let organization = one_line(&self.organization);
        format!("signed in to {organization} until {}", time(self.expires))
    }
}

pub(super) async fn run(
    options: &LoginOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let file = session::file(global.session.as_deref())?;
    let extra_ca = options.vault.extra_ca.as_deref().map(secret_file::absolute);
    let http = session::http_config(options.vault.url(), extra_ca.as_deref())?;
    let password = secret_file::read(&options.password_file)?;
    let code = options.one_time_code.as_deref();
    let (person, details) =
        PersonSession::sign_in(&http, options.email.trim(), &password, code).await?;
    session::keep(&file, &http, extra_ca, &person, &details)?;
    output.show(&SignedIn {
        organization: details.organization_name,
        expires: details.expires,
        session_file: file,
    })?;
    Ok(Ending::Done)
}
