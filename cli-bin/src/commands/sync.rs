//! `passportal sync`: one cycle, or one after the other until Ctrl-C.

use std::time::Duration;

use agent_bin::config::Config;
use agent_bin::scheduler::{self, Cycled, Schedule, Witness};
use agent_bin::wiring::{self, Agents, ClientAgent};
use jiff::Timestamp;
use sync_engine::ports::Wait;
use sync_engine::{Engine, Halt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::cycle::{Findings, chosen, client_cycle};
use crate::arguments::{Global, SyncOptions};
use crate::ending::Ending;
use crate::failure;
use crate::output::{Bar, Output};

pub(super) async fn run(
    options: &SyncOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let end = agent_bin::signals::end_signal()?;
    let config = super::load_config(global)?;
    let mut agents = wiring::open(&config).await?;
    let clients = chosen(&mut agents, options.cycle.client.as_deref())?;
    if options.once {
        return once(options, agents, clients, output, end).await;
    }
    output.note("in step until Ctrl-C; cycles that change nothing are not shown");
    go_on(&config, clients, output, end).await?;
    agents.close().await;
    Ok(Ending::Done)
}

/// A request to end lets the step in flight finish and begins no further one.
async fn once(
    options: &SyncOptions,
    agents: Agents,
    clients: Vec<ClientAgent>,
    output: &Output,
    end: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<Ending> {
    let engines: Vec<Engine> = clients.iter().map(ClientAgent::engine).collect();
    let halts: Vec<Halt> = engines.iter().map(Engine::halt).collect();
    let watcher = tokio::spawn(async move {
        end.await;
        halts.iter().for_each(Halt::request);
    });
    let mut findings = Findings::default();
    for (client, mut engine) in clients.iter().zip(engines) {
        if engine.halt().is_requested() {
            break;
        }
        let bar = Bar::of(&client.name);
        let result = preflighted_cycle(client, &mut engine, &bar).await;
        drop(bar);
        findings.add(&client.name, result);
        client.farewell().await;
    }
    watcher.abort();
    drop(clients);
    agents.close().await;
    findings.show(&options.cycle, output)
}

async fn preflighted_cycle(client: &ClientAgent, engine: &mut Engine, bar: &Bar) -> Cycled {
    client.preflight().await?;
    engine.cycle(Wait::No, bar).await
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
    end: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let schedule = Schedule {
        interval: config.sync.interval,
        full_read: config.sync.full_read,
    };
    let (tell, mut told) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    for client in clients {
        let (witness, stop) = (Passing(tell.clone()), stop.clone());
        running.spawn(async move { scheduler::run(&client, schedule, &witness, &stop).await });
    }
    drop(tell);
    let ender = tokio::spawn(async move {
        end.await;
        stop.cancel();
    });
    while let Some(cycle) = told.recv().await {
        show(cycle, output)?;
    }
    ender.abort();
    while let Some(ended) = running.join_next().await {
        ended?;
    }
    Ok(())
}

/// Shows a cycle that did something, or failed.
pub(crate) fn show((client, cycled): Told, output: &Output) -> anyhow::Result<()> {
    let mut failure = None;
    let line = client_cycle(&client, cycled, &mut failure);
    if let Some(failure) = failure {
        output.complain(&failure::Told::of(&failure));
    } else if line.did_something() {
        output.show_news(&line, Timestamp::now())?;
    }
    Ok(())
}
