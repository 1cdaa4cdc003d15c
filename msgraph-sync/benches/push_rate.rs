//! How fast passwords go out under Microsoft's limits, simulated 20 times as fast, and whether tenants slow each other.
//!
//! `cargo bench -p msgraph-sync --bench push_rate [-- limit | tenants]`
//!
//! - `limit`: 10,000 accounts of one tenant; the share of the allowed rate, of 429s, and what was lost.
//! - `tenants`: 50 tenants at once, of which one is throttled; what the others take with and without it.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot begin should say where, and prints what it measured"
)]

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, Instant};

use entra_sim::{AppSpec, Scenario, Simulator, TenantSpec, Throttling, UserSpec, bind};
use jiff::SignedDuration;
use msgraph_sync::{
    AppCredential, Cloud, Endpoints, EntraDirectory, LimitUse, Limits, TenantConfig,
};
use sync_engine::model::{ObjectId, Password, TenantId};
use sync_engine::ports::{Directory, PasswordWrite, SetPassword};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use uuid::Uuid;

/// The service is so many times as fast as the real one.
const SCALE: u32 = 20;
/// Source: Microsoft Graph throttling limits: 3,000 writes per 150 s for one application in one tenant.
const ALLOWED_PER_SECOND: f64 = 3_000.0 / 150.0;
/// Writes that are handed over at once, as the engine does.
const BATCH: usize = 20;
/// Batches of one tenant in flight at once.
const IN_FLIGHT: usize = 6;
const APP: Uuid = Uuid::from_u128(0xA99);
const SECRET: &str = "Bench~App~Secret";

fn main() {
    let wanted: Vec<String> = std::env::args()
        .filter(|it| !it.starts_with('-'))
        .skip(1)
        .collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
    let runtime = Runtime::new().expect("a runtime");
    if is_wanted("limit") {
        runtime.block_on(under_the_limit(10_000));
    }
    if is_wanted("tenants") {
        runtime.block_on(fifty_tenants());
    }
}

/// A tenant with so many accounts and these limits.
fn tenant(name: &str, accounts: usize, throttling: Throttling) -> TenantSpec {
    let app = AppSpec::confidential(APP, SECRET)
        .permissions(&["User.Read.All", "User-PasswordProfile.ReadWrite.All"])
        .roles(&["User Administrator"]);
    let user = |n| UserSpec::new(&format!("user{n}@{name}"), "Before-the-push-1");
    let empty = TenantSpec::new(name).app(app).throttling(throttling);
    (0..accounts).map(user).fold(empty, TenantSpec::user)
}

/// A world on loopback: the simulator, and its address.
fn world(tenants: Vec<TenantSpec>) -> (Simulator, url::Url) {
    let scenario = Scenario {
        tenants,
        faults: Vec::new(),
    };
    let simulator = Simulator::new(scenario, SignedDuration::ZERO);
    let address = "127.0.0.1:0".parse().expect("an address");
    let listening = bind(simulator.clone(), address, None).expect("a free port");
    let url = listening.url().parse().expect("a URL");
    tokio::spawn(listening.run(std::future::pending()));
    (simulator, url)
}

fn directory(name: &str, url: &url::Url, scale: u32) -> Arc<EntraDirectory> {
    let secret = AppCredential::ClientSecret(SECRET.into());
    let mut config = TenantConfig::new(TenantId(name.to_owned()), APP.to_string(), secret);
    config.connection.endpoints = Endpoints::of(Cloud::Global)
        .with_authority(url.clone())
        .with_graph(url.clone());
    config.limits = Limits::scaled(number(scale));
    Arc::new(EntraDirectory::new(config).expect("a tenant"))
}

fn number(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).expect("not zero")
}

fn password(n: usize) -> String {
    format!("After-the-push-{n}")
}

fn writes(simulator: &Simulator, name: &str, accounts: usize) -> Vec<PasswordWrite> {
    let write = |n| {
        let user = format!("user{n}@{name}");
        PasswordWrite {
            object: ObjectId(simulator.user_id(name, &user).expect("an account")),
            password: Password::new(password(n)),
        }
    };
    (0..accounts).map(write).collect()
}

/// What came of a push.
struct Pushed {
    took: Duration,
    accepted: usize,
    put_off: usize,
    used: LimitUse,
}

