//! `passportal sync`: one cycle, or one after the other until Ctrl-C.

use agent_bin::config::Config;
use agent_bin::wiring::{self, Agents, ClientAgent};
use jiff::Timestamp;
use sync_engine::ports::Wait;
use sync_engine::{Engine, Halt};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::cycle::{Findings, chosen, client_cycle};
use super::keeper::{Cycled, Keeper, give_back};
use crate::arguments::{Global, SyncOptions};
use crate::ending::Ending;
use crate::output::{Bar, Output};
use crate::signals;

pub(super) async fn run(
    options: &SyncOptions,
    global: &Global,
    output: &Output,
) -> anyhow::Result<Ending> {
    let end = signals::end_signal()?;
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
        let result = engine.cycle(Wait::No, &bar).await;
        drop(bar);
        findings.add(&client.name, result);
        give_back(client).await;
    }
    watcher.abort();
    drop(clients);
    agents.close().await;
    findings.show(&options.cycle, output)
}

/// Every client on its own, so that none waits for another; what they did is shown as it happens.
async fn go_on(
    config: &Config,
    clients: Vec<ClientAgent>,
    output: &Output,
    end: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let (tell, mut told) = mpsc::channel(64);
    let mut running = JoinSet::new();
    for client in clients {
        let keeper = Keeper {
            interval: config.sync.interval,
            full_read: config.sync.full_read,
            tell: tell.clone(),
            stopped: stopped.clone(),
        };
        running.spawn(async move { keeper.run(&client).await });
    }
    drop(tell);
    tokio::pin!(end);
    let mut ending = false;
    loop {
        tokio::select! {
            () = &mut end, if !ending => {
                ending = true;
                stop.send_replace(true);
            }
            next = told.recv() => match next {
                Some(told) => show(told, output)?,
                None => break,
            },
        }
    }
    while running.join_next().await.is_some() {}
    Ok(())
}

/// Shows a cycle that did something, or failed.
pub(crate) fn show((client, result): Cycled, output: &Output) -> anyhow::Result<()> {
    let mut failure = None;
    let line = client_cycle(&client, result, &mut failure);
    if let Some(failure) = failure {
        output.complain(&crate::failure::Told::of(&failure));
    } else if line.did_something() {
        output.show_news(&line, Timestamp::now())?;
    }
    Ok(())
}
