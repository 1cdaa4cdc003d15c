//! What the embedded vault answers, and what it costs, with many credentials, agents and people. `tests/benches/vault_load`
//! builds the server and calls this.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod browser;
mod contents;
mod figures;
mod server;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use passportal_client::wire::{ChangesQuery, EnrolRequest};
use passportal_client::{AgentApi, HttpConfig, PersonSession};
use secrecy::SecretString;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use browser::{Browser, Page};
use contents::Contents;
use figures::Figures;
use server::Server;

/// How long an agent waits for a change.
const LONG_POLL: u32 = 45;
/// A person reads for so long before the next page.
const READING: Duration = Duration::from_millis(500);
/// Requests of each page while nobody else is there.
const ALONE: usize = 60;

struct Load {
    clients: usize,
    credentials: usize,
    agents: usize,
    people: usize,
    time: Duration,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = PathBuf::from(arguments.next().context("the server's program")?);
    let mut number =
        || -> anyhow::Result<usize> { Ok(arguments.next().context("a number")?.parse()?) };
    let load = Load {
        clients: number()?,
        credentials: number()?,
        agents: number()?,
        people: number()?,
        time: Duration::from_secs(u64::try_from(number()?)?),
    };
    agent_bin::install_tls_provider();
    let server = Server::start(&program).await?;
    let (person, contents) = fill(&server, &load).await?;
    println!("resident {:.1} MiB", server.memory("VmRSS")?);

    let alone = look_alone(&server, &contents).await?;
    println!("\none person, nobody else\n{alone}");
    let together = look_together(&server, &person, &contents, &load).await?;
    println!(
        "\n{} agents on long poll, {} people at once\n{together}",
        load.agents, load.people
    );
    println!(
        "resident {:.1} MiB, at most {:.1}",
        server.memory("VmRSS")?,
        server.memory("VmHWM")?
    );
    server.stop().await
}

async fn fill(server: &Server, load: &Load) -> anyhow::Result<(Arc<PersonSession>, Contents)> {
    let http = HttpConfig::new(&server.url)?;
    let password = SecretString::from(server::PASSWORD);
    let (person, details) = PersonSession::sign_in(&http, server::EMAIL, &password, None).await?;
    let person = Arc::new(person);
    let began = std::time::Instant::now();
    let contents = Contents::fill(
        &person,
        details.organization,
        load.clients,
        load.credentials,
    )
    .await?;
    println!(
        "{} credentials of {} clients, put in within {:.1} s",
        load.credentials,
        load.clients,
        began.elapsed().as_secs_f64()
    );
    Ok((person, contents))
}

async fn look_alone(server: &Server, contents: &Contents) -> anyhow::Result<Figures> {
    let browser = Browser::sign_in(&server.url).await?;
    let mut figures = Figures::default();
    for page in Page::ALL {
        for visit in 0..ALONE {
            let seen = browser.visit(page, contents, visit).await?;
            figures.add(page.name(), seen);
        }
    }
    Ok(figures)
}

async fn look_together(
    server: &Server,
    person: &Arc<PersonSession>,
    contents: &Contents,
    load: &Load,
) -> anyhow::Result<Figures> {
    let stop = CancellationToken::new();
    let mut agents = JoinSet::new();
    let polls = Arc::new(AtomicU64::new(0));
    for client in contents.clients.iter().take(load.agents) {
        let request = EnrolRequest {
            client: *client,
            host: "load".to_owned(),
            version: "0".to_owned(),
        };
        let token = person.enrol(&request).await?.token;
        let agent = AgentApi::new(&HttpConfig::new(&server.url)?, SecretString::from(token))?;
        agents.spawn(poll(agent, Arc::clone(&polls), stop.clone()));
    }
    let mut people = JoinSet::new();
    for number in 0..load.people {
        let browser = Browser::sign_in(&server.url).await?;
        people.spawn(browse(browser, contents.clone(), number, load.time));
    }
    let mut figures = Figures::default();
    while let Some(seen) = people.join_next().await {
        figures.join(seen??);
    }
    stop.cancel();
    while let Some(agent) = agents.join_next().await {
        agent??;
    }
    println!("\n{} answers to agents", polls.load(Ordering::SeqCst));
    Ok(figures)
}

/// As an agent does: everything once, and then whatever changes.
async fn poll(
    agent: AgentApi,
    polls: Arc<AtomicU64>,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut query = ChangesQuery {
        cursor: None,
        wait: 0,
        limit: Some(1_000),
        instance: None,
    };
    while let Some(changes) = stop.run_until_cancelled(agent.changes(&query)).await {
        let changes = changes?;
        polls.fetch_add(1, Ordering::SeqCst);
        query.cursor = Some(changes.cursor);
        query.wait = if changes.more { 0 } else { LONG_POLL };
    }
    Ok(())
}

/// As a person does: page after page, with time to read.
async fn browse(
    browser: Browser,
    contents: Contents,
    number: usize,
    time: Duration,
) -> anyhow::Result<Figures> {
    let mut figures = Figures::default();
    let end = tokio::time::Instant::now() + time;
    let mut visit = number * 7_919;
    while tokio::time::Instant::now() < end {
        for page in Page::ALL {
            let seen = browser.visit(page, &contents, visit).await?;
            figures.add(page.name(), seen);
            tokio::time::sleep(READING).await;
            visit += 1;
        }
    }
    Ok(figures)
}
