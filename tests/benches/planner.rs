//! What planning alone costs, with nothing changed and with one in a hundred passwords changed.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use sync_engine::model::{
    Account, ClientId, ClientSettings, CredentialId, CredentialMemory, DirectoryChanges,
    DirectoryView, DomainKind, Memory, ObjectId, Password, RememberedVerdict, Stamp, SyncMode,
    VaultChanges, VaultCredential, VaultEpoch, VaultVersion, VaultView, Verdict, VerdictSource,
};
use sync_engine::plan::{Plan, Policy, guard, plan};
use uuid::Uuid;

const SIZES: [u32; 3] = [1_000, 5_000, 100_000];

/// All that the planner sees, where vault and directory are known to agree.
struct Scene {
    vault: VaultView,
    directory: DirectoryView,
    memory: Memory,
    policy: Policy,
    now: Timestamp,
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
            now: Timestamp::UNIX_EPOCH,
        }
    }

    /// The same, after a person typed every hundredth password anew.
    fn with_changes(size: u32) -> Self {
        let mut scene = Self::of(size);
        for credential in scene.vault.credentials.values_mut().step_by(100) {
            credential.version = VaultVersion(2);
        }
        scene
    }

    fn plan(&self) -> Plan {
        let Self {
            vault,
            directory,
            memory,
            policy,
            now,
        } = self;
        let made = plan(vault, directory, memory, policy, *now);
        guard(made, vault, directory, memory, policy, *now).0
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

fn planner(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("planner");
    group.measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    group.sample_size(10);
    for size in SIZES {
        for (what, scene) in [
            ("nothing changed", Scene::of(size)),
            ("1 % changed", Scene::with_changes(size)),
        ] {
            group.bench_function(BenchmarkId::new(what, size), |bencher| {
                // Dropping a plan is not planning.
                bencher.iter_with_large_drop(|| black_box(&scene).plan());
            });
        }
    }
    group.finish();
}

criterion_group!(benches, planner);
criterion_main!(benches);
