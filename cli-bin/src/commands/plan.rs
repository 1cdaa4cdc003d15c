//! `passportal plan`: what the next cycle would do. It touches nothing.

use agent_bin::wiring;

use super::cycle::{Findings, chosen};
use crate::arguments::{CycleOptions, Global};
use crate::ending::Ending;
use crate::output::{Bar, Output};

pub(super) async fn run(
    options: &CycleOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let mut agents = wiring::open(&super::load_config(global)?).await?;
    let mut findings = Findings::default();
    for client in chosen(&mut agents, options.client.as_deref())? {
        let bar = Bar::of(&client.name);
        let result = client.read_only_engine().preview().await;
        drop(bar);
        findings.add(&client.name, result);
    }
    agents.close().await;
    findings.show(options, output)
}
