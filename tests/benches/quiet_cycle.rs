//! What a cycle costs when nothing changed, against reading everything each time: real vault, real
//! adapter, simulated tenant, 5,000 credentials.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark that cannot begin should say where"
)]

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use entra_sim::UserSpec;
use integration_tests::{WireTap, World};
use passportal_client::wire::SyncMode;
use sync_engine::ports::Wait;
use sync_engine::{Engine, Unwatched};
use tokio::runtime::Runtime;

const ACCOUNTS: usize = 5_000;

struct Bench {
    world: World,
    vault: WireTap,
    engine: Engine,
    _agents: agent_bin::wiring::Agents,
}

async fn prepare() -> anyhow::Result<Bench> {
    let name = |n| format!("user{n}@contoso.com");
    let password = |n| format!("Password-{n}");
    let users = (0..ACCOUNTS).map(|n| UserSpec::new(&name(n), &password(n)));
    let mut world = World::builder().users(users).start().await?;
    for n in 0..ACCOUNTS {
        world.add(&name(n), &password(n), SyncMode::Enabled).await?;
    }
    let vault = WireTap::before(&world.vault_url).await?;
    world.vault_url = vault.url();
    world.enrol().await?;
    let agents = world.agents().await?;
    let mut engine = agents.clients[0].engine();
    engine.cycle(Wait::No, &Unwatched).await?;
    Ok(Bench {
        world,
        vault,
        engine,
        _agents: agents,
    })
}

impl Bench {
    fn requests(&self) -> u64 {
        self.vault.requests() + self.world.simulator.counters().requests
    }

    fn cycle(&mut self, runtime: &Runtime) {
        let cycle = self.engine.cycle(Wait::No, &Unwatched);
        runtime.block_on(cycle).expect("a cycle over loopback");
    }
}

fn quiet_cycle(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let mut bench = runtime.block_on(prepare()).expect("a world");
    let before = bench.requests();
    bench.cycle(&runtime);
    println!("requests in a quiet cycle: {}", bench.requests() - before);
    let mut group = criterion.benchmark_group("cycle of 5000 credentials without news");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(5));
    group.bench_function(BenchmarkId::from_parameter("only what changed"), |it| {
        it.iter(|| bench.cycle(&runtime));
    });
    group.bench_function(BenchmarkId::from_parameter("everything again"), |it| {
        it.iter(|| {
            bench.engine.read_all_next();
            bench.cycle(&runtime);
        });
    });
    group.finish();
}

criterion_group!(benches, quiet_cycle);
criterion_main!(benches);
