//! `passportal organization-key`: gives this machine a client's new data key.

use agent_bin::new_organization_key::{self, DataKeyNow};
use serde::Serialize;

use crate::arguments::{Global, OrganizationKeyOptions};
use crate::ending::Ending;
use crate::output::{Output, Paint, Shown, one_line};
use crate::secret_file;

#[derive(Debug, Serialize)]
struct Taken {
    client: String,
    changed: bool,
}

impl Shown for Taken {
    fn text(&self, _: Paint) -> String {
        let client = one_line(&self.client);
        if self.changed {
            format!("the agent has the new data key of {client}")
        } else {
            format!("the agent has the data key of {client} already")
        }
    }
}

pub(super) async fn run(
    options: &OrganizationKeyOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let config = super::load_config(global)?;
    let client = super::configured_client(&config, &options.client)?;
    let key = secret_file::read(&options.organization_key_file)?;
    let now = new_organization_key::run(&config, client, &key).await?;
    if now == DataKeyNow::New {
        output.note("note: a running service takes it up with `passportal-agent reload`");
    }
    output.show(&Taken {
        client: client.name.clone(),
        changed: now == DataKeyNow::New,
    })?;
    Ok(Ending::Done)
}
