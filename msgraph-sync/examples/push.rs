//! Pushes passwords to a simulated tenant and tells how long it took: our side of `tests/benches/against_the_sdk`.
//!
//! `push BASE-URL ACCOUNTS IN-FLIGHT alone|batches`

#![expect(clippy::print_stdout, reason = "it prints what it measured")]

use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use msgraph_sync::{AppCredential, Cloud, Endpoints, EntraDirectory, Limits, TenantConfig};
use serde_json::json;
use sync_engine::model::{ObjectId, Password, TenantId};
use sync_engine::ports::{Directory, PasswordWrite, SetPassword};
use uuid::Uuid;

/// Linux counts a process's CPU time in hundredths of a second (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;
/// So many times Microsoft's limits are none.
const NO_LIMITS: NonZeroU32 = NonZeroU32::new(1_000_000).unwrap();

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, accounts, in_flight, how] = &arguments[..] else {
        return Err("usage: push BASE-URL ACCOUNTS IN-FLIGHT alone|batches".into());
    };
    let (accounts, in_flight): (usize, usize) = (accounts.parse()?, in_flight.parse()?);
    // In flight are passwords, however many requests carry them.
    let (workers, together) = match how.as_str() {
        "batches" => (1, in_flight),
        _ => (in_flight, 1),
    };
    let directory = Arc::new(directory(base)?);
    // Signing in is not what is measured.
    directory.account(ObjectId(user(0))).await?;
    let next = Arc::new(AtomicUsize::new(0));
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    let running: Vec<_> = (0..workers)
        .map(|_| {
            tokio::spawn(work(
                Arc::clone(&directory),
                Arc::clone(&next),
                accounts,
                together,
            ))
        })
        .collect();
    let mut accepted = 0;
    for worker in running {
        accepted += worker.await?;
    }
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    if accepted != accounts {
        return Err(format!("{accepted} of {accounts} were accepted").into());
    }
    println!(
        "{}",
        json!({ "passwords": accepted, "seconds": seconds, "cpu": cpu })
    );
    Ok(())
}

fn directory(base: &str) -> Result<EntraDirectory, Box<dyn Error>> {
    let secret = AppCredential::ClientSecret("Bench~App~Secret".into());
    let app = Uuid::from_u128(0xA99).to_string();
    let tenant = TenantId("contoso.onmicrosoft.com".to_owned());
    let mut config = TenantConfig::new(tenant, app, secret);
    config.connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(base.parse()?)
        .with_graph(base.parse()?);
    config.limits = Limits::scaled(NO_LIMITS);
    Ok(EntraDirectory::new(config)?)
}

/// Takes so many accounts at a time until there are none left. Returns how many were accepted.
async fn work(
    directory: Arc<EntraDirectory>,
    next: Arc<AtomicUsize>,
    accounts: usize,
    together: usize,
) -> usize {
    let mut accepted = 0;
    loop {
        let first = next.fetch_add(together, Ordering::Relaxed);
        let writes: Vec<_> = (first..accounts.min(first + together)).map(write).collect();
        if writes.is_empty() {
            return accepted;
        }
        let outcomes = directory.set_passwords(&writes).await;
        let is_accepted = |it: &&SetPassword| matches!(it, SetPassword::Accepted(_));
        accepted += outcomes.iter().filter(is_accepted).count();
    }
}

fn write(number: usize) -> PasswordWrite {
    PasswordWrite {
        object: ObjectId(user(number)),
        password: Password::new(format!("Our-push-{number}")),
    }
}

/// The accounts' object ids, as the benchmark's scenario counts them.
fn user(number: usize) -> Uuid {
    let number = u128::try_from(number).unwrap_or_default();
    Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 + number)
}

/// This process's CPU time so far, user and system.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name may hold spaces; what follows it does not. utime and stime are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')').ok_or("no process name")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}
