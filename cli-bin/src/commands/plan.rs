//! `passportal plan`: what the next cycle would do. It touches nothing.

use agent_bin::control::Want;

use super::cycle::Findings;
use crate::arguments::{CycleOptions, Global};
use crate::desk::Desk;
use crate::ending::Ending;
use crate::output::Output;

pub(super) async fn run(
    options: &CycleOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let desk = Desk::open(&super::load_config(global)?).await?;
    let client = options.client.as_deref();
    let answers = desk.ask(client, Want::Preview).await;
    desk.close().await;
    Findings::of(answers?).show(options, output)
}
