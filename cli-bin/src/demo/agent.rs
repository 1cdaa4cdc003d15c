//! The demo's agent: enrolled as any other, then kept running while things change.

use std::time::{Duration, Instant};

use agent_bin::administrator::show_in_words;
use agent_bin::config::{Config, Overrides};
use agent_bin::control::Inbox;
use agent_bin::scheduler::{self, Schedule};
use agent_bin::setup;
use agent_bin::setup_args::SetupArgs;
use agent_bin::wiring::{self, Agents, ClientAgent};
use anyhow::Context as _;
use sync_engine::{CycleReport, Row};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::folder::Folder;
use super::tenant::{self, Tenant};
use super::vault::{CLIENT, EMAIL, Vault};
use crate::commands::sync::{Passing, Told};

/// How often the demo's agent looks at Entra ID; 45 s is usual.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);
/// Longer than anything that the tour waits for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Enrols the agent with the files that a person would use.
pub(super) async fn enrol(folder: &Folder, vault: &Vault, tenant: &Tenant) -> anyhow::Result<()> {
    let args = SetupArgs {
        base_url: Some(Url::parse(&vault.url)?),
        email: Some(EMAIL.to_owned()),
        password_file: Some(folder.secret("admin-password", &vault.password)?),
        organization_key_file: Some(folder.secret("organization-key", &vault.organization_key)?),
        client: Some(CLIENT.to_owned()),
        tenant: Some(tenant::NAME.to_owned()),
        sign_in: Some("client-secret".to_owned()),
        client_id: Some(tenant.client_id.to_string()),
        client_secret_file: Some(folder.secret("client-secret", &tenant.client_secret)?),
        verification_client_id: Some(tenant.public_client_id.to_string()),
        authority: Some(Url::parse(&tenant.url)?),
        graph: Some(Url::parse(&tenant.url)?),
        state_url: Some(folder.state_url()),
        ..SetupArgs::default()
    };
    // It signs in as an app: no code is shown.
    let show_code = show_in_words(|_| {});
    setup::run(args.request(&folder.config(), show_code)?).await?;
    Ok(())
}

/// Puts the agent together from the configuration that the enrolment wrote.
pub(super) async fn open(folder: &Folder) -> anyhow::Result<(Agents, ClientAgent)> {
    let config = Config::load(&folder.config(), [], Overrides::none())?;
    let mut agents = wiring::open(&config).await?;
    let client = agents.clients.pop().context("the agent serves no client")?;
    Ok((agents, client))
}

/// An agent that keeps running.
pub(super) struct Live {
    cycles: mpsc::UnboundedReceiver<Told>,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Live {
    /// Starts it and waits for its first cycle, so that the next one is about what happens next.
    pub(super) async fn start(client: ClientAgent) -> anyhow::Result<(Self, CycleReport)> {
        let (tell, cycles) = mpsc::unbounded_channel();
        let stop = CancellationToken::new();
        let schedule = Schedule {
            interval: INTERVAL,
            full_read: Duration::from_hours(24),
        };
        let (witness, stopped) = (Passing(tell), stop.clone());
        let running = tokio::spawn(async move {
            scheduler::run(&client, schedule, &witness, Inbox::empty(), &stopped).await;
        });
        let mut live = Self {
            cycles,
            stop,
            running,
        };
        let first = live.next().await.context("the agent ended")??;
        Ok((live, first))
    }

    /// The next cycle; `None` once the agent has ended.
    pub(super) async fn told(&mut self) -> Option<Told> {
        self.cycles.recv().await
    }

    async fn next(&mut self) -> Option<anyhow::Result<CycleReport>> {
        let (_, result) = self.told().await?;
        Some(result.map_err(anyhow::Error::from))
    }

    /// The time from `since` to the first cycle in which the account's row is as wanted.
    pub(super) async fn until(
        &mut self,
        since: Instant,
        account: &str,
        wanted: impl Fn(&Row) -> bool,
    ) -> anyhow::Result<Duration> {
        let is_there = |report: &CycleReport| {
            let mut rows = report.rows.iter();
            rows.any(|row| row.user_name.as_str() == account && wanted(row))
        };
        let seen = async {
            while let Some(report) = self.next().await {
                if is_there(&report?) {
                    return Ok(since.elapsed());
                }
            }
            anyhow::bail!("the agent ended")
        };
        tokio::time::timeout(PATIENCE, seen)
            .await
            .with_context(|| format!("the agent did not notice the change of {account}"))?
    }

    /// Lets the step in flight finish, gives the lease back, and ends.
    pub(super) async fn stop(mut self, agents: Agents) -> anyhow::Result<()> {
        self.stop.cancel();
        while self.cycles.recv().await.is_some() {}
        self.running.await?;
        agents.close().await;
        Ok(())
    }
}
