//! `passportal demo`: the whole product on this machine, as a guided tour.

mod agent;
mod cast;
mod folder;
mod random;
mod tenant;
mod vault;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use agent_bin::wiring::ClientAgent;
use anyhow::ensure;
use sync_engine::model::{FlagKind, Outcome, StepKind};
use sync_engine::ports::Wait;

use crate::arguments::DemoOptions;
use crate::commands::sync;
use crate::ending::Ending;
use crate::output::{Bar, ClientCycle, Cycles, Output, Tone, Tour};
use agent::Live;
use cast::{CHANGED_IN_DIRECTORY, CHANGED_IN_VAULT};
use folder::Folder;
use tenant::Tenant;
use vault::{Admin, Vault};

/// Longer than the step of Entra ID's password stamps.
const STAMP_STEP: Duration = Duration::from_millis(1_100);

/// Runs the demo until Ctrl-C, or once.
pub(crate) async fn run(options: &DemoOptions, output: &Output) -> anyhow::Result<Ending> {
    let mut end = Box::pin(agent_bin::signals::end_signal()?);
    let folder = Folder::prepare(&options.data_dir)?;
    let client = cast::client(options.accounts);
    let company = cast::company();
    let tenant = Tenant::start(&client)?;
    let vault = Vault::start(&folder).await?;
    let done = tokio::select! {
        done = tour(options, output, &folder, &vault, &tenant, [client, company]) => Some(done?),
        () = &mut end => None,
    };
    if let Some((agents, mut live)) = done {
        if !options.once {
            output.note("\nCtrl-C ends the demo. What the agent does meanwhile is shown here.");
            stay(&mut live, output, &mut end).await?;
        }
        live.stop(agents).await?;
    }
    vault.stop().await?;
    tenant.stop().await?;
    Ok(Ending::Done)
}

async fn tour(
    options: &DemoOptions,
    output: &Output,
    folder: &Folder,
    vault: &Vault,
    tenant: &Tenant,
    [client, company]: [Vec<cast::Part>; 2],
) -> anyhow::Result<(agent_bin::wiring::Agents, Live)> {
    let mut tour = Tour::new(output);
    tour.step("A vault, a tenant, an agent")?;
    let admin = vault.fill(&client, &company).await?;
    agent::enrol(folder, vault, tenant).await?;
    introduce(&tour, folder, vault, tenant, client.len())?;
    let (agents, agent) = agent::open(folder).await?;

    tour.step("First contact: everything is checked before anything is written")?;
    first_sync(&agent, output).await?;
    tour.line(&format!(
        "written through Graph: {}",
        passwords(tenant.writes())
    ))?;

    tour.step("A restart writes nothing")?;
    let before = tenant.writes();
    let (mut live, report) = Live::start(agent).await?;
    ensure!(
        tenant.writes() == before,
        "the restarted agent wrote a password"
    );
    let untouched = format!("{} credentials looked at, none written", report.rows.len());
    tour.result(Tone::Good, "quiet", &untouched)?;

    tour.step("A password changes in the vault")?;
    change_in_vault(&tour, &admin, tenant, &mut live).await?;
    tour.step("A password changes in Entra ID")?;
    change_in_directory(&tour, &client, tenant, &mut live).await?;

    tour.step("Look around")?;
    look_around(&tour, options, folder, vault, &admin).await?;
    Ok((agents, live))
}

fn introduce(
    tour: &Tour<'_>,
    folder: &Folder,
    vault: &Vault,
    tenant: &Tenant,
    credentials: usize,
) -> anyhow::Result<()> {
    let client = format!("{} with {credentials} stored passwords", vault::CLIENT);
    let own = format!("{}, with the company vault", vault::ORGANIZATION);
    let directory = format!("{} ({}), simulated", tenant::NAME, tenant.url);
    tour.values(&[
        ("organization", &own),
        ("client", &client),
        ("vault", &vault.url),
        ("tenant", &directory),
        (
            "agent",
            "enrolled; it kept a revocable token and the client's key",
        ),
        ("data folder", &folder.path().display().to_string()),
    ])?;
    Ok(())
}

async fn first_sync(agent: &ClientAgent, output: &Output) -> anyhow::Result<()> {
    let bar = Bar::of(&agent.name);
    let report = agent.engine().cycle(Wait::No, &bar).await;
    drop(bar);
    agent.farewell().await;
    output.show(&Cycles {
        clients: vec![ClientCycle {
            client: agent.name.clone(),
            cycle: Some(report?),
            error: None,
        }],
    })?;
    Ok(())
}

