//! What an agent costs that has nothing to do: its start, its memory and its share of one core, as the kernel counts
//! them. `tests/benches/idle_agent` builds the agent and calls this.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use entra_sim::UserSpec;
use integration_tests::World;
use passportal_client::wire::SyncMode;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Debian's, and that of every Linux that this runs on.
const TICKS_A_SECOND: f64 = 100.0;
/// All accounts are tested once before the agent is idle.
const FIRST_CONTACT: Duration = Duration::from_mins(20);
/// What the start leaves to be done is over by then.
const SETTLING: Duration = Duration::from_secs(20);

struct Agent {
    child: Child,
    address: String,
    began: Instant,
}

impl Agent {
    async fn start(program: &Path, config: &Path) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut child = Command::new(program)
            .args(["--log", "warn", "--config"])
            .arg(config)
            .arg("run")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let out = child.stdout.take().context("standard output")?;
        let line = BufReader::new(out).lines().next_line().await?;
        let line = line.context("the agent ended before it listened")?;
        let address = line.strip_prefix("listening on ").context("an address")?;
        Ok(Self {
            address: address.to_owned(),
            child,
            began,
        })
    }

    async fn ask(&self, path: &str) -> anyhow::Result<(bool, String)> {
        let http = reqwest::Client::builder().no_proxy().build()?;
        let answer = http.get(format!("{}{path}", self.address)).send().await?;
        Ok((answer.status().is_success(), answer.text().await?))
    }

    /// Since its start, until every client had a good cycle.
    async fn ready(&self) -> anyhow::Result<Duration> {
        while !self.ask("/readyz").await?.0 {
            if self.began.elapsed() > FIRST_CONTACT {
                bail!("not ready: {}", self.ask("/readyz").await?.1);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(self.began.elapsed())
    }

    /// Accounts that were tested and accept the vault's password.
    async fn in_step(&self) -> anyhow::Result<u64> {
        let metrics = self.ask("/metrics").await?.1;
        let is_it = |line: &&str| {
            line.starts_with("passportal_agent_verifies_total{")
                && line.contains("verdict=\"match\"")
        };
        let line = metrics.lines().find(is_it);
        let value = line.and_then(|line| line.rsplit(' ').next());
        Ok(value.map_or(Ok(0), str::parse)?)
    }

    fn kernel(&self, file: &str) -> anyhow::Result<String> {
        let id = self.child.id().context("the agent has ended")?;
        Ok(std::fs::read_to_string(format!("/proc/{id}/{file}"))?)
    }

    /// CPU seconds so far. Source: `proc(5)`, fields 14 and 15 of `stat`.
    fn cpu(&self) -> anyhow::Result<f64> {
        let stat = self.kernel("stat")?;
        let (_, after_name) = stat.rsplit_once(')').context("a name")?;
        let ticks = after_name.split_whitespace().skip(11).take(2);
        let ticks = ticks.map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(f64::from(ticks) / TICKS_A_SECOND)
    }

    /// MiB, by the name that `status` has for it.
    fn memory(&self, name: &str) -> anyhow::Result<f64> {
        let status = self.kernel("status")?;
        let line = status.lines().find(|line| line.starts_with(name));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(kib.context("a figure")?.parse::<f64>()? / 1024.0)
    }

    async fn stop(mut self) -> anyhow::Result<()> {
        let id = self.child.id().context("the agent has ended")?;
        Command::new("kill").arg(id.to_string()).status().await?;
        let status = self.child.wait().await?;
        anyhow::ensure!(status.success(), "the agent ended with {status}");
        Ok(())
    }
}

async fn world(accounts: u64) -> anyhow::Result<World> {
    let name = |n| format!("user{n}@contoso.com");
    let password = |n| format!("Password-{n}");
    let users = (0..accounts).map(|n| UserSpec::new(&name(n), &password(n)));
    let world = World::builder().users(users).start().await?;
    for n in 0..accounts {
        world.add(&name(n), &password(n), SyncMode::Enabled).await?;
    }
    world.enrol().await?;
    Ok(world)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = PathBuf::from(arguments.next().context("the agent's program")?);
    let minutes: u64 = arguments.next().context("minutes")?.parse()?;
    let accounts: u64 = arguments.next().context("accounts")?.parse()?;

    let world = world(accounts).await?;
    let config = world.config_path();
    println!("{accounts} credentials");
    let agent = Agent::start(&program, &config).await?;
    agent.ready().await?;
    while agent.in_step().await? < accounts {
        anyhow::ensure!(agent.began.elapsed() < FIRST_CONTACT, "not in step");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    println!(
        "in step for the first time after {:.1} s",
        agent.began.elapsed().as_secs_f64()
    );
    agent.stop().await?;

    let agent = Agent::start(&program, &config).await?;
    println!(
        "start to listening {} ms",
        agent.began.elapsed().as_millis()
    );
    println!(
        "start to ready {} ms (every client had a good cycle)",
        agent.ready().await?.as_millis()
    );
    tokio::time::sleep(SETTLING).await;
    let (began, before) = (Instant::now(), agent.cpu()?);
    println!("CPU for start and first reading {before:.2} s");
    println!(
        "resident {:.1} MiB, at most {:.1}",
        agent.memory("VmRSS")?,
        agent.memory("VmHWM")?
    );
    tokio::time::sleep(Duration::from_mins(minutes)).await;
    let (took, used) = (began.elapsed().as_secs_f64(), agent.cpu()? - before);
    println!(
        "idle for {took:.0} s: CPU {used:.2} s, {:.3} % of one core",
        100.0 * used / took
    );
    println!(
        "resident {:.1} MiB, of it anonymous {:.1}, files {:.1}",
        agent.memory("VmRSS")?,
        agent.memory("RssAnon")?,
        agent.memory("RssFile")?
    );
    println!(
        "{}",
        agent
            .kernel("status")?
            .lines()
            .find(|it| it.starts_with("Threads:"))
            .unwrap_or_default()
    );
    agent.stop().await?;
    world.stop().await;
    Ok(())
}
