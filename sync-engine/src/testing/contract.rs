//! What every implementation of a port must do, as tests that run against any of them.
//!
//! `state_store_contract!(async { store })`, `credential_vault_contract!` and
//! `directory_contract!` expand to one test for each claim; the expression makes a fresh world.

use crate::ports::{CredentialVault, Directory, StateStore};

/// Expands to one test for each claim of the [`StateStore`] port. The expression is awaited and
/// gives `(store, guard)`; the guard keeps whatever the store needs.
#[macro_export]
macro_rules! state_store_contract {
    ($make:expr) => {
        $crate::contract_tests!($make, state_store: [
            a_fresh_store_is_empty,
            what_was_saved_is_loaded,
            saving_again_replaces,
            the_journal_is_read_newest_first,
            a_report_is_kept_until_it_is_dropped,
            a_held_plan_is_kept_until_it_is_dropped,
            a_report_that_is_kept_again_keeps_its_place,
            the_later_of_two_memories_of_one_credential_counts,
            every_character_comes_back,
            thousands_of_credentials_come_back_whole,
            writes_at_once_are_all_kept,
        ]);
    };
}

/// Expands to one test for each claim of the [`CredentialVault`] port. The expression is awaited
/// and gives `(vault, guard)`: a vault whose one credential is `anna@contoso.com` with the
/// password `Contract-1st`.
#[macro_export]
macro_rules! credential_vault_contract {
    ($make:expr) => {
        $crate::contract_tests!($make, credential_vault: [
            the_first_reading_is_full,
            a_reading_from_the_cursor_has_nothing_twice,
            the_password_is_carried_exactly,
            another_version_is_superseded,
            a_report_may_be_sent_twice,
            plans_are_shown_and_taken_down,
        ]);
    };
}

