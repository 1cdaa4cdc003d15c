//! `passportal setup`: enrols this machine's agent for one client.

use std::path::PathBuf;

use agent_bin::setup_args::SetupArgs;
use agent_bin::wizard::{self, Then};
use serde::Serialize;

use crate::arguments::Global;
use crate::ending::Ending;
use crate::output::{Output, Paint, Shown, one_line};
use crate::secret_file;

#[derive(Debug, Serialize)]
struct Enrolled {
    client: String,
    tenant: String,
    configuration: PathBuf,
}

impl Shown for Enrolled {
    fn text(&self, _: Paint) -> String {
        format!(
            "{} is enrolled on this machine, and its tenant {} answers\nconfiguration: {}",
            one_line(&self.client),
            one_line(&self.tenant),
            self.configuration.display()
        )
    }
}

pub(super) async fn run(
    options: &SetupArgs,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let path = secret_file::absolute(&global.config);
    let (done, then) = wizard::run_or_ask(options.clone(), &path, super::show_code()).await?;
    for finding in &done.preflight.findings {
        output.note(&format!("note: {finding}; {}", finding.remedy()));
    }
    output.show(&Enrolled {
        client: done.client,
        tenant: done.tenant.to_string(),
        configuration: done.config_path,
    })?;
    output.note(match then {
        Then::Nothing => "next: `passportal status` shows how it goes",
        Then::Reload => "next: `passportal-agent reload`",
        Then::RunHere => "next: `passportal-agent run`",
        Then::Start => "next: `passportal plan` shows what a sync would do",
    });
    Ok(Ending::Done)
}
