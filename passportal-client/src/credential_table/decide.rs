//! What an import would do, row by row. Pure: the same table and vault give the same decision.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use super::{ImportRow, RefusedRow, Table};
use crate::wire::{Client, Credential};

/// What would become of a table.
#[derive(Debug, Default)]
pub struct Decision<'a> {
    /// Rows that become new credentials, and whose.
    pub new: Vec<(&'a ImportRow, Uuid)>,
    /// Rows whose client has a credential of this user name and type.
    pub existing: Vec<(&'a ImportRow, &'a Credential)>,
    /// Rows that cannot be stored, by line.
    pub refused: Vec<RefusedRow>,
}

/// Client, user name and type, without case.
type Key = (Uuid, String, String);

fn key(client: Uuid, user_name: &str, credential_type: &str) -> Key {
    (
        client,
        user_name.to_lowercase(),
        credential_type.to_lowercase(),
    )
}

/// The clients that a table names, where there are such.
pub fn clients_of(table: &Table, clients: &[Client], otherwise: Uuid) -> Vec<Uuid> {
    let ids = by_name(clients);
    let rows = table.rows.iter();
    let mut named: Vec<Uuid> = rows
        .filter_map(|row| client_of(row, &ids, otherwise))
        .collect();
    named.sort_unstable();
    named.dedup();
    named
}

fn by_name(clients: &[Client]) -> HashMap<String, Uuid> {
    let pairs = clients
        .iter()
        .map(|client| (client.name.to_lowercase(), client.id));
    pairs.collect()
}

fn client_of(row: &ImportRow, ids: &HashMap<String, Uuid>, otherwise: Uuid) -> Option<Uuid> {
    match &row.client_name {
        Some(name) => ids.get(&name.to_lowercase()).copied(),
        None => Some(otherwise),
    }
}

/// Decides what a table would do to these credentials. A row that names no client belongs to `otherwise`.
pub fn decide<'a>(
    table: &'a Table,
    clients: &[Client],
    otherwise: Uuid,
    there: &'a [Credential],
) -> Decision<'a> {
    let ids = by_name(clients);
    let mut existing: BTreeMap<Key, Vec<&Credential>> = BTreeMap::new();
    for credential in there {
        let key = key(
            credential.client,
            &credential.user_name,
            &credential.credential_type,
        );
        existing.entry(key).or_default().push(credential);
    }
    let mut lines: BTreeMap<Key, u64> = BTreeMap::new();
    let mut decision = Decision {
        refused: table.refused.clone(),
        ..Decision::default()
    };
    for row in &table.rows {
        let mut refuse = |reason: String| {
            let line = row.line;
            decision.refused.push(RefusedRow { line, reason });
        };
        let Some(client) = client_of(row, &ids, otherwise) else {
            let name = row.client_name.as_deref().unwrap_or_default();
            refuse(format!("there is no client `{name}`; create it first"));
            continue;
        };
        let key = key(client, &row.user_name, &row.credential_type);
        if let Some(line) = lines.get(&key) {
            refuse(format!(
                "it is the same client, user name and type as line {line}"
            ));
            continue;
        }
        match existing.get(&key).map(Vec::as_slice) {
            None => decision.new.push((row, client)),
            Some([credential]) => decision.existing.push((row, credential)),
            Some(_) => refuse("several credentials have this user name and type".to_owned()),
        }
        lines.insert(key, row.line);
    }
    decision.refused.sort_by_key(|row| row.line);
    decision
}