/// Expands to one test for each claim of the [`Directory`] port. The expression is awaited and
/// gives `(directory, guard)`: a tenant with the managed domain `contoso.com`, and in it the one
/// account `anna@contoso.com` with the password `Contract-1st`.
#[macro_export]
macro_rules! directory_contract {
    ($make:expr) => {
        $crate::contract_tests!($make, directory: [
            the_first_reading_has_every_account,
            the_domain_is_managed,
            the_right_password_matches,
            a_wrong_password_mismatches_and_counts,
            a_write_moves_the_stamp_into_its_own_time,
            an_unknown_account_is_gone,
            several_writes_are_answered_in_their_order,
        ]);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($make:expr, $port:ident: [$($claim:ident),+ $(,)?]) => {
        $(
            #[tokio::test]
            async fn $claim() {
                let (port, _guard) = $make.await;
                $crate::testing::contract::$port::$claim(&port).await;
            }
        )+
    };
}

/// Claims of the [`StateStore`] port.
pub mod state_store {
    use futures::future::join_all;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::StateStore;
    use crate::model::{
        ClientMemory, CredentialId, CredentialMemory, CycleId, FlagFact, FlagKind, JournalEntry,
        ObjectId, Outcome, Phase, PlanId, Report, ReportEntry, ReportId, StepKind, VaultEpoch,
        VaultVersion, Written,
    };
    use crate::plan::{HeldPlan, PlanStanding, Word};

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    fn credential(number: u128, written: Option<u64>) -> CredentialMemory {
        CredentialMemory {
            object: Some(ObjectId(id(number))),
            written: written.map(|version| Written {
                version: VaultVersion(version),
                at: Timestamp::UNIX_EPOCH,
            }),
            ..CredentialMemory::new(CredentialId(id(number)))
        }
    }

    fn entry(number: u128, phase: Phase) -> JournalEntry {
        JournalEntry {
            at: Timestamp::UNIX_EPOCH,
            cycle: CycleId(id(1)),
            credential: CredentialId(id(number)),
            object: ObjectId(id(number)),
            version: VaultVersion(1),
            stamp: None,
            step: StepKind::Push,
            phase,
            why: "because".to_owned(),
            by: Some("ada@msp.example".to_owned()),
        }
    }

    /// Nothing is remembered at first.
    pub async fn a_fresh_store_is_empty(store: &impl StateStore) {
        let memory = store.load().await.unwrap();
        assert!(memory.credentials.is_empty());
        assert_eq!(memory.client, ClientMemory::default());
        assert!(store.journal(None, 10).await.unwrap().is_empty());
        assert!(store.kept_reports().await.unwrap().is_empty());
        assert!(memory.plans.is_empty());
    }

    /// Client and credentials come back as they were.
    pub async fn what_was_saved_is_loaded(store: &impl StateStore) {
        let client = ClientMemory {
            epoch: Some(VaultEpoch(id(9))),
            writes: vec![Timestamp::UNIX_EPOCH],
            ..ClientMemory::default()
        };
        store.save_client(&client).await.unwrap();
        let memories = [credential(1, None), credential(2, Some(3))];
        store.save_credentials(&memories).await.unwrap();
        let memory = store.load().await.unwrap();
        assert_eq!(memory.client, client);
        let loaded: Vec<_> = memory.credentials.into_values().collect();
        assert_eq!(loaded, memories);
    }

    /// The newest state of a credential wins, and the others stay.
    pub async fn saving_again_replaces(store: &impl StateStore) {
        let before = [credential(1, None), credential(2, None)];
        store.save_credentials(&before).await.unwrap();
        store
            .save_credentials(&[credential(1, Some(7))])
            .await
            .unwrap();
        let memory = store.load().await.unwrap();
        let loaded: Vec<_> = memory.credentials.into_values().collect();
        assert_eq!(loaded, [credential(1, Some(7)), credential(2, None)]);
    }

    /// The journal keeps order, filters by credential, and comes with the memory.
    pub async fn the_journal_is_read_newest_first(store: &impl StateStore) {
        let entries = [entry(1, Phase::Intent), entry(2, Phase::Intent)];
        store
            .record(&entries, &[credential(1, Some(1))])
            .await
            .unwrap();
        store
            .record(&[entry(1, Phase::Outcome)], &[])
            .await
            .unwrap();
        let all = store.journal(None, 2).await.unwrap();
        assert_eq!(all, [entry(1, Phase::Outcome), entry(2, Phase::Intent)]);
        let first = store.journal(Some(CredentialId(id(1))), 10).await.unwrap();
        assert_eq!(first, [entry(1, Phase::Outcome), entry(1, Phase::Intent)]);
        let memory = store.load().await.unwrap();
        assert_eq!(
            memory.credentials.into_values().collect::<Vec<_>>(),
            [credential(1, Some(1))]
        );
    }

    /// Reports wait in order, each once.
    pub async fn a_report_is_kept_until_it_is_dropped(store: &impl StateStore) {
        let report = |number| Report {
            id: ReportId(id(number)),
            entries: Vec::new(),
        };
        for number in [2, 1, 2] {
            store.keep_report(&report(number)).await.unwrap();
        }
        let kept = store.kept_reports().await.unwrap();
        assert_eq!(kept.len(), 2);
        store.drop_report(ReportId(id(2))).await.unwrap();
        store.drop_report(ReportId(id(5))).await.unwrap();
        assert_eq!(store.kept_reports().await.unwrap(), [report(1)]);
    }

    /// Plans are kept by their id, with what a person said.
    pub async fn a_held_plan_is_kept_until_it_is_dropped(store: &impl StateStore) {
        let plan = |number, standing| HeldPlan {
            id: PlanId(id(number)),
            at: Timestamp::UNIX_EPOCH,
            allowed: 3,
            writes: Vec::new(),
            standing,
        };
        let word = Word {
            by: "ada@msp.example".to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let waiting = plan(1, PlanStanding::Waiting);
        let approved = plan(2, PlanStanding::Approved(word));
        store
            .keep_plan(&plan(2, PlanStanding::Waiting))
            .await
            .unwrap();
        store.keep_plan(&waiting).await.unwrap();
        store.keep_plan(&approved).await.unwrap();
        let kept = store.load().await.unwrap().plans;
        assert_eq!(
            kept.into_values().collect::<Vec<_>>(),
            [waiting, approved.clone()]
        );
        store.drop_plan(PlanId(id(1))).await.unwrap();
        store.drop_plan(PlanId(id(5))).await.unwrap();
        let kept = store.load().await.unwrap().plans;
        assert_eq!(kept.into_values().collect::<Vec<_>>(), [approved]);
    }

    /// Reports are sent oldest first, also when one of them was kept again.
    pub async fn a_report_that_is_kept_again_keeps_its_place(store: &impl StateStore) {
        let report = |number, why| Report {
            id: ReportId(id(number)),
            entries: vec![report_entry(why)],
        };
        for (number, why) in [(9, "first"), (3, "second"), (9, "first, again")] {
            store.keep_report(&report(number, why)).await.unwrap();
        }
        let kept = store.kept_reports().await.unwrap();
        assert_eq!(kept, [report(9, "first, again"), report(3, "second")]);
    }

    fn report_entry(why: &str) -> ReportEntry {
        ReportEntry {
            credential: CredentialId(id(1)),
            at: Timestamp::UNIX_EPOCH,
            version: VaultVersion(1),
            outcome: Outcome::Matched,
            why: why.to_owned(),
            flags: [].into(),
        }
    }

    /// One batch may name a credential twice.
    pub async fn the_later_of_two_memories_of_one_credential_counts(store: &impl StateStore) {
        let memories = [credential(1, Some(1)), credential(1, Some(2))];
        store.save_credentials(&memories).await.unwrap();
        let memory = store.load().await.unwrap();
        let loaded: Vec<_> = memory.credentials.into_values().collect();
        assert_eq!(loaded, [credential(1, Some(2))]);
    }

    /// Reasons come from services and people, who write what they like.
    pub async fn every_character_comes_back(store: &impl StateStore) {
        let text: String = ('\0'..='\u{ff}')
            .chain("Żółć 密码 \u{1f510} \u{202e} \u{feff} \u{fffd} \u{10ffff}".chars())
            .chain("'; DROP TABLE journal; -- \\u0000 {}[] $1 ?1".chars())
            .collect();
        let mut memory = credential(1, None);
        let fact = FlagFact {
            version: VaultVersion(1),
            stamp: None,
            why: text.clone(),
        };
        memory.raised.insert(FlagKind::AdChange, fact);
        let entry = JournalEntry {
            why: text.clone(),
            by: Some(text.clone()),
            ..entry(1, Phase::Intent)
        };
        let report = Report {
            id: ReportId(id(2)),
            entries: vec![report_entry(&text)],
        };
        let plan = HeldPlan {
            id: PlanId(id(3)),
            at: Timestamp::UNIX_EPOCH,
            allowed: 0,
            writes: Vec::new(),
            standing: PlanStanding::Rejected(Word {
                by: text,
                at: Timestamp::UNIX_EPOCH,
            }),
        };
        let (entries, memories) = ([entry], [memory]);
        store.record(&entries, &memories).await.unwrap();
        store.keep_report(&report).await.unwrap();
        store.keep_plan(&plan).await.unwrap();
        let loaded = store.load().await.unwrap();
        assert!(loaded.credentials.into_values().eq(memories));
        assert!(loaded.plans.into_values().eq([plan]));
        assert_eq!(store.journal(None, 10).await.unwrap(), entries);
        assert_eq!(store.kept_reports().await.unwrap(), [report]);
    }

    /// First contact with a large client, and a reason of the size of a page.
    pub async fn thousands_of_credentials_come_back_whole(store: &impl StateStore) {
        let mut memories: Vec<_> = (0..5_001).map(|n| credential(n, Some(1))).collect();
        memories[0].raised.insert(
            FlagKind::Held,
            FlagFact {
                version: VaultVersion(1),
                stamp: None,
                why: "ä".repeat(100_000),
            },
        );
        let entries: Vec<_> = (0..5_001).map(|n| entry(n, Phase::Intent)).collect();
        store.record(&entries, &memories).await.unwrap();
        let loaded = store.load().await.unwrap().credentials;
        assert!(loaded.into_values().eq(memories));
        let newest_first = store.journal(None, u32::MAX).await.unwrap();
        assert!(newest_first.into_iter().rev().eq(entries));
    }

    /// Nobody's write is lost to another's, and an entry never comes without its memory.
    pub async fn writes_at_once_are_all_kept(store: &impl StateStore) {
        let writes = (0..40).map(|n| async move {
            let (entries, memories) = ([entry(n, Phase::Intent)], [credential(n, Some(1))]);
            store.record(&entries, &memories).await.unwrap();
        });
        join_all(writes).await;
        let memory = store.load().await.unwrap();
        let all: Vec<_> = (0..40).map(|n| credential(n, Some(1))).collect();
        assert!(memory.credentials.into_values().eq(all));
        assert_eq!(store.journal(None, 100).await.unwrap().len(), 40);
    }
}

/// Claims of the [`CredentialVault`] port.
pub mod credential_vault {
    use std::collections::BTreeMap;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::CredentialVault;
    use crate::model::{
        Extent, ObjectId, Password, PlanId, Report, ReportId, UserPrincipalName, VaultChanges,
        VaultCredential, VaultVersion,
    };
    use crate::plan::{Action, Decision, HeldPlan, PlanStanding, Rule, Target};
    use crate::ports::{Lease, PasswordAnswer, Wait};

    async fn first(vault: &impl CredentialVault) -> VaultChanges {
        vault.changes(None, Wait::No).await.unwrap()
    }

    /// Without a cursor everything comes.
    pub async fn the_first_reading_is_full(vault: &impl CredentialVault) {
        let changes = first(vault).await;
        assert_eq!(changes.extent, Extent::Full);
        assert_eq!(changes.credentials.len(), 1);
        let anna = &changes.credentials[0];
        assert_eq!(anna.user_name, UserPrincipalName::new("ANNA@contoso.com"));
        assert_eq!(anna.version, VaultVersion(1));
        assert_eq!(anna.facts, Some(Password::new("Contract-1st").facts()));
    }

    /// With the cursor nothing that was seen comes again.
    pub async fn a_reading_from_the_cursor_has_nothing_twice(vault: &impl CredentialVault) {
        let cursor = first(vault).await.cursor;
        let again = vault.changes(Some(&cursor), Wait::No).await.unwrap();
        assert_eq!(again.extent, Extent::Changes);
        assert!(again.credentials.is_empty());
    }

    /// The password that was stored is the one that is handed out.
    pub async fn the_password_is_carried_exactly(vault: &impl CredentialVault) {
        let anna = first(vault).await.credentials.remove(0);
        match vault.password(anna.id, anna.version).await.unwrap() {
            PasswordAnswer::Current(password) => assert_eq!(password.expose(), "Contract-1st"),
            PasswordAnswer::Superseded => panic!("the current version is not superseded"),
        }
    }

    /// A version that is not the current one is never handed out.
    pub async fn another_version_is_superseded(vault: &impl CredentialVault) {
        let anna = first(vault).await.credentials.remove(0);
        let answer = vault.password(anna.id, VaultVersion(2)).await.unwrap();
        assert!(matches!(answer, PasswordAnswer::Superseded));
    }

    /// Showing plans again replaces them, and nobody has ruled on them by that.
    pub async fn plans_are_shown_and_taken_down(vault: &impl CredentialVault) {
        let lease = vault.lease().await.unwrap();
        assert!(matches!(lease, Lease::Granted { .. }));
        let anna = first(vault).await.credentials.remove(0);
        let plan = HeldPlan {
            id: PlanId(Uuid::from_u128(78)),
            at: Timestamp::UNIX_EPOCH,
            allowed: 0,
            writes: vec![write(&anna)],
            standing: PlanStanding::Waiting,
        };
        let plans = [plan];
        vault.show_plans(&plans).await.unwrap();
        vault.show_plans(&plans).await.unwrap();
        assert!(first(vault).await.rulings.is_empty());
        vault.show_plans(&[]).await.unwrap();
    }

    fn write(credential: &VaultCredential) -> Decision {
        Decision {
            credential: credential.id,
            user_name: credential.user_name.clone(),
            mode: credential.mode,
            version: credential.version,
            rule: Rule::VaultChanged,
            action: Action::Push(Target {
                object: ObjectId(Uuid::from_u128(79)),
                stamp: None,
            }),
            flags: BTreeMap::new(),
        }
    }

    /// Sending a report again is no error.
    pub async fn a_report_may_be_sent_twice(vault: &impl CredentialVault) {
        let report = Report {
            id: ReportId(Uuid::from_u128(77)),
            entries: Vec::new(),
        };
        vault.report(&report).await.unwrap();
        vault.report(&report).await.unwrap();
    }
}

/// Claims of the [`Directory`] port.
pub mod directory {
    use std::time::Duration;

    use uuid::Uuid;

    use super::Directory;
    use crate::model::{
        Account, DomainKind, Extent, ObjectId, Password, UserPrincipalName, Verdict,
    };
    use crate::ports::{PasswordWrite, SetPassword};

    async fn anna(directory: &impl Directory) -> Account {
        let mut changes = directory.changes(None).await.unwrap();
        assert_eq!(changes.accounts.len(), 1);
        changes.accounts.remove(0)
    }

    fn name() -> UserPrincipalName {
        UserPrincipalName::new("anna@contoso.com")
    }

    /// Without a link everything comes; with it nothing twice.
    pub async fn the_first_reading_has_every_account(directory: &impl Directory) {
        let changes = directory.changes(None).await.unwrap();
        assert_eq!(changes.extent, Extent::Full);
        assert_eq!(changes.accounts.len(), 1);
        assert_eq!(changes.accounts[0].user_name, name());
        assert!(changes.accounts[0].stamp.is_some());
        let again = directory.changes(Some(&changes.link)).await.unwrap();
        assert_eq!(again.extent, Extent::Changes);
        assert!(again.accounts.is_empty());
    }

    /// Domains are told with who checks their passwords.
    pub async fn the_domain_is_managed(directory: &impl Directory) {
        let domains = directory.domains().await.unwrap();
        let kind = domains.get("contoso.com");
        assert_eq!(kind, Some(&DomainKind::Managed));
    }

    /// Signing in with the right password is a Match and costs nothing.
    pub async fn the_right_password_matches(directory: &impl Directory) {
        let answer = directory
            .verify(&name(), &Password::new("Contract-1st"))
            .await;
        assert_eq!((answer.verdict, answer.counted), (Verdict::Match, false));
    }

    /// Signing in with a wrong password is a Mismatch and counts.
    pub async fn a_wrong_password_mismatches_and_counts(directory: &impl Directory) {
        let answer = directory
            .verify(&name(), &Password::new("Contract-2nd"))
            .await;
        assert_eq!((answer.verdict, answer.counted), (Verdict::Mismatch, true));
    }

    /// The new stamp lies within the write, by the service's clock.
    pub async fn a_write_moves_the_stamp_into_its_own_time(directory: &impl Directory) {
        let before = anna(directory).await;
        let password = Password::new("Contract-2nd");
        let answer = directory.set_password(before.id, &password).await;
        let SetPassword::Accepted(accepted) = answer else {
            panic!("expected the write to be accepted, got {answer:?}");
        };
        let after = directory.account(before.id).await.unwrap().unwrap();
        let stamp = after.stamp.unwrap().0;
        let tolerance = Duration::from_secs(5);
        assert!(accepted.sent - tolerance <= stamp && stamp <= accepted.answered + tolerance);
        let verdict = directory.verify(&name(), &password).await.verdict;
        assert_eq!(verdict, Verdict::Match);
    }

    /// An id that nobody has is told apart from a failure.
    pub async fn an_unknown_account_is_gone(directory: &impl Directory) {
        let nobody = ObjectId(Uuid::from_u128(0xDEAD));
        assert_eq!(directory.account(nobody).await.unwrap(), None);
        let answer = directory
            .set_password(nobody, &Password::new("Contract-2nd"))
            .await;
        assert_eq!(answer, SetPassword::Gone);
    }

    /// Several writes at once have an outcome each, in the order in which they were asked for.
    pub async fn several_writes_are_answered_in_their_order(directory: &impl Directory) {
        let before = anna(directory).await;
        let write = |object| PasswordWrite {
            object,
            password: Password::new("Contract-2nd"),
        };
        let nobody = ObjectId(Uuid::from_u128(0xDEAD));
        let writes = [write(nobody), write(before.id)];
        let answers = directory.set_passwords(&writes).await;
        assert!(
            matches!(&answers[..], [SetPassword::Gone, SetPassword::Accepted(_)]),
            "{answers:?}"
        );
        let verdict = directory.verify(&name(), &writes[1].password).await.verdict;
        assert_eq!(verdict, Verdict::Match);
        assert!(directory.set_passwords(&[]).await.is_empty());
    }
}
