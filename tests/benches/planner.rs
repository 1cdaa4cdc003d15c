//! What planning alone costs: from nothing, and brought up to date after a few or one in a hundred
//! passwords changed. Prints the ratio of the two and the memory that it took, then measures each.

#![expect(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark prints what it found"
)]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, criterion_group};
use jiff::Timestamp;
use peak_alloc::PeakAlloc;
use sync_engine::model::{
    Account, ClientId, ClientSettings, CredentialId, CredentialMemory, DirectoryChanges,
    DirectoryView, DomainKind, Memory, ObjectId, Password, RememberedVerdict, Stamp, SyncMode,
    VaultChanges, VaultCredential, VaultEpoch, VaultVersion, VaultView, Verdict, VerdictSource,
};
use sync_engine::plan::{Action, Inputs, Moved, Plan, Planner, Policy, guard, plan};
use uuid::Uuid;

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// As many at any size, to show that the cost is that of the changes.
const FEW: usize = 10;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// All that the planner sees, where vault and directory are known to agree.
struct Scene {
    vault: VaultView,
    directory: DirectoryView,
    memory: Memory,
    policy: Policy,
}

impl Scene {
    fn of(size: u32) -> Self {
        let stamp = Some(Stamp(Timestamp::UNIX_EPOCH));
        let id = |number: u32| Uuid::from_u128(u128::from(number) + 1);
        let name = |number: u32| format!("user{number}@contoso.com");
        let password = Password::new("Winter-2025!");
        let credential = |number| {
            let id = CredentialId(id(number));
            VaultCredential::new(id, name(number), SyncMode::Enabled, &password)
        };
        let account = |number| Account::member(ObjectId(id(number)), name(number), stamp);
        let client = ClientSettings::new(ClientId(id(0)), "Contoso");
        let credentials = (0..size).map(credential).collect();
        let domains = [("contoso.com".to_owned(), DomainKind::Managed)];
        let changes = DirectoryChanges::full((0..size).map(account).collect());
        let known = (0..size).map(|number| in_step(CredentialId(id(number)), stamp));
        Self {
            vault: VaultView::new(VaultChanges::full(VaultEpoch(id(0)), client, credentials)),
            directory: DirectoryView::new(changes, domains.into()),
            memory: Memory {
                credentials: known.map(|it| (it.id, it)).collect::<BTreeMap<_, _>>(),
                ..Memory::default()
            },
            policy: Policy::default(),
        }
    }

    fn inputs<'a>(&'a self, vault: &'a VaultView) -> Inputs<'a> {
        Inputs {
            vault,
            directory: &self.directory,
            memory: &self.memory,
            policy: &self.policy,
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// The vault after a person typed so many passwords anew, spread evenly.
    fn typed(&self, changes: usize) -> (VaultView, Vec<CredentialId>) {
        let mut vault = self.vault.clone();
        let every = (vault.credentials.len() / changes.max(1)).max(1);
        let mut ids = Vec::new();
        for credential in vault.credentials.values_mut().step_by(every).take(changes) {
            credential.version = VaultVersion(2);
            ids.push(credential.id);
        }
        (vault, ids)
    }
}

fn in_step(id: CredentialId, stamp: Option<Stamp>) -> CredentialMemory {
    let object = ObjectId(id.0);
    let version = VaultVersion(1);
    let mut known = CredentialMemory {
        object: Some(object),
        verdict: Some(RememberedVerdict {
            object,
            version,
            stamp,
            verdict: Verdict::Match,
            source: VerdictSource::SignIn,
            at: Timestamp::UNIX_EPOCH,
            next_try: None,
            tries: 0,
            code: None,
        }),
        ..CredentialMemory::new(id)
    };
    known.remember_agreement(version, stamp);
    known
}

fn guarded(made: Plan, inputs: Inputs<'_>) -> Plan {
    let Inputs {
        vault,
        directory,
        memory,
        policy,
        now,
    } = inputs;
    guard(made, vault, directory, memory, policy, now).0
}

fn from_nothing(inputs: Inputs<'_>) -> Plan {
    let Inputs {
        vault,
        directory,
        memory,
        policy,
        now,
    } = inputs;
    guarded(plan(vault, directory, memory, policy, now), inputs)
}

/// A kept plan whose vault goes to and fro between two states.
struct Swing<'a> {
    scene: &'a Scene,
    typed: VaultView,
    ids: Vec<CredentialId>,
    planner: Planner,
    is_typed: bool,
}

impl<'a> Swing<'a> {
    fn of(scene: &'a Scene, changes: usize) -> Self {
        let (typed, ids) = scene.typed(changes);
        let mut planner = Planner::default();
        planner.replan(scene.inputs(&scene.vault));
        Self {
            scene,
            typed,
            ids,
            planner,
            is_typed: false,
        }
    }

    fn replan(&mut self) -> Plan {
        self.is_typed = !self.is_typed;
        let vault = if self.is_typed {
            &self.typed
        } else {
            &self.scene.vault
        };
        let inputs = self.scene.inputs(vault);
        self.planner
            .mark(Moved::credentials(self.ids.iter().copied()));
        guarded(self.planner.replan(inputs), inputs)
    }
}

/// The two plans side by side, once, as a table.
fn compare() {
    println!("credentials  changed  from nothing  brought up to date   ratio  peak memory");
    for size in SIZES {
        let scene = Scene::of(size);
        for changes in [FEW, size as usize / 100] {
            let mut swing = Swing::of(&scene, changes);
            swing.planner = Planner::default();
            let before = MEMORY.current_usage_as_mb();
            MEMORY.reset_peak_usage();
            swing.planner.replan(scene.inputs(&scene.vault));
            assert_eq!(steps(&swing.replan()), changes, "each is a write");
            let kept = median(|| drop(black_box(swing.replan())));
            let peak = MEMORY.peak_usage_as_mb() - before;
            let (typed, _) = scene.typed(changes);
            let whole = median(|| drop(black_box(from_nothing(scene.inputs(&typed)))));
            let ratio = whole.as_secs_f64() / kept.as_secs_f64();
            println!(
                "{size:>11}  {changes:>7}  {:>9.2} ms  {:>15.3} ms  {ratio:>5.0} x  {peak:>7.1} MiB",
                milliseconds(whole),
                milliseconds(kept),
            );
        }
    }
}

fn steps(plan: &Plan) -> usize {
    let pushes = plan.decisions.iter();
    pushes
        .filter(|it| matches!(it.action, Action::Push(_)))
        .count()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median(mut act: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..11)
        .map(|_| {
            let began = Instant::now();
            act();
            began.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn planner(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planner");
    group.measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    group.sample_size(10);
    for size in SIZES {
        let scene = Scene::of(size);
        let (typed, _) = scene.typed(size as usize / 100);
        group.bench_function(BenchmarkId::new("from nothing, 1 % changed", size), |it| {
            // Dropping a plan is not planning.
            it.iter_with_large_drop(|| from_nothing(black_box(scene.inputs(&typed))));
        });
        for (what, changes) in [
            ("up to date, 1 % changed", size as usize / 100),
            ("up to date, 10 changed", FEW),
            ("up to date, nothing changed", 0),
        ] {
            let mut swing = Swing::of(&scene, changes);
            group.bench_function(BenchmarkId::new(what, size), |it| {
                it.iter_with_large_drop(|| black_box(swing.replan()));
            });
        }
    }
    group.finish();
}

criterion_group!(benches, planner);

fn main() {
    compare();
    benches();
    Criterion::default().configure_from_args().final_summary();
}
