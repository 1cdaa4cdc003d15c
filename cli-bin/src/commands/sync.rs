//! `passportal sync`: one cycle, or one after the other until Ctrl-C.

use std::time::Duration;

use agent_bin::config::Config;
use agent_bin::control::{self, Fault, Inbox, Want};
use agent_bin::scheduler::{self, Cycled, Schedule, Witness};
use agent_bin::signals::stop_on_signals;
use agent_bin::wiring::ClientAgent;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cycle::{Findings, client_cycle};
use crate::arguments::{Global, SyncOptions};
use crate::desk::Desk;
use crate::ending::Ending;
use crate::failure::{self, Refusal};
use crate::output::Output;

pub(super) async fn run(
    options: &SyncOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let stop = stop_on_signals()?;
    let config = super::load_config(global)?;
    let desk = Desk::open(&config).await?;
    let client = options.cycle.client.as_deref();
    if options.once {
        let answers = desk.ask_until(client, Want::Sync, &stop).await;
        desk.close().await;
        return Findings::of(answers?).show(&options.cycle, output);
    }
    match desk {
        Desk::Service(_) => Err(Refusal::new(
            "the service keeps this agent's clients in step already",
            "`passportal sync --once` has it run a cycle now; `passportal status` shows how it is",
        )
        .into()),
        Desk::Own(mut agents) => {
            let all = std::mem::take(&mut agents.clients);
            let clients = control::chosen(all, client, |it| it)?;
            output.note("in step until Ctrl-C; cycles that change nothing are not shown");
            go_on(&config, clients, output, stop).await?;
            agents.close().await;
            Ok(Ending::Done)
        }
    }
}

/// A cycle of the client with this name.
pub(crate) type Told = (String, Cycled);

/// Passes every cycle on.
pub(crate) struct Passing(pub(crate) mpsc::UnboundedSender<Told>);

impl Witness for Passing {
    fn cycled(&self, client: &ClientAgent, cycled: Cycled, _took: Duration) {
        // Nobody listens any more only when the command is about to end.
        let _ = self.0.send((client.name.clone(), cycled));
    }
}

/// Every client on its own, so that none waits for another; what they did is shown as it happens.
async fn go_on(
    config: &Config,
    clients: Vec<ClientAgent>,
    output: &Output,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let schedule = Schedule {
        interval: config.sync.interval,
        full_read: config.sync.full_read,
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for client in clients {
        let (witness, stop) = (Passing(tell.clone()), stop.clone());
        running.spawn(async move {
            scheduler::run(&client, schedule, &witness, Inbox::empty(), &stop).await;
        });
    }
    drop(tell);
    while let Some(cycle) = told.recv().await {
        show(cycle, output)?;
    }
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    Ok(())
}

/// Shows a cycle that did something, or failed.
pub(crate) fn show((client, cycled): Told, output: &Output) -> anyhow::Result<()> {
    let mut failed = None;
    let cycle = cycled.map_err(|error| Fault::of(&error));
    let line = client_cycle(&client, cycle, &mut failed);
    if let Some(failure) = failed {
        output.complain(&failure::Told::of(&failure));
    } else if line.did_something() {
        output.show_news(&line, Timestamp::now())?;
    }
    Ok(())
}
