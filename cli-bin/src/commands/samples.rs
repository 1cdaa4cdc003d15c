//! Clients and credentials for tests.

use std::collections::BTreeMap;

use jiff::Timestamp;
use passportal_client::wire::{
    AgentCondition, Client, Credential, Flag, FlagKind, HistoryEntry, KeyParameters, MicrosoftSync,
    Mute, Outcome, SealedText, SeenAgent, Standing, SyncMode, WrappedKey, credential_type,
};
use uuid::Uuid;

pub(crate) fn a_client(id: u128, name: &str) -> Client {
    let id = Uuid::from_u128(id);
    Client {
        id,
        name: name.into(),
        company_vault: false,
        sync: MicrosoftSync::EntraId,
        default_mode: SyncMode::Enabled,
        mute: Mute::Unmuted,
        credentials: 2,
        flags: BTreeMap::from([(FlagKind::AdChange, 1), (FlagKind::Held, 2)]),
        waiting_writes: 0,
        agents: vec![SeenAgent {
            id: Uuid::from_u128(7),
            host: "srv-1".into(),
            version: "0.1.0".into(),
            condition: AgentCondition::Silent,
            last_seen: Some(Timestamp::UNIX_EPOCH),
        }],
        key: WrappedKey {
            key_id: Uuid::from_u128(5),
            client: id,
            parameters: KeyParameters {
                organization: Uuid::from_u128(6),
                salt: "c2FsdHNhbHRzYWx0c2FsdA".into(),
                memory_kib: 19 * 1024,
                iterations: 2,
                parallelism: 1,
            },
            sealed: SealedText("c2VhbGVk".into()),
        },
    }
}

pub(crate) fn a_credential(id: u128, user_name: &str) -> Credential {
    let flag = Flag {
        version: 3,
        stamp: None,
        why: "Entra ID does not accept the vault's password".into(),
    };
    Credential {
        id: Uuid::from_u128(id),
        client: Uuid::from_u128(1),
        credential_type: credential_type::USER.into(),
        user_name: user_name.into(),
        description: String::new(),
        notes: String::new(),
        folder: String::new(),
        url: String::new(),
        expires: None,
        has_totp: false,
        totp_version: 0,
        version: 3,
        own_mode: Some(SyncMode::ReportMismatches),
        mode: SyncMode::ReportMismatches,
        standing: Standing::Active,
        changed: Timestamp::UNIX_EPOCH,
        changed_by: None,
        flags: BTreeMap::from([(FlagKind::AdChange, flag)]),
        last_result: Some(HistoryEntry {
            at: Timestamp::UNIX_EPOCH,
            version: 3,
            outcome: Outcome::Mismatched,
            why: "Entra ID does not accept the vault's password".into(),
            agent: "srv-1".into(),
            approved_by: None,
        }),
    }
}