async fn change_in_vault(
    tour: &Tour<'_>,
    admin: &Admin,
    tenant: &Tenant,
    live: &mut Live,
) -> anyhow::Result<()> {
    let account = CHANGED_IN_VAULT;
    let password = random::password();
    let since = Instant::now();
    admin.set_password(account, &password).await?;
    let took = live
        .until(since, account, |row| {
            row.done == Some(StepKind::Push) && row.outcome == Outcome::Pushed
        })
        .await?;
    let arrived = tenant
        .simulator
        .password_matches(tenant::NAME, account, &password)?;
    ensure!(
        arrived,
        "Entra ID does not have the password that was pushed"
    );
    let ms = took.as_millis();
    let text = format!("{account} in {ms} ms, from the edit to the new stamp seen in Entra ID");
    Ok(tour.result(Tone::Good, "pushed", &text)?)
}

/// Somebody changes a password, and then changes it back.
async fn change_in_directory(
    tour: &Tour<'_>,
    cast: &[cast::Part],
    tenant: &Tenant,
    live: &mut Live,
) -> anyhow::Result<()> {
    let account = CHANGED_IN_DIRECTORY;
    let set = |password: &str| {
        tenant
            .simulator
            .set_password(tenant::NAME, account, password)
    };
    let since = Instant::now();
    let before = tenant.writes();
    set(&random::password())?;
    let flagged = |row: &sync_engine::Row| row.flags.contains_key(&FlagKind::AdChange);
    let took = live.until(since, account, flagged).await?.as_millis();
    let text = format!("{account} in {took} ms; it is in Report mismatches, so nothing is written");
    tour.result(Tone::Bad, "flagged", &text)?;

    let Some(part) = cast.iter().find(|part| part.user_name == account) else {
        return Ok(());
    };
    // Entra ID's stamps have seconds: what happens within one of them looks like one change.
    tokio::time::sleep(STAMP_STEP.saturating_sub(since.elapsed())).await;
    let since = Instant::now();
    set(&part.password)?;
    let cleared = |row: &sync_engine::Row| row.outcome == Outcome::Matched && row.flags.is_empty();
    let took = live.until(since, account, cleared).await?.as_millis();
    ensure!(
        tenant.writes() == before,
        "Report mismatches wrote a password"
    );
    let text = format!("{account} in {took} ms, once both sides agreed again");
    tour.result(Tone::Good, "cleared", &text)?;
    let interval = agent::INTERVAL.as_secs();
    Ok(tour.line(&format!(
        "(this agent looks at Entra ID every {interval} s; 45 s is usual. The vault tells at once.)"
    ))?)
}

async fn look_around(
    tour: &Tour<'_>,
    options: &DemoOptions,
    folder: &Folder,
    vault: &Vault,
    admin: &Admin,
) -> anyhow::Result<()> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for flag in admin.flags().await? {
        *counts.entry(flag.kind).or_default() += 1;
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(kind, count)| format!("{count} {}", kind.label()))
        .collect();
    tour.values(&[
        ("dashboard", &format!("{}/", vault.url)),
        ("e-mail", vault::EMAIL),
        ("password", &vault.password),
        ("organization key", &vault.organization_key),
        ("flags", &counts.join(", ")),
    ])?;
    if options.once {
        return Ok(());
    }
    let session = folder.path().join("session.json");
    let secrets = folder.path().join("secrets");
    let (session, secrets) = (session.display(), secrets.display());
    tour.line("")?;
    tour.line("On the command line, in another terminal:")?;
    tour.line(&format!("export PASSPORTAL_SESSION_FILE='{session}'"))?;
    tour.line(&format!(
        "passportal login --base-url {} --email {} --password-file '{secrets}/admin-password'",
        vault.url,
        vault::EMAIL
    ))?;
    Ok(tour.line("passportal flags list")?)
}

/// Shows what the agent does until somebody ends it.
async fn stay(
    live: &mut Live,
    output: &Output,
    end: &mut (impl Future<Output = ()> + Unpin),
) -> anyhow::Result<()> {
    loop {
        tokio::select! {
            () = &mut *end => return Ok(()),
            next = live.told() => match next {
                Some(cycled) => sync::show(cycled, output)?,
                None => return Ok(()),
            },
        }
    }
}

fn passwords(count: u64) -> String {
    match count {
        1 => "1 password".to_owned(),
        count => format!("{count} passwords"),
    }
}