/// Sends every write, and again what was certainly not done, as the engine does in its next cycles.
async fn push(directory: Arc<EntraDirectory>, writes: Vec<PasswordWrite>) -> Pushed {
    let began = Instant::now();
    let (mut accepted, mut put_off) = (0, 0);
    let mut due = writes;
    while !due.is_empty() {
        let mut batches: Vec<_> = due.chunks(BATCH).map(<[_]>::to_vec).collect();
        batches.reverse();
        due = Vec::new();
        let mut running = JoinSet::new();
        loop {
            while running.len() < IN_FLIGHT {
                let Some(batch) = batches.pop() else { break };
                let directory = Arc::clone(&directory);
                running.spawn(async move {
                    let outcomes = directory.set_passwords(&batch).await;
                    (batch, outcomes)
                });
            }
            let Some(done) = running.join_next().await else {
                break;
            };
            let (batch, outcomes) = done.expect("a batch");
            for (write, outcome) in batch.into_iter().zip(outcomes) {
                match outcome {
                    SetPassword::Accepted(_) => accepted += 1,
                    SetPassword::NotNow { .. } => {
                        put_off += 1;
                        due.push(write);
                    }
                    other => println!("unexpected: {other:?}"),
                }
            }
        }
        if !due.is_empty() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    Pushed {
        took: began.elapsed(),
        accepted,
        put_off,
        used: directory.limit_use(),
    }
}

async fn under_the_limit(accounts: usize) {
    const NAME: &str = "contoso.onmicrosoft.com";
    let (simulator, url) = world(vec![tenant(
        NAME,
        accounts,
        Throttling::scaled(number(SCALE)),
    )]);
    let writes = writes(&simulator, NAME, accounts);
    let pushed = push(directory(NAME, &url, SCALE), writes).await;
    let counters = simulator.counters();
    let arrived = |n: &usize| {
        let user = format!("user{n}@{NAME}");
        simulator
            .password_matches(NAME, &user, &password(*n))
            .unwrap_or(false)
    };
    let lost = accounts - (0..accounts).filter(arrived).count();
    let rate = as_f64(pushed.accepted) / pushed.took.as_secs_f64();
    let allowed = ALLOWED_PER_SECOND * f64::from(SCALE);
    let sent = as_f64(pushed.accepted) + as_f64(usize::try_from(counters.throttled).unwrap_or(0));
    println!(
        "{accounts} accounts, the limit {SCALE} times as fast ({allowed:.0} writes a second allowed)"
    );
    println!("  took            {:.2} s", pushed.took.as_secs_f64());
    println!(
        "  rate            {rate:.1} a second, {:.2} % of what is allowed",
        100.0 * rate / allowed
    );
    println!(
        "  answers 429     {} ({:.3} %)",
        counters.throttled,
        100.0 * (sent - as_f64(pushed.accepted)) / sent
    );
    println!("  put off         {}", pushed.put_off);
    println!("  batches         {}", counters.batches);
    println!("  lost            {lost}");
    println!(
        "  share told      {:.3} at the end",
        pushed.used.write_limit_used
    );
}

const TENANTS: usize = 50;
const ACCOUNTS: usize = 200;
/// Slow enough that the limits, and not this machine, decide how long it takes.
const GENTLE: u32 = 2;

async fn fifty_tenants() {
    let calm = among_others(Throttling::scaled(number(GENTLE))).await;
    let throttled = among_others(Throttling::scaled(number(GENTLE)).writes(number(20))).await;
    println!(
        "{TENANTS} tenants of {ACCOUNTS} accounts at once, limits {GENTLE} times as fast: what the other {} take",
        TENANTS - 1
    );
    println!("  no tenant throttled    {}", calm.others());
    println!("  one tenant throttled   {}", throttled.others());
    println!(
        "  the throttled tenant   {} answers 429, {} writes put off, when the others were done",
        throttled.first.throttled_writes, throttled.first.writes_put_off
    );
    println!("  answers 429 of others  {}", throttled.throttled_elsewhere);
}

struct Tenants {
    first: LimitUse,
    others: Vec<Duration>,
    throttled_elsewhere: u64,
}

impl Tenants {
    fn others(&self) -> String {
        let at = |n: usize| self.others.get(n).map_or(0.0, Duration::as_secs_f64);
        let last = self.others.len() - 1;
        format!(
            "fastest {:.2} s, median {:.2} s, slowest {:.2} s",
            at(0),
            at(last / 2),
            at(last)
        )
    }
}

/// All tenants push at once; the first one has these limits. Ends when all others are done.
async fn among_others(first: Throttling) -> Tenants {
    let name = |n: usize| format!("tenant{n}.onmicrosoft.com");
    let limits = |n| {
        if n == 0 {
            first
        } else {
            Throttling::scaled(number(GENTLE))
        }
    };
    let tenants = (0..TENANTS)
        .map(|n| tenant(&name(n), ACCOUNTS, limits(n)))
        .collect();
    let (simulator, url) = world(tenants);
    let begin = |n: usize| {
        let writes = writes(&simulator, &name(n), ACCOUNTS);
        let directory = directory(&name(n), &url, GENTLE);
        (Arc::clone(&directory), push(directory, writes))
    };
    let (first, pushing) = begin(0);
    let pushing = tokio::spawn(pushing);
    let mut others = JoinSet::new();
    for n in 1..TENANTS {
        others.spawn(begin(n).1);
    }
    let pushed = others.join_all().await;
    pushing.abort();
    let mut took: Vec<_> = pushed.iter().map(|pushed| pushed.took).collect();
    took.sort();
    Tenants {
        first: first.limit_use(),
        others: took,
        throttled_elsewhere: pushed
            .iter()
            .map(|pushed| pushed.used.throttled_writes)
            .sum(),
    }
}

fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
