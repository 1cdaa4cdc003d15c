//! `passportal sign-in`: signs the administrator of an enrolled client in anew.

use agent_bin::sign_in_anew;
use serde::Serialize;

use crate::arguments::{Global, SignInOptions};
use crate::ending::Ending;
use crate::output::{Output, Paint, Shown, one_line};

#[derive(Debug, Serialize)]
struct SignedIn {
    client: String,
    user_name: String,
}

impl Shown for SignedIn {
    fn text(&self, _: Paint) -> String {
        format!(
            "the agent acts for {} in the tenant of {}",
            one_line(&self.user_name),
            one_line(&self.client)
        )
    }
}

pub(super) async fn run(
    options: &SignInOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let config = super::load_config(global)?;
    let client = super::configured_client(&config, &options.client)?;
    let done = sign_in_anew::run(&config, client, &super::show_code()).await?;
    for finding in &done.preflight.findings {
        output.note(&format!("note: {finding}; {}", finding.remedy()));
    }
    if done.is_another {
        output.note("note: it is another account than before; restart the service");
    }
    output.show(&SignedIn {
        client: client.name.clone(),
        user_name: done.user_name.as_str().to_owned(),
    })?;
    Ok(Ending::Done)
}
