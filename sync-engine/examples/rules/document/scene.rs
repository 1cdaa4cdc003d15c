//! One credential and its account, to ask the planner about.

use jiff::Timestamp;
use sync_engine::model::{
    Account, Baseline, ClientId, ClientSettings, CredentialId, CredentialMemory, DirectoryChanges,
    DirectoryView, DomainKind, FlagFact, FlagKind, Memory, ObjectId, Password, RememberedVerdict,
    Stamp, SyncMode, UnknownReason, VaultChanges, VaultCredential, VaultEpoch, VaultView, Verdict,
    VerdictSource,
};
use sync_engine::plan::{Action, Decision, Policy, Rule, Verification, guard, plan};
use uuid::Uuid;

const CREDENTIAL: CredentialId = CredentialId(Uuid::from_u128(1));
const ACCOUNT: ObjectId = ObjectId(Uuid::from_u128(2));
const NAME: &str = "anna@contoso.com";
const STAMP: Option<Stamp> = Some(Stamp(Timestamp::UNIX_EPOCH));
const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

/// What the planner decides in this mode where this is what is known, and these flags stand.
pub(crate) fn decision(mode: SyncMode, verdict: &Verdict, raised: &[FlagKind]) -> Decision {
    let password = Password::new(clear(verdict));
    let credential = VaultCredential::new(CREDENTIAL, NAME, mode, &password);
    let memory = memory(&credential, verdict, raised);
    let client = ClientSettings::new(ClientId(Uuid::nil()), "Contoso");
    let epoch = VaultEpoch(Uuid::nil());
    let vault = VaultView::new(VaultChanges::full(epoch, client, vec![credential]));
    let accounts = vec![Account::member(ACCOUNT, NAME, STAMP)];
    let domains = [("contoso.com".to_owned(), DomainKind::Managed)];
    let directory = DirectoryView::new(DirectoryChanges::full(accounts), domains.into());
    let policy = policy(verdict);
    let now = Timestamp::UNIX_EPOCH + HOUR;
    let drawn = plan(&vault, &directory, &memory, &policy, now);
    let (guarded, _) = guard(drawn, &vault, &directory, &memory, &policy, now);
    let undecided = Decision {
        credential: CREDENTIAL,
        user_name: sync_engine::model::UserPrincipalName::new(NAME),
        mode,
        version: sync_engine::model::VaultVersion(1),
        rule: Rule::NotProcessed,
        action: Action::Nothing,
        flags: std::collections::BTreeMap::new(),
    };
    guarded.decisions.into_iter().next().unwrap_or(undecided)
}

fn clear(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Unknown(UnknownReason::EdgeWhitespace) => " Winter-2025!",
        _ => "Winter-2025!",
    }
}

fn policy(verdict: &Verdict) -> Policy {
    let verification = match verdict {
        Verdict::Unknown(UnknownReason::SwitchedOff) => Verification::SwitchedOff,
        _ => Verification::Allowed,
    };
    Policy {
        verification,
        ..Policy::default()
    }
}

fn memory(credential: &VaultCredential, verdict: &Verdict, raised: &[FlagKind]) -> Memory {
    let fact = FlagFact {
        version: credential.version,
        stamp: STAMP,
        why: Rule::KnownMismatch.why().to_owned(),
    };
    let passes = matches!(verdict, Verdict::Unknown(why) if why.passes());
    let known = CredentialMemory {
        object: Some(ACCOUNT),
        baseline: Some(Baseline {
            version: credential.version,
            mode: credential.mode,
        }),
        verdict: Some(RememberedVerdict {
            object: ACCOUNT,
            version: credential.version,
            stamp: STAMP,
            verdict: verdict.clone(),
            source: VerdictSource::SignIn,
            at: Timestamp::UNIX_EPOCH,
            next_try: passes.then_some(Timestamp::UNIX_EPOCH + 2 * HOUR),
            tries: 0,
            code: None,
        }),
        raised: raised.iter().map(|kind| (*kind, fact.clone())).collect(),
        ..CredentialMemory::new(credential.id)
    };
    let mut memory = Memory::default();
    memory.credentials.insert(known.id, known);
    memory
}
